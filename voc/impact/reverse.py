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
BY_PERSON, BY_WORDS, BY_TIMING = "設定", "課題名", "時期"
REVERSE_COLUMNS = ["issue", "basis", "is_overruled", "churn_share", "n_churns", "later_churn_share"]
MARKING = 0.3  # a contact marks the decision from this summed probability on; 0.1 dated too early


@dataclass(frozen=True)
class Decisions:
    """`reverse`: positions of the reverse issues; `day`: decision day per customer, NOT_ENDED where none.

    `n_moved`: ends that were dated back to an earlier contact. `evidence`: REVERSE_COLUMNS of every issue that is or,
    without a person's word, would be reverse; `issue` is its position.
    """

    reverse: tuple[int, ...]
    day: np.ndarray
    n_moved: int
    evidence: pd.DataFrame


def undated(issues: pd.DataFrame, *, impact: Impact) -> Decisions:
    """Decisions where there is nothing to date: the reverse issues that words and people name, without evidence."""
    named, stated = _named(issues, impact)
    flagged = np.flatnonzero(named)
    rows = pd.DataFrame({"issue": flagged, "basis": np.where(stated[flagged], BY_PERSON, BY_WORDS), "is_overruled": False})
    return Decisions(tuple(flagged.tolist()), np.zeros(0), 0, rows.reindex(columns=REVERSE_COLUMNS))


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
    probability-weighted share that ends within 36 days is > 15 %, stands for >= 8 churns, and is > 4 x the share that
    ends per 36 days in days 37 to 108 of those who are still customers then. The strongest such issue is taken first, decisions are dated anew, and so on.
    The decision is the first contact with any reverse issue (summed probability >= 0.3) in the
    `decision_days` before the end.
    A person's word wins: issue ids in `impact.reverse` are always taken, those in `impact.not_reverse` never.
    """
    named, stated = _named(issues, impact)
    free = issues["issue_id"].isin(impact.not_reverse).to_numpy(dtype=bool)
    flagged = list(np.flatnonzero(named))
    said = pd.DataFrame({
        "contact": links.contact, "customer": contacts["customer"].to_numpy()[links.contact],
        "day": contacts["day"].to_numpy()[links.contact], "issue": links.issue, "probability": links.probability,
    })
    said = said[said["customer"] >= 0]
    end = customers["end"].to_numpy()
    timed = _timing(end, end, said, len(issues), end_day=end_day)
    evidence = [
        _evidence(timed, k, BY_PERSON if stated[k] else BY_WORDS) for k in flagged
    ] + [
        _evidence(timed, k, BY_WORDS if words else BY_TIMING, is_overruled=True)
        for k, words in enumerate(cancel_intent(issues)) if free[k] and (words or timed.passes[k])
    ]
    decision = _date(end, said, flagged, decision_days=impact.decision_days)
    for _ in range(len(issues)):
        timed = _timing(end, decision, said, len(issues), end_day=end_day)
        candidate = timed.strongest(closed=np.isin(np.arange(len(issues)), flagged) | free)
        if candidate is None:
            break
        flagged.append(candidate)
        evidence.append(_evidence(timed, candidate, BY_TIMING))
        decision = _date(end, said, flagged, decision_days=impact.decision_days)
    decision = np.maximum(decision, np.where(customers["start"].to_numpy() > LONG_AGO, customers["start"], LONG_AGO))
    decision = np.where(end >= NOT_ENDED, NOT_ENDED, decision)
    return Decisions(
        tuple(sorted(int(k) for k in flagged)), decision, int((decision < end).sum()),
        pd.DataFrame(evidence, columns=REVERSE_COLUMNS).sort_values("issue", ignore_index=True),
    )


def _named(issues: pd.DataFrame, impact: Impact) -> tuple[np.ndarray, np.ndarray]:
    """Issues that are reverse whatever the timing says, and those of them that a person stated."""
    stated = issues["issue_id"].isin(impact.reverse).to_numpy(dtype=bool)
    free = issues["issue_id"].isin(impact.not_reverse).to_numpy(dtype=bool)
    return stated | (cancel_intent(issues) & ~free), stated


def _date(end: np.ndarray, said: pd.DataFrame, flagged: list[int], *, decision_days: int) -> np.ndarray:
    decision = end.copy()
    spoken = said[said["issue"].isin(flagged)]
    marked = spoken.groupby("contact")["probability"].transform("sum") >= MARKING
    last = end[spoken["customer"]]
    marked &= (last < NOT_ENDED) & (spoken["day"] <= last) & (spoken["day"] >= last - decision_days)
    np.minimum.at(decision, spoken.loc[marked, "customer"].to_numpy(), spoken.loc[marked, "day"].to_numpy())
    return decision


@dataclass(frozen=True)
class _Timing:
    """Per issue: churns within GAP_DAYS of a contact, their share of its contacts, and `later`: the share that leaves
    within as many days at the rate of days 37 to 108 after a contact, of those who are still there."""

    churns: np.ndarray
    share: np.ndarray
    later: np.ndarray

    @property
    def passes(self) -> np.ndarray:
        return (self.share > MIN_SHARE) & (self.churns >= MIN_CHURNS) & (self.share > MIN_RATIO * self.later)

    def strongest(self, *, closed: np.ndarray) -> int | None:
        """The issue, not `closed`, with the highest share among those that pass all three limits, or None."""
        open_to_take = self.passes & ~closed
        return int(np.argmax(np.where(open_to_take, self.share, -1.0))) if open_to_take.any() else None


def _timing(end: np.ndarray, decision: np.ndarray, said: pd.DataFrame, n_issues: int, *, end_day: int) -> _Timing:
    customer, day = said["customer"].to_numpy(), said["day"].to_numpy()
    wait = end[customer] - day
    early = (day < decision[customer]) & (wait >= 0)
    seen, seen_long = early & (day <= end_day - GAP_DAYS), early & (day <= end_day - LATER_DAYS)
    soon, later = wait <= GAP_DAYS, (wait > GAP_DAYS) & (wait <= LATER_DAYS)
    # who is gone by then can leave no more: the later rate is over the time that the others stayed
    stayed = np.clip(wait, GAP_DAYS, LATER_DAYS) - GAP_DAYS
    contacts, churns, churns_later, gaps_later = (
        np.bincount(said["issue"], weights=said["probability"] * chosen, minlength=n_issues)
        for chosen in (seen, seen & soon, seen_long & later, seen_long * stayed / GAP_DAYS)
    )
    rate_later = churns_later / np.maximum(gaps_later, 1e-9)
    return _Timing(churns, churns / np.maximum(contacts, 1e-9), 1.0 - np.exp(-rate_later))


def _evidence(timed: _Timing, issue: int, basis: str, *, is_overruled: bool = False) -> tuple:
    return (
        int(issue), basis, is_overruled, min(timed.share[issue], 1.0), timed.churns[issue], min(timed.later[issue], 1.0),
    )
