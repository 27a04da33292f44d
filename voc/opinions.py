"""What a sentence does: its polarity, its intents, with calibrated probabilities.

Logistic heads over the vectors of an E5 that was adapted to the task, and the evidence of `voc.lexicon`. What grammar
and words alone decide clearly needs no vector. All is trained by models/opinions/adapt.py and train.py on sentences
that we wrote; how well it does on industries that it has not seen stands in models/opinions/CARD.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from voc.embeddings import embed
from voc.errors import VocError
from voc.lexicon import FEATURES, GRAMMAR, Evidence, read_evidence
from voc.models_folder import models_folder
from voc.tables import OPINIONS, check

POLARITIES = ("negative", "neutral", "positive")
INTENTS = ("complaint", "request", "question", "praise", "cancel", "other")
# One intent is named where several are likely: what asks the company to act comes first, what asks nothing last.
_ORDER = ("request", "cancel", "question", "complaint", "praise", "other")
_SPEAKS_FOR = {"positive": "praise", "negative": "complaint"}


@dataclass(frozen=True)
class Heads:
    """Trained weights over [(vector - mean) x vector_scale, evidence / evidence_scale], calibrated.

    `polarity` (3, d) with `polarity_bias` (3,); `intents` (6, d) with `intents_bias` (6,). The same with `words_` over
    the evidence alone: they judge a sentence where each of their probabilities is at least `clear_above` sure.
    `abstain_below`: a sentence whose likeliest intent is less probable is left undecided.
    """

    mean: np.ndarray
    vector_scale: float
    evidence_scale: np.ndarray
    polarity: np.ndarray
    polarity_bias: np.ndarray
    intents: np.ndarray
    intents_bias: np.ndarray
    words_polarity: np.ndarray
    words_polarity_bias: np.ndarray
    words_intents: np.ndarray
    words_intents_bias: np.ndarray
    clear_above: float
    abstain_below: float


def load_heads(path: Path | None = None) -> Heads:
    """The shipped heads, or those of a file that models/opinions/train.py wrote.

    Raises VocError where the file is absent or was trained with other features or another adapter.npz than it finds.
    """
    path = path or models_folder() / "opinions" / "heads.npz"
    if not path.is_file():
        raise VocError(
            f"意見分類の学習済みファイル {path} がありません。`python models/opinions/train.py` で作成してください。"
        )
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    if tuple(arrays.pop("features", ())) != FEATURES:
        raise VocError(
            f"{path} は別の版の特徴量で学習されています。`python models/opinions/train.py` で作り直してください。"
        )
    adapter = path.with_name("adapter.npz")
    digest = hashlib.sha256(adapter.read_bytes()).hexdigest() if adapter.is_file() else ""
    if str(arrays.pop("adapter", "")) != digest:
        raise VocError(
            f"{path} は {adapter.name} と組になっていません。models フォルダーを入れ直すか、"
            "`python models/opinions/train.py` で作り直してください。"
        )
    return Heads(**{name: value.item() if value.ndim == 0 else value for name, value in arrays.items()})


def judge_opinions(sentences: pd.DataFrame, vectors: np.ndarray, *, heads: Heads) -> pd.DataFrame:
    """Table OPINIONS, one row per row of `sentences` (columns sentence_id, text).

    `vectors` are those of `embed(texts, model="opinions")`, row by row; a row of NaN is judged by grammar and words
    alone, which is meant for the sentences that `decided_by_words` names. `strength` is
    p_positive - p_negative (-1 to 1). The p of the intents are independent of each other: a sentence may be both a
    complaint and a request; `intent` is the first of request, cancel, question, complaint, praise that has 0.5 or
    more, else the likeliest. `is_abstained`: no intent is likely enough to be counted. `cue`: the words in the text
    that spoke for the intent, empty where only the vector did. `flags`: emotion, effort, urgency, competitor.
    """
    if len(vectors) != len(sentences):
        raise VocError(
            f"文の数 {len(sentences)} とベクトルの数 {len(vectors)} が一致しません。同じ表から作ってください。"
        )
    return _opinions(sentences, vectors, read_evidence(sentences["text"].tolist()), heads)


def decided_by_words(texts: Sequence[str], *, heads: Heads) -> np.ndarray:
    """Which texts grammar and words judge so clearly that no vector is needed: boolean (n,)."""
    evidence = read_evidence(texts).values
    return is_clear(*_by_words(evidence, heads), heads.clear_above)


def judge(texts: Sequence[str]) -> pd.DataFrame:
    """OPINIONS of plain texts with the shipped models, in their order; the texts stand in a column `text`."""
    ids = [f"{i:09d}" for i in range(len(texts))]
    sentences = pd.DataFrame({"sentence_id": ids, "text": list(texts)})
    heads, evidence = load_heads(), read_evidence(texts)
    is_open = ~is_clear(*_by_words(evidence.values, heads), heads.clear_above)
    vectors = np.full((len(texts), len(heads.mean)), np.nan, dtype=np.float32)
    vectors[is_open] = embed(sentences["text"][is_open], model="opinions")
    return _opinions(sentences, vectors, evidence, heads).assign(text=sentences["text"])


def is_clear(polarity: np.ndarray, intents: np.ndarray, above: float) -> np.ndarray:
    """Rows whose likeliest polarity and whose every intent, as there or not there, has at least `above`."""
    sure = np.maximum(intents, 1 - intents).min(axis=1)
    return np.minimum(polarity.max(axis=1), sure) >= above


def _by_words(evidence: np.ndarray, heads: Heads) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 3) of the polarities and (n, 6) of the intents."""
    words = evidence / heads.evidence_scale
    return (
        _softmax(words @ heads.words_polarity.T + heads.words_polarity_bias),
        _sigmoid(words @ heads.words_intents.T + heads.words_intents_bias),
    )


def _opinions(sentences: pd.DataFrame, vectors: np.ndarray, evidence: Evidence, heads: Heads) -> pd.DataFrame:
    polarity, intents = _by_words(evidence.values, heads)
    has_vector = ~np.isnan(vectors).any(axis=1)
    features = feature_matrix(vectors[has_vector], evidence.values[has_vector], heads=heads)
    polarity[has_vector] = _softmax(features @ heads.polarity.T + heads.polarity_bias)
    intents[has_vector] = _sigmoid(features @ heads.intents.T + heads.intents_bias)
    chosen = choose_intents(intents)
    frame = pd.DataFrame({"sentence_id": sentences["sentence_id"].to_numpy()})
    frame[[f"p_{name}" for name in POLARITIES]] = polarity
    frame["polarity"] = np.array(POLARITIES)[polarity.argmax(axis=1)]
    frame["strength"] = polarity[:, 2] - polarity[:, 0]
    frame[[f"p_{name}" for name in INTENTS]] = intents
    frame["intent"] = np.array(INTENTS)[chosen]
    frame["flags"] = evidence.flags
    frame["is_abstained"] = intents[np.arange(len(chosen)), chosen] < heads.abstain_below
    frame["cue"] = _cues(evidence, chosen, heads)
    return check(
        frame.round({column: 4 for column in frame if column.startswith("p_") or column == "strength"}), OPINIONS
    )


def feature_matrix(vectors: np.ndarray, evidence: np.ndarray, *, heads: Heads) -> np.ndarray:
    """The columns that the heads' weights stand for, float64 (n, vector + evidence)."""
    return np.hstack([(vectors.astype(np.float64) - heads.mean) * heads.vector_scale, evidence / heads.evidence_scale])


def choose_intents(probabilities: np.ndarray) -> np.ndarray:
    """Position in INTENTS: the first of the order that has 0.5 or more, else the likeliest."""
    order = [INTENTS.index(name) for name in _ORDER]
    likely = probabilities[:, order] >= 0.5
    first = np.array(order)[likely.argmax(axis=1)]
    return np.where(likely.any(axis=1), first, probabilities.argmax(axis=1))


def _cues(evidence: Evidence, chosen: np.ndarray, heads: Heads) -> list[str | None]:
    """The matched words whose feature weighed most for the chosen intent."""
    names = [*GRAMMAR, "positive", "negative"]
    spoken_for = {name: GRAMMAR[name][0] if name in GRAMMAR else _SPEAKS_FOR[name] for name in names}
    at = len(heads.mean)
    weights = {name: heads.intents[:, at + i] / heads.evidence_scale[i] for i, name in enumerate(GRAMMAR)}
    cues = []
    for hits, intent in zip(evidence.hits, chosen, strict=True):
        own = [name for name in hits if spoken_for[name] == INTENTS[intent]]
        own.sort(key=lambda name: (-weights[name][intent] if name in weights else 0.0, name))
        cues.append(hits[own[0]] if own else None)
    return cues


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(scores, -50, 50)))
