"""Churn rates as a company states them, of customers and of revenue; NPS."""

import numpy as np
import pandas as pd

from voc.impact.periods import LONG_AGO, Window, day_of_date, timestamp


def customer_counts(customers: pd.DataFrame, window: Window, changes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Per full month: n_customers (contracts at the end of the previous month, 前月末契約数), n_churned (当月解約数),
    mrr_yen (of the former), mrr_lost_yen (lost by the latter, and by downgrades of those who stay),
    mrr_downgraded_yen (of the latter sum; NaN without `changes`).

    `customers`: start, end (day numbers), price (yen a month). Who joins and leaves within one month counts as
    churned, as the ratio's definition says. `changes`: see `usable_changes`; without it a customer's price is the
    same in every month and no downgrade is seen.
    """
    start, end = customers["start"].to_numpy(), customers["end"].to_numpy()
    begins, ends = window.month_starts, window.month_ends
    started = _below(start, np.ones(len(start)), begins)
    gone = _below(end, np.ones(len(end)), begins)
    if customers["price"].notna().any():
        mrr, left, downgraded = _revenue(customers, begins, ends, changes)
    else:
        mrr = left = downgraded = np.full(len(begins), np.nan)
    return pd.DataFrame({
        "n_customers": (started - gone).round().astype("int64"),
        "n_churned": (_below(end, np.ones(len(end)), ends) - gone).round().astype("int64"),
        "mrr_yen": np.maximum(mrr, 0.0), "mrr_lost_yen": np.maximum(left, 0.0) + np.nan_to_num(downgraded),
        "mrr_downgraded_yen": downgraded,
    })


def usable_changes(changes: pd.DataFrame, customers: pd.DataFrame, *, end_day: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """(changes, counts of rows left out): columns customer (position), day, before, after (yen a month), by both.

    `changes`: PRICE_CHANGES. Left out: unknown customers, no day or one from `end_day` on, prices missing or below 0.
    """
    customer = pd.Index(customers["customer_id"]).get_indexer(changes["customer_id"].astype("object"))
    day = day_of_date(changes["changed_on"], empty=LONG_AGO)
    before, after = (changes[name].to_numpy(dtype="float64") for name in ("price_before_yen", "price_yen"))
    after = np.where(np.isfinite(after) & (after >= 0), after, np.nan)
    known = customer >= 0
    keep = known & (day > LONG_AGO) & (day < end_day) & ~np.isnan(after)
    frame = pd.DataFrame({
        "customer": customer, "day": day, "before": np.where(np.isfinite(before) & (before >= 0), before, np.nan), "after": after,
    })[keep].sort_values(["customer", "day"], kind="stable", ignore_index=True)
    return frame, {"price_changes_unknown_customer": int((~known).sum()), "price_changes_refused": int((known & ~keep).sum())}


def _revenue(
    customers: pd.DataFrame, begins: np.ndarray, ends: np.ndarray, changes: pd.DataFrame | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yen per month: of contracts at the end of the previous month, of those who leave, of downgrades."""
    start, end = customers["start"].to_numpy(), customers["end"].to_numpy()
    price = customers["price"].fillna(0.0).to_numpy()
    if changes is None or changes.empty:
        started, gone = _below(start, price, begins), _below(end, price, begins)
        return started - gone, _below(end, price, ends) - gone, np.full(len(begins), np.nan)
    each = customers["frequency"].to_numpy() if "frequency" in customers else np.ones(len(price))
    columns = []
    for first, after in zip(begins, ends, strict=True):
        old, new = (price_on(day, price, changes, each) for day in (first, after))
        had, leaves = (start < first) & (end >= first), (end >= first) & (end < after)
        lost = np.where(had, old, new)[leaves].sum()
        columns.append((old[had].sum(), lost, np.maximum(old - new, 0.0)[had & ~leaves].sum()))
    return tuple(np.array(columns, dtype="float64").reshape(-1, 3).T)


def price_on(day: int, price: np.ndarray, changes: pd.DataFrame, frequency: np.ndarray) -> np.ndarray:
    """Yen a month of each customer just before `day`: after its last change before, else before its first later one.

    `price`: of customers without a change. A change that does not say the price before it is taken as none.
    """
    result = price.copy()
    first = changes.drop_duplicates("customer", keep="first")
    known = first["customer"].to_numpy()
    result[known] = first["before"].fillna(first["after"]).to_numpy() * frequency[known]
    past = changes[changes["day"] < day].drop_duplicates("customer", keep="last")
    known = past["customer"].to_numpy()
    result[known] = past["after"].to_numpy() * frequency[known]
    return result


def monthly_churn_of_plan(customers: pd.DataFrame, window: Window) -> pd.Series:
    """Mean monthly churn rate by plan over the period: sum of 当月解約数 / sum of 前月末契約数; 0 where none was at risk."""
    months = window.period_month_indices
    rates = {}
    for plan, group in customers.groupby("plan", sort=True):
        counts = customer_counts(group, window).iloc[months]
        at_risk = counts["n_customers"].sum()
        rates[plan] = counts["n_churned"].sum() / at_risk if at_risk else 0.0
    return pd.Series(rates, dtype="float64")


def net_promoter_score(answers: np.ndarray) -> float:
    """NPS: share of 9-10 minus share of 0-6, times 100; NaN without answers. Answers outside 0..10 are ignored."""
    valid = answers[(answers >= 0) & (answers <= 10)]
    if not len(valid):
        return float("nan")
    return float(((valid >= 9).mean() - (valid <= 6).mean()) * 100)


def company_months(
    customers: pd.DataFrame, contacts: pd.DataFrame, window: Window, *, changes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """COMPANY_MONTHS of every full month in the window.

    churn_share (顧客解約率) = 当月解約数 / 前月末契約数 = n_churned / n_customers; mrr_churn_share (収益解約率) = 失った月次収益 /
    前月の月次収益 = mrr_lost_yen / mrr_yen. `contacts`: day, cost_yen, nps; `changes` as in `customer_counts`: without
    it the revenue lost by downgrades is not known, and mrr_downgraded_yen is empty.
    """
    counts = customer_counts(customers, window, changes)
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
        "mrr_downgraded_yen": counts["mrr_downgraded_yen"], "mrr_churn_share": _ratio(counts["mrr_lost_yen"], counts["mrr_yen"]),
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
