"""(sentence, what it does -> kind): a linguist may add lines."""

import numpy as np
import pandas as pd
import pytest

from voc.issues.kinds import KINDS, kind_agreement, kind_shares


def opinions(intent, n=1):
    names = ("complaint", "request", "question", "praise", "cancel", "other")
    return pd.DataFrame({f"p_{name}": [0.9 if name == intent else 0.05] * n for name in names})


@pytest.mark.parametrize(
    ("text", "intent", "kind"),
    [
        ("連携が切れて明細が取り込まれません", "complaint", "不具合"), ("今月から急に値上げされて納得できません", "complaint", "料金"),
        ("同じ月に二重に請求されています", "complaint", "料金"), ("何度かけても電話がつながりません", "complaint", "対応"),
        ("窓口をたらい回しにされました", "complaint", "対応"), ("登録番号はどこに入力しますか", "question", "使い方"),
        ("住所を変更したいのですが", "question", "手続き"), ("領収書を発行してもらえますか", "question", "手続き"),
        ("一括でダウンロードできるようにしてほしい", "request", "要望"), ("丁寧に教えてくれて助かりました", "praise", "称賛"),
        ("解約したいです", "cancel", "解約"),
    ],
)  # fmt: skip
def test_kind_of_a_sentence(text, intent, kind):
    shares = kind_shares(pd.Series([text]), opinions(intent))
    assert KINDS[int(shares.argmax())] == kind


def test_a_fact_has_hardly_any_kind():
    shares = kind_shares(pd.Series(["先月から使っています"]), opinions("other"))
    assert shares.sum() < 0.5


def test_shares_never_exceed_one():
    rng = np.random.default_rng(1)
    names = ("complaint", "request", "question", "praise", "cancel", "other")
    random = pd.DataFrame(rng.random((50, 6)), columns=[f"p_{name}" for name in names])
    shares = kind_shares(pd.Series(["料金の電話の手続き"] * 50), random)
    assert (shares >= 0).all() and (shares.sum(axis=1) <= 1 + 1e-9).all()


def test_kinds_agree_where_neighbours_share_them_and_not_where_they_fall_by_chance():
    rng = np.random.default_rng(0)
    points = np.repeat(np.eye(4), 30, axis=0) + 0.1 * rng.normal(size=(120, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    kinds = np.repeat(np.eye(8)[:4], 30, axis=0)
    assert kind_agreement(points, kinds) > 0.9
    assert kind_agreement(points, kinds[rng.permutation(120)]) < 0.2
    assert kind_agreement(points[:5], kinds[:5]) == 1
