"""(turn in -> sentences out): a linguist may add lines. Sudachi only."""

import pandas as pd
import pytest

from voc.japanese import tokenize
from voc.sentences import split_sentences


def split(*texts, speaker="customer"):
    turns = pd.DataFrame(
        {"turn_id": [f"C1-{i:03d}" for i in range(len(texts))], "contact_id": "C1", "speaker": speaker, "text": texts}
    )
    return turns, split_sentences(turns, tokenize=tokenize)


@pytest.mark.parametrize(
    ("turn", "sentences"),
    [
        ("画面は綺麗だが、電池がすぐ切れる。", ["画面は綺麗だが、", "電池がすぐ切れる。"]),
        ("対応が早くて助かりましたありがとうございます", ["対応が早くて助かりました", "ありがとうございます"]),
        ("プランを変更したいのですが、どこから手続きできますか？", ["プランを変更したいのですが、どこから手続きできますか？"]),
        ("もう無理です！！返金してください。", ["もう無理です！！", "返金してください。"]),
        ("道が狭い\n駐車場が少ない", ["道が狭い", "駐車場が少ない"]),
        (
            "請求書のPDFを一件ずつダウンロードしているのですが、毎月二百件ほど\nあるので、まとめて落としたいです。",
            ["請求書のPDFを一件ずつダウンロードしているのですが、", "毎月二百件ほど\nあるので、まとめて落としたいです。"],
        ),
    ],
)
def test_cuts(turn, sentences):
    _, found = split(turn)
    assert found["text"].tolist() == sentences


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("はい、ええ、そうです", "backchannel"), ("お世話になっております。", "greeting"),
        ("お忙しいところ恐れ入りますが", "greeting"), ("ご検討のほどよろしくお願いいたします。", "greeting"),
        ("[氏名1]と申します", "identity"), ("株式会社みなとの[氏名1]です。", "identity"),
        ("高橋製作所の者なんですが", "identity"), ("先ほどお電話した者です。", "identity"), ("経理の者ですけれども、", "identity"),
        ("電話に出た者の態度が悪いです", None), ("修理の者がまだ来ません", None), ("担当の者が来ません", None),
        ("電話番号は[電話番号1]です", "identity"), ("はい、待ってます", "hold"), ("特になし", "non_answer"),
        ("特にありません。", "non_answer"), ("。", "non_answer"),
        ("電話がつながりません", None), ("対応が丁寧でありがとうございました", None), ("なしにしてほしい機能がある", None),
    ],
)  # fmt: skip
def test_what_is_set_aside(turn, reason):
    _, found = split(turn)
    assert [None if pd.isna(value) else value for value in found["set_aside"]] == [reason]


def test_offsets_point_into_the_turn():
    turns, found = split("えーと連携がまた切れまして困ってます何回目ですか", "  前に空白。後ろにも。  ", "はい")
    texts = turns.set_index("turn_id")["text"]
    assert [texts[r.turn_id][r.start : r.end] for r in found.itertuples()] == found["text"].tolist()
    assert len(found) == 5


def test_operators_turns_give_no_sentences():
    assert split("口座連携ですね", speaker="operator")[1].empty


def test_masks_are_no_terms():
    _, found = split("[氏名1]さんに請求書の件で電話しました")
    assert found["terms"].iloc[0] == ["請求書", "電話"]
