import numpy as np
import pytest

from voc.lexicon import FEATURES, GRAMMAR, read_evidence


def value(text: str, name: str) -> float:
    return float(read_evidence([text]).values[0, FEATURES.index(name)])


@pytest.mark.parametrize(
    "text",
    [
        "請求書をまとめて発行できるようにしてほしいです。",
        "駐車場をもう少し増やしていただけると助かります",
        "通知を種類ごとに切れたらいいなと思います",
        "字を大きくしてください",
        "予約の変更もアプリでできれば嬉しい",
        "料金表は入口に貼るべきだ",
        "営業時間の延長を希望します",
        "案内板の設置",
        "早く直せよ",
    ],
)
def test_asks_for_a_change(text):
    assert value(text, "asks") == 1


@pytest.mark.parametrize(
    "text",
    [
        "手順を教えてください",
        "内訳を説明してほしいのですが",
        "解約してください",
        "とても使いやすいです",
        "昨日からログインできません",
        "",
    ],
)
def test_asks_for_no_change(text):
    assert value(text, "asks") == 0


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("対応が丁寧でした", 1),
        ("対応が丁寧ではなかった", -1),
        ("操作は難しくない", 1),
        ("操作が難しい", -1),
        ("不満はありません", 1),
        ("問題ありませんでした", 1),
        ("画面が見づらい", -1),
        ("動作が遅過ぎる", -1),
        ("有難いです", 1),
        ("電話がつながりません", -1),
        ("水曜日に伺います", 0),
    ],
)
def test_balance_of_good_and_bad_words(text, sign):
    assert np.sign(value(text, "balance")) == sign


def test_spelling_and_width_do_not_matter():
    a, b = read_evidence(["ﾃﾞｰﾀが出来ません", "データができません"]).values
    np.testing.assert_array_equal(a[FEATURES.index("n_not")], b[FEATURES.index("n_not")])
    assert a[FEATURES.index("neg")] == b[FEATURES.index("neg")] > 0


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("何度電話してもつながらず、もう限界です", ["emotion", "effort"]),
        ("部署をたらい回しにされました", ["effort"]),
        ("至急ご連絡ください、業務が止まっています", ["urgency"]),
        ("他社のほうが安いです", ["competitor"]),
        ("ありがとうございました", []),
    ],
)
def test_flags(text, flags):
    assert read_evidence([text]).flags == [flags]


def test_hits_are_words_of_the_text():
    text = "検索が遅いので改善してほしい"
    (hits,) = read_evidence([text]).hits
    assert hits["wish"] == "てほしい"
    assert hits["negative"] == "遅い"
    assert all(words in text for words in hits.values())


def test_every_construction_is_a_feature_and_order_is_fixed():
    evidence = read_evidence(["a", "b"])
    assert evidence.names == FEATURES
    assert FEATURES[: len(GRAMMAR)] == tuple(GRAMMAR)
    assert len(set(FEATURES)) == len(FEATURES)
    assert evidence.values.shape == (2, len(FEATURES))
    assert read_evidence([]).values.shape == (0, len(FEATURES))


def test_hostile_text_ends_quickly_and_is_finite():
    texts = ["てほしい" * 2000, "あ" * 20000, "\x00\ud800\u202e", "た" * 5000 + "か？", "（" * 3000]
    assert np.isfinite(read_evidence(texts).values).all()
