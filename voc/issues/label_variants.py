"""The labels that one sentence offers: its clauses with more or fewer phrases, and its noun phrases."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from voc.issues import label_words as known
from voc.issues.label_clauses import Reading, read_noun_phrases
from voc.issues.label_facts import Facts, has_matter
from voc.issues.label_phrases import Phrase
from voc.issues.label_wording import MOODS, means_label, word_clause, word_noun_phrase
from voc.japanese import Word


@dataclass(frozen=True, slots=True)
class Candidate:
    label: str
    lemmas: tuple[str, ...]
    head: str
    pairs: tuple[tuple[str, str], ...]
    pieces: tuple[str, ...]
    mood: float
    is_clause: bool
    is_negative: bool
    names_matter: bool
    source: int


def candidates_of(sentence: Sequence[Word], kind: str, *, source: int, facts: Facts) -> list[Candidate]:
    found = []
    group = facts.readings[source]
    fronts = [(_front(reading), reading.lemmas()) for reading in group if reading.role in {"condition", "when"}]
    for reading in group:
        if reading.predicate.ending == "te" and reading.predicate.lemma in known.MANNER | known.ERROR:
            continue
        is_felt = reading.predicate.lemma in {"感じる", "感ずる"} and any(phrase.case == "を" for phrase in reading.phrases)
        is_shell = reading.predicate.lemma in known.SHELL - known.COMPLETED and not is_felt
        if is_shell or reading.role in {"relative", "condition", "when"}:
            continue
        completed = _completed(reading, facts)
        for phrases in _selections(completed):
            for front, lemmas in (("", ()), *(pair for pair in fronts if pair[0])):
                label = _worded(reading, phrases, kind, front=front)
                if label:
                    found.append(_candidate(label, reading, phrases, kind, source=source, front=front, more=lemmas))
    is_wished = any(word.lemma in {"欲しい", "ほしい"} and word.pos == "ADJ" for word in sentence)
    asks_when = any(word.lemma in known.WHEN or word.text in known.WHEN for word in sentence)
    for phrase, is_asked in read_noun_phrases(sentence):
        is_action = phrase.head in facts.actions
        label = word_noun_phrase(
            phrase, kind, is_action=is_action, is_asked=is_asked, is_wished=is_wished, asks_when=asks_when
        )
        if label and len(phrase.lemmas) > 1:
            found.append(Candidate(label, phrase.lemmas, phrase.head, (), (phrase.text,), 1.1, False, False,
                                    has_matter([phrase]), source))  # fmt: skip
    return found


def _worded(reading: Reading, phrases: Sequence[Phrase], kind: str, *, front: str) -> str | None:
    if reading.role == "means":
        return None if front else means_label(reading, phrases, kind)
    return word_clause(reading, phrases, kind, front=front)


def _front(reading: Reading) -> str:
    """A condition to set before the clause: ログインすると, ログインした後に."""
    predicate = reading.predicate
    if predicate.sort != "verb" or predicate.is_negative or predicate.mood or predicate.lemma in known.SHELL:
        return ""
    cased = [phrase for phrase in reading.phrases if phrase.case in {"を", "が", "に"}]
    start = "".join(phrase.written() for phrase in cased[-1:])
    if not start and not predicate.stem:
        return ""
    if reading.role == "condition":
        return f"{start}{predicate.form('dictionary')}と" if predicate.ending == "condition" else ""
    return f"{start}{predicate.form('past')}後に" if reading.noun in {"後", "あと"} else ""


def _completed(reading: Reading, facts: Facts) -> tuple[Phrase, ...]:
    """The clause's phrases with the case that は hides, and with the object that other sentences name."""
    lemma = reading.predicate.lemma
    has_subject = any(phrase.case == "が" for phrase in reading.phrases)
    phrases = tuple(_with_case(phrase, reading, facts) for phrase in reading.phrases)
    if has_subject:  # 福井は海鮮が美味しい: the topic is no second subject
        phrases = tuple(new for new, old in zip(phrases, reading.phrases, strict=True) if old.case != "は" or new.case == "を")
    if any(phrase.case in {"が", "を"} for phrase in phrases) or lemma in known.THIN:
        return phrases
    said: Counter = Counter()
    for group in facts.readings:
        for other in group:
            if other.predicate.lemma == lemma and _is_alike(other, reading):
                said.update(p for p in other.phrases if p.case in {"が", "を"} and has_matter([p]))
    if not said:
        return phrases
    best = max(said, key=lambda p: (said[p], -abs(len(p.text) - 6), p.text))
    taken = {lemma for phrase in phrases for lemma in phrase.lemmas}
    return phrases if taken & set(best.lemmas) else (best, *phrases)


def _is_alike(other: Reading, reading: Reading) -> bool:
    """Of one form of the verb, so that the object of one may stand with the other."""
    one, two = other.predicate, reading.predicate
    return one.base == two.base and one.is_negative == two.is_negative and (other.mood == "statement") == (reading.mood == "statement")


def _with_case(phrase: Phrase, reading: Reading, facts: Facts) -> Phrase:
    predicate = reading.predicate
    if phrase.case == "について" and predicate.is_negative:  # 料金改定について納得できない
        case = "に" if predicate.lemma == "納得" else "が" if predicate.base in {"られる", "できる"} else phrase.case
        return Phrase(phrase.text, case, phrase.head, phrase.lemmas, phrase.place)
    if phrase.case != "は":
        return phrase
    if predicate.stem and predicate.base == "する" and not facts.frames["が", predicate.lemma] > facts.frames["を", predicate.lemma]:
        return Phrase(phrase.text, "を", phrase.head, phrase.lemmas, phrase.place)
    counted = {case: facts.cases[phrase.head, case, predicate.lemma] * 5 + facts.frames[case, predicate.lemma] for case in ("が", "を")}
    acts = predicate.sort == "verb" and predicate.base not in {"れる", "られる", "できる"}
    if acts and counted["を"] > counted["が"]:
        return Phrase(phrase.text, "を", phrase.head, phrase.lemmas, phrase.place)
    return Phrase(phrase.text, "が", phrase.head, phrase.lemmas, phrase.place)


def _selections(phrases: Sequence[Phrase]) -> list[tuple[Phrase, ...]]:
    """The phrases in their order with some left out: never the object, never の last に or と."""
    if len(phrases) > 5:
        return []
    must = {i for i, p in enumerate(phrases) if p.case in {"を", "しか"} or known.ERROR & set(p.lemmas)}
    if phrases and phrases[-1].case in {"に", "と", "が"}:
        must.add(len(phrases) - 1)
    if not any(phrases[i].case in {"を", "が"} for i in must):
        must |= {max((i for i, p in enumerate(phrases) if p.case == "が"), default=-1)} - {-1}
    optional = [i for i in range(len(phrases)) if i not in must]
    found = []
    for size in range(min(len(optional), 2) + 1):
        for extra in combinations(optional, size):
            chosen = tuple(phrases[i] for i in sorted({*must, *extra}))
            cases = [p.case for p in chosen if p.case and p.case != "で"]
            firsts = [p.head[0] for p in chosen if "一" <= p.head[0] <= "龥"]
            if len(firsts) == len(set(firsts)) and chosen and len(cases) == len(set(cases)) and any(p.case for p in chosen):
                found.append(chosen)
    return found


def _candidate(
    label: str, reading: Reading, phrases: Sequence[Phrase], kind: str, *, source: int, front: str, more: Sequence[str]
) -> Candidate:
    lemmas = tuple(dict.fromkeys((*(lemma for p in phrases for lemma in p.lemmas), reading.predicate.lemma, *more)))
    pairs = tuple((p.head, reading.predicate.lemma) for p in phrases)
    stem = reading.predicate.form("dictionary")
    pieces = (*(p.text for p in phrases), stem[:-1] if len(stem) > 2 else stem, front)
    thin = reading.predicate.lemma in known.THIN and not (
        reading.predicate.lemma in known.COMPLETED and phrases[-1].case in {"に", "が", "と"}
    )
    mood = MOODS[kind][reading.mood] - 0.5 * thin - 0.2 * (reading.predicate.lemma in known.COMPLETED)
    mood -= 0.4 * (reading.predicate.lemma in {"ある", "有る"} and not reading.predicate.is_negative)
    mood -= 1.0 * _is_own_act(reading, phrases, kind) + 0.25 * (reading.predicate.ending == "te")
    return Candidate(label, lemmas, reading.predicate.lemma, pairs, pieces, mood, True, reading.predicate.is_negative,
                      has_matter([p for p in phrases if p.case]), source)  # fmt: skip


def _is_own_act(reading: Reading, phrases: Sequence[Phrase], kind: str) -> bool:
    """What the customer did (画面を開く, レンタカーを借りた) is neither a fault nor a praise."""
    predicate = reading.predicate
    acts = predicate.sort == "verb" and not predicate.is_negative and predicate.base not in {"れる", "られる", "できる", "感じる"}
    is_error = known.ERROR & {predicate.lemma, *(lemma for p in phrases for lemma in p.lemmas)}
    has_object = any(p.case == "を" for p in phrases) or predicate.lemma in known.MOVES
    return kind in {"不具合", "称賛", "料金", "対応"} and acts and has_object and not is_error and reading.mood == "statement"
