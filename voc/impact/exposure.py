"""Who has met which issue when: exposure windows, the window that fits the data, and how contacts crowd together."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from voc.errors import VocError
from voc.impact.hazard import log_posterior
from voc.impact.periods import DAYS_PER_MONTH
from voc.impact.records import Links

SPAN = 4_000_000  # wider than any difference of day numbers
DEFAULT_WINDOW = 4
WINDOWS = (1, 2, 3, 5, 6, 8, 12)
MIN_GAIN = 3.0  # log posterior by which another window must fit better than the default (Bayes factor 20),
MIN_Z = 2.0  # and standard errors of that gain: at 4,000 customers 5 months gained up to 9 where 4 were true
MAX_EVENTS, OTHERS_PER_EVENT = 4_000, 4
BANDS = (1, 2, 3, 4, 6, 8, 12)  # months; contacts about anything in each are held fixed while windows are compared
CROWDING_DAYS = 60
PRIOR_PAIRS = 2.0  # keeps the ratio of issues with hardly any pair near 1


def exposure_days(window_months: int) -> int:
    """Days that an exposure window of so many months spans."""
    return round(window_months * DAYS_PER_MONTH)


def reached(
    rows: np.ndarray, owner: np.ndarray, day: np.ndarray, *, within: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose reference lies `within` [days, days) after each event: positions of the rows, of the events.

    `rows`: ascending customer * SPAN + reference day.
    """
    usable = np.flatnonzero(owner >= 0)
    low, high = (
        np.searchsorted(rows, owner[usable] * SPAN + day[usable] + days, side="left") for days in within
    )
    n = np.maximum(high - low, 0)
    nth = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return np.repeat(low, n) + nth, np.repeat(usable, n)


def exposure(
    rows: np.ndarray, owner: np.ndarray, day: np.ndarray, links: Links, *, n_issues: int, within: tuple[int, int]
) -> sparse.csr_matrix:
    """Rows x issues: the highest probability of the contacts `within` [days, days) before the reference.

    `owner`, `day`: of the contact of each link.
    """
    row, positions = reached(rows, owner, day, within=within)
    key = row * max(n_issues, 1) + links.issue[positions]
    value = links.probability[positions]
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    last = np.ones(len(key), dtype=bool)
    last[:-1] = key[1:] != key[:-1]
    key, value = key[last], value[last]
    shape = (len(rows), n_issues)
    return sparse.csr_matrix((value, (key // max(n_issues, 1), key % max(n_issues, 1))), shape=shape)


def learned_window(
    rows: np.ndarray, covariates: np.ndarray, links: Links, *, is_event: np.ndarray, is_learned: np.ndarray,
    owner: np.ndarray, day: np.ndarray, modelled: np.ndarray, n_issues: int, lag: int, seed: int,
) -> int:
    """How many months a contact counts: of DEFAULT_WINDOW and WINDOWS the one under which the model is most probable.

    All issues share the window. Fitted to events and four other rows per event (seeded), which leaves slopes as
    they are (Prentice & Pyke 1979). How many contacts about anything lie how far back is held fixed: what all contacts
    share (bad moods, questions of those who have decided) says nothing of how long an issue works. The default of
    four months stands unless another window gains MIN_GAIN, and the gain, summed over customers, is MIN_Z times its
    standard error (the test of Vuong 1989): windows are not nested, and a gain of a few customers is chance.
    `owner`, `day`: customer and day of each contact.
    """
    rng = np.random.default_rng([seed, 3])
    events, others = np.flatnonzero(is_event & is_learned), np.flatnonzero(~is_event & is_learned)
    if not len(events) or not len(others) or not len(modelled):
        return DEFAULT_WINDOW
    events = rng.choice(events, min(len(events), MAX_EVENTS), replace=False)
    others = rng.choice(others, min(len(others), OTHERS_PER_EVENT * len(events)), replace=False)
    chosen = np.sort(np.concatenate([events, others]))
    held = np.hstack([covariates[chosen], _contacts_by_age(rows[chosen], owner, day, lag=lag)])
    found, fits, start = {}, {}, None
    for months in (DEFAULT_WINDOW, *WINDOWS):
        met = exposure(
            rows[chosen], owner[links.contact], day[links.contact], links, n_issues=n_issues,
            within=(lag, exposure_days(months)),
        )
        try:
            found[months], beta = log_posterior(held, met[:, modelled], is_event[chosen], start=start)
        except (VocError, np.linalg.LinAlgError):  # nothing fits: no window speaks against the default
            return DEFAULT_WINDOW
        start = beta if start is None else start
        risk = held @ beta[:held.shape[1]] + met[:, modelled] @ beta[held.shape[1]:]
        fits[months] = is_event[chosen] * risk - np.logaddexp(0.0, risk)
    best = max(found, key=found.get)
    gain = np.bincount(rows[chosen] // SPAN, fits[best] - fits[DEFAULT_WINDOW])
    is_clear = found[best] > found[DEFAULT_WINDOW] + max(MIN_GAIN, MIN_Z * np.sqrt((gain**2).sum()))
    return best if is_clear else DEFAULT_WINDOW


def _contacts_by_age(rows: np.ndarray, owner: np.ndarray, day: np.ndarray, *, lag: int) -> np.ndarray:
    """Rows x BANDS: log(1 + contacts about anything) of so many months ago."""
    edges = [lag, *(exposure_days(months) for months in BANDS)]
    columns = []
    for within in pairwise(edges):
        row, _ = reached(rows, owner, day, within=within)
        columns.append(np.log1p(np.bincount(row, minlength=len(rows))))
    return np.column_stack(columns)


def crowding(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, *, decision_day: np.ndarray, start_day: int,
    n_issues: int,
) -> np.ndarray:
    """Issues x (log ratio, its variance): contacts about other matters in the 60 days before a contact with the issue.

    The ratio is to the mean of plan and segment: above 1 (log above 0) the issue is told by customers who have much
    to complain of just then, so a hidden dissatisfaction loads on it more than on other issues. Only contacts before
    the decision to leave and with 60 days of history count.
    """
    owner, day = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    usable = np.flatnonzero(owner >= 0)
    usable = usable[day[usable] < decision_day[owner[usable]]]
    usable = usable[np.lexsort((day[usable], owner[usable]))]
    key = owner[usable] * SPAN + day[usable]
    late, early = np.searchsorted(key, key, side="left"), np.searchsorted(key, key - CROWDING_DAYS, side="left")
    begun = np.maximum(customers["start"].to_numpy()[owner[usable]], start_day)
    seen = day[usable] >= begun + CROWDING_DAYS
    before = np.where(seen, late - early, 0)
    said = sparse.csr_matrix((links.probability, (links.contact, links.issue)), shape=(len(contacts), n_issues))[usable]
    later = np.repeat(np.arange(len(usable)), before)
    earlier = np.repeat(early, before) + np.arange(before.sum()) - np.repeat(np.cumsum(before) - before, before)
    same = np.asarray(said[later].multiply(said[earlier]).sum(axis=0)).ravel()
    found = said.T @ before - same
    kind = customers.groupby(["plan", "segment"], dropna=False, sort=True).ngroup().to_numpy()[owner[usable]]
    total, count = np.bincount(kind, before), np.bincount(kind, seen)
    usual = (total / np.maximum(count, 1))[kind] * seen
    volume = np.asarray(said.sum(axis=0)).ravel()
    expected = (said.T @ usual) * (1.0 - volume / max(volume.sum(), 1e-9))
    expected *= found.sum() / max(expected.sum(), 1e-9)
    return np.column_stack([np.log((found + PRIOR_PAIRS) / (expected + PRIOR_PAIRS)), 1.0 / (expected + PRIOR_PAIRS)])
