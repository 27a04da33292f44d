"""Did a fix work? Contacts before and after it against control contacts; what was promised and what came true.

Contacts are the main evidence: churn is too rare to show the fix of one issue, so a churn change is given only
together with the smallest one that these months could have shown.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from voc.intervals import Z90

COLUMNS = [
    "action_id", "issue_id", "done_on", "n_before_months", "n_after_months", "contacts_before", "contacts_after",
    "contact_ratio", "low", "high", "control", "promised_churns", "realised_churns", "realised_low", "realised_high",
    "realised_share", "churn_change", "churn_mde", "note",
]  # fmt: skip
MIN_MONTHS = 3  # each side, below which nothing is said
TREND_MONTHS = 8  # each side, from which a trend is fitted (Penfold & Zhang 2013)
MIN_CONTROL = 5.0  # control contacts a month below which they would only add noise
# Prior of the log trend a year against the control. In 3 simulated worlds (90 issues of 1 to 13 contacts a month, labels 85 %
# right, 12 + 11 months) a free trend called 17 % of flat series fallen and found 63 % of solved ones; so 6 % and 84 %.
TREND_SD = 0.25
PRIOR_SD = 3.0  # of the log ratio: keeps the ratio of a series that fell to zero finite, says nothing else
LEVEL = 0.90
MDE_FACTOR = Z90 + 0.8416212335729143  # one-sided 5 %, power 80 %
BY_CONTROLS, BY_OTHERS = "解約と無関係な問い合わせ", "ほかの課題の問い合わせ"


@dataclass(frozen=True)
class Level:
    """ratio (low, high: 90 %): level after the fix over the level expected without it."""

    ratio: float
    low: float
    high: float


def fix_effects(
    actions: pd.DataFrame, issue_months: pd.DataFrame, company_months: pd.DataFrame, issues: pd.DataFrame, *,
    controls: tuple[str, ...] = (), reverse: tuple[str, ...] = (), promised: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """FIX_EFFECTS of every action on a known issue (ACTIONS, ISSUE_MONTHS, COMPANY_MONTHS, ISSUES).

    contact_ratio = contacts per active customer after / before, relative to control contacts of the same months
    (`interrupted_level`); the month of the action is neither. Control: the issues in `controls` if there are two, else
    all other issues but `reverse` ones; issues that were themselves acted on are left out. Of two actions on one issue
    each is judged by the months up to the other. promised_churns: churns prevented per month as estimated from data
    before the action (`promised`: action_id, churns_prevented); realised_share = 1 - ratio, never below 0, and
    realised = promised x realised_share. churn_change: change of the company's churns per month, given only with churn_mde,
    the smallest fall that would have been found (one-sided 5 %, power 80 %). Contacts that are wrongly taken for the
    issue go on after its fix, so a ratio never reaches 0 with labels that err.
    """
    known = actions[actions["issue_id"].isin(issues["issue_id"])].sort_values(["done_on", "action_id"], kind="stable")
    if known.empty or company_months.empty:
        return pd.DataFrame(columns=COLUMNS)
    wide = issue_months.pivot(index="month_on", columns="issue_id", values="n_contacts")
    wide = wide.reindex(company_months["month_on"]).fillna(0.0)
    acted = set(known["issue_id"])
    rows = [
        _row(
            action, wide, company_months, dates=known.loc[known["issue_id"] == action["issue_id"], "done_on"],
            control=_control(wide, issues, action["issue_id"], acted=acted, controls=controls, reverse=reverse),
        )
        for action in known.to_dict("records")
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    given = promised.set_index("action_id")["churns_prevented"] if promised is not None and len(promised) else pd.Series(dtype="float64")
    return _with_promise(table, given)[COLUMNS]


def interrupted_level(
    contacts: np.ndarray, customers: np.ndarray, is_after: np.ndarray, *, control: np.ndarray | None, prior_sd: float = PRIOR_SD
) -> Level | None:
    """Quasi-Poisson interrupted series, log link, one entry per month; None where it cannot be fitted.

    log E[contacts] = log(customers) + level + after x log ratio (+ trend from 8 months on each side, prior
    N(0, TREND_SD^2) a year). With a `control`
    series both are fitted together with an effect for every month: whatever moved the control as well, season or
    customers, is no effect, and level, trend and ratio are the difference between the two. The dispersion is Pearson's
    chi-square / degrees of freedom, at least 1; the interval by Student's t.
    """
    n = len(contacts)
    has_trend = min(is_after.sum(), n - is_after.sum()) >= TREND_MONTHS
    after, time = is_after.astype("float64"), (np.arange(n) - (n - 1) / 2) / 12.0
    own = [after, np.ones(n), *([time] if has_trend else [])]
    if control is None:
        design, counts, exposed = np.column_stack(own), contacts, customers
    else:
        months = np.eye(n)
        design = np.block([[np.column_stack(own), months], [np.zeros((n, len(own))), months]])
        counts, exposed = np.concatenate([contacts, control]), np.concatenate([customers, customers])
    usable = exposed > 0
    free = int(usable.sum()) - np.linalg.matrix_rank(design[usable])
    if free < 1 or contacts.sum() <= 0:
        return None
    penalty = np.zeros(design.shape[1])
    penalty[0] = 1 / prior_sd**2
    if has_trend:
        penalty[2] = 1 / TREND_SD**2
    fitted = poisson_fit(design[usable], counts[usable], np.log(exposed[usable]), penalty=penalty)
    if fitted is None:
        return None
    beta, covariance, expected = fitted
    dispersion = max(float(((counts[usable] - expected) ** 2 / np.maximum(expected, 1e-9)).sum()) / free, 1.0)
    reach = student.ppf((1 + LEVEL) / 2, free) * np.sqrt(covariance[0, 0] * dispersion)
    return Level(*(float(np.exp(value)) for value in (beta[0], beta[0] - reach, beta[0] + reach)))


def poisson_fit(
    design: np.ndarray, counts: np.ndarray, offset: np.ndarray, *, penalty: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(coefficients, inverse information, expected counts) of a Poisson model with log link, by Newton steps.

    `penalty`: precision of a normal prior around 0 per column. None where it does not converge.
    """
    mean = np.maximum(counts, 0.5)
    beta, before = np.linalg.lstsq(design, np.log(mean) - offset, rcond=None)[0], np.inf
    for _ in range(100):
        expected = np.exp(np.clip(design @ beta + offset, -30, 30))
        information = design.T @ (design * expected[:, None]) + np.diag(penalty)
        covariance = np.linalg.pinv(information, hermitian=True)
        step = covariance @ (design.T @ (counts - expected) - penalty * beta)
        size = float(np.abs(step).max())
        beta = beta + step * min(1.0, 2.0 / max(size, 1e-12))
        if size < 1e-9 or (size < 1e-6 and size >= before):
            return beta, covariance, np.exp(np.clip(design @ beta + offset, -30, 30))
        before = size
    return None


def churn_change(churned: np.ndarray, customers: np.ndarray, is_after: np.ndarray) -> tuple[float, float]:
    """(change of churns per month after against before at today's number of customers, smallest fall to be found).

    change = mean customers after x (churn rate after - before); its standard error from over-dispersed Poisson counts;
    the smallest fall = 2.49 x that error (one-sided 5 %, power 80 %). NaN where a side has no customers.
    """
    before, after = ~is_after, is_after
    at_risk = np.array([customers[before].sum(), customers[after].sum()], dtype="float64")
    if (at_risk <= 0).any():
        return float("nan"), float("nan")
    rate = np.array([churned[before].sum(), churned[after].sum()]) / at_risk
    expected = np.maximum(np.where(is_after, rate[1], rate[0]) * customers, 1e-9)
    free = max(len(churned) - 2, 1)
    dispersion = max(float(((churned - expected) ** 2 / expected).sum()) / free, 1.0)
    pooled = churned.sum() / at_risk.sum()
    error = np.sqrt(dispersion * pooled * (1 / at_risk).sum())
    size = customers[after].mean()
    return float(size * (rate[1] - rate[0])), float(MDE_FACTOR * size * error)


def _control(
    wide: pd.DataFrame, issues: pd.DataFrame, issue_id: str, *, acted: set[str], controls: tuple[str, ...], reverse: tuple[str, ...]
) -> tuple[str, np.ndarray] | None:
    """(name of the control, contacts per month), or None where too few contacts are left."""
    usable = [name for name in wide.columns if name in set(issues["issue_id"]) and name not in acted | {issue_id}]
    named = [name for name in usable if name in controls]
    others = [name for name in usable if name not in reverse]
    for name, chosen in ((BY_CONTROLS, named if len(named) >= 2 else []), (BY_OTHERS, others)):
        series = wide[chosen].sum(axis=1).to_numpy(dtype="float64")
        if len(chosen) and series.mean() >= MIN_CONTROL:
            return name, series
    return None


def _row(action: dict, wide: pd.DataFrame, company: pd.DataFrame, *, dates: pd.Series, control: tuple[str, np.ndarray] | None) -> dict:
    done = action["done_on"]
    month = company["month_on"]
    own_month = done.replace(day=1)
    earlier, later = dates[dates < done].max(), dates[dates > done].min()
    from_on = earlier.replace(day=1) + pd.offsets.MonthBegin(1) if pd.notna(earlier) else month.min()
    until_on = later.replace(day=1) if pd.notna(later) else month.max() + pd.offsets.MonthBegin(1)
    before = ((month >= from_on) & (month < own_month)).to_numpy()
    after = ((month > own_month) & (month < until_on)).to_numpy()
    series = wide[action["issue_id"]].to_numpy(dtype="float64") if action["issue_id"] in wide else np.zeros(len(month))
    row = {
        "action_id": action["action_id"], "issue_id": action["issue_id"], "done_on": done, "n_before_months": int(before.sum()),
        "n_after_months": int(after.sum()), "contacts_before": series[before].mean() if before.any() else np.nan,
        "contacts_after": series[after].mean() if after.any() else np.nan, "contact_ratio": np.nan, "low": np.nan, "high": np.nan,
        "control": None, "churn_change": np.nan, "churn_mde": np.nan,
    }  # fmt: skip
    chosen = before | after
    if min(before.sum(), after.sum()) < MIN_MONTHS:
        return row
    customers = company["n_customers"].to_numpy(dtype="float64")
    level = interrupted_level(
        series[chosen], customers[chosen], after[chosen], control=None if control is None else control[1][chosen])
    churned = company["n_churned"].to_numpy(dtype="float64")
    row["churn_change"], row["churn_mde"] = churn_change(churned[chosen], customers[chosen], after[chosen])
    if level is not None:
        row |= {"contact_ratio": level.ratio, "low": level.low, "high": level.high, "control": None if control is None else control[0]}
    return row


def _with_promise(table: pd.DataFrame, given: pd.Series) -> pd.DataFrame:
    promise = table["action_id"].map(given).astype("float64")
    drop, least, most = ((1 - table[name].astype("float64")).clip(lower=0.0) for name in ("contact_ratio", "high", "low"))
    counts = promise > 0  # a promise of nothing has no share that came true
    table = table.assign(
        promised_churns=promise, realised_share=drop,
        **{f"realised_{name}": np.where(counts, promise * part, np.nan)
           for name, part in (("churns", drop), ("low", least), ("high", most))},
    )  # fmt: skip
    return table.assign(note=[_note(row) for row in table.to_dict("records")])


def _note(row: dict) -> str:
    short = [
        f"対応{side}の月が {row[name]} か月（必要: {MIN_MONTHS} か月）"
        for side, name in (("前", "n_before_months"), ("後", "n_after_months")) if row[name] < MIN_MONTHS
    ]
    if short:
        return f"{'、'.join(short)}のため、まだ効果を判定できません。"
    if np.isnan(row["contact_ratio"]):
        return "この課題の問い合わせが少なすぎるため、効果を判定できません。"
    change = f"問い合わせは 1 か月 {row['contacts_before']:.1f} 件から {row['contacts_after']:.1f} 件。"
    if row["control"]:
        change += f"{row['control']}の増減を除くと、対応前の {row['contact_ratio']:.2f} 倍（90%区間 {row['low']:.2f}〜{row['high']:.2f}）。"
    else:
        change += f"契約数の増減を除くと、対応前の {row['contact_ratio']:.2f} 倍（90%区間 {row['low']:.2f}〜{row['high']:.2f}）。比べる問い合わせがないため、季節などの影響を含みます。"
    verdict = (
        "対応の後に減ったと言えます。" if row["high"] < 1 else "対応の後に増えました。" if row["low"] > 1 else "減ったとはまだ言えません。"
    )
    parts = [change + verdict]
    if row["promised_churns"] > 0:
        parts.append(
            f"対応前の推定で見込んだ解約の減少は毎月 {row['promised_churns']:.1f} 名、問い合わせの減り方から見て実現したのは毎月 "
            f"{row['realised_churns']:.1f} 名（見込みの実現率 {row['realised_share']:.0%}）。")  # fmt: skip
    else:
        parts.append("対応前のデータでは防げる解約数を推定できなかったため、実現率は問い合わせの減り方だけを示します。")
    if not np.isnan(row["churn_mde"]):
        parts.append(
            f"会社全体の解約は月 {row['churn_change']:+.1f} 名。月 {row['churn_mde']:.1f} 名以上減らないと、解約の変化としては検出できません。")
    return "".join(parts)
