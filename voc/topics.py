"""BERTopic behind one small door: vectors and tokens in, one cluster number per row out.

Nothing else of BERTopic is used. Issue identity is the ledger's (voc/issues), because BERTopic's own numbers
jump between runs and its saved models assign differently from its live ones.
"""

from collections.abc import Sequence

import numpy as np

OUTLIER = -1
_NEIGHBOURS = 15
_MIN_SAMPLES = 3
_SEVERAL, _SMALL = 3, 6000


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
    from hdbscan import HDBSCAN
    from sklearn.pipeline import FeatureUnion
    from umap import UMAP

    count = _SEVERAL if n <= _SMALL else 1
    maps = [
        (f"map_{i}", UMAP(n_neighbors=min(_NEIGHBOURS, n - 1), n_components=5, min_dist=0.0, metric="cosine", random_state=seed + i))
        for i in range(count)
    ]
    vectors = np.asarray(vectors, dtype="float64")
    model = BERTopic(
        language="multilingual",  # the default, english, deletes every Japanese character
        embedding_model=None,
        umap_model=FeatureUnion(maps),
        hdbscan_model=HDBSCAN(min_cluster_size=min_cluster_size, min_samples=_MIN_SAMPLES),
        vectorizer_model=_vectorizer(),
    )
    broad, _ = model.fit_transform(_documents(terms), vectors)
    leaves = HDBSCAN(min_cluster_size=min_cluster_size, min_samples=_MIN_SAMPLES, cluster_selection_method="leaf")
    return np.asarray(broad), leaves.fit_predict(model.umap_model.transform(vectors))


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
