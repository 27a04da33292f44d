"""What a sentence does: its polarity, its intents, with calibrated probabilities.

Logistic heads over E5 vectors and the evidence of `voc.lexicon`. The heads are trained by models/opinions/train.py on
sentences that we wrote; how well they do on industries that they have not seen stands in models/opinions/CARD.md.
"""

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
    """Trained weights over [(vector - mean) x vector_scale, evidence / evidence_scale].

    `polarity` (3, d) with `polarity_bias` (3,) and one `temperature`; `intents` (6, d) with `intents_bias` (6,),
    already calibrated (Platt). `abstain_below`: a sentence whose likeliest intent is less probable is left undecided.
    """

    mean: np.ndarray
    vector_scale: float
    evidence_scale: np.ndarray
    polarity: np.ndarray
    polarity_bias: np.ndarray
    temperature: float
    intents: np.ndarray
    intents_bias: np.ndarray
    abstain_below: float


def load_heads(path: Path | None = None) -> Heads:
    """The shipped heads, or those of a file that models/opinions/train.py wrote.

    Raises VocError where the file is absent or was trained with other features than this version computes.
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
    return Heads(**{name: value.item() if value.ndim == 0 else value for name, value in arrays.items()})


def judge_opinions(sentences: pd.DataFrame, vectors: np.ndarray, *, heads: Heads) -> pd.DataFrame:
    """Table OPINIONS, one row per row of `sentences` (columns sentence_id, text).

    `vectors` are the E5 vectors of the texts (`embed(texts, model="e5")`), row by row. `strength` is
    p_positive - p_negative (-1 to 1). The p of the intents are independent of each other: a sentence may be both a
    complaint and a request; `intent` is the first of request, cancel, question, complaint, praise that has 0.5 or
    more, else the likeliest. `is_abstained`: no intent is likely enough to be counted. `cue`: the words in the text
    that spoke for the intent, empty where only the vector did. `flags`: emotion, effort, urgency, competitor.
    """
    if len(vectors) != len(sentences):
        raise VocError(
            f"文の数 {len(sentences)} とベクトルの数 {len(vectors)} が一致しません。同じ表から作ってください。"
        )
    evidence = read_evidence(sentences["text"].tolist())
    features = feature_matrix(vectors, evidence.values, heads=heads)
    polarity = _softmax((features @ heads.polarity.T + heads.polarity_bias) / heads.temperature)
    intents = _sigmoid(features @ heads.intents.T + heads.intents_bias)
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


def judge(texts: Sequence[str]) -> pd.DataFrame:
    """OPINIONS of plain texts with the shipped models, in their order; the texts stand in a column `text`."""
    ids = [f"{i:09d}" for i in range(len(texts))]
    sentences = pd.DataFrame({"sentence_id": ids, "text": list(texts)})
    opinions = judge_opinions(sentences, embed(texts, model="e5"), heads=load_heads())
    return opinions.assign(text=sentences["text"])


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
