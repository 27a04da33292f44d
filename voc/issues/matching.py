"""Sentences to known issues: cosine to an issue's centroid in one space of meaning and kind.

`voice_vectors` puts the kind shares beside the sentence vector, so that 「口座連携が切れる」 and 「口座連携の設定方法」 lie
apart though their words are the same, and one cosine serves clustering and matching.
"""

import numpy as np
import pandas as pd

from voc.tables import MENTIONS, check, empty

KIND_WEIGHT = 0.4  # length of the kind part beside a sentence vector of length 1
_TEMPERATURE = 0.05  # cosine over the threshold that raises the odds by e; not calibrated on labels yet
_RIVAL = 0.04
_KEEP = 0.5


def voice_vectors(vectors: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """(n, d + 8) unit vectors from sentence vectors (n, d) and kind shares (n, 8)."""
    joined = np.hstack([vectors.astype(np.float64), KIND_WEIGHT * kinds])
    return joined / np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 1e-12)


def centroids_of(issues: pd.DataFrame) -> np.ndarray:
    """(k, d + 8) unit centroids of the ledger's issues in their order."""
    stacked = np.vstack(issues["centroid"].map(lambda c: np.asarray(c, dtype=np.float64)).to_list())
    return stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)


def match_probabilities(voices: np.ndarray, centroids: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """(n, k) probabilities that a sentence belongs to an issue.

    A logistic curve of the cosine over the issue's threshold, lowered where another issue is nearer. At the
    threshold and with no nearer rival it is 0.5.
    """
    cosines = voices @ centroids.T
    over = (cosines - thresholds[None, :]) / _TEMPERATURE
    top = np.sort(cosines, axis=1)[:, -2:] if cosines.shape[1] > 1 else np.full((len(cosines), 2), -1.0)
    is_top = cosines >= top[:, -1:]
    rival = np.where(is_top, 0.0, top[:, -1:] - cosines) / _RIVAL
    return 1 / (1 + np.exp(-np.clip(over - rival, -30, 30)))


def mention_rows(probabilities: np.ndarray, sentences: pd.DataFrame, issue_ids: list[str]) -> pd.DataFrame:
    """Table MENTIONS: at most two issues per sentence, each with probability >= 0.5.

    `sentences` has sentence_id, contact_id, customer_id, started_at in the order of the rows of `probabilities`.
    """
    if not len(sentences) or not issue_ids:
        return empty(MENTIONS)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    row = np.repeat(np.arange(len(sentences)), best.shape[1])
    column = best.ravel()
    value = probabilities[row, column]
    keep = value >= _KEEP
    at = sentences.iloc[row[keep]]
    rows = pd.DataFrame(
        {
            "issue_id": np.asarray(issue_ids, dtype=object)[column[keep]],
            "sentence_id": at["sentence_id"].to_numpy(),
            "contact_id": at["contact_id"].to_numpy(),
            "customer_id": at["customer_id"].to_numpy(),
            "mentioned_at": at["started_at"].array,
            "probability": np.round(value[keep], 4),
        }
    )
    return check(rows, MENTIONS)
