"""Persons' names from dictionary words: which runs of Sudachi tokens are a name, and which only look like one.

The dictionary knows surnames, given names and foreign names, so it finds what a recogniser trained on news does not;
the recogniser finds names that no dictionary has. Each alone misses a third of the names of an encyclopaedia.
"""

import re
from collections.abc import Sequence

from voc.name_words import HONORIFIC, NO_SURNAME, ROLES, SAYS, TITLE, NameToken, is_role

_PARTICLES = frozenset("はがもと、")
Spans = Sequence[tuple[int, int]]
_KATAKANA = re.compile(r"[ァ-ヴー]+")
_HIRAGANA = re.compile("[ぁ-ん]+")
_KANJI = re.compile("[一-龥々ヶ]+")
_JOINT = frozenset("・･·＝=")
# brands that are surnames, and surnames that people mostly write as something else
BRANDS = frozenset("本田 鈴木 豊田 松下 川崎 三菱 日野 三井 住友 鹿島 高島 伊勢 大丸 森永 明治 山葉".split())
_TITLED = re.compile(TITLE)
_HONORED = re.compile(HONORIFIC)
_AFTER = re.compile(
    rf"[ 　]?{TITLE}|宛(?:に|て|の)|{SAYS}|と(?:言い|いい)ます|という(?:者|方|担当|人)|(?:です|でございます)(?:[。、！!けがねよ\s]|$)"
    r"|が(?:承|うけたまわ|対応いたし|担当いたし|担当し|お?伺|お電話|ご案内|おっしゃ|言っ)|は(?:席を|ただいま|不在)"
    r"|(?:から|より)(?:折り?返|改めて|ご?連絡|ご?案内|ご?説明|言われ|聞い|伺)"
    r"|に[、]?(?:代わ|替わ|かわり|お?伝え|お?つな|お?繋|言わ|相談|お?取り?次)|を(?:お願い|出して|お?呼)"
)
_BEFORE = re.compile(r"(?:担当の|担当は|担当が|担当者の|担当者は|係の|宛名は|名義は|氏名は|名前は|名前が|私、|わたくし|の者で)[ 　]?$")
# what follows a place, a company or a thing that bears the name of a person
# what a maker sells and a person does not: 山崎のパン
_GOODS = (
    "[ァ-ヴー]{0,8}(?:パン|オイル|ビスケット|クッキー|チョコ|チョコレート|シャンプー|ソース|カレー|ラーメン|ジュース|ビール|クリーム|ソープ|タオル|ケーキ|アイス|ヨーグルト|チーズ|ハム|"
    "ソーセージ|ドレッシング|コーヒー|ティー|ワイン|ウイスキー|キャンディ|ガム|プリン|ゼリー|スープ|シューズ|ピアノ|ギター|ミシン|タイヤ|レンズ|カメラ|ミルク|ペン|ノート|テープ|モーター|ポンプ)"
    "|お?(?:菓子|煎餅|せんべい|羊羹|饅頭|最中|お茶|緑茶|紅茶|酒|焼酎|牛乳|醤油|味噌|漬物|豆腐|納豆|弁当|惣菜|海苔|素麺|うどん|そば(?!で|に)|缶詰|冷凍食品|粉ミルク|洗剤|石鹸|化粧品|口紅|胃腸薬|目薬|"
    "湿布|家具|布団|文具|自転車|釣具|工具|包丁|食器|炊飯器|掃除機|扇風機|給湯器|楽器|人形|玩具|おもちゃ)"
)
_THING = re.compile(
    rf"(?:駅|市|区|町|村|県|府|都|道路|通り|郡|空港|飛行場|港|城|川|山|島|橋|谷|沢|坂|台|丘|温泉|公園|神社|美術館|博物館|旅館|屋(?![がはのにを])|庵|亭|荘|苑|園|像|邸|ホテル|リゾート|ストア|商店街|珈琲|家電|百貨店|書店|ニュータウン|団地|高原|海岸|大学|高校|中学|小学校|病院|銀行|支店|本店|営業所|店|製作所|製|工業|"
    rf"電機|電力|電器|自動車|商事|商店|酒造|薬局|運輸|証券|生命|建設|組|不動産|鉄道|電鉄|急行|交通|急便|観光|旅行|トラベル|物産|水産|食品|フーズ|製菓|製薬|製パン|薬品|乳業|醤油|農園|牧場|果樹園|茶園|医院|クリニック|歯科|眼科|皮膚科|整形外科|内科|新聞|出版|放送|楽器|眼鏡|時計店|ベーカリー|ハム|モータース|ガス|石油|化学|重工|工務店|学園|学院|幼稚園|保育園|球場|スタジアム|ドーム|アリーナ|マラソン|花火|まつり|灯台|ダム|湾|渓谷|大社|神宮|天満宮|八幡|明神|稲荷|大師|観音|不動尊|寺(?!さん|様)|氏(?:物語|遺跡|庭園|関連|博物)|信用金庫|信金|農協|[一-龥ァ-ヴー]{{0,6}}(?:株式|有限|合同|合資)会社|発電所|事務所|設計|乗降場|株式会社|ホールディングス|グループ|ブランド|カップ|賞|社|"
    rf"IC|インター|方面|行き|[一-龥]{{0,3}}線|地区|地方|工場|工房|モデル|時代|政権|派(?!遣)|流|式|杯|"
    rf"プロダクション|セメント|ゴルフ|タクシー|バス|の(?:車|バイク|軽|新車|製品|部品|アプリ|ソフト|サイト|店|販売店|ディーラー|エンジン|プリンタ|スマホ|冷蔵庫|洗濯機|テレビ|エアコン|株|本社|支社|工場|{_GOODS}|中|木|奥(?!さん|様|方)))"
)
# a house's name: ホテルルートイン札幌白石, 宿 都和, 香老舗 松栄堂, アリオ札幌店
_HOUSE_BEFORE = re.compile(r"(?:ホテル|HOTEL|旅館|宿|レストラン|カフェ|珈琲|食堂|湯元|老舗|旬菜|居酒屋|牛たん|ブラッスリー)[ァ-ヴー]{0,8}[ 　]?$")
_BRANCH_AFTER = re.compile(r"[ 　]?[一-龥々ァ-ヴー]{0,8}店(?![長員主])")
_PLACE_END = re.compile(r"(?:大学|高校|学校|教会|革命|時代|寺|神社|岳|山|川|村|町|社|店|駅|線|家|朝|教|号|湖|島|城)$")
_ORGANISATION = re.compile(
    "(?:カンパニー|コーポレーション|バンド|アイランド|スタジアム|エア|エアウェイズ|グリーン|パーク|ホテル|センター|スクール|カップ|クラブ|レコード|レコーズ|"
    "ブラザーズ|グループ|タワー|ビル|ストリート|シティ|リーグ|ゲームズ|フィルム|プロ|アーバー|ミュージック|ピクチャーズ|スタジオ|モール|タウン|ガーデン|"
    "テンプル|セブン|ワークス|システム|システムズ|サービス|クラウド|ドール|ギア|アームストロング)"
)
_LONG_THING = re.compile(rf"(?!.(?<=[市区町村県府都郡港城川山島橋谷沢坂台丘製組賞社線派流式杯店])){_THING.pattern}")
_FOREIGN_TITLE = re.compile(rf"{TITLE}|(?:皇太子|殿下|陛下|王子|王女|外相|蔵相|中尉|少佐|中佐|少将|中将|大将|元帥|卿|公(?=[がはのをに、])|家(?=[がはのをに、])|師(?=[がはのをに、])|自身|本人)")
LATIN_NAME = re.compile(r"[A-Z][a-zé]{2,}[ 　][A-Z][a-zé]{2,}")
_MAY_BE_FOREIGN = re.compile(rf"{LATIN_NAME.pattern}|[ァ-ヴー]{{2,}}[・･·＝=][ァ-ヴー]{{2,}}|[A-Z][.．・][ァ-ヴー]{{2,}}|[ァ-ヴー]{{3,}}(?:{_FOREIGN_TITLE.pattern})")


def may_hold_foreign_name(text: str) -> bool:
    """Whether the form of a foreign name stands in `text`: Katakana・Katakana, or a title behind Katakana."""
    return _MAY_BE_FOREIGN.search(text) is not None


def foreign_forms(text: str, tokens: Sequence[NameToken]) -> list[tuple[int, int]]:
    """Spans with the form of a foreign name, without those that hold only ordinary words (コンサート・ショー)."""
    spans = [match.span() for match in _MAY_BE_FOREIGN.finditer(text)]
    return [(start, end) for start, end in spans if _may_be_foreign(text[start:end], [t for t in tokens if t.start < end and start < t.end])]


def _may_be_foreign(form: str, inside: Sequence[NameToken]) -> bool:
    words = [token for token in inside if _KATAKANA.fullmatch(token.surface)]
    if any(_ORGANISATION.fullmatch(word.surface) for word in words):
        return False
    return LATIN_NAME.fullmatch(form) is not None or not all(word.is_word and not (word.may_be_given or word.may_be_surname) for word in words)


def stands_for_thing(text: str, end: int) -> bool:
    """Whether what follows at `end` makes the word before it a place, a company or a thing (白石駅)."""
    return _THING.match(text, end) is not None


def name_runs(text: str, tokens: Sequence[NameToken], recognised: Spans) -> list[tuple[int, int]]:
    """Spans of persons' names in `text`: runs of name tokens, and `recognised` spans where the tokens allow them."""
    spans = [(start, end) for start, end, kinds in _runs(text, tokens, recognised)
             if _is_person(text, start, end, kinds, recognised, is_word=any(t.is_word for t in tokens if t.start == start))]
    for start, end in recognised:
        if not overlaps(start, end, spans) and _may_be(text, start, end, tokens):
            spans.append((start, end))
    return sorted(set(spans))


def _runs(text: str, tokens: Sequence[NameToken], recognised: Spans) -> list[tuple[int, int, tuple[str, ...]]]:
    """(start, end, kinds) of neighbouring name tokens: 姓 and 名, or foreign parts joined by ・."""
    runs, i = [], 0
    while i < len(tokens):
        last = _foreign_end(tokens, i)
        parts = tokens[i : last + 1]
        if last == i and _is_titled_foreigner(text, tokens[i], recognised):
            runs.append((tokens[i].start, tokens[i].end, ("外国", "外国")))
        elif last > i and _is_foreign_name(parts, is_recognised=overlaps(parts[0].start, parts[-1].end, recognised)):
            runs.append((parts[0].start, _with_number(tokens, last), ("外国", "外国")))
            i = last
        elif last == i and (last := _native_end(tokens, i)) >= i:
            kinds = tuple(t.kind or "名" for t in tokens[i : last + 1])
            runs.append((tokens[i].start, _with_number(tokens, last), kinds))
            i = last
        else:
            i = max(i, last)
        i += 1
    return runs


def _is_titled_foreigner(text: str, token: NameToken, recognised: Spans) -> bool:
    is_word = _KATAKANA.fullmatch(token.surface) is not None and len(token.surface) >= 3
    is_company = "固有名詞-一般" in token.pos or token.surface in ROLES  # ソフトバンクさん
    may_be = token.is_unknown or bool(token.kind) or overlaps(token.start, token.end, recognised)
    return not is_company and is_word and may_be and _FOREIGN_TITLE.match(text, token.end) is not None


def _with_number(tokens: Sequence[NameToken], last: int) -> int:
    """End of the name at `last`, with the number of a ruler (ジョゼ1世)."""
    after = tokens[last + 1 : last + 3]
    if len(after) == 2 and after[1].surface == "世" and _KATAKANA.fullmatch(tokens[last].surface):
        return after[1].end
    return tokens[last].end


def _is_foreign_name(parts: Sequence[NameToken], *, is_recognised: bool) -> bool:
    words = [part for part in parts if part.surface not in _JOINT]
    if any(_ORGANISATION.fullmatch(word.surface) for word in words):
        return False
    long = [word for word in words if _KATAKANA.fullmatch(word.surface)]
    is_unknown = [word.is_unknown for word in long]
    return any(word.kind for word in long) or (len(long) >= 2 and (is_recognised or all(is_unknown)))


def _foreign_end(tokens: Sequence[NameToken], i: int) -> int:
    """Position of the last token of Katakana・Katakana (or initials) from `i`; `i` where nothing is joined."""
    last = i
    while last + 2 < len(tokens) and _is_foreign(tokens[last]) and _joins(tokens, last + 1) and _is_foreign(tokens[last + 2]):
        last += 2
        while last + 1 < len(tokens) and _KATAKANA.fullmatch(tokens[last].surface) and _KATAKANA.fullmatch(tokens[last + 1].surface):
            last += 1
    return last


def _joins(tokens: Sequence[NameToken], i: int) -> bool:
    return tokens[i].surface in _JOINT or (tokens[i].surface in ".．" and len(tokens[i - 1].surface) == 1)


def _is_foreign(token: NameToken) -> bool:
    return _KATAKANA.fullmatch(token.surface) is not None or re.fullmatch("[A-Z]", token.surface) is not None


def _native_end(tokens: Sequence[NameToken], i: int) -> int:
    """The token that ends the name beginning at `i` (姓 + 名, also with a blank), or i - 1 where no name begins."""
    first, after = tokens[i], i + 1
    follower = tokens[after] if after < len(tokens) else None
    if not first.kind:
        # a surname that is also a place or a word (藤ヶ谷陽介, 森健一): the given name behind it tells
        may_be = first.may_be_surname or "地名" in first.pos
        is_given = follower is not None and len(follower.surface) >= 2 and (
            follower.kind == "名" or (may_be and len(follower.surface) == 2 and follower.may_be_given))  # fmt: skip
        is_noun = first.pos.startswith("名詞") and len(first.surface) <= 3
        is_noun &= "地名" in first.pos or first.surface not in NO_SURNAME
        return after if is_given and is_noun and _KANJI.fullmatch(first.surface + follower.surface) else i - 1
    if first.kind == "名" or follower is None:
        return i
    if follower.surface in (" ", "　") and after + 1 < len(tokens) and tokens[after + 1].kind == "名":
        return after + 1
    last = i
    if first.kind == "一般" and _KATAKANA.fullmatch(first.surface) and follower.may_be_surname and len(follower.surface) >= 2:
        return after
    while after < len(tokens) and after <= i + 3 and tokens[after].kind:
        last, after = after, after + 1
    # the rest of a given name that no dictionary has comes as single characters or as an unknown word
    while after < len(tokens) and after <= i + 2 and _is_rest_of_name(tokens[after], is_short=len(first.surface) == 1 or last > i):
        last, after = after, after + 1
    return last


def _is_rest_of_name(token: NameToken, *, is_short: bool) -> bool:
    if token.may_be_given and len(token.surface) >= 2 and _HIRAGANA.fullmatch(token.surface):
        return True
    if _KATAKANA.fullmatch(token.surface):
        return 2 <= len(token.surface) <= 5 and not token.is_word and not token.kind and "普通名詞" in token.pos
    if not _KANJI.fullmatch(token.surface) or token.surface in _NO_NAME_END:
        return False
    if token.surface in "一二三" and is_short:
        return True
    if not token.pos.startswith(("名詞-普通名詞", "接尾辞-名詞的-一般")) or _TITLED.fullmatch(token.surface):
        return False
    return token.is_unknown or token.may_be_given or (is_short and len(token.surface) == 1)


_NO_NAME_END = frozenset("店 社 車 家 側 宅 邸 家 課 部 係 組 軍 派 流 式 号 党 席 分 版 本 品 案 件 用 発 着 行 名 夫 妻 母 父 娘 息子 兄 弟 姉 妹".split())


def overlaps(start: int, end: int, spans: Spans) -> bool:
    return any(first < end and start < last for first, last in spans)


def _is_person(text: str, start: int, end: int, kinds: tuple[str, ...], recognised: Spans, *, is_word: bool) -> bool:
    name = text[start:end]
    if is_part_of_word(text, start, end) or (len(kinds) == 1 and name in ROLES):
        return False
    is_recognised = overlaps(start, end, recognised)
    if text[max(0, start - 1) : start] == "お" and _HONORED.match(text, end):  # お伊勢さん
        return False
    if _AFTER.match(text, end) or _BEFORE.search(text, 0, start):
        return True
    if _is_house(text, start, end):
        return False
    if kinds != ("姓", "名") and (_LONG_THING if len(kinds) >= 2 else _THING).match(text, end):
        return False
    if kinds == ("姓", "名") and _LONG_THING.match(text, end) and text[end] != "の":
        return False
    if len(kinds) >= 2 or (kinds == ("一般",) and not _JOINT.isdisjoint(name)):
        return True
    if name in BRANDS or (kinds == ("姓",) and name.endswith(("寺", "神社", "大社"))):
        return False
    if name in NO_SURNAME:
        return False
    if kinds == ("姓",):
        return is_recognised if len(name) == 1 else _HIRAGANA.fullmatch(name) is None
    if _HIRAGANA.fullmatch(name):
        return False
    if _KATAKANA.fullmatch(name):
        # an ordinary word (ワカメ) needs the recogniser's own word for it, not for something longer
        return (start, end) in recognised if is_word else is_recognised or len(name) >= 3
    return len(name) >= 2 and (_KANJI.search(name) is not None or is_recognised)


def _is_house(text: str, start: int, end: int) -> bool:
    """Whether a shop, an inn or a restaurant is named so, nobody being addressed."""
    is_named = _HOUSE_BEFORE.search(text[max(0, start - 14) : start]) or _BRANCH_AFTER.match(text, end)
    return is_named is not None or text[start:end].endswith(("堂", "亭", "楼", "樓", "庵"))


def is_part_of_word(text: str, start: int, end: int) -> bool:
    """Whether katakana goes on beside a katakana name: ムーミンスタンド is no ムーミン."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (_KATAKANA.fullmatch(text[start:start + 1] + before) is not None and before != "") or (
        _KATAKANA.fullmatch(text[end - 1 : end] + after) is not None and after != "")  # fmt: skip


def _may_be(text: str, start: int, end: int, tokens: Sequence[NameToken]) -> bool:
    """Whether a name that only the recogniser sees is believed, although the dictionary has other words there."""
    if _HONORED.match(text, end) and (is_role(tokens, end) or text[max(0, start - 1) : start] == "お"):
        return False
    if _AFTER.match(text, end) or _BEFORE.search(text, 0, start):
        return True
    if _is_house(text, start, end):
        return False
    inside = [token for token in tokens if token.start < end and start < token.end]
    name = text[start:end]
    is_surname = len(inside) == 1 and inside[0].may_be_surname and len(name) >= 2
    if _THING.match(text, end) or name in BRANDS or not inside or (_PLACE_END.search(name) and not is_surname):
        return False
    if _HIRAGANA.fullmatch(name):
        return len(inside) == 1 and bool(inside[0].kind) and text[end : end + 1] in _PARTICLES
    if _HIRAGANA.fullmatch(name):
        return False
    if LATIN_NAME.fullmatch(name):
        return True
    if _KATAKANA.fullmatch(name):
        return len(name) >= 3 and all(token.is_unknown for token in inside) and not is_part_of_word(text, start, end)
    if is_surname:
        return name not in NO_SURNAME
    if any("地名" in token.pos for token in inside):
        return False
    return any(token.is_unknown for token in inside) or (
        len(name) >= 2 and all(len(token.surface) == 1 for token in inside)
    )
