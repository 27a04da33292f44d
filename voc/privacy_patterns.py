"""Personal data that has a form: numbers, addresses, mail addresses, links.

Patterns run on a copy of the text in which widths are even, character for character, so offsets hold.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_EVEN = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "‐‑‒–—―−－"), "-")
    | {0x3000: " ", 0xA0: " "}
)
_KANJI_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_KANJI_RUN = re.compile("[〇零一二三四五六七八九]{3}")
_FORMED = re.compile(r"[0-9@]|アットマーク|丁目|番地|://|[上下][ルる]|[東西]入")
MASK = re.compile(r"\[[^\[\]\s]{1,20}[0-9]{1,4}\]")
"""A mask that stands in the text already."""


class Span(NamedTuple):
    """Characters start…end of a text and what they are; `label` is the word that replaces them."""

    start: int
    end: int
    kind: str
    label: str


LABELS = {
    "PERSON": "氏名", "PHONE": "電話番号", "EMAIL": "メール", "ADDRESS": "住所", "POSTAL_CODE": "郵便番号",
    "CARD": "カード番号", "MY_NUMBER": "マイナンバー", "ACCOUNT": "口座番号", "BIRTH_DATE": "生年月日", "URL": "URL",
    "ID": "番号",
}  # fmt: skip

_DASH = "[-ー]"
_START, _STOP = r"(?<![0-9.])(?<![0-9]-)", r"(?!-?[0-9])"
_SIX_DIGITS = re.compile("[0-9](?:[^0-9]*[0-9]){5}")
_AREA = re.compile("[都道府県市区町村郡]")
_URL = re.compile(
    r"https?://(?:[^\s/@「」（）()、。]{1,100}@)?[^\s/?#「」（）()、。\[\]]{1,200}"
    r"[^\s?#「」（）()、。\[\]]{0,1000}[?#][^\s「」（）()、。\[\]]{1,2000}"
    r"|https?://[^\s/@「」]{1,100}@[^\s「」（）、。]{1,1000}"
)
_EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}\s?(?:@|アットマーク)\s?[A-Za-z0-9-]{1,63}"
    r"(?:\s?(?:\.|ドット)\s?(?:[A-Za-z0-9-]{1,63}|コム|ネット|ジェーピー)){1,5}", re.ASCII)  # fmt: skip
_SEPARATOR = r"(?:-|ー|\.| ?の ?| )"
_PHONE = re.compile(
    rf"{_START}(?:(?:\+81|0081)[- ]?(?:\(0\)|0)?|0)[0-9]{{1,4}}{_SEPARATOR}[0-9]{{1,4}}{_SEPARATOR}[0-9]{{3,4}}{_STOP}"
    rf"|{_START}(?:\+81 ?0?)[0-9]{{9,10}}{_STOP}|{_START}0[0-9]{{9,10}}{_STOP}"
    rf"|{_START}0[0-9]{{1,4}}-?[0-9]{{5,8}}{_STOP}"
    rf"|{_START}\(0[0-9]{{1,4}}\) ?[0-9]{{1,4}}-?[0-9]{{4}}{_STOP}|{_START}0[0-9]{{1,4}}\([0-9]{{1,4}}\) ?-?[0-9]{{4}}{_STOP}"
)
_LOCAL_PHONE = re.compile(rf"(?:電話|TEL|携帯|連絡先)(?:番号)?[^0-9\n。]{{0,6}}([0-9]{{3,4}}{_DASH}[0-9]{{4}}){_STOP}", re.IGNORECASE)
_POSTAL = re.compile(
    rf"{_START}(?:〒 ?)?[0-9]{{3}}{_DASH}[0-9]{{4}}(?![-ー]?[0-9])(?!\s?(?:円|人|名|個|件|本|回|km|kg|mm|%))"
    rf"|〒 ?[0-9]{{7}}(?![0-9])|郵便番号[^0-9\n]{{0,5}}([0-9]{{7}})(?![0-9])"
)
_CARD = re.compile(rf"{_START}[0-9](?:[ ー-]?[0-9]){{12,18}}{_STOP}")
_NAMED_CARD = re.compile(r"カード番号[^0-9\n。]{0,6}([0-9]{4}(?:[ ー-]?[0-9]{4}){2}[ ー-]?[0-9]{2,4})(?![0-9])")
_MY_NUMBER = re.compile(rf"{_START}[0-9]{{4}}[ ー-]?[0-9]{{4}}[ ー-]?[0-9]{{4}}{_STOP}")
_NAMED_MY_NUMBER = re.compile(r"(?:マイナンバー|個人番号)[^0-9\n。]{0,6}([0-9]{4}[ ー-]?[0-9]{4}[ ー-]?[0-9]{4})(?![0-9])")
_ACCOUNT = re.compile(r"(?:口座番号|口座|普通(?:預金)?|当座(?:預金)?|貯蓄(?:預金)?)[^0-9\n。]{0,8}([0-9]{6,8})(?![0-9])")
_POST_OFFICE = re.compile(r"記号[^0-9\n。]{0,4}([0-9]{5}(?:-[0-9])?[^0-9\n。]{1,8}[0-9]{6,8})(?![0-9])")
_DAY = (
    r"(?:(?:(?:19|20)[0-9]{2}|(?:大正|昭和|平成|令和|[TSHR]) ?(?:[0-9]{1,2}|元)) ?[年/.-] ?[0-9]{1,2} ?[月/.-] ?[0-9]{1,2}日?"
    r"|(?:19|20)[0-9]{6}(?![0-9])|[0-9]{1,2}月[0-9]{1,2}日)"
)
_BIRTH = re.compile(rf"(?:生年月日|誕生日|生まれは)[^0-9\nTSHR大昭平令]{{0,8}}({_DAY})|({_DAY}) ?(?:に|の)?(?:生まれ|産まれ)")
# a number that the text itself calls an order, reservation or serial number is no telephone or card
_ORDER = re.compile(
    r"(?:注文|予約|受付|受注|問い?合わ?せ|伝票|追跡|管理|契約|会員|顧客|お客様|申し?込み?|請求書?|製造|シリアル|商品|案件|チケット|整理)"
    r"(?:番号|No\.?|ID|コード)[^0-9。\n]{0,6}$|(?:型番|品番)[^0-9。\n]{0,6}$", re.IGNORECASE)  # fmt: skip

_PREFECTURE = (
    "(?:北海道|東京都|大阪府|京都府|神奈川県|和歌山県|鹿児島県|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|新潟|富山|"
    "石川|福井|山梨|長野|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|沖縄)県)"
)
_KANJI = "一-龥々ヶヵ〆"
_CITY = (
    rf"(?:[{_KANJI}ァ-ヴー]{{1,7}}?|さいたま|つくば(?:みらい)?|ひたちなか|いわき|うるま|さくら|みどり|あきる野|ふじみ野|いすみ|たつの|"
    "むつ|つがる|にかほ|かほく|あわら|いなべ|さぬき|みやま|うきは)(?:市|区|郡|町|村)"
)
_PLACE = rf"(?:[{_KANJI}ァ-ヴノーa-zA-Z]|[あ-うくけこさ-そたちっつな-にぬねひふほみむめゆよらりるれろわ](?<!に)|が(?=丘)|(?<=[{_KANJI}])の(?=[{_KANJI}]))"
_COUNT = "(?:[0-9]{1,5}|[一二三四五六七八九十]{1,3})"
_UNIT = "(?:丁目|番地の?|番町|番|号|条|線|[-ー])"
_BLOCK = rf"{_COUNT}{_UNIT}(?:[東西南北]?{_COUNT}{_UNIT}?){{0,4}}(?:先(?![月週日生ほ]))?"
_BARE = r"[0-9]{1,4}(?![0-9])(?!\s?(?:円|人|名|個|件|本|回|枚|台|つ|店|社|年|月|日|時|分|秒|週|度|歳|階|位|倍|割|点|万|千|億|世帯|校|か所|ヶ所|箇所|k|m|%|\.))"
_HOUSE = (
    "(?:ビル(?:ヂング|ディング)?|マンション|ハイツ|コーポ|ハイム|荘|ハウス|レジデンス|タワー|メゾン|アパート|パレス|ヒルズ|プラザ|会館|センター|"
    "スクエア|コート|テラス|キャッスル|ガーデン|ステージ|棟|館|(?i:bldg|building|tower|house|heights|court|residence)\\.?)"
)
_ROOM = r"(?:\s?(?:B|地下)?[0-9]{1,4}(?:号室|号|階|F\b|F(?=[^A-Za-z]))|[\s-][0-9]{3,4}(?![0-9円人年月-])|\s?[0-9]{3,4}号?室)"
_BUILDING = rf"(?:\s?(?:[{_KANJI}ァ-ヴーA-Za-z0-9ぁ-ん・&'.]{{1,20}}\s?){{0,2}}?{_HOUSE}(?:[A-Z一二三]|[0-9]{{1,2}}(?![0-9F階]))?)"
_NAMED_ROOM = rf"(?:\s[{_KANJI}ァ-ヴーA-Za-z・&'.]{{1,20}}\s?[0-9]{{1,4}}(?:号室|号|階|F))"
_ADDRESS = re.compile(
    # Kyoto's addresses may do without a number after the streets
    rf"(?:{_PREFECTURE} ?{_CITY}|{_CITY}{_CITY}) ?{_PLACE}{{1,20}}?(?:上[ルる]|下[ルる]|[東西]入[ルる]?)(?:[東西南北]側)?"
    rf"(?:{_PLACE}{{0,10}}?(?:{_BLOCK}|{_BARE})(?:{_BUILDING})?{_ROOM}?)?"
    rf"|(?:{_PREFECTURE} ?(?:{_CITY})?|{_CITY}) ?(?:{_PLACE}{{0,20}}?) ?{_BLOCK}(?:{_BUILDING}|{_NAMED_ROOM})?{_ROOM}?"
    rf"|(?:{_PREFECTURE} ?{_CITY}|{_CITY}{_CITY}) ?{_PLACE}{{0,20}}? ?{_BARE}(?:{_BUILDING})?{_ROOM}?"
)
_NAMED_ADDRESS = re.compile(
    r"(?:住所|所在地|お届け先|送付先)(?:は|が|:|、| ){1,3}([^。\n「」]{0,40}?(?:[都道府県市区町村郡字丁番][^。\n「」]{0,40}?[0-9]|[0-9]-[0-9])"
    r"[^。\n]{0,40}?)(?=です|でございます|でござい|になります|となります|になって|となって|で、|、(?=[^、。\n]{0,14}(?:は|が|:))|。|\n|$)"
)


def formed_spans(text: str, *, id_patterns: Mapping[str, re.Pattern]) -> list[Span]:
    """Every span of personal data with a form; spans may overlap (see `resolve`)."""
    spans = [
        Span(match.start(), match.end(), "ID", name)
        for name, pattern in id_patterns.items() for match in pattern.finditer(text) if match.end() > match.start()
    ]  # fmt: skip
    plain = text.translate(_EVEN)
    if _FORMED.search(plain):
        # the shortest number here has six digits; each pattern is tried only where its own sign stands
        spans += _number_spans(plain) if _SIX_DIGITS.search(plain) else []
        for may_be, kind, pattern in (
            ("://" in plain, "URL", _URL), ("@" in plain or "アットマーク" in plain, "EMAIL", _EMAIL),
            (_AREA.search(plain), "ADDRESS", _ADDRESS), ("住所" in plain or "先" in plain or "所在地" in plain, "ADDRESS", _NAMED_ADDRESS),
            ("生" in plain, "BIRTH_DATE", _BIRTH),
        ):  # fmt: skip
            spans += [_span(match, kind) for match in pattern.finditer(plain)] if may_be else []
    if _KANJI_RUN.search(plain):
        spans += _number_spans(plain.translate(_KANJI_DIGITS))
    return spans


def _number_spans(plain: str) -> list[Span]:
    checked: list[tuple[str, re.Pattern, Callable[[str], bool] | None]] = [
        ("CARD", _CARD, is_card), ("MY_NUMBER", _MY_NUMBER, is_my_number), ("PHONE", _PHONE, is_phone),
        ("POSTAL_CODE", _POSTAL, None),
    ]  # fmt: skip
    spans = [
        _span(match, kind)
        for kind, pattern, is_valid in checked
        for match in pattern.finditer(plain)
        if (is_valid is None or is_valid(match[0])) and not _ORDER.search(plain[max(0, match.start() - 20):match.start()])
    ]
    named = (("CARD", _NAMED_CARD), ("MY_NUMBER", _NAMED_MY_NUMBER), ("ACCOUNT", _ACCOUNT), ("ACCOUNT", _POST_OFFICE),
             ("PHONE", _LOCAL_PHONE))  # fmt: skip
    return spans + [_span(match, kind) for kind, pattern in named for match in pattern.finditer(plain)]


def _span(match: re.Match, kind: str) -> Span:
    """The first group that took part, else the whole match, without blanks at its ends."""
    start, end = match.span(match.lastindex or 0)
    found = match.string[start:end]
    start += len(found) - len(found.lstrip())
    return Span(start, start + len(found.strip()), kind, LABELS[kind])


def is_phone(written: str) -> bool:
    """Whether the digits are a Japanese telephone number: 10, or 11 of a mobile, IP or toll-free one."""
    digits = re.sub(r"\D", "", re.sub(r"^(?:\+81|0081)[- ]?(?:\(0\)|0)?", "0", written))
    if len(digits) == 11:
        return digits[:3] in ("020", "050", "060", "070", "080", "090") or digits.startswith("0800")
    return len(digits) == 10 and digits[0] == "0" and digits[1] != "0"


def is_card(written: str) -> bool:
    """Luhn check of 13 to 19 digits."""
    digits = [int(digit) for digit in re.sub(r"\D", "", written)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_my_number(written: str) -> bool:
    """Check digit of the Individual Number (12 digits; 総務省令第八十五号 第五条)."""
    digits = [int(digit) for digit in re.sub(r"\D", "", written)]
    weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]
    rest = sum(digit * weight for digit, weight in zip(digits[:11], weights, strict=True)) % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest) and len(set(digits)) > 1


def resolve(text: str, spans: list[Span]) -> list[Span]:
    """Spans that do not overlap: those that do become one, of the kind of the longest. Masks are left alone."""
    masks = [match.span() for match in MASK.finditer(text)]
    rank = {kind: place for place, kind in enumerate(["ID", *LABELS])}
    resolved: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, rank[span.kind])):
        if any(span.start < end and start < span.end for start, end in masks):
            continue
        if resolved and span.start < resolved[-1].end:
            last = resolved[-1]
            word = span if span.end - span.start > longest else last
            longest = max(longest, span.end - span.start)
            resolved[-1] = Span(last.start, max(last.end, span.end), word.kind, word.label)
        else:
            resolved.append(span)
            longest = span.end - span.start
    return resolved
