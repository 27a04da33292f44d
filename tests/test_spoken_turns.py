"""(spoken turn in -> its sentences and why each is set aside): a linguist may add lines. Sudachi only."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.japanese import tokenize
from voc.sentences import split_sentences

TURNS = [
    ("はい", [("はい", "backchannel")]),
    ("ええ、ええ", [("ええ、ええ", "backchannel")]),
    ("うんうんなるほど", [("うんうんなるほど", "backchannel")]),
    ("あー、そうですか", [("あー、そうですか", "backchannel")]),
    ("えーと", [("えーと", "backchannel")]),
    ("あのー、ですね", [("あのー、ですね", "backchannel")]),
    ("もしもし", [("もしもし", "greeting")]),
    ("お世話になります", [("お世話になります", "greeting")]),
    ("どうもありがとうございました失礼します", [("どうもありがとうございました失礼します", "greeting")]),
    ("おはようございます", [("おはようございます", "greeting")]),
    ("[氏名1]と申します", [("[氏名1]と申します", "identity")]),
    ("はい[氏名1]です", [("はい[氏名1]です", "identity")]),
    ("番号は[電話番号1]です", [("番号は[電話番号1]です", "identity")]),
    ("生年月日は[生年月日1]です", [("生年月日は[生年月日1]です", "identity")]),
    ("本人です", [("本人です", "identity")]),
    ("はい、待ちます", [("はい、待ちます", "hold")]),
    ("はい大丈夫です", [("はい大丈夫です", "hold")]),
    ("お願いします", [("お願いします", "hold")]),
    ("わかりました", [("わかりました", "hold")]),
    ("承知しました、よろしくお願いします", [("承知しました、よろしくお願いします", "greeting")]),
    ("特にないです", [("特にないです", "non_answer")]),
    ("とくにないです", [("とくにないです", "non_answer")]),
    ("なし", [("なし", "non_answer")]),
    ("特になし。", [("特になし。", "non_answer")]),
    ("N/A", [("N/A", "non_answer")]),
    ("－", [("－", "non_answer")]),
    ("ありません", [("ありません", "non_answer")]),
    ("。", [("。", "non_answer")]),
    ("今のところありません", [("今のところありません", "non_answer")]),
    ("思いつきません", [("思いつきません", "non_answer")]),
    ("わかりません", [("わかりません", "non_answer")]),
    ("無回答", [("無回答", "non_answer")]),
    ("昨日から電話がつながらなくて困ってるんですけど", [("昨日から電話がつながらなくて困ってるんですけど", None)]),
    ("はいあの請求書が二重に届いたんですけど", [("はいあの請求書が二重に届いたんですけど", None)]),
    ("ログインできないんですよ何回やってもだめなんです", [("ログインできないんですよ", None), ("何回やってもだめなんです", None)]),
    ("もう三回目ですよこの電話いつになったら直るんですか", [("もう三回目ですよ", None), ("この電話いつになったら直るんですか", None)]),
    ("えーと先月解約したはずなんですけどまた引き落とされてます", [("えーと先月解約したはずなんですけどまた引き落とされてます", None)]),
    ("お湯が出ません修理をお願いします", [("お湯が出ません", None), ("修理をお願いします", None)]),
    ("料金が高いと思います他社はもっと安いですよね", [("料金が高いと思います", None), ("他社はもっと安いですよね", None)]),
    ("はいそうです画面が真っ白になります", [("はいそうです", "backchannel"), ("画面が真っ白になります", None)]),
    ("ありがとうございます助かりました", [("ありがとうございます", "greeting"), ("助かりました", "courtesy")]),
    ("すみません住所を変更したいんですが", [("すみません住所を変更したいんですが", None)]),
    ("いえ結構です解約してください", [("いえ結構です", "backchannel"), ("解約してください", None)]),
    ("アプリは便利ですけど通知が多すぎます", [("アプリは便利ですけど", None), ("通知が多すぎます", None)]),
    ("対応が早くてよかったです", [("対応が早くてよかったです", None)]),
    ("じゃあそれでお願いします", [("じゃあそれでお願いします", "hold")]),
    ("ええ大丈夫ですはい", [("ええ大丈夫です", "hold"), ("はい", "backchannel")]),
    ("少々お待ちください", [("少々お待ちください", "hold")]),
    ("電話番号ですか[電話番号1]です", [("電話番号ですか", None), ("[電話番号1]です", "identity")]),
    ("株式会社みなとの[氏名1]と申しますお世話になっております", [("株式会社みなとの[氏名1]と申します", "identity"), ("お世話になっております", "greeting")]),
    ("なるほどそういうことですね分かりました", [("なるほどそういうことですね", "backchannel"), ("分かりました", "hold")]),
    ("何もありません", [("何もありません", "non_answer")]),
    ("特に不満はありません", [("特に不満はありません", None)]),
    ("大丈夫ではありません", [("大丈夫ではありません", None)]),
    ("待たされました", [("待たされました", None)]),
    ("返事がありません", [("返事がありません", None)]),
    ("はい、それで、いつ届くんですか", [("はい、それで、いつ届くんですか", None)]),
    ("切れました", [("切れました", None)]),
    ("エラーです", [("エラーです", None)]),
    ("まあ普通です", [("まあ普通です", None)]),
]
PIECES = ["はい", "えーと", "画面は綺麗だが、", "電池が切れる", "ません", "です", "けど", "[氏名1]", "[", "]", "\n", "。", "！？", "😀", "㍿", "ﾊﾝｶｸ", "\u200b", "のに", "し、", " "]


def split(*texts):
    turns = pd.DataFrame({"turn_id": [f"T{i:03d}" for i in range(len(texts))], "contact_id": "C", "speaker": "customer", "text": texts})
    return split_sentences(turns, tokenize=tokenize)


@pytest.mark.parametrize(("turn", "expected"), TURNS, ids=[turn for turn, _ in TURNS])
def test_turn(turn, expected):
    found = split(turn)
    reasons = [None if pd.isna(reason) else reason for reason in found["set_aside"]]
    assert list(zip(found["text"], reasons, strict=True)) == expected


@pytest.mark.slow
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=14).map("".join))
def test_offsets_point_into_the_masked_text_and_nothing_is_lost(text):
    text = text.encode("utf-8", "replace").decode()
    found = split(text)
    assert [text[row.start : row.end] for row in found.itertuples()] == found["text"].tolist()
    assert "".join("".join(found["text"]).split()) == "".join(text.split())
