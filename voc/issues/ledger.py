"""The ledger: each issue keeps its id for ever. Known issues are matched first; only what is left is clustered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from voc import topics
from voc.config import Issues
from voc.errors import VocError
from voc.issues import labels
from voc.issues.calibration import calibrated
from voc.issues.discovery import Candidate, Clusterer, find_candidates
from voc.issues.events import VOC, advance, issue_id_of, next_number
from voc.issues.kinds import KINDS, kind_shares
from voc.issues.label_evidence import pick_exemplars, readable_keywords
from voc.issues.matching import match_probabilities, mention_rows, voice_vectors
from voc.issues.matter import names_a_matter
from voc.issues.prototypes import Prototypes, active_prototypes, best_per_issue, count_sentences
from voc.issues.quality import ledger_quality
from voc.issues.review import may_change, review, review_rows
from voc.japanese import Word, tokenize
from voc.tables import ISSUE_CALIBRATION, ISSUE_QUALITY, ISSUES, check, empty

_NEAREST = 100  # sentences that a label may be made from
_EXEMPLARS = 5


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """Tables issues, issue_events and mentions after a run, the share of voices that no issue took, ISSUE_QUALITY."""

    issues: pd.DataFrame
    events: pd.DataFrame
    mentions: pd.DataFrame
    unassigned_share: float
    quality: pd.DataFrame = field(default_factory=lambda: empty(ISSUE_QUALITY))


def update_ledger(
    voices: pd.DataFrame,
    opinions: pd.DataFrame,
    vectors: np.ndarray,
    *,
    place: np.ndarray | None = None,
    issues: pd.DataFrame,
    events: pd.DataFrame,
    settings: Issues,
    seed: int,
    at: pd.Timestamp,
    parse: Callable[[Sequence[str]], list[list[Word]]],
    any_text: bool = False,
    n_issues: int | None = None,
    keep: float = 0.5,
    calibration: pd.DataFrame | None = None,
    mentions_before: pd.DataFrame | None = None,
    cluster: Clusterer = topics.cluster,
) -> LedgerUpdate:
    """Match all voices with the known issues, hold the ledger against clusters of all voices, match again.

    Matching decides where a sentence goes and so keeps the ids. Clusters that no issue holds are new issues; an issue
    that the run may change (`may_change`) is moved, parted or merged where the clusters say so (`review`).

    `voices` are the sentences that are not set aside, with customer_id and started_at of their contact;
    `opinions` and `vectors` stand in the same order, or `place` says which row of `vectors` each voice has. `issues` and `events` are the ledger so far (may be
    empty). `at` dates the events: the run's as-of instant, never a clock. With `any_text` sentences of no intent
    make issues too (kind 「その他」 where they have none). `n_issues`: so many new ones are wanted. `keep`: mentions need at least this probability, after `calibration`
    (ISSUE_CALIBRATION) if there is one. `mentions_before`: MENTIONS of the last run, for ISSUE_QUALITY.
    `cluster`: in place of BERTopic (voc/parts.py). Raises VocError where the ledger was made in another space.
    """
    order = np.lexsort((voices["sentence_id"].to_numpy(dtype=str), voices["contact_id"].to_numpy(dtype=str)))
    voices, opinions = voices.iloc[order].reset_index(drop=True), opinions.iloc[order].reset_index(drop=True)
    kinds = kind_shares(voices["text"], opinions)
    points = voice_vectors(vectors, kinds, contacts=voices["contact_id"], place=order if place is None else place[order])
    _same_space(issues, points.shape[1])
    has_matter = voices["terms"].map(names_a_matter).to_numpy(dtype=bool)
    rows = np.flatnonzero(((opinions["intent"].to_numpy() != "other") | any_text) & has_matter)
    known, own, own_points = active_prototypes(issues), voices.iloc[rows].reset_index(drop=True), points[rows]
    found = find_candidates(
        own, own_points, kinds[rows], min_sentences=settings.min_sentences, max_fit=settings.max_fit, seed=seed,
        known_thresholds=known.thresholds, needs_kind=not any_text, n_groups=n_issues, cluster=cluster,
    )  # fmt: skip
    seen = review(
        found, _home(own_points, known), issues, free=may_change(issues, events),
        near=_home(np.array([c.centroid for c in found]), known).tolist(),
    )  # fmt: skip
    new = [*seen.born, *(candidate for _, candidate in (*seen.joined, *seen.parted))]
    born = _entries(new, own, own_points, kinds[rows], issues=issues, parse=parse)
    del own_points  # gigabytes in a month of calls
    ledger = pd.concat([part for part in (issues, born) if len(part)] or [empty(ISSUES)], ignore_index=True)
    ledger, history = advance(ledger, events, review_rows(seen, issues, born, at=at))
    active = active_prototypes(ledger)
    mentions = _mentions(points, voices, has_matter, active, calibration=calibration, keep=keep)
    taken = mentions["sentence_id"].nunique()
    return LedgerUpdate(
        check(count_sentences(ledger, mentions), ISSUES), history, mentions, 1 - taken / len(voices) if len(voices) else 0.0,
        ledger_quality(voices, points, mentions, active, before=mentions_before),
    )  # fmt: skip


def _mentions(
    points: np.ndarray, voices: pd.DataFrame, has_matter: np.ndarray, active: Prototypes, *, calibration: pd.DataFrame | None, keep: float
) -> pd.DataFrame:
    chances, ids = best_per_issue(match_probabilities(points, active.centroids, active.thresholds, owners=active.ids), active)
    chances = calibrated(chances, ids, empty(ISSUE_CALIBRATION) if calibration is None else calibration)
    chances[~has_matter] = 0.0
    return mention_rows(chances, voices, ids, keep=keep)


def _same_space(issues: pd.DataFrame, length: int) -> None:
    lengths = issues["centroid"].map(len)
    other = issues[lengths != length]
    if len(other):
        raise VocError(
            f"台帳は別の埋め込みモデルで作られています（{other['issue_id'].iloc[0]} の向きは {lengths[other.index[0]]} 次元、今のモデルでは {length} 次元、"
            f"{len(other)} 件）。設定 [parts] embedder を前に戻すか、新しい保存先（[store] path）で作り直してください。"
        )


def _home(points: np.ndarray, known: Prototypes) -> np.ndarray:
    """(n,) the known issue that each point belongs to with a probability of at least a half, else None."""
    home = np.full(len(points), None, dtype=object)
    if len(known.ids) and len(points):
        chances = match_probabilities(points, known.centroids, known.thresholds, owners=known.ids)
        best = chances.argmax(axis=1)
        is_taken = chances[np.arange(len(points)), best] >= 0.5
        home[is_taken] = known.ids[best[is_taken]]
    return home


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
        keywords = readable_keywords(candidate.words, tokenize(texts))
        fits = kinds[rows_of, KINDS.index(candidate.kind)].tolist() if candidate.kind in KINDS else None
        if kinds.any():
            choices = labels.label_candidates(
                texts, candidate.kind, words=candidate.words, spellings=spellings, parse=parse, fits=fits
            )
            label = labels.choose_label(choices, candidate.words, candidate.kind, taken=taken)
        else:
            label = labels.topic_label(keywords, taken=taken)
        shown = pick_exemplars(texts, points[rows_of], candidate.centroid, label=label, n=_EXEMPLARS, fits=fits)
        taken.add(label)
        rows.append(
            {
                "issue_id": issue_id_of(number), "label": label, "label_by": VOC, "kind": candidate.kind, "status": "candidate",
                "first_seen_at": own["started_at"].min(), "centroid": np.round(candidate.centroid, 4).tolist(),
                "threshold": round(candidate.threshold, 4), "keywords": keywords,
                "exemplar_ids": nearest["sentence_id"].iloc[shown].tolist(), "n_sentences": 0,
            }
        )  # fmt: skip
    return check(pd.DataFrame(rows), ISSUES) if rows else empty(ISSUES)
