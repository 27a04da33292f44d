"""A clause or noun phrase as a label of its kind: 使い方 〜する方法, 手続き 〜の手続き, 要望 〜してほしい, else plain."""

import re
from collections.abc import Sequence

from voc.conjugation import conjugate
from voc.issues import label_words as known
from voc.issues.label_clauses import Reading
from voc.issues.label_phrases import Phrase

MOODS = {
    "不具合": {"statement": 1.0, "question": 0.5, "wish": 0.3, "ask": 0.1, "able": 0.1},
    "料金": {"statement": 1.0, "question": 0.6, "wish": 0.4, "ask": 0.4, "able": 0.4},
    "対応": {"statement": 1.0, "question": 0.6, "wish": 0.3, "ask": 0.3, "able": 0.3},
    "称賛": {"statement": 1.0, "question": 0.0, "wish": 0.2, "ask": 0.0, "able": 0.0},
    "使い方": {"statement": 0.4, "question": 1.0, "wish": 0.9, "ask": 0.6, "able": 0.5},
    "手続き": {"statement": 0.3, "question": 0.9, "wish": 1.0, "ask": 1.0, "able": 0.6},
    "要望": {"statement": 0.45, "question": 0.4, "wish": 0.8, "ask": 1.0, "able": 1.0},
    "解約": {"statement": 0.6, "question": 0.8, "wish": 1.0, "ask": 0.8, "able": 0.4},
    "その他": {"statement": 1.0, "question": 0.6, "wish": 0.6, "ask": 0.6, "able": 0.4},
}
_FALLBACK = {"不具合": "不具合", "使い方": "使い方", "手続き": "手続き", "要望": "要望", "料金": "料金への不満",
             "対応": "対応への不満", "称賛": "良い評価", "解約": "解約の相談", "その他": "話題"}  # fmt: skip
_ASKED_FOR = re.compile(r"(希望|要望|依頼|のお願い)$")
_WANTED = frozenset("機能 仕組み 設定 ボタン メニュー 画面 場所 施設 店".split())


def word_clause(reading: Reading, phrases: Sequence[Phrase], kind: str, *, front: str = "") -> str | None:
    """The clause with these of its phrases in the wording of `kind`; None where it cannot be said in that kind."""
    predicate = reading.predicate
    mood = reading.mood
    if kind in {"使い方", "手続き"} or (kind == "解約" and mood == "question"):
        return _how(reading, phrases, kind, front=front)
    start = front + _joined(phrases)
    if kind == "称賛" and mood != "statement":
        return None  # 「カフェがあると嬉しい」 praises no café
    if kind == "要望" and mood != "statement":
        return _wish(reading, phrases, front)
    if mood == "wish" and predicate.sort == "verb" and not predicate.is_negative:
        return start + predicate.form("wish")
    if mood in {"ask", "able"} and kind not in {"称賛", "不具合"}:
        return _wish(reading, phrases, front)
    if kind == "称賛" and predicate.is_past and predicate.sort == "verb" and predicate.base != "ある" and not predicate.is_going_on and not predicate.is_negative:
        return start + predicate.form("past")
    return start + predicate.plain(keep_state=kind == "称賛" or predicate.lemma in _STATES)


_STATES = frozenset("整う 優れる 似る 混む 空く 汚れる 壊れる 古びる 劣る 足りる".split())


def _how(reading: Reading, phrases: Sequence[Phrase], kind: str, *, front: str) -> str | None:
    predicate, ending = reading.predicate, "方法" if kind == "使い方" else "手続き"
    start = front + _joined(phrases)
    if predicate.sort != "verb":
        return None
    asks_when = reading.asks in known.WHEN or reading.asks == "どの"
    if asks_when:
        return None
    if reading.mood == "statement" and predicate.lemma not in known.MISHAP and not predicate.is_negative:
        return None
    if predicate.is_negative:
        return f"{start}{predicate.plain()}ときの対処方法" if predicate.mood == "" else None
    if (predicate.lemma in known.MISHAP or predicate.base == "なる") and predicate.mood == "":
        return f"{start}{predicate.form('past')}ときの{'対処方法' if kind == '使い方' else '手続き'}"
    stem, base = predicate.stem, predicate.base
    if any(phrase.case == "が" for phrase in phrases) and base != "できる":
        return None  # 〜が外れる方法: what happens by itself has no method
    if (base in {"する", "できる"}) and stem:
        things = [phrase for phrase in phrases if phrase.case in {"を", "は", "が"}]
        others = [phrase for phrase in phrases if phrase not in things]
        if len(things) == 1 and not others and not front:
            inner = things[0].text
            return f"{inner}の{stem}{ending}" if not inner.endswith("だけ") else None
        if not phrases and not front:
            return f"{stem}{ending}"
        return f"{start.replace('が', 'を', 1) if base == 'できる' else start}{stem}する{ending}"
    if kind == "使い方" and reading.mood == "question" and base == "られる" and not reading.asks:
        return f"{start}{predicate.plain()}か"
    return f"{start}{predicate.form('dictionary')}{ending}"


def _wish(reading: Reading, phrases: Sequence[Phrase], front: str) -> str | None:
    predicate, start = reading.predicate, front + _joined(phrases)
    subject = next((phrase for phrase in phrases if phrase.case == "が"), None)
    if predicate.lemma in {"ある", "有る"} or (predicate.lemma in {"ない", "無い"} and subject):
        return start + "ほしい" if subject is phrases[-1] else None
    if predicate.sort != "verb" or predicate.is_negative:
        return None
    if reading.mood == "wish":
        return start + predicate.form("wish")
    if subject is not None and predicate.base in known.DONE_BY_SOMEBODY:
        base, inflection = known.DONE_BY_SOMEBODY[predicate.base]
        return start[: len(start) - 1] + "を" + conjugate(base, inflection, "te") + "ほしい" if phrases[-1] is subject else None
    if reading.mood == "ask" or (subject is not None and predicate.base == "する" and reading.mood == "able"):
        return start + predicate.form("te") + "ほしい"
    if reading.mood == "able" or predicate.base in {"できる", "られる"}:
        return start + predicate.plain() + "ようにしてほしい"
    return None


def word_noun_phrase(
    phrase: Phrase, kind: str, *, is_action: bool, is_asked: bool, is_wished: bool, asks_when: bool
) -> str | None:
    """A noun phrase as a label: as it stands where its head says what is wanted, else with the noun of its kind."""
    text = _ASKED_FOR.sub("", phrase.text)
    if kind in {"使い方", "手続き", "解約"}:
        if known.MEANS.search(text) or (is_asked and not is_action):
            return text
        if not is_action or asks_when:
            return None
        return text + {"使い方": "方法", "手続き": "手続き", "解約": "手続き"}[kind]
    if kind == "要望":
        if known.WISHES.search(text) or is_action:
            return text
        return f"{text}がほしい" if is_wished else None
    return None


def means_label(reading: Reading, phrases: Sequence[Phrase], kind: str) -> str | None:
    """〜する方法 where the sentence itself says 方法, 手順 …"""
    if reading.predicate.is_negative or reading.predicate.sort != "verb" or kind not in {"使い方", "手続き", "解約", "要望"}:
        return None
    if kind == "要望":
        return f"{_joined(phrases)}{reading.predicate.form('dictionary')}{reading.noun}がほしい" if reading.noun in _WANTED else None
    noun = {"手続": "手続き", "しかた": "方法", "仕方": "方法", "やり方": "方法", "操作": "方法", "設定": "設定"}.get(reading.noun, reading.noun)
    if noun in {"こと", "件", "点"}:
        return None
    predicate = reading.predicate
    if predicate.base == "する" and predicate.stem and len(phrases) == 1 and phrases[0].case == "を" and noun in {"方法", "手順", "手続き"}:
        return f"{phrases[0].text}の{predicate.stem}{noun}"
    return _joined(phrases) + predicate.form("dictionary") + noun


def plain_fallback(thing: str, kind: str) -> str:
    """The thing and the noun of its kind: 請求書の発行に関する要望, 住所変更の手続き."""
    noun = _FALLBACK.get(kind, kind)
    if kind in {"使い方", "手続き"}:
        return thing if known.MEANS.search(thing) else f"{thing}の{noun}"
    return f"{thing}に関する{noun}"


def _joined(phrases: Sequence[Phrase]) -> str:
    return "".join(phrase.written() for phrase in phrases)
