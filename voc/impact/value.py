"""Customers in yen: churn rates as a company states them, life-time value, NPS."""

import numpy as np
import pandas as pd

from voc.config import Value
from voc.impact.periods import Window, timestamp


def customer_counts(customers: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Per full month: n_customers (contracts at the end of the previous month, 前月末契約数), n_churned (当月解約数),
    mrr_yen (of the former), mrr_lost_yen (of the latter). `customers`: start, end (day numbers), price (yen)."""
    start, end = customers["start"].to_numpy(), customers["end"].to_numpy()
    price = customers["price"].fillna(0.0).to_numpy()
    begins, ends = window.month_starts, window.month_ends
    started = _below(start, np.ones(len(start)), begins)
    gone = _below(end, np.ones(len(end)), begins)
    started_yen, gone_yen = _below(start, price, begins), _below(end, price, begins)
    has_price = bool(customers["price"].notna().any())
    mrr = started_yen - gone_yen if has_price else np.full(len(begins), np.nan)
    lost = _below(end, price, ends) - gone_yen if has_price else np.full(len(begins), np.nan)
    return pd.DataFrame({
        "n_customers": (started - gone).round().astype("int64"),
        "n_churned": (_below(end, np.ones(len(end)), ends) - gone).round().astype("int64"),
        "mrr_yen": np.maximum(mrr, 0.0), "mrr_lost_yen": np.maximum(lost, 0.0),
    })


def monthly_churn_of_plan(customers: pd.DataFrame, window: Window) -> pd.Series:
    """Mean monthly churn rate by plan over the period: sum of 当月解約数 / sum of 前月末契約数; 0 where none was at risk."""
    months = window.period_month_indices
    rates = {}
    for plan, group in customers.groupby("plan", sort=True):
        counts = customer_counts(group, window).iloc[months]
        at_risk = counts["n_customers"].sum()
        rates[plan] = counts["n_churned"].sum() / at_risk if at_risk else 0.0
    return pd.Series(rates, dtype="float64")


def lifetime_value(price_yen: np.ndarray, monthly_churn: np.ndarray, *, value: Value) -> np.ndarray:
    """LTV in yen: price x gross margin x expected months, months = 1 / max(churn, floor), at most `cap_months`."""
    with np.errstate(divide="ignore"):
        months = np.minimum(1.0 / np.maximum(monthly_churn, value.churn_floor), value.cap_months)
    return price_yen * value.gross_margin * months


def net_promoter_score(answers: np.ndarray) -> float:
    """NPS: share of 9-10 minus share of 0-6, times 100; NaN without answers. Answers outside 0..10 are ignored."""
    valid = answers[(answers >= 0) & (answers <= 10)]
    if not len(valid):
        return float("nan")
    return float(((valid >= 9).mean() - (valid <= 6).mean()) * 100)


def company_months(customers: pd.DataFrame, contacts: pd.DataFrame, window: Window) -> pd.DataFrame:
    """COMPANY_MONTHS of every full month in the window.

    churn_share = n_churned / n_customers with n_customers = contracts at the end of the previous month;
    mrr_churn_share = mrr_lost_yen / mrr_yen. `contacts`: day, cost_yen, nps.
    """
    counts = customer_counts(customers, window)
    month = np.searchsorted(window.month_ends, contacts["day"].to_numpy(), side="right")
    inside = (contacts["day"].to_numpy() >= window.month_starts[:1].sum()) & (month < window.n_months)
    n, month = window.n_months, month[inside]
    cost, nps = contacts["cost_yen"].to_numpy()[inside], contacts["nps"].to_numpy(dtype="float64")[inside]
    scored = (nps >= 0) & (nps <= 10)
    n_nps = np.bincount(month[scored], minlength=n)
    balance = np.bincount(month[scored], weights=(nps >= 9)[scored] * 1.0 - (nps <= 6)[scored], minlength=n)
    return pd.DataFrame({
        "month_on": [timestamp(day) for day in window.month_starts],
        "n_customers": counts["n_customers"], "n_churned": counts["n_churned"],
        "churn_share": _ratio(counts["n_churned"], counts["n_customers"]),
        "mrr_yen": counts["mrr_yen"], "mrr_lost_yen": counts["mrr_lost_yen"],
        "mrr_churn_share": _ratio(counts["mrr_lost_yen"], counts["mrr_yen"]),
        "n_contacts": np.bincount(month, minlength=n),
        "contact_cost_yen": np.bincount(month, weights=cost, minlength=n),
        "nps": 100 * _ratio(balance, n_nps), "n_nps": n_nps,
    })


def _below(values: np.ndarray, weights: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Sum of weights with value < limit, for each limit."""
    order = np.argsort(values, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    return sums[np.searchsorted(values[order], limits, side="left")]


def _ratio(part: pd.Series | np.ndarray, whole: pd.Series | np.ndarray) -> np.ndarray:
    part, whole = np.asarray(part, dtype="float64"), np.asarray(whole, dtype="float64")
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
