import pandas as pd
import pytest

from voc.cleaning import (
    bare_places,
    bare_text,
    clean_turns,
    even_spaces,
    even_widths,
    html_to_text,
    identifier,
    without_controls,
    without_fillers,
    without_markup,
    without_quotes,
    without_signature,
)
from voc.cleaning.clean import clean_text


@pytest.mark.parametrize(("text", "expected"), [
    ("ＡＢＣ１２３　ｱﾌﾟﾘ", "ABC123 アプリ"),
    ("１０～２０、①㈱！？", "10〜20、①㈱！？"),
    ("プロ", "プロ"),
])  # fmt: skip
def test_even_widths(text, expected):
    assert even_widths(text) == expected


@pytest.mark.parametrize(("text", "expected"), [(" Ａ－００１ ", "A-001"), ("Taro@Example.COM", "taro@example.com")])
def test_identifier(text, expected):
    assert identifier(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
    ("遅\u200bい\u202e\x00\ufeff", "遅い"),
    ("\ud83d良い\ue001", "良い"),
    ("👨\u200d👩", "👨\u200d👩"),
])  # fmt: skip
def test_without_controls(text, expected):
    assert without_controls(text) == expected


def test_even_spaces():
    assert even_spaces(" a  \n\n\n\nb \n") == "a\n\nb"


@pytest.mark.parametrize(("text", "expected"), [
    ("<p>困って<b>い</b>ます<br>以上</p><style>x</style>", "困っています\n以上"),
    ("<div>一</div><div><br></div><div>二 &amp; 三</div>", "一\n\n二 & 三"),
    ("<p>返信</p><blockquote>前のメール</blockquote>", "返信"),
    ('<p>返信</p><div class="gmail_quote">前のメール</div>', "返信"),
])  # fmt: skip
def test_html_to_text(text, expected):
    assert html_to_text(text) == expected


def test_without_markup_keeps_signs_that_are_no_tags():
    assert without_markup("3 < 5 &amp; A<B>C") == "3 < 5 & A<B>C"


QUOTED = [
    ("了解です。\n> 前のメール\n以上です。", "了解です。\n以上です。"),
    ("了解です。\n\n2026年1月5日 10:00 窓口 <a@example.com>:\n> 前\n\n追伸", "了解です。\n\n\n追伸"),
    ("了解です。\n2026/01/05、窓口さんは書きました：\n前のメール", "了解です。"),
    ("了解です。\n-----Original Message-----\nFrom: a\n前", "了解です。"),
    ("了解です。\n差出人: 窓口\n送信日時: 2026年\n宛先: b\n件名: c\n\n前", "了解です。"),
    ("---------- Forwarded message ---------\n困っています。", "困っています。"),
    ("差出人: という欄が出ません。", "差出人: という欄が出ません。"),
    ("直りました。\n\n2026年1月5日(月) 10:00\n窓口 <a@example.com>:\n> 前", "直りました。\n"),
    ("直りました。\n2026年1月5日(月) 10:00 窓口 <a@example.com>\nのメール:\n\n> 前", "直りました。\n"),
    ("まだです。\n##- Please type your reply above this line -##\n前の回答", "まだです。"),
    ("##- 返信はこの行より上にご記入ください -##\nまだです。", "まだです。"),
    ("連絡先は 窓口 <a@example.com>: と出ます。",) * 2,
]


@pytest.mark.parametrize(("text", "expected"), QUOTED)
def test_without_quotes(text, expected):
    assert without_quotes(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("困っています。\n-- \n田中", "困っています。"),
    ("困っています。\n\n━━━━━━\n株式会社例\nTEL: 03-0000-0000\n━━━━━━", "困っています。"),
    ("困っています。\n\n株式会社例 田中\nTEL 03-0000-0000\nhttps://example.com", "困っています。"),
    ("困っています。\n\niPhoneから送信", "困っています。"),
    ("困っています。\n\n田中太郎\nミナト商事\n090-0000-0000", "困っています。"),
    ("困っています。\n\n商品番号: 12\n090-0000-0000",) * 2,
    ("困っています。\n＝＝＝＝＝＝\n総務部 田中\n〒000-0000 東京都\n＝＝＝＝＝＝\n本メールは機密情報を含みます。", "困っています。"),
    ("このメールは誤って届いたのですか。",) * 2,
    ("次の二つです。\n------\n1. 固まる\n2. 消える\n------\n直してください。",) * 2,
    ("電話: 03-0000-0000 にかけてもつながりません。",) * 2,
])  # fmt: skip
def test_without_signature(text, expected):
    assert without_signature(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("えーと、画面が、あの、開かないです", "画面が、開かないです"),
    ("あのー、なんか、落ちます", "落ちます"),
    ("あの画面のその件ですが",) * 2,
    ("部署ごとにええと見られる範囲を変えたい", "部署ごとに見られる範囲を変えたい"),
    ("なんていうかセミナーのご案内をやめてほしい", "セミナーのご案内をやめてほしい"),
    ("んーと閲覧はさせない", "閲覧はさせない"),
    ("もうちょっとうーんと増やして", "もうちょっと増やして"),
    ("ええとこやね",) * 2,
    ("例えーと言えば",) * 2,
    ("なんといっても速い、何という会社か知りたい",) * 2,
])  # fmt: skip
def test_without_fillers(text, expected):
    assert without_fillers(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("差し支えなければ、工程を設けて", "工程を設けて"),
    ("もう一点、えーと通知を止めて", "通知を止めて"),
    ("すみません、あの、部署ごとにええと分けたい", "部署ごとに分けたい"),
    ("通知を止めて",) * 2,
    ("えーと、",  ""),
])
def test_what_carries_nothing_is_left_out_and_the_rest_keeps_its_place(text, expected):
    assert bare_text(text) == expected
    assert "".join(text[place] for place in bare_places(text)) == expected


TICKETS = [
    ("<div>困って&amp;ます。</div><div><br></div><div>-- <br>田中<br>TEL 03-0000-0000</div><blockquote>前</blockquote>", "困って&ます。"),
    ("<p>動きません</p><p>-----Original Message-----<br>From: a@example.com<br>前</p>", "動きません"),
    ("動きません。\n\n2026年1月5日(月) 10:00 窓口 <a@example.com>:\n> 前\n> 前", "動きません。"),
    ("動きません。\n*******\n田中 太郎\n株式会社例\n*******", "動きません。"),
    ("動きません。\n\n差出人: 窓口 <a@example.com>\n送信日時: 2026年\n件名: 件\n\n前", "動きません。"),
]


@pytest.mark.parametrize(("text", "expected"), TICKETS)
def test_a_ticket_is_cleaned_as_the_mail_that_it_was(text, expected):
    assert clean_text(text, channel="ticket") == expected


@pytest.mark.parametrize("channel", ["chat", "review", "survey"])
def test_what_is_no_mail_keeps_lines_that_look_like_quotes(channel):
    assert clean_text("> と打つと <b>落ち</b>る\n次", channel=channel) == "> と打つと 落ちる 次"


def test_clean_turns_by_channel_counts_what_is_left_empty():
    contacts = pd.DataFrame({
        "contact_id": ["m", "c"], "channel": ["email", "call"], "source": "s", "source_row": ["m.eml", "c.json:1"],
    })  # fmt: skip
    turns = pd.DataFrame({
        "turn_id": ["m-000", "c-000", "c-001"], "contact_id": ["m", "c", "c"], "position": [0, 0, 1],
        "speaker": "customer", "text": ["> 引用だけ", "えーと、> ＡＢ", " \u200b "],
    })  # fmt: skip
    cleaned, rejects = clean_turns(turns, contacts)
    assert cleaned["text"].tolist() == ["えーと、> AB"]
    assert rejects["source_row"].tolist() == ["c.json:1", "m.eml"]
    assert rejects["stage"].tolist() == ["clean", "clean"]
    assert rejects["reason"].str.contains("1 件").all()


def test_clean_turns_of_nothing():
    contacts = pd.DataFrame({name: pd.Series(dtype="str") for name in ("contact_id", "channel", "source", "source_row")})
    turns = pd.DataFrame({"turn_id": [], "contact_id": [], "position": [], "speaker": [], "text": []})
    cleaned, rejects = clean_turns(turns, contacts)
    assert cleaned.empty and rejects.empty
