"""The ledger: each issue keeps its id for ever. Known issues are matched first; only what is left is clustered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.config import Issues
from voc.issues import labels
from voc.issues.discovery import Candidate, find_candidates
from voc.issues.events import VOC, append_events, birth_rows, issue_id_of, next_number
from voc.issues.kinds import KINDS, kind_shares
from voc.issues.label_evidence import pick_exemplars, readable_keywords
from voc.issues.matching import match_probabilities, mention_rows, voice_vectors
from voc.issues.matter import names_a_matter
from voc.issues.prototypes import Prototypes, active_prototypes, best_per_issue, count_sentences
from voc.japanese import Word, tokenize
from voc.tables import ISSUES, check, empty

_NEAREST = 100  # sentences that a label may be made from
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
    order = np.lexsort((voices["sentence_id"].to_numpy(dtype=str), voices["contact_id"].to_numpy(dtype=str)))
    voices, opinions, vectors = (
        voices.iloc[order].reset_index(drop=True), opinions.iloc[order].reset_index(drop=True), vectors[order]
    )  # fmt: skip
    kinds = kind_shares(voices["text"], opinions)
    points = voice_vectors(vectors, kinds, contacts=voices["contact_id"])
    known = active_prototypes(issues)
    is_free = _best(points, known) < 0.5
    has_matter = voices["terms"].map(names_a_matter).to_numpy(dtype=bool)
    is_voiced = (opinions["intent"].to_numpy() != "other") & has_matter
    rows = np.flatnonzero(is_free & is_voiced)
    found = find_candidates(
        voices.iloc[rows].reset_index(drop=True), points[rows], kinds[rows],
        min_sentences=settings.min_sentences, max_fit=settings.max_fit, seed=seed, known_thresholds=known.thresholds,
    )  # fmt: skip
    found = [candidate for candidate in found if not _is_known(candidate, known)]
    born = _entries(
        found, voices.iloc[rows].reset_index(drop=True), points[rows], kinds[rows], issues=issues, parse=parse
    )
    ledger = pd.concat([part for part in (issues, born) if len(part)] or [empty(ISSUES)], ignore_index=True)
    active = active_prototypes(ledger)
    if len(active.ids):
        chances, ids = best_per_issue(match_probabilities(points, active.centroids, active.thresholds, owners=active.ids), active)
        chances[~has_matter] = 0.0
        mentions = mention_rows(chances, voices, ids)
    else:
        mentions = mention_rows(np.empty((0, 0)), voices.iloc[:0], [])
    ledger = count_sentences(ledger, mentions)
    history = append_events(events, birth_rows(born, at=at))
    taken = mentions["sentence_id"].nunique()
    return LedgerUpdate(
        check(ledger, ISSUES), history, mentions, 1 - taken / len(voices) if len(voices) else 0.0
    )


def _best(points: np.ndarray, known: Prototypes) -> np.ndarray:
    if not len(known.ids):
        return np.zeros(len(points))
    return match_probabilities(points, known.centroids, known.thresholds, owners=known.ids).max(axis=1)


def _is_known(candidate: Candidate, known: Prototypes) -> bool:
    same = known.kinds == candidate.kind
    return bool(same.any() and (known.centroids[same] @ candidate.centroid >= known.thresholds[same]).any())


def _entries(
    found: list[Candidate],
    voices: pd.DataFrame,
    points: np.ndarray,
    kinds: np.ndarray,
    *,
    issues: pd.DataFrame,
    parse: Callable[[Sequence[str]], list[list[Word]]],
) -> pd.DataFrame:
    first = next_number(issues["issue_id"])
    taken, rows = set(issues["label"]), []
    spellings = labels.count_spellings(voices["text"]) if found else {}
    for number, candidate in enumerate(found, start=first):
        own = voices.iloc[candidate.members].assign(row=candidate.members)
        order = np.argsort(-(points[candidate.members] @ candidate.centroid), kind="stable")
        nearest = own.iloc[order].drop_duplicates("text").head(_NEAREST)
        texts, rows_of = nearest["text"].tolist(), nearest["row"].to_numpy()
        choices = labels.label_candidates(
            texts, candidate.kind, words=candidate.words, spellings=spellings, parse=parse,
            fits=kinds[rows_of, KINDS.index(candidate.kind)].tolist(),
        )  # fmt: skip
        label = labels.choose_label(choices, candidate.words, candidate.kind, taken=taken)
        shown = pick_exemplars(texts, points[rows_of], candidate.centroid, label=label, n=_EXEMPLARS)
        taken.add(label)
        rows.append(
            {
                "issue_id": issue_id_of(number), "label": label, "label_by": VOC, "kind": candidate.kind, "status": "candidate",
                "first_seen_at": own["started_at"].min(), "centroid": np.round(candidate.centroid, 4).tolist(),
                "threshold": round(candidate.threshold, 4), "keywords": readable_keywords(candidate.words, tokenize(texts)),
                "exemplar_ids": nearest["sentence_id"].iloc[shown].tolist(), "n_sentences": 0,
            }
        )  # fmt: skip
    return check(pd.DataFrame(rows), ISSUES) if rows else empty(ISSUES)
