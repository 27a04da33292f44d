"""What the dictionary alone says about persons' names in a text, so that the slow recogniser is asked only where it decides.

Of the sentences of calls in which a name-like word stands, a recogniser changes the answer in 3 %: a surname that the
dictionary reads as one is masked with or without it, a place stays a place.
"""

import re
from collections.abc import Sequence
from enum import IntEnum

from voc.name_slots import slot_names
from voc.name_tokens import BRANDS, foreign_forms, is_part_of_word, name_runs, overlaps, stands_for_thing
from voc.name_words import HONORIFIC, NO_SURNAME, ROLES, Lexicon, NameToken, is_role, title_places


class Sight(IntEnum):
    """NOTHING: no name by the dictionary. OPEN (also True): a recogniser must be asked. CLEAR: the dictionary decides."""

    NOTHING = 0
    OPEN = 1
    CLEAR = 2


_KATAKANA = re.compile("[ァ-ヴー]+")
_UNKNOWN = re.compile("[ァ-ヴー]{3,}|[一-龥々]{1,3}")
_HIRAGANA = re.compile("[ぁ-ん]{3,}")
_SUBJECT = frozenset("はがにかも、")
_NUMERALS = re.compile("[一二三四五六七八九十百千万億〇零]+")
# an unknown word that is the subject or object of somebody's doing, is addressed or ends its sentence; a person can be that
_PERSON_PLACE = re.compile(rf"[ 　]?(?:[はがにをもと、。！？!?」』）)\n]|から|より|へ|の(?!近く|中)|です|でございます|でし|だっ|って|という|{HONORIFIC}|$)")
_THING_WORD = re.compile(
    "ホテル|カフェ|レストラン|タクシー|モール|タワー|パーク|センター|ホール|シティ|クラブ|ショップ|ストア|マート|ランド|ミュージアム|"
    "リゾート|ビル|プラザ|ガーデン|スクエア|スタジオ|バンク|カード|サイト|アプリ|サービス|システム|プラン|セット|コース|ショー|キット|パック"
)


def sight(text: str, tokens: Sequence[NameToken], *, lexicon: Lexicon) -> Sight:
    """Whether `text` holds a name by its tokens and phrases, and whether a recogniser could say otherwise."""
    known = [*slot_names(text, lexicon=lexicon), *name_runs(text, tokens, [])]
    if _has_open_word(text, tokens, known) or _has_open_title(text, tokens, known):
        return Sight.OPEN
    return Sight.CLEAR if known else Sight.NOTHING


def _has_open_word(text: str, tokens: Sequence[NameToken], known: Sequence[tuple[int, int]]) -> bool:
    if any(not overlaps(start, end, known) for start, end in foreign_forms(text, tokens)):
        return True
    return any(_is_open(text, token) for token in tokens if not overlaps(token.start, token.end, known))


def _is_open(text: str, token: NameToken) -> bool:
    word = token.surface
    if word in NO_SURNAME or word in ROLES or word in BRANDS or is_part_of_word(text, token.start, token.end):
        return False
    if not _PERSON_PLACE.match(text, token.end) or stands_for_thing(text, token.end):
        return False
    if token.is_unknown:
        return _UNKNOWN.fullmatch(word) is not None and not _NUMERALS.fullmatch(word) and not _THING_WORD.search(word)
    follower = text[token.end : token.end + 1]
    if token.kind:
        is_kana = _KATAKANA.fullmatch(word) is not None or (_HIRAGANA.fullmatch(word) is not None and follower in _SUBJECT)
        return is_kana or (len(word) == 1 and "一" <= word <= "龥")
    # a place (松岡) or a word (市場) that is a surname as well
    may_be = token.may_be_surname and 2 <= len(word) <= 3
    return may_be and ("地名" in token.pos or (token.is_word and follower in _SUBJECT))


def _has_open_title(text: str, tokens: Sequence[NameToken], known: Sequence[tuple[int, int]]) -> bool:
    """Whether an honorific follows something that is neither a known name nor a role (運転手さん)."""
    return any(not overlaps(end - 1, end, known) and not is_role(tokens, end) for end in title_places(text))
