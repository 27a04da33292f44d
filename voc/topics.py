"""BERTopic behind one small door: vectors and tokens in, one cluster number per row out.

Nothing else of BERTopic is used. Issue identity is the ledger's (voc/issues), because BERTopic's own numbers
jump between runs and its saved models assign differently from its live ones.
"""

from collections.abc import Sequence

import numpy as np

OUTLIER = -1
_NEIGHBOURS = 30  # with 15 the demo's planted issues fell into half as large pieces, at the same purity


def cluster(
    terms: Sequence[Sequence[str]], vectors: np.ndarray, *, min_cluster_size: int, seed: int
) -> tuple[np.ndarray, dict[int, list[str]]]:
    """Clusters of rows: `labels` (n,) with -1 for rows left out, and the leading words of each cluster.

    `terms` are each row's normalised content words, `vectors` (n, d) unit vectors in the same order. Seeded
    UMAP (30 neighbours, 5 dimensions, cosine) and HDBSCAN. Fewer rows than two clusters' worth give
    each row left out.
    """
    n = len(vectors)
    if n < 2 * min_cluster_size or n < 20:
        return np.full(n, OUTLIER), {}
    from bertopic import BERTopic
    from bertopic.vectorizers import ClassTfidfTransformer
    from hdbscan import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    # tokens are joined here once; BERTopic would otherwise send each topic's whole text through the tokenizer
    documents = [" ".join(term.replace(" ", "_") for term in row) or "_" for row in terms]
    model = BERTopic(
        language="multilingual",  # the default, english, deletes every Japanese character
        embedding_model=None,
        umap_model=UMAP(n_neighbors=min(_NEIGHBOURS, n - 1), n_components=5, min_dist=0.0, metric="cosine", random_state=seed),
        hdbscan_model=HDBSCAN(min_cluster_size=min_cluster_size, min_samples=3, prediction_data=True),
        vectorizer_model=CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False),
        ctfidf_model=ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True),
    )
    labels, _ = model.fit_transform(documents, np.asarray(vectors, dtype="float64"))
    words = {
        topic: [word for word, weight in pairs if word and weight > 0]
        for topic, pairs in model.get_topics().items()
        if topic != OUTLIER
    }
    return np.asarray(labels), words
