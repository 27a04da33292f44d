"""The space in which the ledger's issues lie: which models, how kinds come in, who is read with whom. Defined here only.

A centroid in the ledger means nothing outside this space, so a run, a person's split, the company's own categories
and `voc group` all take their points from here. (`voc.issues.matching` has the arithmetic, on plain arrays.)
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from voc.embeddings import Encoder, embed, join_vectors
from voc.issues.kinds import KINDS, kind_shares
from voc.issues.matching import voice_vectors
from voc.opinions import judge

MODELS = ("e5", "use")
"""Joined: on the demo's planted issues they part and hold together better than one alone."""
Judge = Callable[[list[str]], pd.DataFrame]
_GIVEN_KIND = 0.55  # share of a kind that a person gave: what the voices of one kind have on average in the demo


def models_of(embedder: str | None) -> tuple[str, ...]:
    """Names of the models whose vectors make the space: MODELS, or the one that the configuration names."""
    return MODELS if embedder is None else (embedder,)


def text_vectors(texts: Sequence[str], *, embedder: str | Encoder | None = None) -> np.ndarray:
    """(n, d) unit vectors of what the texts mean, without kinds. `embedder`: a model for `embed`; None: MODELS joined."""
    if embedder is None or isinstance(embedder, str):
        return join_vectors({model: embed(texts, model=model) for model in models_of(embedder)})
    return join_vectors({"": embed(texts, model=embedder)})


def example_points(
    texts: list[str], kinds: list[str | None], *, embedder: str | None = None, judged: Judge = judge
) -> tuple[np.ndarray, list[str]]:
    """(points, kinds) of examples that a person wrote; where `kinds` has None the opinion (of `judged`) decides the kind.

    An example stands alone, so no neighbours of a contact are read with it.
    """
    opinions = judged(texts).assign(text=texts)
    shares = kind_shares(opinions["text"], opinions)
    for row, kind in enumerate(kinds):
        if kind is not None:
            shares[row] = np.eye(len(KINDS))[KINDS.index(kind)] * _GIVEN_KIND
    return voice_vectors(text_vectors(texts, embedder=embedder), shares), [KINDS[column] for column in shares.argmax(axis=1)]


def stored_points(
    sentence_ids: Sequence[str], *, sentences: pd.DataFrame, opinions: pd.DataFrame, embeddings: pd.DataFrame,
    embedder: str | None = None,
) -> np.ndarray:  # fmt: skip
    """(n, d + 8) points of stored voices, as the run that stored them had them; NaN where a vector or opinion is missing.

    `sentences`, `opinions`, `embeddings`: the stored tables. The other voices of the same contacts are read too, since
    a voice leans towards its neighbours (`voice_vectors`). `embedder`: as configured.
    """
    models = models_of(embedder)
    wanted = pd.Index(sentence_ids)
    voices = sentences[["sentence_id", "contact_id", "text"]].merge(opinions, on="sentence_id")
    voices = voices[voices["contact_id"].isin(voices.loc[voices["sentence_id"].isin(wanted), "contact_id"])]
    # one vector a distinct text and model, under the sentence that said it first
    stored = embeddings.merge(sentences[["sentence_id", "text"]], on="sentence_id")
    stored = stored[stored["text"].isin(voices["text"])]
    parts = {model: rows.set_index("text")["vector"] for model, rows in stored.groupby("model") if model in models}
    for vectors in parts.values():
        voices = voices[voices["text"].isin(vectors.index)]
    if len(parts) < len(models) or voices.empty:
        return np.full((len(wanted), 1), np.nan)
    voices = voices.sort_values(["contact_id", "sentence_id"], kind="stable").reset_index(drop=True)
    vectors = join_vectors({model: np.vstack(vectors.loc[voices["text"]].tolist()) for model, vectors in parts.items()})
    points = voice_vectors(vectors, kind_shares(voices["text"], voices), contacts=voices["contact_id"])
    place = pd.Index(voices["sentence_id"]).get_indexer(wanted)
    found = points[place]
    found[place < 0] = np.nan
    return found
