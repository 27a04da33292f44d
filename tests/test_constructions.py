"""The constructions that were added for why-questions, weakened and firm negation, conditions and irony."""

import pytest

from voc.lexicon import FEATURES, read_evidence


def fires(text: str, name: str) -> bool:
    return bool(read_evidence([text]).values[0, FEATURES.index(name)] > 0)


@pytest.mark.parametrize(
    "text",
    [
        "なぜ繋がらないのですか",
        "どうして何度も落ちるんでしょう",
        "なんで毎回この画面で固まるんですか",
        "どうして引き落としが二重になっているのでしょうか",
        "何故こんなに待たされるのですか",
    ],
)
def test_why_about_a_failure(text):
    assert fires(text, "why_failure")


@pytest.mark.parametrize(
    "text",
    ["なぜ制服は青いのですか", "この名前はどうして付いたのですか", "いつ繋がりますか", "何度も落ちます", "どうしても行きたいです"],
)
def test_no_why_about_a_failure(text):
    assert not fires(text, "why_failure")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fails", "電源を入れるとすぐ落ちる"),
        ("fails", "注文と違う色が届いた"),
        ("falls_short", "期待したほどの味ではない"),
        ("falls_short", "一流とは言えません"),
        ("falls_short", "値段に見合わない部屋"),
        ("irony", "請求だけは早いですね"),
        ("irony", "対応の遅さには恐れ入りました"),
        ("unless", "改善されないようなら他社に変えます"),
        ("unless", "直らなければ返します"),
        ("spared", "待たずに済みました"),
        ("spared", "迷うことなく着けた"),
        ("never", "故障したことがない"),
        ("denied_intent", "苦情ではないのですが、確認させてください"),
        ("denied_intent", "解約したいわけではありません"),
        ("if_cured", "直れば使い続けます"),
        ("if_cured", "遅延が解消されたら戻ります"),
    ],
)
def test_construction_is_found(name, text):
    assert fires(text, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fails", "一度も落ちたことがない"),
        ("falls_short", "驚くほど静か"),
        ("unless", "返信しなければならない"),
        ("spared", "待たされた"),
        ("never", "また行きたい"),
        ("denied_intent", "解約したい"),
        ("if_cured", "暇なら行きます"),
    ],
)
def test_construction_is_not_found(name, text):
    assert not fires(text, name)
