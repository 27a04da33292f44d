"""The panel at risk: one row per customer and month, with a reference day, exposures and covariates before it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from voc.config import Impact
from voc.impact.periods import DAYS_PER_MONTH, LONG_AGO, NOT_ENDED, Window, day_of_date, month_number
from voc.impact.records import Links
from voc.impact.reverse import GAP_DAYS

TENURE_MONTHS = (1.5, 3, 6, 12, 24, 48)
MAX_LEVELS = 12  # plans or segments with an own column; the rest share one
USAGE_MONTHS = 3
NPS_DAYS = 365
_SPAN = 4_000_000  # wider than any difference of day numbers


@dataclass(frozen=True)
class Panel:
    """Rows sorted by customer and month. `learning` and `counting`: rows x issues, the highest probability.

    `is_learned`: rows whose outcome is fully known; `covariates`: rows x columns, all before the exposure window but
    usage and NPS; `names`: their names.
    """

    customer: np.ndarray
    month: np.ndarray
    reference_day: np.ndarray
    is_event: np.ndarray
    is_learned: np.ndarray
    learning: sparse.csr_matrix
    counting: sparse.csr_matrix
    covariates: np.ndarray
    names: list[str]


def person_months(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, usage: pd.DataFrame, *,
    decision_day: np.ndarray, window: Window, n_issues: int, impact: Impact, seed: int,
) -> Panel:
    """Panel of every customer and full month at risk.

    The reference day is the decision day for events and a seeded random day at risk for other rows, which removes
    immortal time. Exposure: contacts in (reference - window, reference]; for learning those of the last
    `learning_lag_days` are ignored. Customers from before the window enter at its start with their tenure.
    Where decisions precede ends, the last 36 days of the data are not learned from: their ends are not in yet.
    """
    customer, month, reference, event = _rows(customers, decision_day, window, seed)
    rows = customer * _SPAN + reference
    known = customers["end"].to_numpy() < NOT_ENDED
    has_gap = bool((decision_day[known] < customers["end"].to_numpy()[known]).any())
    learned = (window.month_ends <= window.end_day - GAP_DAYS) if has_gap else np.ones(window.n_months, dtype=bool)
    if not learned.any():
        learned = np.ones(window.n_months, dtype=bool)
    reach = exposure_days(impact.window_months)
    owner, day = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    exposures = [
        _exposure(rows, owner[links.contact], day[links.contact], links, n_issues=n_issues, within=(lag, reach))
        for lag in (impact.learning_lag_days, 0)
    ]
    blocks = [
        _month_columns(month, learned), _levels(customers, customer, "plan"),
        _levels(customers, customer, "segment"), _tenure(customers, customer, reference),
        _older_contacts(rows, owner, day, reach), _usage(customers, customer, month, usage=usage, window=window),
        _nps(contacts, customer, reference, impact.learning_lag_days),
    ]
    columns = {name: values for block in blocks for name, values in block.items() if len(values) and np.ptp(values) > 0}
    covariates = np.column_stack([np.ones(len(customer)), *columns.values()])
    return Panel(
        customer, month, reference, event, learned[month], *exposures, covariates, ["intercept", *columns],
    )


def exposure_days(window_months: int) -> int:
    """Days that an exposure window of so many months spans."""
    return round(window_months * DAYS_PER_MONTH)


def _rows(customers: pd.DataFrame, decision_day: np.ndarray, window: Window, seed: int) -> tuple:
    starts, ends = window.month_starts, window.month_ends
    begin = np.maximum(customers["start"].to_numpy(), starts[0])
    last = np.minimum(decision_day, ends[-1] - 1)
    first_month = np.searchsorted(ends, begin, side="right")
    n_rows = np.where(last >= begin, np.searchsorted(ends, last, side="right") - first_month + 1, 0)
    customer = np.repeat(np.arange(len(customers)), n_rows)
    within = np.arange(len(customer)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
    month = first_month[customer] + within
    event = (decision_day[customer] >= starts[month]) & (decision_day[customer] < ends[month])
    low = np.maximum(starts[month], begin[customer])
    chance = np.random.default_rng([seed, 1]).random(len(customer))
    drawn = low + np.floor(chance * (ends[month] - low)).astype("int64")
    return customer, month, np.where(event, decision_day[customer], drawn), event


def _reached(
    rows: np.ndarray, owner: np.ndarray, day: np.ndarray, *, within: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose reference lies `within` [days, days) after each event: positions of the rows, of the events.

    `rows`: ascending customer * _SPAN + reference day.
    """
    usable = np.flatnonzero(owner >= 0)
    low, high = (
        np.searchsorted(rows, owner[usable] * _SPAN + day[usable] + days, side="left") for days in within
    )
    n = np.maximum(high - low, 0)
    nth = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return np.repeat(low, n) + nth, np.repeat(usable, n)


def _exposure(
    rows: np.ndarray, owner: np.ndarray, day: np.ndarray, links: Links, *, n_issues: int, within: tuple[int, int]
) -> sparse.csr_matrix:
    """Rows x issues: the highest probability of the contacts `within` [days, days) before the reference."""
    row, positions = _reached(rows, owner, day, within=within)
    key = row * max(n_issues, 1) + links.issue[positions]
    value = links.probability[positions]
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    last = np.ones(len(key), dtype=bool)
    last[:-1] = key[1:] != key[:-1]
    key, value = key[last], value[last]
    shape = (len(rows), n_issues)
    return sparse.csr_matrix((value, (key // max(n_issues, 1), key % max(n_issues, 1))), shape=shape)


def _month_columns(month: np.ndarray, learned: np.ndarray) -> dict[str, np.ndarray]:
    """One column per learned month but the first; a month that is not learned takes the mean of the learned ones."""
    chosen = np.flatnonzero(learned)
    columns = {}
    for position in chosen[1:]:
        column = (month == position).astype("float64")
        column[~learned[month]] = 1.0 / len(chosen)
        columns[f"month {position}"] = column
    return columns


def _levels(customers: pd.DataFrame, customer: np.ndarray, name: str) -> dict[str, np.ndarray]:
    codes, levels = pd.factorize(customers[name], sort=True)
    size = np.bincount(codes[customer], minlength=len(levels))
    common = np.argsort(-size, kind="stable")[:MAX_LEVELS]
    rank = np.full(max(len(levels), 1), MAX_LEVELS)
    rank[common] = np.arange(len(common))
    level = rank[codes[customer]]
    used = range(1, int(level.max(initial=0)) + 1)
    return {f"{name} {position}": (level == position).astype("float64") for position in used}


def _tenure(customers: pd.DataFrame, customer: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    start = customers["start"].to_numpy()[customer]
    unknown = start == LONG_AGO
    group = np.searchsorted(TENURE_MONTHS, (reference - start) / DAYS_PER_MONTH, side="right")
    columns = {
        f"tenure {position}": ((group == position) & ~unknown).astype("float64")
        for position in range(len(TENURE_MONTHS))
    }
    return {**columns, "tenure unknown": unknown.astype("float64")}


def _older_contacts(rows: np.ndarray, owner: np.ndarray, day: np.ndarray, reach: int) -> dict[str, np.ndarray]:
    row, _ = _reached(rows, owner, day, within=(reach, max(365, reach + 30)))
    return {"older contacts": np.log1p(np.bincount(row, minlength=len(rows)).astype("float64"))}


def _usage(
    customers: pd.DataFrame, customer: np.ndarray, month: np.ndarray, *, usage: pd.DataFrame, window: Window
) -> dict[str, np.ndarray]:
    """Mean logins of the last three full months before the row's month: log level, square, low steps, missing."""
    person = pd.Index(customers["customer_id"]).get_indexer(usage["customer_id"].astype("object"))
    logins = usage["n_logins"].to_numpy(dtype="float64")
    when = month_number(day_of_date(usage["month_on"], empty=LONG_AGO)) - month_number(window.month_starts[:1])[0]
    wide = window.n_months + USAGE_MONTHS
    usable = (person >= 0) & np.isfinite(logins) & (logins >= 0) & (when >= -USAGE_MONTHS) & (when < window.n_months)
    cell = person[usable] * wide + when[usable] + USAGE_MONTHS
    size = len(customers) * wide
    total = np.bincount(cell, weights=logins[usable], minlength=size).reshape(len(customers), wide)
    count = np.bincount(cell, minlength=size).reshape(len(customers), wide)
    total, count = (np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1) for values in (total, count))
    n = count[customer, month + USAGE_MONTHS] - count[customer, month]
    level = (total[customer, month + USAGE_MONTHS] - total[customer, month]) / np.maximum(n, 1)
    missing = n == 0
    if missing.all():
        return {}
    depth = np.log1p(level)
    centre, low, very_low = np.mean(depth[~missing]), *np.quantile(level[~missing], [0.3, 0.1])
    return {
        "usage": np.where(missing, 0.0, depth - centre), "usage square": np.where(missing, 0.0, (depth - centre) ** 2),
        "usage low": (~missing & (level <= low)).astype("float64"),
        "usage very low": (~missing & (level <= very_low)).astype("float64"),
        "usage missing": missing.astype("float64"),
    }


def _nps(
    contacts: pd.DataFrame, customer: np.ndarray, reference: np.ndarray, lag: int
) -> dict[str, np.ndarray]:
    """Last NPS answer of the year before the row (at least `lag` days old): score around 5, missing."""
    score = contacts["nps"].to_numpy(dtype="float64")
    given = np.flatnonzero((contacts["customer"].to_numpy() >= 0) & (score >= 0) & (score <= 10))
    if not len(given):
        return {}
    key = contacts["customer"].to_numpy()[given] * _SPAN + contacts["day"].to_numpy()[given]
    order = np.argsort(key, kind="stable")
    position = np.searchsorted(key[order], customer * _SPAN + reference - lag, side="right") - 1
    last = order[np.maximum(position, 0)]
    fresh = (position >= 0) & (key[last] >= customer * _SPAN + reference - NPS_DAYS)
    return {
        "nps": np.where(fresh, (score[given][last] - 5.0) / 5.0, 0.0), "nps missing": (~fresh).astype("float64"),
    }
