import hashlib
import hmac
import re
from pathlib import Path

import pandas as pd
import pytest

from voc.config import Source
from voc.errors import ConfigError
from voc.name_sight import Sight
from voc.name_slots import slot_names
from voc.name_words import Lexicon, NameToken, is_role
from voc.parsing import Parsed
from voc.parsing.contacts import parse_contacts
from voc.privacy import mask_contacts, mask_file_names, mask_texts, pseudonymise
from voc.privacy_patterns import is_card, is_my_number, is_phone
from voc.raw import RawFile

KEY = b"0123456789abcdef"


def no_names(texts):
    return [[] for _ in texts]


def knows_sato(texts):
    return ["佐藤" in text for text in texts]


def masked(text, **options):
    return mask_texts([text], **({"names": no_names} | options))["masked"].iloc[0]


@pytest.mark.parametrize(("text", "expected"), [
    ("電話は０９０－１２３４－５６７８です", "電話は[電話番号1]です"),
    ("09012345678まで", "[電話番号1]まで"),
    ("090の1234の5678です", "[電話番号1]です"),
    ("〇九〇一二三四五六七八です", "[電話番号1]です"),
    ("+81-90-1234-5678", "[電話番号1]"),
    ("(03)1234-5678", "[電話番号1]"),
    ("電話は1234-5678です", "電話は[電話番号1]です"),
    ("taro@example.comまで", "[メール1]まで"),
    ("taro アットマーク example ドット コム", "[メール1]"),
    ("カードは4111-1111-1111-1111です", "カードは[カード番号1]です"),
    ("番号は123456789018です", "番号は[マイナンバー1]です"),
    ("口座番号は1234567です", "口座番号は[口座番号1]です"),
    ("生年月日は昭和55年1月2日です", "生年月日は[生年月日1]です"),
    ("1980年1月2日生まれです", "[生年月日1]生まれです"),
    ("https://example.com/reset?token=abc を押した", "[URL1] を押した"),
    ("〒105-0011 東京都港区芝公園4-2-8 東京ビル 301号室", "[郵便番号1] [住所1]"),
    ("東京都港区芝公園４－２－８に来て", "[住所1]に来て"),
    ("株式会社ミナトの田中と申します。", "株式会社ミナトの[氏名1]と申します。"),
    ("わたくしたなかと申します", "わたくし[氏名1]と申します"),
    ("お客様、田中様ですか", "お客様、[氏名1]様ですか"),
    ("田中（タナカ）様", "[氏名1]（[氏名2]）様"),
    ("名前は山田太郎です", "名前は[氏名1]です"),
    ("阿部様より", "[氏名1]様より"),
])  # fmt: skip
def test_personal_data_is_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize("text", [
    "お客様の仕様です。皆様へ、同様に",
    "お名前が表示されません",
    "弊社の方針です。担当の変更です",
    "東京駅で本田の車を買った",
    "港区に住んでいます。東京都の補助金が5000円です",
    "2024-11-01から2025-01-31まで、2025年4月25日に3回",
    "https://example.com/help を見た",
    "注文番号0312345678、予約番号は4111111111111111です",
    "業者さんとヤマト運輸さんと税理士さん",
    "1名様、1,234,567円、192.168.0.1、横浜市の店に2回行った",
    "",
])  # fmt: skip
def test_what_carries_the_matter_stays(text):
    assert masked(text) == text


def test_spans_point_into_the_original_text():
    text = "佐藤です。ＴＥＬは０３－１２３４－５６７８、メールはa.b@example.jp"
    result = mask_texts([text], names=lambda texts: [[(0, 2)] if t.startswith("佐藤") else [] for t in texts],
                        name_like=knows_sato)  # fmt: skip
    found = [(span["kind"], text[span["start"]:span["end"]]) for span in result["spans"].iloc[0]]
    assert found == [("PERSON", "佐藤"), ("PHONE", "０３－１２３４－５６７８"), ("EMAIL", "a.b@example.jp")]
    assert result["masked"].iloc[0] == "[氏名1]です。ＴＥＬは[電話番号1]、メールは[メール1]"


def test_one_contact_has_one_mask_per_value():
    texts = ["田中と申します。03-1234-5678です", "0312345678ですね、田中様", "鈴木様に、田中が伝えます", "鈴木様"]
    result = mask_texts(texts, names=no_names, group=["a", "a", "a", "b"])
    assert list(result["masked"]) == [
        "[氏名1]と申します。[電話番号1]です", "[電話番号1]ですね、[氏名1]様", "[氏名2]様に、[氏名1]が伝えます", "[氏名1]様",
    ]  # fmt: skip


def test_masking_a_masked_text_changes_nothing():
    once = masked("田中様、住所は東京都港区芝公園4-2-8、電話は03-1234-5678、taro@example.com")
    assert "[氏名1]" in once
    assert masked(once, names=lambda texts: [[(0, 5)] for _ in texts]) == once


def test_names_is_asked_only_for_sentences_with_a_cue():
    asked = []

    def names(texts):
        asked.extend(texts)
        return no_names(texts)

    texts = ["画面が遅いです。田中様はいますか。画面が遅いです。", "佐藤に聞いた。"]
    share = mask_texts(texts, names=names, name_like=lambda texts: ["佐藤" in t or "田中" in t for t in texts]).attrs["name_share"]
    assert asked == ["田中様はいますか。", "佐藤に聞いた。"]
    assert share == pytest.approx(2 / 3)


@pytest.mark.parametrize(("text", "name", "is_masked"), [
    ("佐藤に電話した", "佐藤", True),
    ("福島駅に行った", "福島", False),
    ("本田の車に乗る", "本田", False),
    ("Chrome が落ちる", "Chrome", False),
    ("疲れ様です", "疲れ", False),
    ("ミナトと申します", "ミナト", True),
])  # fmt: skip
def test_recognised_names_that_are_places_or_products_stay(text, name, is_masked):
    result = masked(text, names=lambda texts: [[(0, len(name))] for _ in texts],
                    name_like=lambda texts: [True for _ in texts])  # fmt: skip
    assert (name not in result) is is_masked


def test_office_slot_needs_a_name_of_the_dictionary():
    assert masked("サポートの佐藤です", name_like=knows_sato) == "サポートの[氏名1]です"
    assert masked("サポートの方針です", name_like=knows_sato) == "サポートの方針です"


def test_id_patterns_mask_what_the_company_names():
    assert masked("会員番号はM-12345です", id_patterns={"会員番号": r"M-\d{5}"}) == "会員番号は[会員番号1]です"
    with pytest.raises(ConfigError, match="id_patterns.番号"):
        masked("x", id_patterns={"番号": "("})


def test_check_digits():
    assert is_card("4111111111111111") and not is_card("4111111111111112") and not is_card("0000000000000000")
    assert is_my_number("123456789018") and not is_my_number("123456789019")
    assert is_phone("0312345678") and not is_phone("0012345678") and not is_phone("03123456789")


def parsed_chat() -> Parsed:
    data = """[{"contact_id": "1", "customer_id": "A-1", "started_at": "2025-04-01T10:00:00+09:00", "subject": "田中です",
      "messages": [{"author": "customer", "text": "田中と申します。090-1234-5678"},
                   {"author": "agent", "text": "田中様、09012345678ですね"}]},
     {"contact_id": "2", "started_at": "2025-04-02", "messages": [{"author": "customer", "text": "遅い"}]}]"""
    file = RawFile("chat", "a.json", data.encode(), "")
    return parse_contacts([file], Source(name="chat", format="chat", path="a.json"))


def test_mask_contacts_masks_both_sides_and_pseudonymises():
    parsed = parsed_chat()
    contacts, turns, counts = mask_contacts(parsed.contacts, parsed.turns, key=KEY, names=no_names)
    first = contacts.loc[contacts["customer_id"].notna()].iloc[0]
    assert first["customer_id"] == "K" + hmac.new(KEY, b"A-1", hashlib.sha256).hexdigest()[:16]
    assert first["subject"] == "[氏名1]です"
    said = turns.loc[turns["contact_id"] == first["contact_id"], "text"].tolist()
    assert said == ["[氏名1]と申します。[電話番号1]", "[氏名1]様、[電話番号1]ですね"]
    assert counts["PERSON"] == 3 and counts["PHONE"] == 2
    assert contacts["content_sha"].str.fullmatch("[0-9a-f]{64}").all()


def test_content_sha_follows_the_content_only():
    parsed = parsed_chat()
    once, _, _ = mask_contacts(parsed.contacts, parsed.turns, key=KEY, names=no_names)
    again, _, _ = mask_contacts(parsed.contacts.iloc[::-1], parsed.turns.iloc[::-1], key=KEY, names=no_names)
    pd.testing.assert_frame_equal(once, again)
    changed = parsed.turns.assign(text=parsed.turns["text"].str.replace("遅い", "重い"))
    other, _, _ = mask_contacts(parsed.contacts, changed, key=KEY, names=no_names)
    assert (once["content_sha"] != other["content_sha"]).sum() == 1


def test_mask_contacts_of_nothing():
    parsed = parsed_chat()
    contacts, turns, counts = mask_contacts(parsed.contacts.iloc[:0], parsed.turns.iloc[:0], key=KEY, names=no_names)
    assert contacts.empty and turns.empty and set(counts.values()) == {0}


def test_pseudonyms_join_one_spelling_and_keep_empty_ids():
    ids = pseudonymise(pd.Series(["A-1", "Ａ－１ ", None, "a-1"], dtype="str"), KEY)
    assert ids[0] == ids[1] != ids[3]
    assert pd.isna(ids[2])
    assert pseudonymise(pd.Series(["A-1"]), b"another key, long enough")[0] != ids[0]


def test_file_names_are_masked_and_stay_apart():
    paths = ["raw/calls_090-1234-5678_1.json", "raw/calls_080-1234-5678_1.json", "raw/田中様_請求.eml", "raw/2026-08.csv"]
    stored = mask_file_names(paths, key=KEY, names=no_names, name_like=lambda texts: ["田中" in t for t in texts])
    one, other, mail, plain = (stored[path] for path in paths)
    assert re.fullmatch(r"raw/calls_\[電話番号1\]_1\.json~[0-9a-f]{8}", one) and one[:-8] == other[:-8] and one != other
    assert mail.startswith("raw/[氏名1]様_請求.eml~") and plain == "raw/2026-08.csv"
    assert mask_file_names([one], key=KEY, names=no_names) == {one: one}


ROLES = ["女将", "店員", "業者", "ヤマト"]


@pytest.mark.parametrize("word", ROLES)
def test_a_role_before_an_honorific_stays_where_the_dictionary_knows_it(word):
    def name_like(texts):
        return [not text.startswith(tuple(ROLES)) for text in texts]

    assert masked(f"{word}さんと森さんがいた", name_like=name_like) == f"{word}さんと[氏名1]さんがいた"


def test_only_what_the_dictionary_leaves_open_counts_as_asked():
    seen = {"佐藤です。": Sight.CLEAR, "松岡が来た。": Sight.OPEN, "画面が遅い。": Sight.NOTHING}
    result = mask_texts(list(seen), names=no_names, name_like=lambda texts: [seen[text] for text in texts])
    assert result.attrs["n_texts_for_names"] == 1 and result.attrs["name_share"] == pytest.approx(1 / 3)


TOKENS = {
    "女将": [("女将", "普通名詞-一般", "", False)], "配送業者": [("配送", "普通名詞-一般", "", False), ("業者", "普通名詞-一般", "", False)],
    "仲居": [("仲居", "固有名詞-人名-姓", "姓", True)], "森": [("森", "普通名詞-一般", "", True)],
    "木本": [("木", "普通名詞-一般", "", False), ("本", "普通名詞-一般", "", False)],
}  # fmt: skip


@pytest.mark.parametrize(("word", "expected"), [("女将", True), ("配送業者", True), ("仲居", True), ("森", False), ("木本", False)])
def test_which_words_before_an_honorific_are_roles(word, expected):
    tokens, end = [], 0
    for surface, pos, kind, is_surname in TOKENS[word]:
        tokens.append(NameToken(surface, kind, f"名詞-{pos}", False, is_surname, False, not kind, end, end + len(surface)))
        end += len(surface)
    assert is_role(tokens, end) is expected


@pytest.mark.slow
@pytest.mark.parametrize(("text", "sight"), [
    ("画面が開きません。", Sight.NOTHING), ("運転手さんに聞きました。", Sight.NOTHING), ("一泊でお願いします。", Sight.NOTHING),
    ("コンサート・ショーが見たい。", Sight.NOTHING), ("佐藤と申します。", Sight.CLEAR), ("高橋健一が来ます。", Sight.CLEAR),
    ("小田原は何と言いましたか。", Sight.OPEN), ("ジセラを呼んでください。", Sight.OPEN),
])  # fmt: skip
def test_what_the_dictionary_decides_alone(text, sight):
    from voc.japanese import name_like

    assert name_like([text]) == [sight]


@pytest.mark.slow
def test_own_sentences_reach_the_bar():
    from voc.japanese import name_like, person_names

    found, gold = [], []
    for line in (Path(__file__).parent / "privacy_sentences.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        parts = re.split("[⟦⟧]", line.split("\t")[1])
        gold.append({i for n, part in enumerate(parts) if n % 2 for i in range(len("".join(parts[:n])), len("".join(parts[:n])) + len(part))})
        found.append("".join(parts))
    spans = mask_texts(found, names=person_names, name_like=name_like)["spans"]
    masked_at = [{i for s in row if s["kind"] == "PERSON" for i in range(s["start"], s["end"])} for row in spans]
    n_rows = sum(bool(places) for places in gold)
    whole = sum(bool(places) and places <= own for places, own in zip(gold, masked_at, strict=True))
    n_clean = sum(not places for places in gold)
    false = sum(bool(own) for places, own in zip(gold, masked_at, strict=True) if not places)
    assert n_rows >= 200 and n_clean >= 100
    assert whole / n_rows >= 0.95
    assert false / n_clean <= 0.03


@pytest.mark.slow
def test_real_names_are_masked():
    from voc.japanese import name_like, person_names

    texts = ["サポートセンターの佐々木でございます。", "昨日、高橋健一さんに電話で聞きました。", "請求書の画面が開きません。"]
    result = mask_texts(texts, names=person_names, name_like=name_like)
    assert "佐々木" not in result["masked"][0] and "高橋" not in result["masked"][1]
    assert result["masked"][2] == texts[2]


KINDS = {
    "森": {"姓", "普通名詞"}, "島": {"姓", "普通名詞"}, "橋": {"姓", "普通名詞"}, "桜": {"姓", "普通名詞"}, "魚": {"姓", "普通名詞"},
    "松本": {"姓", "地名"}, "福島": {"姓", "地名"}, "佐藤": {"姓"}, "内海": {"姓", "普通名詞"}, "西": {"姓", "普通名詞"}, "赤星": {"姓"},
    "今": {"姓", "普通名詞"}, "みなみ": {"名", "普通名詞"}, "フミ": {"名"}, "伊勢": {"姓", "地名"}, "ねこ": {"普通名詞"},
}  # fmt: skip
READINGS = {"内海": {"ウツミ"}, "橋": {"ハシ"}, "森": {"モリ"}}
LEXICON = Lexicon(lambda word: frozenset(KINDS.get(word, ())), lambda word: frozenset(READINGS.get(word, ())))


@pytest.mark.parametrize("marked", [
    "すんません ⟦島⟧やけど まだですか", "あたし⟦松本⟧だけどさ", "⟦佐藤⟧なんだげど 灯油が来ない", "担当いたします⟦森⟧です", "どうも⟦佐藤⟧っす",
    "この人 ⟦福島⟧ってやつです", "⟦橋⟧って言います", "⟦森⟧という者です", "会員番号12、⟦森⟧です。", "釣り船を頼んどいた⟦橋⟧なんですが",
    "⟦橋⟧の母です", "⟦松本⟧の奥さんから聞いた", "⟦森⟧の代理でかけてます", "⟦松本⟧コーチの枠", "弊社⟦森⟧が伺います", "⟦松本⟧宛の荷物",
    "⟦森⟧から電話があったと伝えて", "どの⟦佐藤⟧でしょうか", "承認者が⟦福島⟧のままです", "権限を⟦西⟧から⟦赤星⟧に移管", "氏名が「⟦橋⟧」です",
    "保護者氏名 ⟦佐藤 みなみ⟧ 園児", "娘の⟦森 ひより⟧が熱を出した", "おばあちゃん⟦森フミ⟧いうんやけど", "⟦岸 友里⟧(⟦きし ゆり⟧)です",
    "⟦橋⟧(⟦はし⟧)と書きます", "⟦内海⟧と書いて「⟦うつみ⟧」と読みます", "橋の字一文字で⟦はし⟧と読みます", "苗字は⟦岩⟧です", "3歳の⟦こはる⟧ちゃん用に",
    "ちょっと ⟦こぐれ⟧って人に聞いた", "⟦今⟧さんという方", "花の字で⟦桜⟧といいます", "予約は⟦松本⟧で取ってます",
])  # fmt: skip
def test_phrases_that_only_a_name_stands_in(marked):
    text = re.sub("[⟦⟧]", "", marked)
    found = sorted(set(slot_names(text, lexicon=LEXICON)))
    whole = [(a, b) for a, b in found if not any((c, d) != (a, b) and c <= a and b <= d for c, d in found)]
    assert [text[start:end] for start, end in whole] == re.findall("⟦(.*?)⟧", marked)


@pytest.mark.parametrize("text", [
    "今ですね", "今なんですけど", "西から東へ移動", "橋を渡った先です", "森の母屋です", "島のばあちゃんが言うには", "桜ですね", "魚ですが傷んでいた",
    "この木は桜といいます", "福島の母から聞いた", "どの橋でしょうか", "お伊勢さんの切符", "森の名前を調べた", "かずら橋のおじさんが優しい",
    "氏名が逆です", "苗字が変です", "赤ちゃんとおばあちゃんの席", "ねこちゃんの写真", "わからないって人が多い", "橋(はし)駅", "「はし」と表示される",
    "お届け先は島です", "松本の天気です", "届きました 桜ですが枯れました", "森氏遺跡の駐車場",
])  # fmt: skip
def test_words_and_places_outside_such_a_phrase_stay(text):
    assert slot_names(text, lexicon=LEXICON) == []


@pytest.mark.parametrize("piece", [
    "森", "森 ", "森 あ", "あ", "ア", "氏名", "森と書いて", "森(", "予約は", "会員番号", "お名前 森", "母の森ア", "森から", "担当の", "0", "、", "森で森で",
])  # fmt: skip
def test_a_long_hostile_text_hides_no_name(piece):
    text = (piece * 50_000)[:50_000] + "\n佐藤と申します"
    assert (50_001, 50_003) in slot_names(text, lexicon=LEXICON)
