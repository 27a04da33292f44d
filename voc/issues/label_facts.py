"""What the sentences of an issue share: words, pairs of noun and predicate, cases; the ground of a label's weight."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voc.issues import label_words as known
from voc.issues.label_clauses import Reading, read_clauses
from voc.issues.label_phrases import Phrase
from voc.issues.matter import names_a_matter
from voc.japanese import Word

TOTAL = ""  # the key of the number of texts in counts of spellings


@dataclass(frozen=True, slots=True)
class Facts:
    """What the issue's sentences share: value of a lemma, its sentences, pairs of noun and predicate, usual cases."""

    values: Mapping[str, float]
    counts: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    cases: Mapping[tuple[str, str, str], int]
    frames: Mapping[tuple[str, str], int]
    top: float
    n: int
    negative: Mapping[str, float]
    spellings: Mapping[str, int]
    actions: frozenset[str]
    proper: frozenset[str]
    readings: Sequence[Sequence[Reading]]


def gather_facts(
    parsed: Sequence[Sequence[Word]], *, words: Sequence[str], spellings: Mapping[str, int], trust: Sequence[float]
) -> Facts:
    shares: Counter = Counter()
    counts: Counter = Counter()
    surfaces: dict[str, str] = {}
    total = sum(trust) or 1.0
    for rank, sentence in enumerate(parsed):
        for word in {word.lemma: word for word in sentence if _is_content(word)}.values():
            shares[word.lemma] += trust[rank] / total
            counts[word.lemma] += 1
            surfaces.setdefault(word.lemma, word.text)
    everywhere = max(spellings.get(TOTAL, 0), 1)
    values = {}
    for lemma, share in shares.items():
        background = min((spellings.get(pair, 0) for pair in letter_pairs(surfaces[lemma])), default=0) / everywhere
        lift = share / max(background, counts[lemma] / everywhere, 0.002)
        values[lemma] = share * math.log(1 + lift) * (1.3 if lemma in words else 1.0)
    readings = [read_clauses(sentence) for sentence in parsed]
    pairs, cases, frames, negative = Counter(), Counter(), Counter(), {}
    for group in readings:
        for reading in group:
            lemma = reading.predicate.lemma
            negative.setdefault(lemma, []).append(reading.predicate.is_negative)
            for phrase in reading.phrases:
                pairs[phrase.head, lemma] += 1
                cases[phrase.head, phrase.case, lemma] += 1
                frames[phrase.case, lemma] += 1
    actions = frozenset(w.text for s in parsed for w in s if w.tag.endswith(("サ変可能", "サ変形状詞可能")))
    proper = frozenset(w.lemma for s in parsed for w in s if w.tag.startswith(("名詞-固有名詞-地名", "名詞-固有名詞-人名", "名詞-固有名詞-組織")))
    top = sum(sorted((v for k, v in values.items() if names_a_matter([k])), reverse=True)[:3]) or 1.0
    return Facts(values, counts, pairs, cases, frames, top, len(parsed),
                  {k: sum(v) / len(v) for k, v in negative.items()}, spellings, actions, proper, readings)  # fmt: skip


def nearness(rank: int, n: int) -> float:
    return 1.0 - 0.6 * rank / max(n, 1)


def _is_content(word: Word) -> bool:
    return word.pos in {"NOUN", "PROPN", "VERB", "ADJ"} and not word.tag.startswith(("名詞-数詞", "接尾辞", "接頭辞")) and word.lemma not in known.VAGUE


def has_matter(phrases: Sequence[Phrase]) -> bool:
    return any(names_a_matter([lemma for lemma in phrase.lemmas if lemma not in known.BARE]) for phrase in phrases)


def letter_pairs(text: str) -> set[str]:
    """All pairs of neighbouring characters: what two wordings of one thing have in common."""
    return {text[i : i + 2] for i in range(len(text) - 1)}
