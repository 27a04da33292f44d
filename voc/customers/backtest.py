"""The health score against what happened: scored on past month starts, compared with who left in the next 3 months."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from voc.config import Health
from voc.customers.health import BANDS, NO_DATA, judge_rules, score
from voc.customers.signals import Signals, on_day
from voc.impact.periods import Window, month_number, month_start
from voc.intervals import Z90, wilson

AHEAD_MONTHS = 3
ALL, NOT_LEAVING = "all", "no_cancel"
_LIKE_BINOMIAL, _NO_EVENTS = 1.0, float(AHEAD_MONTHS)
_NOTES = {
    ALL: "月初に採点し、その後 3 か月の解約と比べました。採点には月初より前の記録だけを使っています。",
    NOT_LEAVING: "解約・退会にまだ触れていない顧客だけで比べました（すでに申し出た顧客を当てても予測とは言えないため）。",
}
_TOO_SHORT = "採点した日から 3 か月後までの解約が分かる月がないため、検証できません。"


def health_history(signals: Signals, customers: pd.DataFrame, window: Window, *, health: Health) -> pd.DataFrame:
    """Customer-months: customer (position), day, score, band, is_cancel (had asked to leave), is_churned (ended within
    three months from `day` on).

    Every month start with `health.days` of contacts before it and three known months after it.
    """
    months = month_number(window.month_starts)
    until = month_start(months + AHEAD_MONTHS)
    usable = (until <= window.end_day) & (window.month_starts - health.days >= window.start_day - 1)
    end, parts = customers["end"].to_numpy(), []
    for day, last in zip(window.month_starts[usable], until[usable], strict=True):
        known = on_day(signals, customers, int(day), days=health.days)
        value, band = score(known, judge_rules(known), health=health)
        gone = end[known["customer"]] < last
        parts.append(pd.DataFrame({
            "customer": known["customer"], "day": day, "score": value, "band": band,
            "is_cancel": known["n_cancel"] > 0, "is_churned": gone,
        }))
    columns = ["customer", "day", "score", "band", "is_cancel", "is_churned"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def health_test(history: pd.DataFrame) -> pd.DataFrame:
    """HEALTH_TEST per scope (all; no_cancel: who had not spoken of leaving) and band, '' for all scored customers.

    churn_share: of the band's customer-months, those that ended within 3 months. Calibration: predicted_share is that
    of the earlier half of the months, tested_share (with 90 % interval, widened for customers that are counted in
    several months) that of the later half; the halves do not overlap in time. auc: chance that one who left had a lower
    score than one who stayed, 90 % interval by customers. The rules are not fitted, so every month tests them.
    """
    rows = []
    for scope, part in ((ALL, history), (NOT_LEAVING, history[~history["is_cancel"].astype(bool)])):
        earlier, later = _halves(part)
        for band in ("", *BANDS):
            of_band, before, after = ((frame[frame["band"] != NO_DATA] if band == "" else frame[frame["band"] == band])
                                      for frame in (part, earlier, later))  # fmt: skip
            low, high = share_interval(after)
            row = {
                "scope": scope, "band": band, "n_customer_months": len(of_band), "n_churned": int(of_band["is_churned"].sum()),
                "churn_share": _share(of_band), "predicted_share": _share(before), "tested_share": _share(after),
                "tested_low_share": low, "tested_high_share": high, "n_months": part["day"].nunique(),
            }
            if band == "":
                row |= dict(zip(("auc", "auc_low", "auc_high"), auc(of_band), strict=True))
                row["note"] = _NOTES[scope] if len(part) else _TOO_SHORT
            rows.append(row)
    return pd.DataFrame(rows)


def auc(history: pd.DataFrame) -> tuple[float, float, float]:
    """(AUC, 5 %, 95 %) of low scores for churn; NaN where nobody left or nobody stayed. Ties count half.

    Interval: placement values summed by customer (Obuchowski 1997), for one customer stands in many months.
    """
    gone = history["is_churned"].to_numpy(dtype=bool)
    n1, n0 = int(gone.sum()), int((~gone).sum())
    if not n1 or not n0:
        return (float("nan"),) * 3
    danger = -history["score"].to_numpy(dtype="float64")
    ranks = rankdata(danger)
    within = np.empty(len(danger))
    within[gone], within[~gone] = rankdata(danger[gone]), rankdata(danger[~gone])
    placement = np.where(gone, (ranks - within) / n0, 1.0 - (ranks - within) / n1)
    area = float(placement[gone].mean())
    influence = (placement - area) / np.where(gone, n1, n0)
    by_customer = np.bincount(pd.factorize(history["customer"])[0], weights=influence)
    n = len(by_customer)
    error = Z90 * float(np.sqrt((by_customer**2).sum() * n / max(n - 1, 1)))
    return area, max(area - error, 0.0), min(area + error, 1.0)


def share_interval(rows: pd.DataFrame) -> tuple[float, float]:
    """90 % Wilson interval of the churned share, for as many rows as they are worth: a customer's rows go together."""
    n = len(rows)
    if not n:
        return float("nan"), float("nan")
    gone = rows["is_churned"].to_numpy(dtype="float64")
    share = gone.mean()
    spread = share * (1 - share) / n
    if spread > 0:
        by_customer = np.bincount(pd.factorize(rows["customer"])[0], weights=gone - share)
        design = max((by_customer**2).sum() / n**2 / spread, _LIKE_BINOMIAL)
    else:
        design = _NO_EVENTS
    low, high = wilson(gone.sum() / design, n / design)
    return float(low), float(high)


def _halves(history: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Earlier and later month starts; what was predicted in the earlier ones is over before the later ones begin."""
    days = np.sort(history["day"].unique().astype("int64"))
    first = days[len(days) // 2] if len(days) else 0
    over = month_start(month_number(history["day"].to_numpy(dtype="int64")) + AHEAD_MONTHS) <= first
    return history[over], history[(history["day"] >= first).to_numpy(dtype=bool)]


def _share(rows: pd.DataFrame) -> float:
    return float(rows["is_churned"].mean()) if len(rows) else float("nan")
