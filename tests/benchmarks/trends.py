"""What `voc.issues.trends` finds and what it calls by chance, on weekly counts with a known truth: `python tests/benchmarks/trends.py`.

`with a trend` adds a straight trend to what is expected; it is not shipped.
"""

import numpy as np
import statsmodels.api as sm

from voc.issues import trends

WEEKS, ISSUES = 60, 200


def world(kind: str, rng: np.random.Generator, *, rate: float, weeks: int = WEEKS) -> tuple[np.ndarray, np.ndarray]:
    """(issue x channel x week, channel x week): calls and a survey whose waves come every thirteenth week."""
    t = np.arange(weeks)
    volume = np.vstack([rng.poisson(400, weeks), np.where(t % 13 == 12, 800, 5)])
    shape = {
        "flat": np.ones(weeks), "bursts": rng.gamma(2, 0.5, (ISSUES, weeks)), "surge": np.where(t >= weeks - 4, 2.0, 1.0),
        "ramp": np.where(t >= weeks - 20, 1 + (t - weeks + 20) / 10, 1.0), "season": 1 + 0.5 * np.sin(2 * np.pi * t / trends._YEAR),
        "drift": np.linspace(0.8, 1.2, weeks),
    }[kind]  # fmt: skip
    mean = rate * np.broadcast_to(shape, (ISSUES, weeks))
    return np.stack([rng.poisson(mean * volume[0] / 400), rng.poisson(mean * volume[1] / 400 * 0.5)], axis=1).astype(float), volume.astype(float)


def with_a_trend(own: np.ndarray, volume: np.ndarray, weeks: np.ndarray) -> trends.Change:
    base = np.arange(weeks[0] - trends.BEFORE, weeks[0])
    level, seen = own[:, base].sum(axis=1) / volume[:, base].sum(axis=1) @ volume, own.sum(axis=0)
    line = sm.add_constant(np.arange(len(seen)) / trends.BEFORE)
    fit = sm.GLM(seen[base], line[base], family=sm.families.Poisson(), offset=np.log(level[base])).fit()
    each = np.exp(line[weeks] @ fit.params) * level[weeks]
    slope = each @ line[weeks] / each.sum()
    return trends._judge(seen[weeks].sum(), each.sum(), 1 / (slope @ fit.cov_params() @ slope), fit.pearson_chi2 / fit.df_resid)


def called(changes: list[trends.Change]) -> tuple[float, float]:
    """Shares of issues called growing and fading."""
    q, ratio = trends._corrected([one.p for one in changes]), np.array([one.ratio for one in changes])
    sure = q <= trends.FALSE_SHARE
    return float((sure & (ratio >= trends._NOTABLE)).mean()), float((sure & (ratio <= 1 / trends._NOTABLE)).mean())


def main() -> None:
    for weeks, kinds in ((WEEKS, ("flat", "bursts", "drift", "surge", "ramp")), (130, ("flat", "season", "surge"))):
        for kind in kinds:
            for rate in (1, 5, 20):
                counts, volume = world(kind, np.random.default_rng(7), rate=rate, weeks=weeks)
                recent = np.arange(weeks - trends.RECENT, weeks)
                lines = [called([compare(own, volume, recent) for own in counts]) for compare in (trends.compare, with_a_trend)]
                print(f"{weeks} weeks, {kind:7} {rate:3}/week: growing {lines[0][0]:.2f}, fading {lines[0][1]:.2f}"
                      f"; with a trend {lines[1][0]:.2f}, {lines[1][1]:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
