"""The kind of matter a sentence brings: 不具合, 使い方, 手続き, 要望, 料金, 対応, 称賛, 解約.

An issue is topic x kind, as a manager would cut it: 「口座連携が切れる」 and 「口座連携の設定方法」 are two.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from voc.issues.grouping import neighbours
from voc.unit_vectors import unit

KINDS = ("不具合", "使い方", "手続き", "要望", "料金", "対応", "称賛", "解約")

_NEAR = 10
_SEEN = 3000  # sentences that are asked for their neighbours' kinds

_PROCEDURE = (
    r"手続|発行|名義|住所|届出|届け出|再発行|変更(?:し|す|は|の|を|が|に|届|でき|方法)|更新(?:し|す|の手|手)|契約者|登録(?:内容|情報)|"
    r"移転|引っ越|引越|申請|必要書類|切り替え|切替|入会|退会|予約|キャンセル"
)
_PRICE = (
    r"料金|値上|値下|価格|金額が(?:高|上が)|高すぎ|割高|月額|請求額|引き落と|引落|二重|課金|返金|プラン料|コスト|費用|円(?:も|は|が)|安く|高い|高く|高額"
)
_SERVICE = (
    r"電話(?:が|は|も|して|を|に|で)|つながら|繋がら|窓口|担当者|担当の|オペレータ|サポート|待たされ|待ち時間|たらい回し|返信|返事|対応(?:が|の|に|は|を)|接客|"
    r"店員|スタッフ|応対|折り返し|問い合わせ(?:て|し|に)|問合せ"
)


def kind_shares(texts: pd.Series, opinions: pd.DataFrame) -> np.ndarray:
    """(n, 8) shares of KINDS for sentences in order: the opinion's intent, parted by what the words concern.

    `opinions` has the rows of `texts` in the same order. A sentence without any intent has a row of zeros.
    """
    is_procedure, is_price, is_service = (
        texts.str.contains(pattern, regex=True).to_numpy(dtype=float) for pattern in (_PROCEDURE, _PRICE, _SERVICE)
    )
    complaint, question = (opinions[f"p_{name}"].to_numpy() for name in ("complaint", "question"))
    price = complaint * is_price * 0.9
    service = complaint * is_service * (1 - is_price) * 0.9
    shares = np.column_stack(
        [
            complaint - price - service,
            question * (1 - 0.85 * is_procedure),
            question * 0.85 * is_procedure,
            opinions["p_request"].to_numpy(),
            price,
            service,
            opinions["p_praise"].to_numpy(),
            opinions["p_cancel"].to_numpy(),
        ]
    )
    total = shares.sum(axis=1, keepdims=True) + opinions["p_other"].to_numpy()[:, None] * 0.5
    return shares / np.maximum(total, 1e-9)


def matter_part(centroids: Collection[Sequence[float]]) -> np.ndarray:
    """(k, d) unit vectors of what issues are about: their `centroids` without the last columns, which tell the kind."""
    if not len(centroids):
        return np.empty((0, 0))
    return unit(np.vstack([np.asarray(centroid, dtype="float64") for centroid in centroids])[:, : -len(KINDS)])


def kind_agreement(vectors: np.ndarray, kinds: np.ndarray) -> float:
    """How far sentences that mean the like are of one kind: 0 as by chance, 1 always; 1.0 for too few to say.

    The share of each sentence's ten nearest others (unit `vectors`) with the same leading kind (`kinds` of
    `kind_shares`), above chance. Voices of customers reach 0.4 to 0.9. In news and encyclopedias, where an opinion is
    read into a sentence that has none, it is below 0.2.
    """
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _SEEN)).round().astype(int))
    if len(rows) <= 2 * _NEAR:
        return 1.0
    leading = kinds[rows].argmax(axis=1)
    chance = float(((np.bincount(leading) / len(rows)) ** 2).sum())
    agreed = float((leading[neighbours(vectors[rows], _NEAR)] == leading[:, None]).mean())
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)
