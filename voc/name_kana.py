"""Persons' names in kana, and the readings of names: こはるちゃん, 橋本(はしもと), 「内海と書いてうつみと読みます」.

Hiragana has no word boundaries, so a name in it counts only in a phrase that names somebody, or where the dictionary
gives a kanji of the same text that reading as a name.
"""

import re

from voc.name_words import NO_SURNAME, ROLES, Lexicon

_K = "一-龥々ヶ﨑"
_WORD = f"{_K}ァ-ヴー"
_BLANK = "[ 　]"
_KANA_CALLED = re.compile(
    r"(?:^|[、。「『\s])(?P<name>[ぁ-ん]{2,5}?|[ァ-ヴー]{2,6})(?:って(?:人|ひと|方|やつ|者|もん|言います|いいます)|っていう(?:人|方|者|もん)|という(?:者|方|人)(?![事間気数法式向針面]))"
)
_VERBAL = re.compile("[いうくすつるただんなねよてに]$")
_KANA_SPELLED = re.compile(
    r"(?:^|[、。「『（(\s]|[で書]て?|じゃなくて|ではなく|読みは|読み方は|と)(?P<name>[ぁ-ん]{2,6}?|[ァ-ヴー]{2,6}?)[」』）)]?(?=と(?:読|よ(?:み|む|ん))|って(?:読|よ(?:み|む|ん))|です|と申|といい|様|さん|でお願い|の読み|じゃな|ではな|$)"
)
_BRACKETED = re.compile(
    rf"(?<![{_WORD}])(?P<name>[{_K}]{{1,4}}(?:{_BLANK}[{_K}]{{1,3}})?)[（(](?P<kana>[ァ-ヴーぁ-ん]{{2,8}}(?:{_BLANK}[ァ-ヴーぁ-ん]{{1,8}})?)[)）]"
)
_PLACE_AFTER = re.compile("(?:駅|市|区|町|村|県|府|店|支店|方面|行|の(?:店|駅))")
# 3 歳のこはるちゃん: hiragana before the honorific of a child, but 赤ちゃん, おばあちゃん and animals are words
_CHILD = re.compile(r"(?:^|[、。「『\s]|の|と|は|が|も|[歳才児]の?)(?P<name>[ぁ-ん]{2,5}?)(?=(?:ちゃん(?!と)|くん|ちゃま)(?:が|は|の|に|を|と|も|用|で|って|から|宛|、|。|です|\s|$))")
_NO_CHILD = re.compile("(?:お|じい|ばあ|ぼっ|ぼう|にい|ねえ|にゃん|わん|ぴょん|あか|ぞう|うさぎ|くま|いぬ|ねこ|ひよこ|とり|さる|かば|ぱんだ)")
_SPELLING = re.compile("字|へん|偏|かんむり|読|よみ|よむ|書")


def kana_names(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Spans of names in kana that a phrase introduces, and of readings with the names that they are of."""
    spans = []
    for match in _KANA_CALLED.finditer(text) if "って" in text or "という" in text else ():
        kinds = lexicon.kinds(match["name"])
        is_unknown = not kinds and not _VERBAL.search(match["name"])
        if kinds & {"姓", "名"} or is_unknown:
            spans.append(match.span("name"))
    for match in _CHILD.finditer(text) if "ちゃ" in text or "くん" in text else ():
        if not _NO_CHILD.match(match["name"]) and lexicon.kinds(match["name"]) != {"普通名詞"}:
            spans.append(match.span("name"))
    if _SPELLING.search(text):
        spelled = list(_KANA_SPELLED.finditer(text))
        readings = _readings_in(text, lexicon) if spelled else frozenset()
        spans += [match.span("name") for match in spelled if _in_katakana(match["name"]) in readings]
    if "(" in text or "（" in text:
        spans += [span for match in _BRACKETED.finditer(text) for span in _with_reading(text, match, lexicon)]
    return spans


def _with_reading(text: str, match: re.Match, lexicon: Lexicon) -> list[tuple[int, int]]:
    """橋本(はしもと), 岸 友里(きし ゆり): a name whose reading the dictionary or the same blank confirms."""
    name, kana = match["name"], match["kana"]
    family, blank, _ = name.partition(" ") if " " in name else name.partition("　")
    is_pair = bool(blank) and re.search(_BLANK, kana) is not None
    is_barred = family in NO_SURNAME or family in ROLES or _PLACE_AFTER.match(text, match.end()) is not None
    is_read = not blank and _in_katakana(kana) in map(_in_katakana, lexicon.readings(name))
    if is_barred or not (is_pair or is_read):
        return []
    return [match.span("name"), match.span("kana")]


def _readings_in(text: str, lexicon: Lexicon) -> frozenset[str]:
    """Readings, as names, of every run of one to three kanji in the first 200 characters."""
    runs = re.findall(f"[{_K}]+", text[:200])
    words = {run[i : i + n] for run in runs for i in range(len(run)) for n in (1, 2, 3) if i + n <= len(run)}
    return frozenset(_in_katakana(reading) for word in words for reading in lexicon.readings(word))


def _in_katakana(kana: str) -> str:
    """Katakana with ヅ and ヂ as ズ and ジ, as the dictionary's readings have them (コウズキ)."""
    katakana = "".join(chr(ord(sign) + 0x60) if "ぁ" <= sign <= "ん" else sign for sign in kana)
    return katakana.replace("ヅ", "ズ").replace("ヂ", "ジ")
