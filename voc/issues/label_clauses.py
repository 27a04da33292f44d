"""All clauses of a sentence that a label may be made of: phrases with their particles, predicate taken apart.

「CSVを出力すると文字化けして会計ソフトに取り込めません」 gives CSVを出力する (a condition), 文字化けする and
会計ソフトに取り込めない. Every clause is kept with its role and mood, not the main one alone, since the clause that
many sentences share is often another one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voc.issues import label_words as known
from voc.issues.label_phrases import Children, Phrase, children_of, read_phrase
from voc.issues.label_predicates import Predicate, read_predicate
from voc.japanese import Word

_ARGUMENT = {"nsubj", "obj", "obl", "iobj", "nmod", "dislocated", "advmod", "compound", "dep"}
_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A clause: `role` is main, condition, when or means; `mood` statement, wish, ask or question."""

    phrases: tuple[Phrase, ...]
    predicate: Predicate
    role: str
    mood: str
    asks: str
    noun: str

    def lemmas(self) -> tuple[str, ...]:
        return (*(lemma for phrase in self.phrases for lemma in phrase.lemmas), self.predicate.lemma)


def read_clauses(words: Sequence[Word]) -> list[Reading]:
    """Every clause of the sentence that has a content predicate, in order."""
    children = children_of(words)
    found, last = [], -1
    is_asked = any(word.lemma in known.ASKING and word.pos in _CONTENT for word in words)
    for i in range(len(words)):
        if i <= last or _is_part(words, i):
            continue
        predicate = read_predicate(words, i)
        if predicate is None:
            continue
        last = predicate.last
        reading = _reading(words, children, i, predicate, is_asked=is_asked)
        if reading is not None:
            found.append((i, reading))
    return _with_manner(words, found)


def _is_part(words: Sequence[Word], i: int) -> bool:
    """A word that says nothing without the one before it: よって of 人によって, すぎる of 白すぎる where 白 was read as a noun."""
    return words[i].dep == "fixed" or (words[i].dep == "compound" and words[i].pos == "VERB" and words[i].head == i - 1)


def read_noun_phrases(words: Sequence[Word]) -> list[tuple[Phrase, bool]]:
    """Noun phrases that are the matter of a sentence, and whether it asks about them (「…の設定方法を教えて」)."""
    children = children_of(words)
    found = []
    for i, word in enumerate(words):
        if word.pos not in {"NOUN", "PROPN"} or word.dep in {"compound", "nmod", "nummod", "fixed"}:
            continue
        governor = words[word.head]
        if word.head != i and governor.lemma not in known.SHELL:
            continue
        phrase = read_phrase(words, children, i)
        if phrase is not None and phrase.case in {"", "を", "が", "は", "について"}:
            found.append((phrase, governor.lemma in known.ASKING and word.head != i))
    return found


def _reading(words: Sequence[Word], children: Children, i: int, predicate: Predicate, *, is_asked: bool) -> Reading | None:
    arguments = sorted(
        child for part in range(i, predicate.last + 1) for child in children.get(part, []) if child < i
    )
    arguments = sorted({*arguments, *_misplaced(words, children, arguments)})
    phrases, asks, is_broken = [], "", False
    state, is_slow = _state(words, i), False
    for child in arguments:
        word = words[child]
        if word.lemma in known.INTERROGATIVE or word.text in known.INTERROGATIVE:
            asks = asks or word.text
            continue
        if word.dep not in _ARGUMENT:
            is_broken |= _is_clause_object(words, children, child)
            continue
        phrase = read_phrase(words, children, child)
        marks = "".join(words[k].text for k in children.get(child, []) if k > child)
        if phrase is None and predicate.lemma in {"要する", "かかる", "掛かる", "懸かる"} and _counts_time(words, children, child):
            is_slow = True
            continue
        if phrase is None:
            is_broken |= "しか" in marks or "を" in marks or ("が" in marks and word.lemma not in known.DEICTIC)
            continue
        if any(words[k].text in known.INTERROGATIVE for k in range(max(child - 3, 0), child) if words[k].head == child):
            asks = asks or "どの"
            continue
        phrases.append(phrase)
    if state and predicate.sort == "verb":
        phrases.append(state)
    if is_slow:
        phrases, predicate = _with_time_taken(phrases, predicate)
    if is_broken or (predicate.lemma in {"なる", "成る", "する"} and not _is_complete(phrases, predicate)):
        return None
    role, noun = _role(words, i, predicate)
    return Reading(tuple(phrases), predicate, role, _mood(words, i, predicate, asks=asks, is_asked=is_asked), asks, noun)


def _misplaced(words: Sequence[Word], children: Children, arguments: Sequence[int]) -> list[int]:
    """Objects that the parser hangs on a noun: in 取引先をCSVで登録する it gives 取引先を to CSV."""
    return [
        k
        for child in arguments
        if words[child].pos in {"NOUN", "PROPN"}
        for k in children.get(child, [])
        if k < child and words[k].dep == "obj" and words[k].pos in {"NOUN", "PROPN"} and words[k + 1].text == "を"
    ]


def _is_clause_object(words: Sequence[Word], children: Children, child: int) -> bool:
    """同じメールが届くのを: a clause as object, without which the predicate says nothing."""
    marks = [words[k].text for k in children.get(child, []) if k > child]
    return words[child].pos in {"VERB", "ADJ"} and "の" in marks and bool({"を", "が"} & set(marks))


def _counts_time(words: Sequence[Word], children: Children, head: int) -> bool:
    """二十秒以上, 一時間も: how long varies from customer to customer."""
    near = [words[head], *(words[k] for k in children.get(head, []))]
    return any(word.pos == "NUM" for word in near) and any(word.lemma in {"秒", "分", "時間", "以上", "日", "十分", "週間"} for word in near)


def _with_time_taken(phrases: Sequence[Phrase], predicate: Predicate) -> tuple[list[Phrase], Predicate]:
    """二十秒以上を要する as 時間がかかる."""
    taken = [*(phrase for phrase in phrases if phrase.case not in {"が", "を"}), Phrase("時間", "が", "時間", ("時間",))]
    return taken, replace(predicate, stem="", base="かかる", inflection="五段-ラ行,", is_going_on=False)


def _state(words: Sequence[Word], i: int) -> Phrase | None:
    """What something becomes or is made, or how, where it stands right before the predicate: 真っ白に, 重く, 勝手に."""
    if i < 1 or not words[i].tag.startswith(("動詞", "名詞")):
        return None
    before, adverb = words[i - 1], words[i - 2] if i > 1 else None
    if before.tag.startswith("形容詞") and before.text.endswith("く"):
        return Phrase(before.text, "", before.lemma, (before.lemma,), i - 1)
    if before.text == "に" and adverb is not None and adverb.tag.startswith(("形状詞", "名詞-普通名詞-形状詞可能")) and adverb.pos == "ADJ":
        return Phrase(adverb.text, "に", adverb.lemma, (adverb.lemma,), i - 2)
    return None


def _is_complete(phrases: Sequence[Phrase], predicate: Predicate) -> bool:
    """なる needs に, と or 〜く before it; する needs an object too."""
    if predicate.stem:
        return True
    return bool(phrases) and (phrases[-1].case in {"に", "と"} or phrases[-1].text.endswith("く"))


def _role(words: Sequence[Word], i: int, predicate: Predicate) -> tuple[str, str]:
    """How the clause stands in its sentence, and the noun that it modifies."""
    governors = [words[part].head for part in range(i, predicate.last + 1) if words[part].head > predicate.last]
    governor = words[governors[0]] if governors else None
    after = words[predicate.last + 1] if predicate.last + 1 < len(words) else None
    if words[i].dep == "acl" and governor is not None and after is not None and after.pos in {"NOUN", "PROPN"}:
        if after.lemma in known.WHENS or after.text in known.WHENS:
            return "when", after.text
        if after.lemma in known.REASON:
            return "main", ""
        return ("means", after.text) if known.MEANS.search(after.text) or after.lemma in known.FORMAL else ("relative", after.text)
    if predicate.ending in {"condition", "purpose"} and governor is not None:
        is_shell = governor.lemma in known.SHELL or governor.text in known.INTERROGATIVE
        return ("main", "") if is_shell else ("condition", "")
    return "main", ""


def _mood(words: Sequence[Word], i: int, predicate: Predicate, *, asks: str, is_asked: bool) -> str:
    if predicate.mood:
        return predicate.mood
    governors = [words[part].head for part in range(i, predicate.last + 1) if words[part].head > predicate.last]
    governor = words[governors[0]].lemma if governors else ""
    if predicate.ending == "condition" and governor in known.WELCOME and not is_asked:
        return "able"
    if asks.startswith(("なぜ", "何故", "なん", "どうして")):
        return "statement"
    tail = "".join(word.text for word in words[predicate.last + 1 : predicate.last + 5])
    is_question = asks or is_asked or predicate.ending == "purpose" or tail.startswith(("か", "んですか", "のですか", "のか", "の？", "んでしょうか", "のでしょうか", "でしょうか"))
    return "question" if is_question else "statement"


def _with_manner(words: Sequence[Word], found: list[tuple[int, Reading]]) -> list[Reading]:
    """Each clause, and the one with the 〜て clause before it: 金額を間違えて + 読み取る."""
    result = [reading for _, reading in found]
    for (first, before), (i, reading) in itertools.pairwise(found):
        shared = tuple(phrase for phrase in reading.phrases if phrase.case in {"が", "は"} and phrase.place < first)
        if before.predicate.ending == "te" and shared and not {"が", "は", "を"} & {p.case for p in before.phrases}:
            result.append(replace(before, phrases=(*shared, *before.phrases)))  # 駐車場が少なくて困る
        between = words[before.predicate.last + 1 : i]
        is_near = len(between) <= 4 and not any(word.pos == "PUNCT" for word in between)
        if before.predicate.ending != "te" or not is_near or reading.role == "relative" or before.predicate.is_negative:
            continue
        verb, cases = before.predicate, {p.case for p in before.phrases}
        if verb.lemma in known.SHELL or verb.sort != "verb" or verb.base == "なる":
            continue
        if verb.lemma in known.MANNER:  # what is done in that manner is the object of both
            adverb = Phrase(verb.form("te"), "", verb.lemma, (verb.lemma,), verb.last)
            phrases = tuple(sorted((*before.phrases, adverb, *reading.phrases), key=lambda phrase: phrase.place))
        elif {"が", "は"} & cases:
            continue
        else:
            text = "".join(phrase.written() for phrase in before.phrases) + verb.form("te")
            phrases = (Phrase(text, "", verb.lemma, before.lemmas(), verb.last), *reading.phrases)
        result.append(Reading(phrases, reading.predicate, reading.role, reading.mood, reading.asks, reading.noun))
    return result
