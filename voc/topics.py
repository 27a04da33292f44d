"""BERTopic behind one small door: vectors and tokens in, one cluster number per row out.

Nothing else of BERTopic is used. Issue identity is the ledger's (voc/issues), because BERTopic's own numbers
jump between runs and its saved models assign differently from its live ones.
"""

import warnings
from collections.abc import Sequence

import numpy as np

OUTLIER = -1
_NEIGHBOURS = 15
_MIN_SAMPLES = 3
_SEVERAL, _SMALL = 3, 6000
_BLOCK = 1000  # rows compared with all others at a time


def cluster(terms: Sequence[Sequence[str]], vectors: np.ndarray, *, min_cluster_size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters of rows, broad and fine: two arrays (n,) with -1 for rows left out.

    `terms` are each row's normalised content words, `vectors` (n, d) unit vectors in the same order. Seeded
    UMAP (15 neighbours, 5 dimensions, cosine; up to 6,000 rows three side by side, because one alone cuts a small table
    differently at each seed) and HDBSCAN; broad: the most stable clusters (excess of mass), fine: the
    leaves of the same tree. Fewer rows than two clusters' worth give each row left out.
    """
    n = len(vectors)
    if n < 2 * min_cluster_size or n < 20:
        return np.full(n, OUTLIER), np.full(n, OUTLIER)
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from hdbscan import HDBSCAN

    flat = _flat(np.asarray(vectors, dtype="float32"), seed=seed)
    model = BERTopic(
        language="multilingual",  # the default, english, deletes every Japanese character
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=HDBSCAN(min_cluster_size=min_cluster_size, min_samples=_MIN_SAMPLES),
        vectorizer_model=_vectorizer(),
    )
    broad, _ = model.fit_transform(_documents(terms), flat)
    leaves = HDBSCAN(min_cluster_size=min_cluster_size, min_samples=_MIN_SAMPLES, cluster_selection_method="leaf")
    return np.asarray(broad), leaves.fit_predict(flat)


def _flat(vectors: np.ndarray, *, seed: int) -> np.ndarray:
    """(n, 5 or 15) the maps of UMAP side by side."""
    from umap import UMAP

    neighbours = nearest(vectors, count=min(_NEIGHBOURS, len(vectors) - 1))
    maps = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="precomputed_knn")  # nothing is placed on a map later
        for number in range(_SEVERAL if len(vectors) <= _SMALL else 1):
            one = UMAP(
                n_neighbors=neighbours[0].shape[1], n_components=5, min_dist=0.0, metric="cosine", random_state=seed + number, n_jobs=1,
                precomputed_knn=neighbours, force_approximation_algorithm=True,  # else a small table's neighbours are sought again
            )  # fmt: skip
            maps.append(one.fit_transform(vectors))
    return np.hstack(maps)


def nearest(vectors: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, cosine distances), both (n, count): the nearest rows of each unit vector, itself first.

    All pairs are compared: at 20,000 rows that takes seconds, is exact, and needs nothing compiled; UMAP's own search of
    a small table calls Python once a pair.
    """
    n = len(vectors)
    rows, distances = np.empty((n, count), dtype=np.int32), np.empty((n, count), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        alike = vectors[start : start + _BLOCK] @ vectors.T
        own = np.arange(len(alike))
        alike[own, start + own] = np.inf
        best = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        order = np.take_along_axis(best, np.lexsort((best, -np.take_along_axis(alike, best, axis=1)), axis=1), axis=1)
        alike[own, start + own] = 1.0
        rows[start : start + _BLOCK] = order
        distances[start : start + _BLOCK] = np.maximum(1.0 - np.take_along_axis(alike, order, axis=1), 0.0)
    return rows, distances


def leading_words(terms: Sequence[Sequence[str]], groups: np.ndarray, *, count: int = 10) -> list[list[str]]:
    """The words that set each group 0 ... k - 1 apart from the others, by BERTopic's class-based TF-IDF (BM25 weights)."""
    if groups.max(initial=OUTLIER) < 0:
        return []
    from bertopic.vectorizers import ClassTfidfTransformer
    from scipy.sparse import csr_matrix

    vectorizer = _vectorizer()
    counts = vectorizer.fit_transform(_documents(terms))
    rows = np.flatnonzero(groups != OUTLIER)
    shape = (int(groups.max()) + 1, len(groups))
    by_group = csr_matrix((np.ones(len(rows)), (groups[rows], rows)), shape=shape) @ counts
    weights = ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True).fit_transform(by_group).toarray()
    names = vectorizer.get_feature_names_out()
    order = np.argsort(-weights, axis=1, kind="stable")[:, :count]
    return [
        [str(names[column]) for column in columns if weight[column] > 0 and names[column] != "_"]
        for columns, weight in zip(order, weights, strict=True)
    ]


def _vectorizer():
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False)


def _documents(terms: Sequence[Sequence[str]]) -> list[str]:
    # tokens are joined here once; BERTopic would otherwise send each topic's whole text through the tokenizer
    return [" ".join(term.replace(" ", "_") for term in row) or "_" for row in terms]
