"""New issue candidates from the sentences that no known issue takes."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from voc import topics
from voc.issues.kinds import KINDS

_JOIN_DISTANCE = 0.35  # clusters whose centroids are nearer than this, and of one kind, are one matter
_SMALLEST = 8  # phrasings
_GROWTH = 0.3  # x sqrt(phrasings): 14 for 2,200, 42 for 20,000; larger ones mixed the demo's planted issues
_MIN_KIND = 0.3  # an issue needs a kind: clusters of facts and plans have none
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
    sentences: pd.DataFrame, voices: np.ndarray, kinds: np.ndarray, *, min_sentences: int, max_fit: int, seed: int
) -> list[Candidate]:
    """Candidates in falling order of size from `sentences` (text, terms) with vectors and kind shares in order.

    Sentences of the same content words count as one phrasing, so that a text sent a hundred times is not a
    cluster of its own. At most `max_fit` phrasings are clustered, chosen by seed; the rest is matched later.
    """
    forms = sentences["terms"].map(lambda terms: "\x1f".join(sorted(set(terms))))
    order = np.lexsort((sentences["text"].to_numpy(dtype=str), forms.to_numpy(dtype=str)))
    first = pd.Series(order).loc[~forms.iloc[order].duplicated().to_numpy()].to_numpy()
    if len(first) > max_fit:
        first = np.sort(np.random.default_rng(seed).choice(first, size=max_fit, replace=False))
    labels, words = topics.cluster(
        sentences["terms"].iloc[first].tolist(), voices[first], min_cluster_size=max(_SMALLEST, round(_GROWTH * math.sqrt(len(first)))), seed=seed
    )
    counts = forms.map(forms.value_counts()).to_numpy()[first]
    groups = _join_near(labels, voices[first], kinds[first])
    candidates = [_candidate(first[rows], voices, kinds, [words[t] for t in parts]) for rows, parts in groups]
    sizes = [int(counts[np.isin(first, c.members)].sum()) for c in candidates]
    kept = [(s, c) for s, c in zip(sizes, candidates, strict=True) if s >= min_sentences and c.kind]
    kept.sort(key=lambda item: (-item[0], item[1].kind, tuple(item[1].centroid[:4])))
    return [candidate for _, candidate in kept]


def _join_near(labels: np.ndarray, voices: np.ndarray, kinds: np.ndarray) -> list[tuple[np.ndarray, list[int]]]:
    found = [int(label) for label in np.unique(labels) if label != topics.OUTLIER]
    if not found:
        return []
    centroids = np.vstack([_unit(voices[labels == label].mean(axis=0)) for label in found])
    main_kind = np.array([kinds[labels == label].mean(axis=0).argmax() for label in found])
    groups = np.arange(len(found))
    for kind in np.unique(main_kind):
        own = np.flatnonzero(main_kind == kind)
        if len(own) > 1:
            joined = fcluster(linkage(centroids[own], "average", metric="cosine"), _JOIN_DISTANCE, "distance")
            groups[own] = len(found) * (kind + 1) + joined
    result = []
    for group in np.unique(groups):
        parts = [found[i] for i in np.flatnonzero(groups == group)]
        result.append((np.flatnonzero(np.isin(labels, parts)), parts))
    return result


def _candidate(rows: np.ndarray, voices: np.ndarray, kinds: np.ndarray, words: list[list[str]]) -> Candidate:
    centroid = _unit(voices[rows].mean(axis=0))
    near = voices[rows] @ centroid
    mean_kind = kinds[rows].mean(axis=0)
    kind = KINDS[int(mean_kind.argmax())] if mean_kind.max() >= _MIN_KIND else ""
    merged = [word for ranked in zip(*[w[:10] for w in words], strict=False) for word in ranked]
    return Candidate(rows, centroid, float(np.quantile(near, _QUANTILE)), kind, tuple(dict.fromkeys(merged))[:10])


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
