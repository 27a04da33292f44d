"""GiNZA and Sudachi behind plain rows. The only module that imports them.

Sudachi (mode C) reads everything, since it is fast; GiNZA's parser and its names are asked only where
structure or a name is needed, since they are two orders of magnitude slower.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from voc.name_sight import Sight, sight
from voc.name_slots import slot_names
from voc.name_tokens import may_hold_foreign_name, name_runs
from voc.name_words import NO_SURNAME, Lexicon, NameToken, title_places

_SUDACHI_CHARACTERS = 12_000  # Sudachi refuses inputs over 49,149 bytes; a character takes at most 4
_UNKNOWN_NAME = re.compile("[ァ-ヴー]{3,}|[一-龥々]{1,3}")
_HONORIFIC = re.compile(r"(様|さま|さん|氏|くん|君|ちゃん)$")
_CONTENT = {"名詞", "動詞", "形容詞", "形状詞"}
_STOP_TERMS = frozenset(
    "為る 居る 有る 在る 成る 出来る 事 物 所 時 様 方 訳 筈 為 御 頂く 下さる 見る 来る 行く 言う 思う 於く 仕舞う 呉れる 貰う "
    "無い 良い 此れ 其れ 何 誰 何処 今 他 中 上 下 後 前 日 月 年 人 分 回 御願い 願う 御世話 致す 申す 居 御座る 欲しい "
    "こと おる 侭 頃 特 無し 成る程 さっき 方 物事 其の他 件 程 位 等 毎 一寸 其の 此の 今日 昨日 明日".split()
)


class Token(NamedTuple):
    """One Sudachi morpheme: `pos` like 名詞, `detail` like 固有名詞-人名-姓, `form` the conjugation form."""

    surface: str
    normal: str
    reading: str
    pos: str
    detail: str
    form: str
    start: int
    end: int


class Word(NamedTuple):
    """One GiNZA token: `head` is the position of its head in the same list (itself for the root)."""

    text: str
    lemma: str
    pos: str
    tag: str
    inflection: str
    dep: str
    head: int
    bunsetsu: int
    start: int
    end: int


@cache
def _sudachi():
    from sudachipy import SplitMode

    return _dictionary().create(mode=SplitMode.C)


@cache
def _dictionary():
    from sudachipy import Dictionary

    return Dictionary(dict="core")


@cache
def _ginza():
    # numpy's own matrix product is 1.2-1.4 times faster here than BLIS, with the same parse
    import spacy
    from thinc.api import NumpyOps, set_current_ops

    set_current_ops(NumpyOps(use_blis=False))
    return spacy.load("ja_ginza")


def tokenize(texts: Iterable[str]) -> list[list[Token]]:
    """Sudachi tokens of each text, with offsets into it. Texts of any length are taken."""
    return [_tokens(text) for text in texts]


def _tokens(text: str) -> list[Token]:
    sudachi, rows = _sudachi(), []
    for offset in range(0, len(text), _SUDACHI_CHARACTERS):
        for morpheme in sudachi.tokenize(text[offset : offset + _SUDACHI_CHARACTERS]):
            pos = morpheme.part_of_speech()
            detail = "-".join(part for part in pos[1:4] if part != "*")
            rows.append(
                Token(morpheme.surface(), morpheme.normalized_form(), morpheme.reading_form(), pos[0], detail,
                      pos[5], offset + morpheme.begin(), offset + morpheme.end())
            )  # fmt: skip
    return rows


def content_terms(tokens: Sequence[Token]) -> list[str]:
    """Normalised content words of one text (表記ゆれ folded), function and mask words left out."""
    return [
        token.normal
        for token in tokens
        if token.pos in _CONTENT
        and not token.detail.startswith(("数詞", "助数詞", "助動詞語幹"))
        and token.normal not in _STOP_TERMS
        and any(character.isalpha() for character in token.surface)
        and not (len(token.surface) == 1 and "ぁ" <= token.surface <= "ヶ")
    ]


@cache
def _is_name():
    """Whether a morpheme is a person's name; reading its part of speech as text would be three times slower."""
    return _dictionary().pos_matcher(lambda pos: pos[2] == "人名")


@cache
def _is_place_or_word():
    return _dictionary().pos_matcher(lambda pos: pos[2] == "地名" or pos[1] == "普通名詞")


def name_like(texts: Sequence[str]) -> list[Sight]:
    """Whether a person's name may stand in each text by the dictionary, and whether the dictionary alone decides it.

    Cheap where no name-like word stands: those are words that Sudachi reads as names, unknown words in katakana or
    kanji, the form of a foreign name, surnames in a phrase that only a person stands in (森でございます), and any word
    before an honorific.
    """
    return [sight(text, _name_tokens(text), lexicon=lexicon()) if _is_name_like(text) else Sight.NOTHING for text in texts]


def _is_name_like(text: str) -> bool:
    if title_places(text) or may_hold_foreign_name(text) or slot_names(text, lexicon=lexicon()):
        return True
    sudachi, is_name, may_be_surname = _sudachi(), _is_name(), _is_place_or_word()
    return any(
        is_name(morpheme)
        or (may_be_surname(morpheme) and _is_surname_too(morpheme.surface()))
        or (morpheme.is_oov() and _UNKNOWN_NAME.fullmatch(morpheme.surface()) is not None)
        for morpheme in sudachi.tokenize(_usual_form(text[:_SUDACHI_CHARACTERS]))
    )


@lru_cache(maxsize=100_000)
def _is_surname_too(word: str) -> bool:
    return 2 <= len(word) <= 3 and word not in NO_SURNAME and is_surname(word)


def is_surname(word: str) -> bool:
    """Whether the dictionary knows `word` as a surname, whatever else it means (森, 原, 関)."""
    return "姓" in _name_kinds(word)


@lru_cache(maxsize=100_000)
def _name_kinds(word: str) -> frozenset[str]:
    """姓, 名, 一般 for the names that `word` is in the dictionary, 地名 for a place, 普通名詞 for an ordinary word."""
    found = [m.part_of_speech() for m in _dictionary().lookup(_usual_form(word)) if m.surface() == _usual_form(word)]
    return frozenset(
        pos[3] if pos[2] == "人名" else "地名" if pos[2] == "地名" else pos[1]
        for pos in found if pos[2] in ("人名", "地名") or pos[1] == "普通名詞"
    )  # fmt: skip


@lru_cache(maxsize=100_000)
def _name_readings(word: str) -> frozenset[str]:
    """Readings, in katakana, that the dictionary gives `word` as a person's name."""
    form = _usual_form(word)
    return frozenset(
        m.reading_form() for m in _dictionary().lookup(form) if m.surface() == form and m.part_of_speech()[2] == "人名"
    )


_VARIANTS = str.maketrans("髙﨑𠮷德濵栁", "高崎吉徳浜柳")


def _usual_form(text: str) -> str:
    """Characters that names are also written with as the dictionary has them (山﨑, 髙橋), place for place."""
    return text.translate(_VARIANTS)


@cache
def lexicon() -> Lexicon:
    """The dictionary as the rules on names ask it."""
    return Lexicon(_name_kinds, _name_readings)


def person_names(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Spans (start, end) of persons' names in each text: the dictionary's (see voc.name_tokens), and GiNZA's for those
    texts that the dictionary alone does not decide (`name_like` is not CLEAR)."""
    asked = [text for text, seen in zip(texts, name_like(texts), strict=True) if seen != Sight.CLEAR]
    recognised = dict(zip(asked, recognised_names(asked), strict=True)) if asked else {}
    return [
        sorted({*name_runs(text, _name_tokens(text), recognised.get(text, [])), *slot_names(text, lexicon=lexicon())})
        for text in texts
    ]


def _name_tokens(text: str) -> list[NameToken]:
    rows = []
    for morpheme in _sudachi().tokenize(_usual_form(text[:_SUDACHI_CHARACTERS])):
        pos = morpheme.part_of_speech()
        kind = pos[3] if pos[2] == "人名" else ""
        surface = morpheme.surface()
        kinds = _name_kinds(surface) if pos[0] == "名詞" and len(surface) <= 8 else frozenset()
        rows.append(NameToken(surface, kind, "-".join(part for part in pos[:4] if part != "*"), morpheme.is_oov(),
                              "姓" in kinds, "名" in kinds, "普通名詞" in kinds, morpheme.begin(), morpheme.end()))  # fmt: skip
    return rows


def recognised_names(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Spans of persons' names that GiNZA alone recognises in each text."""
    nlp = _ginza()
    off = [name for name in nlp.pipe_names if name not in {"tok2vec", "ner"}]
    docs = nlp.pipe([text[:_SUDACHI_CHARACTERS] for text in texts], batch_size=128, disable=off)
    return [[_without_honorific(e.text, e.start_char) for e in doc.ents if e.label_ == "Person"] for doc in docs]


def _without_honorific(text: str, start: int) -> tuple[int, int]:
    return start, start + len(_HONORIFIC.sub("", text) or text)


def parse(texts: Sequence[str]) -> list[list[Word]]:
    """Dependency parse of each text with bunsetsu numbers."""
    nlp = _ginza()
    off = [name for name in ("ner",) if name in nlp.pipe_names]
    return [_words(doc) for doc in nlp.pipe(texts, batch_size=128, disable=off)]


def _words(doc) -> list[Word]:
    import ginza

    number_of = {}
    for number, span in enumerate(ginza.bunsetu_spans(doc)):
        number_of.update({token.i: number for token in span})
    return [
        Word(t.text, t.lemma_, t.pos_, t.tag_, ginza.inflection(t), t.dep_, t.head.i, number_of.get(t.i, -1),
             t.idx, t.idx + len(t.text))
        for t in doc
    ]  # fmt: skip
