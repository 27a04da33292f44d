"""Who says what: high-LTV customers, promoters and customers who left, each against all others who contacted us."""

import numpy as np
import pandas as pd
from scipy import sparse

from voc.impact.case import Case
from voc.impact.lifetime import HIGH
from voc.impact.periods import NOT_ENDED
from voc.impact.records import LIKELY
from voc.impact.segments import MIN_CELL
from voc.intervals import Z90

HIGH_LTV, PROMOTER, CHURNED = "high_ltv", "promoter", "churned"
PROMOTER_FROM = 9
COLUMNS = ["issue_id", "group", "share", "other_share", "ratio", "low", "high", "n_customers", "n_group", "n_others"]


def contrasts(case: Case) -> pd.DataFrame:
    """CONTRASTS of the reporting period: share of a group's customers who speak of an issue against the other customers.

    Only customers who contacted us in the period count, on both sides; of those who left only contacts before their
    decision (what follows it is no reason). high_ltv: LTV tier high; promoter: last NPS 9 or 10, against others who
    answered; churned: decided to leave in the period, against customers who stayed and who are heard only up to a day drawn
    from the decisions of those who left: with a whole period to speak in, they would say more of everything. ratio = share / other_share with 0.5 added to both counts (one
    that is 0 still has a ratio), low and high its 90 % interval (log ratio, Katz 1978). A description, not an effect.
    Cells of fewer than 5 customers are left out, and so are groups whose others are fewer than 5.
    """
    window, customers = case.window, case.customers
    owner, day = case.contacts["customer"].to_numpy(), case.contacts["day"].to_numpy()
    decision = case.decisions.day if len(case.decisions.day) else np.full(len(customers), NOT_ENDED)
    inside = (day >= window.period_start) & (day < window.period_end) & (owner >= 0)
    inside[inside] = day[inside] < decision[owner[inside]]
    spoke = np.zeros(len(customers), dtype=bool)
    spoke[owner[inside]] = True
    links = case.links
    chosen = inside[links.contact] & (links.probability >= LIKELY)
    has = _has(owner[links.contact[chosen]], links.issue[chosen], shape=(len(customers), len(case.issues)))
    parts = []
    for group, (members, others) in _groups(case, decision).items():
        if group == CHURNED and members.any():
            heard = _until(decision, members, others)
            early = inside & (day < heard[np.maximum(owner, 0)])
            spoke = np.zeros(len(customers), dtype=bool)
            spoke[owner[early]] = True
            chosen = early[links.contact] & (links.probability >= LIKELY)
            has = _has(owner[links.contact[chosen]], links.issue[chosen], shape=has.shape)
        parts.append(_cells(has, members & spoke, others & spoke).assign(group=group))
    table = pd.concat(parts, ignore_index=True)
    table["issue_id"] = case.issues["issue_id"].to_numpy()[table.pop("issue").to_numpy(dtype="int64")]
    return table[COLUMNS]


def _has(customer: np.ndarray, issue: np.ndarray, *, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Customers x issues, 1 where at least one contact of the customer is about the issue."""
    pairs = sparse.csr_matrix((np.ones(len(customer)), (customer, issue)), shape=shape)
    return (pairs > 0).astype("float64").tocsr()


def _until(decision: np.ndarray, members: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Day before which each customer is heard: the own decision, for `others` those of `members` in a fixed random order."""
    days = decision.copy()
    drawn = np.resize(np.sort(decision[members]), others.sum())
    days[others] = np.random.default_rng(0).permutation(drawn)
    return days


def _groups(case: Case, decision: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Group -> (its members, those they are compared with), both over the customers."""
    window, n = case.window, len(case.customers)
    tier = case.customers["tier"].to_numpy(dtype=object) if "tier" in case.customers else np.full(n, None, dtype=object)
    known = pd.notna(tier)
    high = tier == HIGH
    nps = _last_nps(case)
    answered, promoter = np.isfinite(nps), nps >= PROMOTER_FROM
    churned = (decision >= window.period_start) & (decision < window.period_end)
    return {
        HIGH_LTV: (high, known & ~high), PROMOTER: (promoter, answered & ~promoter), CHURNED: (churned, ~churned),
    }


def _last_nps(case: Case) -> np.ndarray:
    """Last NPS answer of each customer before the end of the period, NaN where none."""
    frame = case.contacts[["customer", "day", "nps"]].rename(columns={"nps": "score"})
    if case.nps is not None:
        position = pd.Index(case.customers["customer_id"]).get_indexer(case.nps["customer_id"].astype("object"))
        frame = pd.concat([frame, pd.DataFrame({"customer": position, "day": case.nps["day"], "score": case.nps["score"]})])
    score = frame["score"].astype("float64")
    usable = frame[(frame["customer"] >= 0) & (score >= 0) & (score <= 10) & (frame["day"] < case.window.period_end)]
    last = usable.sort_values(["customer", "day"], kind="stable").drop_duplicates("customer", keep="last")
    result = np.full(len(case.customers), np.nan)
    result[last["customer"].to_numpy(dtype="int64")] = last["score"].astype("float64")
    return result


def _cells(has: sparse.csr_matrix, members: np.ndarray, others: np.ndarray) -> pd.DataFrame:
    """issue (position) and the figures of one group, small cells left out."""
    n_group, n_others = int(members.sum()), int(others.sum())
    count, other = (np.asarray(has[rows].sum(axis=0)).ravel() for rows in (members, others))
    keep = np.flatnonzero((count >= MIN_CELL) & (n_others >= MIN_CELL))
    count, other = count[keep], other[keep]
    log_ratio = np.log((count + 0.5) / (n_group + 0.5)) - np.log((other + 0.5) / (n_others + 0.5))
    error = np.sqrt(1 / (count + 0.5) - 1 / (n_group + 0.5) + 1 / (other + 0.5) - 1 / (n_others + 0.5))
    return pd.DataFrame({
        "issue": keep, "share": count / max(n_group, 1), "other_share": other / max(n_others, 1), "ratio": np.exp(log_ratio),
        "low": np.exp(log_ratio - Z90 * error), "high": np.exp(log_ratio + Z90 * error),
        "n_customers": count.astype("int64"), "n_group": n_group, "n_others": n_others,
    })
