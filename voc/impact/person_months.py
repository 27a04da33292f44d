"""The panel at risk: one row per customer and month, with a reference day, exposures and covariates before it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import chdtrc

from voc.config import Impact
from voc.impact.exposure import SPAN, crowding, exposure, exposure_days, learned_window, reached
from voc.impact.periods import DAYS_PER_MONTH, LONG_AGO, NOT_ENDED, Window, day_of_date, month_number
from voc.impact.records import Links
from voc.impact.reverse import GAP_DAYS

TENURE_MONTHS = (1.5, 3, 6, 12, 24, 48)
MAX_LEVELS = 12  # plans or segments with an own column; the rest share one
USAGE_MONTHS = 3
NPS_DAYS = 365
RENEWAL_FROM, RENEWAL_MIN_EVENTS, RENEWAL_P = 10, 5.0, 1e-6


@dataclass(frozen=True)
class Panel:
    """Rows sorted by customer and month. `learning` and `counting`: rows x issues, the highest probability.

    `is_learned`: rows whose outcome is fully known; `covariates`: rows x columns, all before the exposure window but
    usage and NPS; `names`: their names. `window_months`: how long a contact counts; `crowding`: see `crowding`.
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
    window_months: int
    crowding: np.ndarray


def person_months(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, usage: pd.DataFrame, *,
    decision_day: np.ndarray, window: Window, n_issues: int, impact: Impact, seed: int,
    sentiment: np.ndarray | None = None, nps: pd.DataFrame | None = None, reverse: tuple[int, ...] = (),
) -> Panel:
    """Panel of every customer and full month at risk.

    The reference day is the decision day for events and a seeded random day at risk for other rows, which removes
    immortal time. Exposure: contacts in (reference - window, reference]; for learning those of the last
    `learning_lag_days` are ignored. Customers from before the window enter at its start with their tenure.
    Where decisions precede ends, the last 36 days of the data are not learned from: their ends are not in yet.

    `sentiment`: one number per row of `contacts`, -1 (angry) to 1, NaN where unknown; only contacts older than the
    exposure window are used, since the mood of a contact is also an effect of its issue. `nps`: further answers
    (customer_id, day as a day number, score 0..10) beside contacts.nps. `reverse`: positions of issues that are not
    modelled. Where `impact.window_months` is empty, the window is the one that fits the data best (`learned_window`).
    """
    customer, month, reference, event = _rows(customers, decision_day, window, seed)
    rows = customer * SPAN + reference
    known = customers["end"].to_numpy() < NOT_ENDED
    has_gap = bool((decision_day[known] < customers["end"].to_numpy()[known]).any())
    learned = (window.month_ends <= window.end_day - GAP_DAYS) if has_gap else np.ones(window.n_months, dtype=bool)
    if not learned.any():
        learned = np.ones(window.n_months, dtype=bool)
    owner, day = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    blocks = [
        _month_columns(month, learned), _levels(customers, customer, "plan"),
        _levels(customers, customer, "segment"), _tenure(customers, customer, reference),
        _renewal(customers, customer, reference, event & learned[month]),
        _usage(customers, customer, month, usage=usage, window=window),
        _nps(_answers(contacts, customers, nps), customer, reference, impact.learning_lag_days),
    ]
    covariates, names = _joined(blocks, len(customer))
    modelled = np.setdiff1d(np.arange(n_issues), reverse)
    months = impact.window_months or learned_window(
        rows, covariates, links, is_event=event, is_learned=learned[month], owner=owner, day=day, modelled=modelled,
        n_issues=n_issues, lag=impact.learning_lag_days, seed=seed,
    )
    reach = exposure_days(months)
    older, more = _joined([_older_contacts(rows, owner, day, reach, sentiment)], len(customer))
    exposures = [
        exposure(rows, owner[links.contact], day[links.contact], links, n_issues=n_issues, within=(lag, reach))
        for lag in (impact.learning_lag_days, 0)
    ]
    return Panel(
        customer, month, reference, event, learned[month], *exposures, np.hstack([covariates, older[:, 1:]]),
        [*names, *more[1:]], months,
        crowding(contacts, links, customers, decision_day=decision_day, start_day=window.start_day, n_issues=n_issues),
    )


def _joined(blocks: list[dict[str, np.ndarray]], n_rows: int) -> tuple[np.ndarray, list[str]]:
    """The intercept and every column that varies, with their names."""
    columns = {name: values for block in blocks for name, values in block.items() if len(values) and np.ptp(values) > 0}
    return np.column_stack([np.ones(n_rows), *columns.values()]), ["intercept", *columns]


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


def _renewal(
    customers: pd.DataFrame, customer: np.ndarray, reference: np.ndarray, event: np.ndarray
) -> dict[str, np.ndarray]:
    """Months since the last anniversary of the contract (1..11), where decisions bunch around anniversaries.

    They do where, in contracts older than `RENEWAL_FROM` months, the counts by month of the contract year differ by
    more than chance (chi-square, p < RENEWAL_P): annual contracts can only be left at their renewal.
    """
    start = customers["start"].to_numpy()[customer]
    age = (reference - start) / DAYS_PER_MONTH
    phase = np.floor(age % 12).astype("int64")
    old = (age >= RENEWAL_FROM) & (start > LONG_AGO)
    at_risk = np.bincount(phase[old], minlength=12)
    events = np.bincount(phase[old & event], minlength=12)
    expected = at_risk * events.sum() / max(at_risk.sum(), 1)
    if expected.min() < RENEWAL_MIN_EVENTS or chdtrc(11, ((events - expected) ** 2 / expected).sum()) > RENEWAL_P:
        return {}
    return {f"contract month {position}": (old & (phase == position)).astype("float64") for position in range(1, 12)}


def _older_contacts(
    rows: np.ndarray, owner: np.ndarray, day: np.ndarray, reach: int, sentiment: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Contacts before the exposure window, up to a year ago: log(1 + number), mean sentiment (0 where unknown)."""
    row, position = reached(rows, owner, day, within=(reach, max(365, reach + 30)))
    columns = {"older contacts": np.log1p(np.bincount(row, minlength=len(rows)).astype("float64"))}
    if sentiment is not None:
        mood = np.asarray(sentiment, dtype="float64")[position]
        known = np.isfinite(mood)
        n = np.bincount(row[known], minlength=len(rows))
        total = np.bincount(row[known], weights=np.clip(mood[known], -1.0, 1.0), minlength=len(rows))
        centre = total.sum() / max(n.sum(), 1)
        columns["older sentiment"] = (total - n * centre) / np.maximum(n, 1)
    return columns


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


def _answers(contacts: pd.DataFrame, customers: pd.DataFrame, nps: pd.DataFrame | None) -> tuple[np.ndarray, ...]:
    """Customer position, day and score of every usable NPS answer, in contacts and in the frame `nps`."""
    owner, day = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    score = contacts["nps"].to_numpy(dtype="float64")
    if nps is not None:
        position = pd.Index(customers["customer_id"]).get_indexer(nps["customer_id"].astype("object"))
        owner = np.concatenate([owner, position])
        day = np.concatenate([day, nps["day"].to_numpy()])
        score = np.concatenate([score, nps["score"].to_numpy(dtype="float64")])
    given = np.flatnonzero((owner >= 0) & (score >= 0) & (score <= 10))
    order = given[np.lexsort((score[given], day[given], owner[given]))]
    return owner[order], day[order], score[order]


def _nps(
    answers: tuple[np.ndarray, ...], customer: np.ndarray, reference: np.ndarray, lag: int
) -> dict[str, np.ndarray]:
    """Last NPS answer of the year before the row (at least `lag` days old): score around 5, missing."""
    owner, day, score = answers
    if not len(owner):
        return {}
    key = owner * SPAN + day
    position = np.searchsorted(key, customer * SPAN + reference - lag, side="right") - 1
    last = np.maximum(position, 0)
    fresh = (position >= 0) & (key[last] >= customer * SPAN + reference - NPS_DAYS)
    return {"nps": np.where(fresh, (score[last] - 5.0) / 5.0, 0.0), "nps missing": (~fresh).astype("float64")}
