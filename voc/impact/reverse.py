"""Contacts that follow the decision to leave: found by what they say and by their timing, used to date the decision."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.config import Impact
from voc.impact.periods import LONG_AGO, NOT_ENDED
from voc.impact.records import Links

INTENT_KIND = "解約"
INTENT_WORDS = ("解約手続", "解約方法", "解約申", "解約したい", "退会", "契約終了", "解約の手続", "解約・退会")
GAP_DAYS = 36  # an end follows its decision within about a month
LATER_DAYS = 108
MIN_SHARE, MIN_CHURNS, MIN_RATIO = 0.15, 8.0, 4.0
MARKING = 0.3  # a contact marks the decision from this summed probability on; 0.1 dated too early


@dataclass(frozen=True)
class Decisions:
    """`reverse`: positions of the reverse issues; `day`: decision day per customer, NOT_ENDED where none.

    `n_moved`: ends that were dated back to an earlier contact.
    """

    reverse: tuple[int, ...]
    day: np.ndarray
    n_moved: int


def cancel_intent(issues: pd.DataFrame) -> np.ndarray:
    """True for issues whose kind is 解約 or whose kind or label speaks of leaving (解約手続き, 退会, 契約終了)."""
    text = issues["label"].fillna("").astype("object") + "\n" + issues["kind"].fillna("").astype("object")
    spoken = text.map(lambda words: any(word in words for word in INTENT_WORDS)).to_numpy(dtype=bool)
    return spoken | (issues["kind"] == INTENT_KIND).to_numpy(dtype=bool)


def decide(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, issues: pd.DataFrame, *, impact: Impact, end_day: int
) -> Decisions:
    """Reverse issues and the decision day of every churned customer.

    An issue is reverse if it is a cancel intent, or if, among its contacts before the decision, the
    probability-weighted share that ends within 36 days is > 15 %, stands for >= 8 churns, and is > 4 x the rate per
    36 days in days 37 to 108. The strongest such issue is taken first, decisions are dated anew, and so on.
    The decision is the first contact with any reverse issue (summed probability >= 0.3) in the
    `decision_days` before the end.
    Issue ids in `impact.not_reverse` are never taken.
    """
    free = issues["issue_id"].isin(impact.not_reverse).to_numpy(dtype=bool)
    flagged = list(np.flatnonzero(cancel_intent(issues) & ~free))
    said = pd.DataFrame({
        "contact": links.contact, "customer": contacts["customer"].to_numpy()[links.contact],
        "day": contacts["day"].to_numpy()[links.contact], "issue": links.issue, "probability": links.probability,
    })
    said = said[said["customer"] >= 0]
    end = customers["end"].to_numpy()
    decision = _date(end, said, flagged, decision_days=impact.decision_days)
    for _ in range(len(issues)):
        closed = free.copy()
        closed[flagged] = True
        candidate = _strongest(end, decision, said, closed, end_day=end_day)
        if candidate is None:
            break
        flagged.append(candidate)
        decision = _date(end, said, flagged, decision_days=impact.decision_days)
    decision = np.maximum(decision, np.where(customers["start"].to_numpy() > LONG_AGO, customers["start"], LONG_AGO))
    decision = np.where(end >= NOT_ENDED, NOT_ENDED, decision)
    return Decisions(tuple(sorted(int(k) for k in flagged)), decision, int((decision < end).sum()))


def _date(end: np.ndarray, said: pd.DataFrame, flagged: list[int], *, decision_days: int) -> np.ndarray:
    decision = end.copy()
    spoken = said[said["issue"].isin(flagged)]
    marked = spoken.groupby("contact")["probability"].transform("sum") >= MARKING
    last = end[spoken["customer"]]
    marked &= (last < NOT_ENDED) & (spoken["day"] <= last) & (spoken["day"] >= last - decision_days)
    np.minimum.at(decision, spoken.loc[marked, "customer"].to_numpy(), spoken.loc[marked, "day"].to_numpy())
    return decision


def _strongest(
    end: np.ndarray, decision: np.ndarray, said: pd.DataFrame, closed: np.ndarray, *, end_day: int
) -> int | None:
    """The issue, not `closed`, with the highest share of ends within GAP_DAYS that passes all three limits, or None."""
    customer, day = said["customer"].to_numpy(), said["day"].to_numpy()
    wait = end[customer] - day
    early = (day < decision[customer]) & (wait >= 0)
    seen, seen_long = early & (day <= end_day - GAP_DAYS), early & (day <= end_day - LATER_DAYS)
    soon, later = wait <= GAP_DAYS, (wait > GAP_DAYS) & (wait <= LATER_DAYS)
    contacts, churns, contacts_long, churns_later = (
        np.bincount(said["issue"], weights=said["probability"] * chosen, minlength=len(closed))
        for chosen in (seen, seen & soon, seen_long, seen_long & later)
    )
    share = churns / np.maximum(contacts, 1e-9)
    rate_later = churns_later / np.maximum(contacts_long, 1e-9) * GAP_DAYS / (LATER_DAYS - GAP_DAYS)
    passes = (share > MIN_SHARE) & (churns >= MIN_CHURNS) & (share > MIN_RATIO * rate_later) & ~closed
    return int(np.argmax(np.where(passes, share, -1.0))) if passes.any() else None
