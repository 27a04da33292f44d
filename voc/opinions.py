"""What a sentence does: its polarity, its intents, with calibrated probabilities.

Logistic heads over the vectors of an E5 that was adapted to the task, and the evidence of `voc.lexicon`. What the
evidence and a vector of USE, which costs a fifth, decide clearly needs no E5. Of a whole text the polarity is the
rating that its writer would give: mild criticism alone, or good beside bad, may be a middling one. All is trained by
models/opinions/adapt.py and train.py on texts that we wrote; how well it does on industries that it has not seen
stands in models/opinions/CARD.md.
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

    `polarity` (3, d) with `polarity_bias` (3,); `intents` (6, d) with `intents_bias` (6,). `rating` is the polarity of
    a whole text, over the same and (use - use_mean) x use_scale, the vector of USE. `quick_` are heads over evidence
    and USE alone: they judge a sentence that they are so sure of as `is_clear` with `clear_above` asks.
    `abstain_below`: a sentence whose likeliest intent is less probable is left undecided.
    """

    mean: np.ndarray
    vector_scale: float
    use_mean: np.ndarray
    use_scale: float
    evidence_scale: np.ndarray
    polarity: np.ndarray
    polarity_bias: np.ndarray
    intents: np.ndarray
    intents_bias: np.ndarray
    rating: np.ndarray
    rating_bias: np.ndarray
    quick_polarity: np.ndarray
    quick_polarity_bias: np.ndarray
    quick_intents: np.ndarray
    quick_intents_bias: np.ndarray
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


def judge_opinions(
    sentences: pd.DataFrame, vectors: np.ndarray, *, heads: Heads, use: np.ndarray | None = None,
    evidence: Evidence | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Table OPINIONS, one row per row of `sentences` (columns sentence_id, text).

    `vectors` are those of `embed(texts, model="opinions")`, row by row; a row of NaN is judged by the quick heads,
    which is meant for the sentences that `decided_quickly` names. `use`: the vectors of `embed(texts)`, and `evidence`:
    `read_evidence` of the texts, are made here where they are not given. `strength` is
    p_positive - p_negative (-1 to 1). The p of the intents are independent of each other: a sentence may be both a
    complaint and a request; `intent` is the first of request, cancel, question or complaint (the likelier), praise
    that has 0.5 or more, else the likeliest. `is_abstained`: no intent is likely enough to be counted. `cue`: the words in the text
    that spoke for the intent, empty where only the vector did. `flags`: emotion, effort, urgency, competitor.
    """
    if len(vectors) != len(sentences):
        raise VocError(
            f"文の数 {len(sentences)} とベクトルの数 {len(vectors)} が一致しません。同じ表から作ってください。"
        )
    if use is None:
        use = np.zeros((len(sentences), len(heads.use_mean)), dtype=np.float32)
        has_none = np.isnan(vectors).any(axis=1)
        if has_none.any():
            use[has_none] = embed(sentences["text"][has_none], model="use")
    return _opinions(sentences, vectors, use, evidence or read_evidence(sentences["text"].tolist()), heads)


def decided_quickly(
    texts: Sequence[str], *, heads: Heads, use: np.ndarray | None = None, evidence: Evidence | None = None
) -> np.ndarray:
    """Which texts the quick heads judge so clearly that no vector of E5 is needed: boolean (n,).

    `use`: the vectors of `embed(texts)`, and `evidence`: `read_evidence(texts)`, are made here where they are not given.
    """
    use = embed(texts, model="use") if use is None else use
    evidence = evidence or read_evidence(texts)
    return is_clear(*_quickly(evidence.values, use, heads), heads.clear_above)


def judge(texts: Sequence[str], *, as_whole: bool = False) -> pd.DataFrame:
    """OPINIONS of plain texts with the shipped models, in their order; the texts stand in a column `text`.

    `as_whole`: each text is all that its writer says (a survey answer, a review), and the polarity stands for the
    rating that the writer would give: negative 1 and 2, neutral 3, positive 4 and 5 of five steps.
    """
    ids = [f"{i:09d}" for i in range(len(texts))]
    sentences = pd.DataFrame({"sentence_id": ids, "text": list(texts)})
    heads, evidence, use = load_heads(), read_evidence(texts), embed(texts, model="use")
    is_open = np.ones(len(texts), dtype=bool)
    if not as_whole:
        is_open = ~is_clear(*_quickly(evidence.values, use, heads), heads.clear_above)
    vectors = np.full((len(texts), len(heads.mean)), np.nan, dtype=np.float32)
    vectors[is_open] = embed(sentences["text"][is_open], model="opinions")
    return _opinions(sentences, vectors, use, evidence, heads, as_whole=as_whole).assign(text=sentences["text"])


def is_clear(polarity: np.ndarray, intents: np.ndarray, above: float) -> np.ndarray:
    """Rows where the chance that the likeliest polarity and every intent, as there or not there, are right is at least
    `above`, each taken as independent of the others; and where they agree: a complaint is negative, praise positive.

    Good beside bad (「味は申し分ないけれど、店員の態度が悪い」) speaks for both, and has to be weighed by E5.
    """
    likeliest, is_there = polarity.argmax(axis=1), intents >= 0.5
    agree = np.ones(len(polarity), dtype=bool)
    for name, sign in (("complaint", "negative"), ("praise", "positive")):
        agree &= ~is_there[:, INTENTS.index(name)] | (likeliest == POLARITIES.index(sign))
    return agree & (polarity.max(axis=1) * np.maximum(intents, 1 - intents).prod(axis=1) >= above)


def _quickly(evidence: np.ndarray, use: np.ndarray, heads: Heads) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 3) of the polarities and (n, 6) of the intents, without E5."""
    features = np.hstack([evidence / heads.evidence_scale, _use_features(use, heads)])
    return (
        _softmax(features @ heads.quick_polarity.T + heads.quick_polarity_bias),
        _sigmoid(features @ heads.quick_intents.T + heads.quick_intents_bias),
    )


def _use_features(use: np.ndarray, heads: Heads) -> np.ndarray:
    return (use.astype(np.float64) - heads.use_mean) * heads.use_scale


def _opinions(
    sentences: pd.DataFrame,
    vectors: np.ndarray,
    use: np.ndarray,
    evidence: Evidence,
    heads: Heads,
    *,
    as_whole: bool = False,
) -> pd.DataFrame:
    polarity, intents = _quickly(evidence.values, use, heads)
    has_vector = ~np.isnan(vectors).any(axis=1)
    features = feature_matrix(vectors[has_vector], evidence.values[has_vector], heads=heads)
    polarity[has_vector] = _softmax(features @ heads.polarity.T + heads.polarity_bias)
    intents[has_vector] = _sigmoid(features @ heads.intents.T + heads.intents_bias)
    if as_whole:
        of_text = np.hstack([features, _use_features(use[has_vector], heads)])
        polarity[has_vector] = _softmax(of_text @ heads.rating.T + heads.rating_bias)
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
    """Position in INTENTS: the first of the order that has 0.5 or more, else the likeliest.

    Of question and complaint the likelier: 「なぜ繋がらないのですか」 is a complaint in the form of a question.
    """
    order = [INTENTS.index(name) for name in _ORDER]
    likely = probabilities[:, order] >= 0.5
    first = np.array(order)[likely.argmax(axis=1)]
    question, complaint = INTENTS.index("question"), INTENTS.index("complaint")
    is_reproach = (first == question) & (probabilities[:, complaint] > probabilities[:, question])
    first = np.where(is_reproach, complaint, first)
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
