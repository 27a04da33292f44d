"""Shift and widen estimates by negative controls; shrink them for ranking; how strong a hidden cause must be."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from voc.intervals import Z90

SHIFT_SD = 0.25  # prior of the shift shared by all issues; 0.5 let a few rare controls move everything
SPREAD_SCALE = 0.2  # half-normal prior of the spread between issues
SLOPE, SLOPE_SD = 0.7, 0.4  # a mood that moves contacting by one log unit moves leaving by most of it
DEFAULT_SHIFT_SD, DEFAULT_SPREAD = 0.1, 0.2  # without controls: no correction, only wider
MIN_CONTROLS = 2
EFFECT_SCALES = (0.1, 0.2, 0.4, 0.8, 1.6)
UNKNOWN_RATE = (0.2, 1.0)  # reporting rate where the company gives none: bounds the far limit of the interval only
MAX_SILENT_FACTOR = 2.0  # of the odds ratio; a formula that divides by what is nearly nothing is not believed further
LABEL_SLIP, LABEL_SLIP_SHARE = 0.15, 0.2  # of `label_log_odds_sd`
PRIOR_DRAWS = 100  # of the shared bias, from which the weights of the prior are learned
NULL_WEIGHT = 10.0  # pseudo-issues without effect, the customary penalty of adaptive shrinkage
_SHIFTS = np.linspace(-1.2, 1.2, 97)
_SPREADS = np.linspace(0.01, 1.2, 60)
_SLOPES = np.linspace(0.0, 2.4, 9)
_SCALE, _SIDE = np.tile(EFFECT_SCALES, 2), np.repeat([1.0, -1.0], len(EFFECT_SCALES))


@dataclass(frozen=True)
class Bias:
    """Draws of hidden bias in log-odds: `shift` (issues x draws), `spread` (draws) between issues; their means.

    `shift_mean` is of the controls' level; `slope_mean` of the part that follows the loading. `controls_low`,
    `controls_high`: 90 % interval of the controls' pooled log-odds as fitted, NaN without two (`pooled_controls`).
    """

    shift: np.ndarray
    spread: np.ndarray
    shift_mean: float
    spread_mean: float
    slope_mean: float
    n_controls: int
    controls_low: float = np.nan
    controls_high: float = np.nan


def label_log_odds_sd(log_odds: np.ndarray) -> np.ndarray:
    """Standard deviation that uncalibrated labels add to the log-odds of each issue's effect.

    It blurs the cause, not what was counted (`calibrated_draws`). Measured as what the product's own labels, found in
    text, change in the fitted log-odds of the demo company against labels of what was really said (seeds 42, 107, 301
    and 302, 111 issues; `tests/benchmarks/end_to_end.py`):

    - Harmless issues move by a standard deviation of 0.13, some sentences being missed and some a neighbour's. 0.15.
    - Effects come out at 0.92 of what they are with right labels. 1 / 0.92 - 1 is 0.09; taken as 0.2, twice that, since
      a company's own words are harder than the demo's. With labels of which 30 % are wrong it was 0.33.
    """
    return np.hypot(LABEL_SLIP, LABEL_SLIP_SHARE * log_odds)


def loading(crowding: np.ndarray) -> np.ndarray:
    """How much more than usual each issue is told in bad moods: the log ratios of `crowding`, shrunk to 0.

    Normal empirical Bayes by moments; 0 for all where the ratios differ by no more than chance.
    """
    ratio, variance = crowding.T
    weight = 1.0 / (variance + 0.01)
    between = max(float(((ratio**2 - variance) * weight).sum() / max(weight.sum(), 1e-12)), 0.0)
    return ratio * between / (between + variance)


def hidden_bias(
    log_odds: np.ndarray, se: np.ndarray, *, is_control: np.ndarray, loads: np.ndarray, n_draws: int,
    rng: np.random.Generator,
) -> Bias:
    """Bias learned from the controls' estimates: issues that cannot cause churn, so any effect of theirs is bias.

    b_j ~ N(shift + slope (load_j - mean load of the controls), se_j^2 + spread^2); shift ~ N(0, 0.25^2), spread ~
    half-normal(0.2) (the empirical calibration of Schuemie et al. 2014) and slope ~ N(0.7, 0.4^2) above 0: an issue that
    is told in bad moods more than the controls are shares more of what the mood does to leaving. Posterior on a
    grid. Fewer than two controls: shift ~ N(0, 0.1^2), spread 0.2, no slope.
    """
    n_controls = int(is_control.sum())
    if n_controls < MIN_CONTROLS:
        shift = np.tile(rng.normal(0.0, DEFAULT_SHIFT_SD, n_draws), (len(log_odds), 1))
        return Bias(shift, np.full(n_draws, DEFAULT_SPREAD), 0.0, DEFAULT_SPREAD, 0.0, n_controls)
    above = loads - loads[is_control].mean()
    variance = se[is_control][:, None] ** 2 + _SPREADS**2
    centre = _SHIFTS[:, None] + above[is_control][:, None, None] * _SLOPES
    squares = (log_odds[is_control][:, None, None] - centre) ** 2
    logs = (-0.5 * (squares[..., None] / variance[:, None, None, :] + np.log(variance)[:, None, None, :])).sum(axis=0)
    logs += -0.5 * (_SHIFTS[:, None, None] / SHIFT_SD) ** 2 - 0.5 * (_SPREADS / SPREAD_SCALE) ** 2
    logs += -0.5 * ((_SLOPES[:, None] - SLOPE) / SLOPE_SD) ** 2
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    level, tilt, wide = np.unravel_index(rng.choice(weight.size, size=n_draws, p=weight.ravel()), weight.shape)
    shift = _SHIFTS[level] + rng.uniform(-0.5, 0.5, n_draws) * (_SHIFTS[1] - _SHIFTS[0])
    return Bias(
        shift + above[:, None] * _SLOPES[tilt], _SPREADS[wide], float(weight.sum(axis=(1, 2)) @ _SHIFTS),
        float(weight.sum(axis=(0, 1)) @ _SPREADS), float(weight.sum(axis=(0, 2)) @ _SLOPES), n_controls,
        *pooled_controls(log_odds[is_control], se[is_control]),
    )


def pooled_controls(log_odds: np.ndarray, se: np.ndarray) -> tuple[float, float]:
    """90 % interval of the mean log-odds of controls by random effects (DerSimonian & Laird 1986), without any prior.

    The prior of `hidden_bias` keeps a few rare controls from moving everything; it also draws a strong shift towards 0.
    A test of whether something strong is hidden must not lean on it.
    """
    weight = 1.0 / se**2
    fixed = weight @ log_odds / weight.sum()
    between = weight @ (log_odds - fixed) ** 2 - (len(se) - 1)
    between = max(between / (weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    weight = 1.0 / (se**2 + between)
    mean, reach = weight @ log_odds / weight.sum(), Z90 / np.sqrt(weight.sum())
    return float(mean - reach), float(mean + reach)


def calibrated_draws(
    log_odds: np.ndarray, covariance: np.ndarray, bias: Bias, *, rng: np.random.Generator, label_sd: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Issues x draws of log-odds: as they go with leaving (estimate + sampling noise), and as causes (- shift + spread
    and, with `label_sd`, what wrong labels blur)."""
    n, n_draws = len(log_odds), len(bias.spread)
    if not n:
        return np.zeros((0, n_draws)), np.zeros((0, n_draws))
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(n))
    seen = log_odds[:, None] + root @ rng.standard_normal((n, n_draws))
    blur = np.hypot(bias.spread, np.reshape(label_sd, (-1, 1)))
    return seen, seen - bias.shift + blur * rng.standard_normal((n, n_draws))


def silent_among_others(
    told_share: np.ndarray, *, reporting_rate: tuple[float, float], n_draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Issues x draws: share of those who do not tell an issue that have it all the same.

    `told_share` t: share of rows with the issue told; `reporting_rate` r [low, high]: part of those who have it that
    tell it. t (1 / r - 1) of all rows have it untold, out of the 1 - t that do not tell: s = t (1 / r - 1) / (1 - t). Silent
    per told, 1 / r - 1, is uniform between its limits; s is at most a half.
    """
    per_told = rng.uniform(1 / reporting_rate[1] - 1, 1 / reporting_rate[0] - 1, n_draws)
    return np.clip(np.outer(told_share / np.maximum(1.0 - told_share, 1e-9), per_told), 0.0, 0.5)


def against_silent(draws: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """Log-odds against customers without the issue, from log-odds against those who do not tell it.

    Among those who do not tell, a share s (`silent_among_others`) has the issue all the same, so that their odds are
    1 - s + s OR times those of customers without it and a fitted ratio is OR / (1 - s + s OR); solved for OR. Corrects by a
    factor of 2 at most. It rises with the fitted ratio, so draws of a posterior stay draws of it.
    """
    left = (1.0 - silent * np.exp(np.minimum(draws, 5.0))) / (1.0 - silent)
    return draws - np.log(np.maximum(left, 1.0 / MAX_SILENT_FACTOR))


def _normal_density(x: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * (x / sd) ** 2) / (sd * np.sqrt(2 * np.pi))  # scipy.stats takes two seconds to load


def shrunken_draws(estimate: np.ndarray, sd: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Issues x draws from the empirical-Bayes posterior of each log-odds.

    `estimate`, `sd` (issues x draws): the estimate less each draw of the bias that issues share, and the sd of what is
    each issue's own. The shared bias is one number for all, so it is averaged over, never counted as noise of each issue:
    that would pull every issue to 0 for an error that moves all of them together.
    Prior: a point at 0 and half-normals to both sides (unimodal at 0, the idea of Stephens 2017), weights by EM over
    all issues with NULL_WEIGHT - 1 pseudo-counts at 0 and one spread over the half-normals: without it the weights of a
    company with rare issues end at 0 exactly, every value with them, and cost alone would rank what the data do order.
    """
    if not len(estimate):
        return np.zeros(estimate.shape)
    some = slice(None, None, max(estimate.shape[1] // PRIOR_DRAWS, 1))
    density = np.stack([_parts(own[some], wide[some])[0].mean(axis=0) for own, wide in zip(estimate, sd, strict=True)])
    weight = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(500):
        share = density * weight
        share /= share.sum(axis=1, keepdims=True)
        counts = share.sum(axis=0)
        counts[0] += NULL_WEIGHT - 1
        counts[1:] += 1 / (len(counts) - 1)
        weight = counts / counts.sum()
    return np.stack([_drawn(own, wide, weight, rng) for own, wide in zip(estimate, sd, strict=True)])


def _parts(estimate: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each draw: density under each part of the prior (the point first), mean and sd under each half-normal."""
    total = np.sqrt(sd[:, None] ** 2 + _SCALE**2)
    mean, width = estimate[:, None] * _SCALE**2 / total**2, sd[:, None] * _SCALE / total
    density = 2 * _normal_density(estimate[:, None], total) * ndtr(_SIDE * mean / width)
    return np.column_stack([_normal_density(estimate, sd), density]) + 1e-300, mean, width


def _drawn(estimate: np.ndarray, sd: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    density, mean, width = _parts(estimate, sd)
    cumulative = np.cumsum(density * weight, axis=1)
    part = (rng.random(len(estimate))[:, None] * cumulative[:, -1:] > cumulative[:, :-1]).sum(axis=1)
    row, pick = np.arange(len(estimate)), np.maximum(part - 1, 0)
    m, s, side = mean[row, pick], width[row, pick], _SIDE[pick]
    quantile = 1.0 - rng.random(len(estimate)) * ndtr(side * m / s)
    drawn = side * np.maximum(side * m + s * ndtri(np.clip(quantile, 1e-15, 1 - 1e-15)), 0.0)
    return np.where(part == 0, 0.0, drawn)


def e_value(risk_ratio: np.ndarray) -> np.ndarray:
    """How strongly a hidden cause must be tied to both contact and churn: RR + sqrt(RR (RR - 1)); 1 where RR <= 1.

    VanderWeele & Ding 2017.
    """
    ratio = np.maximum(np.asarray(risk_ratio, dtype="float64"), 1.0)
    return ratio + np.sqrt(ratio * (ratio - 1.0))
