"""Sentences to known issues: cosine to an issue's centroid in one space of meaning and kind.

`voice_vectors` puts the kind shares beside the sentence vector, so that 「口座連携が切れる」 and 「口座連携の設定方法」 lie
apart though their words are the same, and one cosine serves clustering and matching.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voc.tables import MENTIONS, check, empty
from voc.unit_vectors import unit

KIND_WEIGHT = 0.4  # length of the kind part beside a sentence vector of length 1
_SLOPE, _LEAD, _BEHIND, _BASE = 10.5, 4.0, 10.0, -0.6  # fitted on demo seeds 21-23, see the benchmark
_CLEAR, _FARTHEST = 0.3, -0.5  # a longer lead says no more
_WINDOW = 8  # sentences before and after that a sentence is read with
_CHUNK = 20_000  # sentences
_STRANGER, _AKIN = 0.1, 0.3  # cosines: below the first no sentence is drawn to the other, above the second fully


def voice_vectors(
    vectors: np.ndarray, kinds: np.ndarray, *, contacts: Sequence[str] | None = None, place: np.ndarray | None = None
) -> np.ndarray:
    """(n, d + 8) unit vectors, float32, from sentence vectors (n, d) and kind shares (n, 8).

    `place`: the row of `vectors` that each sentence has, where that is not its own.

    `contacts` are the contact ids of the rows, which must then stand in the order in which they were said: each
    sentence leans towards the other sentences of its contact that are like it (`_in_context`), since people tell
    one matter in several sentences. Without `contacts` each sentence is read alone.
    """
    place = np.arange(len(kinds)) if place is None else place
    points = np.empty((len(kinds), vectors.shape[1] + kinds.shape[1]), dtype=np.float32)
    said_in = None if contacts is None else np.asarray(contacts, dtype=object)
    for start in range(0, len(points), _CHUNK):  # in parts: a month of calls at once would need several times its own memory
        end = min(start + _CHUNK, len(points))
        low, high = max(start - _WINDOW, 0), min(end + _WINDOW, len(points))
        own = _beside(vectors[place[low:high]], kinds[low:high])
        own = own if said_in is None else _in_context(own, said_in[low:high])
        points[start:end] = own[start - low : end - low]
    return points


def _beside(vectors: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    joined = np.hstack([vectors.astype(np.float64), KIND_WEIGHT * kinds])
    return unit(joined)


def _in_context(points: np.ndarray, contacts: np.ndarray) -> np.ndarray:
    """Each point plus the weighted mean of its neighbours in the contact, of unit length.

    A neighbour's weight grows from 0 to 1 with its cosine, so that another matter of the same contact, or another
    answer of the same survey, leaves the sentence where it is.
    """
    total, weights = np.zeros_like(points), np.zeros(len(points))
    for apart in range(1, min(_WINDOW, len(points) - 1) + 1):
        first = np.flatnonzero(contacts[:-apart] == contacts[apart:])
        second = first + apart
        weight = np.clip((np.einsum("ij,ij->i", points[first], points[second]) - _STRANGER) / (_AKIN - _STRANGER), 0, 1)
        total[first] += weight[:, None] * points[second]
        total[second] += weight[:, None] * points[first]
        weights[first] += weight
        weights[second] += weight
    moved = points + total / np.maximum(weights, 1)[:, None]
    return unit(moved)


def match_probabilities(
    voices: np.ndarray, centroids: np.ndarray, thresholds: np.ndarray, *, owners: Sequence[str] | None = None
) -> np.ndarray:
    """(n, k) probabilities that a sentence belongs to the issue of a prototype (centroid and threshold).

    A logistic curve of the cosine over the threshold and of the lead over the best prototype of another issue
    (`owners`: the issue of each prototype; without it each prototype is an issue of its own). Its constants are
    measured on the demo company (tests/benchmarks/ledger.py); `calibration` corrects it by a company's own labels.
    """
    parts = [_probabilities(voices[start : start + _CHUNK], centroids, thresholds, owners) for start in range(0, len(voices), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros((0, len(thresholds)))


def _probabilities(voices: np.ndarray, centroids: np.ndarray, thresholds: np.ndarray, owners: Sequence[str] | None) -> np.ndarray:
    if not len(thresholds):
        return np.zeros((len(voices), 0))
    cosines = voices @ centroids.T
    lead = np.clip(cosines - _best_rival(cosines, owners), _FARTHEST, _CLEAR)
    odds = _SLOPE * (cosines - thresholds[None, :]) + np.where(lead > 0, _LEAD, _BEHIND) * lead + _BASE
    return 1 / (1 + np.exp(-odds))


def _best_rival(cosines: np.ndarray, owners: Sequence[str] | None) -> np.ndarray:
    """For each prototype the highest cosine among the prototypes of other issues; -1 where there is no other."""
    _, issue = np.unique(np.arange(cosines.shape[1]).astype(str) if owners is None else np.asarray(owners, dtype=str), return_inverse=True)
    if issue.max() == 0:
        return np.full_like(cosines, -1.0)
    best = np.full((len(cosines), issue.max() + 1), -1.0)
    for column, home in enumerate(issue):
        best[:, home] = np.maximum(best[:, home], cosines[:, column])
    top = best.argmax(axis=1)
    first = best[np.arange(len(best)), top]
    best[np.arange(len(best)), top] = -1.0
    second = best.max(axis=1)
    return np.where(issue[None, :] == top[:, None], second[:, None], first[:, None])


def mention_rows(probabilities: np.ndarray, sentences: pd.DataFrame, issue_ids: list[str], *, keep: float = 0.5) -> pd.DataFrame:
    """Table MENTIONS: at most two issues per sentence, each with at least the probability `keep`.

    `sentences` has sentence_id, contact_id, customer_id, started_at in the order of the rows of `probabilities`.
    """
    if not len(sentences) or not issue_ids:
        return empty(MENTIONS)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    row = np.repeat(np.arange(len(sentences)), best.shape[1])
    column = best.ravel()
    value = probabilities[row, column]
    is_kept = value >= keep
    at = sentences.iloc[row[is_kept]]
    rows = pd.DataFrame(
        {
            "issue_id": np.asarray(issue_ids, dtype=object)[column[is_kept]],
            "sentence_id": at["sentence_id"].to_numpy(),
            "contact_id": at["contact_id"].to_numpy(),
            "customer_id": at["customer_id"].to_numpy(),
            "mentioned_at": at["started_at"].array,
            "probability": np.round(value[is_kept], 4),
        }
    )
    return check(rows, MENTIONS)
