"""Known issues held against what clustering all voices anew finds: which stays, which is two, which two are one.

Matching decides where a sentence goes. The clusters are a second opinion, by which the ledger outgrows what its
first months, with few voices, took for one matter. Whatever a person has touched is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.issues.discovery import Candidate
from voc.issues.events import DRIFTING, VOC, birth_rows, event_row, place_of
from voc.unit_vectors import unit

_HOME = 0.5  # share of a cluster's sentences that one issue must hold
_SWALLOWED = 0.7  # share of an issue's sentences in a cluster of another issue, above which they are one
_PART = 0.3  # share of a cluster's sentences that an issue the run may not move must hold to take the rest too
_APART = 0.75  # cosine of two clusters' centres, below which one issue is two
_MOVED = 0.93  # cosine of an issue's centre with its cluster's, below which it follows

_JOINED = "人が決めた課題と同じ内容なので、その課題に含めました。"


@dataclass(frozen=True, slots=True)
class Review:
    """born: new issues; joined: (issue, cluster that is the same matter) pairs; parted: (issue, new part) pairs;
    moved: issue -> (centroid, threshold); merged: issue -> survivor."""

    born: list[Candidate]
    joined: list[tuple[str, Candidate]]
    parted: list[tuple[str, Candidate]]
    moved: dict[str, tuple[np.ndarray, float]]
    merged: dict[str, str]


def review(
    found: Sequence[Candidate], home: np.ndarray, issues: pd.DataFrame, *, free: set[str], near: Sequence[str | None]
) -> Review:
    """What clusters `found` say about `issues`; `home` (n,) has each sentence's issue_id or None, in the rows of `members`.

    `near`: for each cluster the known issue, if any, that its centre would be matched with. `free`: the issues that a
    run may change (`may_change`). A cluster that no issue holds and that is near none is a new issue. One that most
    sentences of an issue are in which the run may not move, as the company's own categories are, joins it as a further
    prototype (what a person defined by a few examples stays as defined), and so does the issue that holds the rest of it.
    """
    sizes = pd.Series(home).value_counts()
    centre = {row["issue_id"]: unit(np.asarray(row["centroid"], dtype=float)) for row in issues.to_dict("records")}
    of_issue: dict[str, list[Candidate]] = {}
    fixed = set(issues.loc[issues["status"] != "merged", "issue_id"]) - free
    born, joined, merged = [], [], {}
    for candidate, known in zip(found, near, strict=True):
        held = pd.Series(home[candidate.members]).value_counts()
        owner = _owner(held, len(candidate.members), known)
        twin = _twin(held, sizes, len(candidate.members), fixed)
        if twin is not None:
            if owner in free and held.get(owner, 0) > _SWALLOWED * sizes[owner]:
                merged[owner] = twin
            elif owner not in free and held[twin] < _SWALLOWED * len(candidate.members):
                joined.append((twin, candidate))
            if owner not in free or owner in merged:
                continue
        if owner is None:
            if held.sum() < _HOME * len(candidate.members):
                born.append(candidate)
            continue
        of_issue.setdefault(owner, []).append(candidate)
        for other, count in held.items():
            if other != owner and {other, owner} <= free and count > _SWALLOWED * sizes[other]:
                merged.setdefault(str(other), owner)
    merged = {gone: kept for gone, kept in merged.items() if gone not in of_issue and kept not in merged}
    parted, moved = [], {}
    for owner, own in sorted(of_issue.items()):
        if owner not in free:
            continue
        first = max(own, key=lambda c: (float(c.centroid @ centre[owner]) > _APART, len(c.members)))
        parts = [c for c in own if c is not first and float(c.centroid @ first.centroid) < _APART]
        parted += [(owner, c) for c in parts]
        # moved seldom: each move sends sentences on the border of two issues to the other one
        if parts or float(first.centroid @ centre[owner]) < _MOVED:
            moved[owner] = (first.centroid, first.threshold)
    return Review(born, joined, parted, moved, merged)


def may_change(issues: pd.DataFrame, events: pd.DataFrame) -> set[str]:
    """Issues that a run may move, part or merge: not locked, closed or resting, and nothing done to them by a person."""
    by_hand = events[events["by"] != VOC]
    touched = set(by_hand["issue_id"]) | set(by_hand["to"].dropna())
    drifting = issues[issues["status"].isin(DRIFTING) & (issues["label_by"].fillna(VOC) == VOC)]
    return set(drifting["issue_id"]) - touched


def review_rows(seen: Review, issues: pd.DataFrame, born: pd.DataFrame, *, at: pd.Timestamp) -> list[dict]:
    """Events of `review`; `born` are rows of ISSUES for seen.born, the joined clusters and the new parts, in this order."""
    rows = birth_rows(born.iloc[: len(seen.born)], at=at)
    n_joined = len(seen.joined)
    for (survivor, _), row in zip(seen.joined, born.iloc[len(seen.born) :].head(n_joined).to_dict("records"), strict=True):
        rows += birth_rows(pd.DataFrame([row]), at=at)
        rows.append(event_row(row["issue_id"], "merge", at=at, by=VOC, old=row["label"], to=survivor, note=_JOINED))
    parts = born.iloc[len(seen.born) + n_joined :]
    owners = np.array([owner for owner, _ in seen.parted], dtype=object)
    known = issues.set_index("issue_id")
    for owner in dict.fromkeys(owners):
        own = parts[owners == owner]
        place = seen.moved.get(owner, (known.at[owner, "centroid"], known.at[owner, "threshold"]))
        rows.append(
            event_row(owner, "split", at=at, by=VOC, old=known.at[owner, "label"], to=",".join(own["issue_id"]),
                      definition={**place_of(*place), "moved": {}})
        )  # fmt: skip
        rows += birth_rows(own, at=at, old=owner)
    split = set(owners)
    for issue_id, place in sorted(seen.moved.items()):
        if issue_id not in split:
            rows.append(event_row(issue_id, "recentre", at=at, by=VOC, definition=place_of(*place)))
    for issue_id, survivor in sorted(seen.merged.items()):
        rows.append(event_row(issue_id, "merge", at=at, by=VOC, old=known.at[issue_id, "label"], to=survivor))
    return rows


def _twin(held: pd.Series, sizes: pd.Series, size: int, fixed: set[str]) -> str | None:
    """The issue among `fixed` that a cluster of `size` sentences is the same matter as: most of the issue's sentences
    are in the cluster and are a good part of it. `held`, `sizes`: sentences of each issue there and everywhere."""
    own = held[held.index.isin(fixed)]
    own = own[(own >= _SWALLOWED * sizes[own.index]) & (own >= _PART * size)]
    return str(own.index[0]) if len(own) else None


def _owner(held: pd.Series, size: int, near: str | None) -> str | None:
    if len(held) and held.iloc[0] >= _HOME * size:
        return str(held.index[0])
    return near if held.sum() < _HOME * size else None
