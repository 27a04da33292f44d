"""New issue candidates from the sentences that no known issue takes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from voc import topics
from voc.issues.grouping import centres, regroup, smoothed
from voc.issues.kinds import KINDS
from voc.part_results import PartError, group_faults
from voc.unit_vectors import unit

Clusterer = Callable[..., tuple[np.ndarray, np.ndarray]]
OTHER = "その他"  # kind of a group of facts or plans
_SMALLEST = 8  # phrasings
_SMALL_SHARE = 50  # where smaller issues are wanted, a fiftieth of the phrasings is a cluster
_GROWTH = 0.15  # x sqrt(phrasings)
_MIN_KIND = 0.3  # an issue needs a kind: clusters of facts and plans have none
_COMMON = 0.7  # weight of the common threshold
_QUANTILE = 0.10  # a tenth of the members may lie below the threshold


@dataclass(frozen=True, slots=True)
class Candidate:
    """A new issue: `members` are rows of the input, `centroid` (d + 8,) unit length, `words` leading terms."""

    members: np.ndarray
    centroid: np.ndarray
    threshold: float
    kind: str
    words: tuple[str, ...]


def find_candidates(
    sentences: pd.DataFrame, voices: np.ndarray, kinds: np.ndarray, *, min_sentences: int, max_fit: int, seed: int,
    needs_kind: bool = True, known_thresholds: Sequence[float] = (), n_groups: int | None = None,
    cluster: Clusterer = topics.cluster,
) -> list[Candidate]:  # fmt: skip
    """Candidates in falling order of size from `sentences` (text, terms) with vectors and kind shares in order.

    Sentences of the same content words count as one phrasing, so that a text sent a hundred times is not a
    cluster of its own. At most `max_fit` phrasings are clustered, chosen by seed; the rest is matched later.
    `known_thresholds` are those of the ledger so far (see `_with_common_thresholds`).
    `needs_kind`: leave out groups that are of no kind (facts, plans); such a candidate has the kind 「その他」 otherwise.
    `n_groups`: so many groups are wanted (fewer where there are no more clusters). `cluster`: in place of BERTopic
    (contract: voc/parts.py); PartError where it gives something else.
    """
    if not len(sentences):
        return []
    phrasing, terms = _phrasings(sentences)
    fitted = np.arange(len(terms))
    if len(terms) > max_fit:
        fitted = np.sort(np.random.default_rng(seed).choice(fitted, size=max_fit, replace=False))
    points = _means(voices, phrasing, fitted)
    smallest = _smallest(len(fitted), min_sentences, n_groups)
    smooth, own_terms = smoothed(points), [terms[row] for row in fitted]
    made = cluster(own_terms, smooth, min_cluster_size=smallest, seed=seed)
    faults = group_faults(made, len(fitted))
    if faults:
        raise PartError("clusterer", faults)
    broad, fine = made
    told = _told(sentences, phrasing, len(terms))[:, fitted]
    groups = regroup(points, smooth, broad, fine, told, n_groups=n_groups)
    words = topics.leading_words(own_terms, groups)
    of_phrasing = np.full(len(terms), topics.OUTLIER)
    of_phrasing[fitted] = groups
    middles = centres(points, groups)
    found = [
        _candidate(np.flatnonzero(of_phrasing[phrasing] == group), middles[group], voices, kinds, words[group])
        for group in range(len(middles))
    ]
    found = _with_common_thresholds(found, known_thresholds)
    kept = [c for c in found if len(c.members) >= min_sentences and (c.kind != OTHER or not needs_kind)]
    return sorted(kept, key=lambda c: (-len(c.members), c.kind, tuple(c.centroid[:4])))


def _smallest(n: int, min_sentences: int, n_groups: int | None) -> int:
    """Phrasings of the smallest cluster among `n`."""
    smallest = max(min(_SMALLEST, max(min_sentences, round(n / _SMALL_SHARE))), round(_GROWTH * math.sqrt(n)))
    return smallest if n_groups is None else min(smallest, max(3, n // (4 * n_groups)))


def _with_common_thresholds(found: list[Candidate], known: Sequence[float]) -> list[Candidate]:
    """Thresholds drawn to their common median: on the demo's planted issues the spread of an issue's own members says
    little about where it ends, a wide one is often two matters."""
    if not found:
        return found
    common = float(np.median([*known, *(candidate.threshold for candidate in found)]))
    return [replace(c, threshold=_COMMON * common + (1 - _COMMON) * c.threshold) for c in found]


def _phrasings(sentences: pd.DataFrame) -> tuple[np.ndarray, list[list[str]]]:
    """(phrasing of each sentence, terms of each phrasing); numbered in the order of their sorted terms."""
    forms = sentences["terms"].map(lambda terms: "\x1f".join(sorted(set(terms))))
    names, phrasing = np.unique(forms.to_numpy(dtype=object).astype(str), return_inverse=True)
    return phrasing, [name.split("\x1f") if name else [] for name in names]


def _told(sentences: pd.DataFrame, phrasing: np.ndarray, count: int) -> csr_matrix:
    """(contacts x phrasings) which phrasings stand in which contact; without contact ids each sentence is one of its own."""
    contacts = pd.factorize(sentences["contact_id"])[0] if "contact_id" in sentences else np.arange(len(sentences))
    told = csr_matrix((np.ones(len(phrasing)), (contacts, phrasing)), shape=(int(contacts.max()) + 1, count))
    told.sum_duplicates()
    return (told > 0).astype(float)


def _means(table: np.ndarray, groups: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(wanted, d) the unit mean vector of each `wanted` group (numbers in rising order)."""
    place = np.full(int(groups.max()) + 1, -1)
    place[wanted] = np.arange(len(wanted))
    rows = np.flatnonzero(place[groups] >= 0)
    total, own = np.zeros((len(wanted), table.shape[1])), place[groups[rows]]
    np.add.at(total, own, table[rows])
    means = total / np.bincount(own, minlength=len(wanted))[:, None]
    return unit(means)


def _candidate(rows: np.ndarray, centroid: np.ndarray, voices: np.ndarray, kinds: np.ndarray, words: list[str]) -> Candidate:
    mean_kind = kinds[rows].mean(axis=0)
    kind = KINDS[int(mean_kind.argmax())] if mean_kind.max() >= _MIN_KIND else OTHER
    return Candidate(rows, centroid, float(np.quantile(voices[rows] @ centroid, _QUANTILE)), kind, tuple(words))
