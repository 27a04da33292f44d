"""The ledger: each issue keeps its id for ever. Known issues are matched first; only what is left is clustered."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.config import Issues
from voc.issues import labels
from voc.issues.discovery import Candidate, find_candidates
from voc.issues.kinds import kind_shares
from voc.issues.matching import centroids_of, match_probabilities, mention_rows, voice_vectors
from voc.issues.matter import names_a_matter
from voc.japanese import Word
from voc.tables import ISSUE_EVENTS, ISSUES, check, empty

ACTIVE = ("candidate", "open", "locked")
_NEAREST = 60  # sentences that a label may be made from
_EXEMPLARS = 5


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """Tables issues, issue_events and mentions after a run, and the share of voices that no issue took."""

    issues: pd.DataFrame
    events: pd.DataFrame
    mentions: pd.DataFrame
    unassigned_share: float


def update_ledger(
    voices: pd.DataFrame,
    opinions: pd.DataFrame,
    vectors: np.ndarray,
    *,
    issues: pd.DataFrame,
    events: pd.DataFrame,
    settings: Issues,
    seed: int,
    at: pd.Timestamp,
    parse: Callable[[Sequence[str]], list[list[Word]]],
) -> LedgerUpdate:
    """Match all voices with the known issues, add new ones, match again.

    `voices` are the sentences that are not set aside, with customer_id and started_at of their contact;
    `opinions` and `vectors` stand in the same order. `issues` and `events` are the ledger so far (may be
    empty). `at` dates the events: the run's as-of instant, never a clock.
    """
    kinds = kind_shares(voices["text"], opinions)
    points = voice_vectors(vectors, kinds)
    known = issues[issues["status"].isin(ACTIVE)]
    is_free = _best(points, known) < 0.5
    has_matter = voices["terms"].map(names_a_matter).to_numpy(dtype=bool)
    is_voiced = (opinions["intent"].to_numpy() != "other") & has_matter
    rows = np.flatnonzero(is_free & is_voiced)
    found = find_candidates(
        voices.iloc[rows].reset_index(drop=True), points[rows], kinds[rows],
        min_sentences=settings.min_sentences, max_fit=settings.max_fit, seed=seed,
    )  # fmt: skip
    found = [candidate for candidate in found if not _is_known(candidate, known)]
    born = _entries(found, voices.iloc[rows].reset_index(drop=True), points[rows], issues=issues, parse=parse)
    ledger = pd.concat([part for part in (issues, born) if len(part)] or [empty(ISSUES)], ignore_index=True)
    active = ledger[ledger["status"].isin(ACTIVE)].reset_index(drop=True)
    if len(active):
        chances = match_probabilities(points, centroids_of(active), active["threshold"].to_numpy())
        chances[~has_matter] = 0.0
        mentions = mention_rows(chances, voices, active["issue_id"].tolist())
    else:
        mentions = mention_rows(np.empty((0, 0)), voices.iloc[:0], [])
    counts = mentions["issue_id"].value_counts()
    ledger["n_sentences"] = ledger["issue_id"].map(counts).fillna(0).astype("int64")
    births = _events(born, at=at)
    history = pd.concat([part for part in (events, births) if len(part)] or [empty(ISSUE_EVENTS)], ignore_index=True)
    taken = mentions["sentence_id"].nunique()
    return LedgerUpdate(
        check(ledger, ISSUES), check(history, ISSUE_EVENTS), mentions, 1 - taken / len(voices) if len(voices) else 0.0
    )


def _best(points: np.ndarray, known: pd.DataFrame) -> np.ndarray:
    if known.empty:
        return np.zeros(len(points))
    return match_probabilities(points, centroids_of(known), known["threshold"].to_numpy()).max(axis=1)


def _is_known(candidate: Candidate, known: pd.DataFrame) -> bool:
    same = known[known["kind"] == candidate.kind]
    if same.empty:
        return False
    return bool((centroids_of(same) @ candidate.centroid >= same["threshold"].to_numpy()).any())


def _entries(
    found: list[Candidate],
    voices: pd.DataFrame,
    points: np.ndarray,
    *,
    issues: pd.DataFrame,
    parse: Callable[[Sequence[str]], list[list[Word]]],
) -> pd.DataFrame:
    number = max((int(issue_id.rsplit("-", 1)[1]) for issue_id in issues["issue_id"]), default=0)
    taken, rows = set(issues["label"]), []
    spellings = labels.count_spellings(voices["text"]) if found else {}
    for candidate in found:
        number += 1
        own = voices.iloc[candidate.members]
        order = np.argsort(-(points[candidate.members] @ candidate.centroid), kind="stable")
        nearest = own.iloc[order].drop_duplicates("text")
        texts = nearest["text"].head(_NEAREST).tolist()
        choices = labels.label_candidates(texts, candidate.kind, words=candidate.words, spellings=spellings, parse=parse)
        label = labels.choose_label(choices, candidate.words, candidate.kind, taken=taken)
        taken.add(label)
        rows.append(
            {
                "issue_id": f"VOC-{number:04d}", "label": label, "kind": candidate.kind, "status": "candidate",
                "first_seen_at": own["started_at"].min(), "centroid": np.round(candidate.centroid, 4).tolist(),
                "threshold": round(candidate.threshold, 4), "keywords": list(candidate.words),
                "exemplar_ids": nearest["sentence_id"].head(_EXEMPLARS).tolist(), "n_sentences": 0,
            }
        )  # fmt: skip
    return check(pd.DataFrame(rows), ISSUES) if rows else empty(ISSUES)


def _events(born: pd.DataFrame, *, at: pd.Timestamp) -> pd.DataFrame:
    if born.empty:
        return empty(ISSUE_EVENTS)
    rows = pd.DataFrame({"issue_id": born["issue_id"], "kind": "birth", "at": at, "by": "voc", "to": born["label"]})
    keys = rows["issue_id"] + "|birth|" + str(at)
    rows["event_id"] = ["E" + hashlib.sha256(key.encode()).hexdigest()[:16] for key in keys]
    return check(rows, ISSUE_EVENTS)
