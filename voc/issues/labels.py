"""Labels a person would write: the plain clause or noun phrase that says most of what an issue's sentences share.

Every clause of the member sentences is read (`label_clauses`), worded for the issue's kind (`label_wording`) in
its sensible lengths, weighed by how many members share its words and its pairs of noun and predicate, and the best
are parsed again: a label that the parser reads otherwise than it was meant reads otherwise to people as well.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from voc.cleaning.fillers import bare_text
from voc.issues import label_words as known
from voc.issues.label_facts import TOTAL, Facts, gather_facts, has_matter, letter_pairs, nearness
from voc.issues.label_variants import Candidate, candidates_of
from voc.issues.label_wording import plain_fallback
from voc.japanese import Word
from voc.lexicon import FEATURES, read_evidence

_LONGEST = 30
_SHORTEST = 5
_BEST_LENGTH = 15
_USUAL = 20  # pairs of characters rarer than this are often slips of the recogniser or of the typist
_COMPARED, _PER_SENTENCE = 40, 2  # candidates that are held against those of all sentences, the best of each
_CHECKED = 12  # candidates that are parsed again
# 景色が綺麗 and 景色が良い are one label to a reader
_PRAISE = re.compile(r"(良い|よい|いい|綺麗|きれい|素晴らしい|すばらしい|最高|素敵|楽しい|楽しめる|好き|面白い|おもしろい|美味しい|おいしい)$")
_RUN = re.compile(r"[一-龥々]+|[ァ-ヴー]+|[A-Za-z]+")
_LONG_RUN = re.compile(r"[一-龥々]{7,}")


def label_candidates(
    texts: Sequence[str], kind: str, *, words: Sequence[str], spellings: Mapping[str, int],
    parse: Callable[[Sequence[str]], list[list[Word]]], fits: Sequence[float] | None = None,
) -> list[tuple[str, float]]:
    """(label, weight), heaviest first, from the issue's sentences given nearest first.

    `words` are the issue's leading words, `spellings` (of `count_spellings`) tell slips from usual writing and
    words of this issue from words of all, `fits` (0..1) say how far each sentence is of the kind at all.
    Equal texts and order give equal labels.
    """
    parsed = parse([bare_text(text) for text in texts])
    trust = [(fits[rank] if fits else 1.0) * nearness(rank, len(parsed)) for rank in range(len(parsed))]
    facts = gather_facts(parsed, words=words, spellings=spellings, trust=trust)
    candidates = [
        candidate
        for source, sentence in enumerate(parsed)
        for candidate in candidates_of(sentence, kind, source=source, facts=facts)
        if _SHORTEST <= len(candidate.label) <= _LONGEST and not known.FORBIDDEN.search(candidate.label)
    ]
    said = Counter(candidate.label for candidate in candidates)
    weighed: dict[str, tuple[float, Candidate]] = {}
    for candidate in candidates:
        weight = _weight(candidate, facts) - 1.5 * (1 - fits[candidate.source] if fits else 0.0) + 0.25 * math.log(said[candidate.label])
        if weight > weighed.get(candidate.label, (-1e9, None))[0]:
            weighed[candidate.label] = (weight, candidate)
    ordered = _nearest_to_all(weighed, facts, trust=trust)
    first = [(label, weight + tone, candidate) for (label, (weight, candidate)), tone in
             zip(ordered[:_CHECKED], _tones([label for label, _ in ordered[:_CHECKED]], kind), strict=True)]  # fmt: skip
    checked = _read_again(first, parse)
    rest = [(label, weight - 2.0) for label, (weight, _) in ordered[_CHECKED:] if weight > 1.0]
    return sorted(checked + rest + _named_after_thing(facts, kind), key=lambda item: (-item[1], item[0]))


def choose_label(candidates: Sequence[tuple[str, float]], words: Sequence[str], kind: str, *, taken: set[str]) -> str:
    """The heaviest candidate that no other issue has, nor says more exactly; failing that, the leading words.

    Beside 「画面が遅い」 a second issue may be 「一覧の画面が遅い」: what parts the two is in the label.
    """
    others = [_content(label) for label in taken]
    praised = {_PRAISE.sub("", label) for label in taken if _PRAISE.search(label)}
    for label, weight in candidates:
        is_said = any(_content(label) <= other for other in others) or (_PRAISE.search(label) and _PRAISE.sub("", label) in praised)
        if weight > 0 and label not in taken and not is_said:
            return label
    stem = plain_fallback(words[0] if words else "その他", kind)
    for ending in ("", *(f"（{word}）" for word in words[1:]), *(f"（{n}）" for n in range(2, 100))):
        label = f"{stem[: _LONGEST - len(ending)]}{ending}"
        if label not in taken:
            return label
    raise AssertionError("a ledger with a hundred issues of the same words")


def topic_label(words: Sequence[str], *, taken: set[str]) -> str:
    """「選手・試合・大会に関する話題」: for groups of texts that share a topic and no matter, so that no clause says them all.

    `words` are the leading ones, readable; two at least and three at most are named, others where the label is `taken`.
    """
    for first in range(max(len(words) - 1, 1)):
        for count in (3, 2):
            label = plain_fallback("・".join(words[first : first + count]) or "その他", "その他")
            if len(label) <= _LONGEST and label not in taken:
                return label
    return choose_label([], words, "その他", taken=taken)


def _content(label: str) -> frozenset[str]:
    """The runs of kanji, katakana and letters of a label: what it is about, whatever the particles and endings."""
    return frozenset(_RUN.findall(label)) - {"方法", "手続", "手順"}


def count_spellings(texts: Iterable[str]) -> Counter:
    """In how many distinct texts each pair of neighbouring characters stands; their number under ""."""
    distinct = set(texts)
    counts = Counter(pair for text in distinct for pair in letter_pairs(text))
    counts[TOTAL] = len(distinct)
    return counts


def _weight(candidate: Candidate, facts: Facts) -> float:
    """Shared words, shared pairs, nearness of the source; less slips, words of one customer and odd lengths."""
    own = [lemma for lemma in candidate.lemmas if lemma not in known.VAGUE]
    typical = sum(facts.counts.get(lemma, 0) for lemma in own) / max(len(own), 1) / facts.n
    coverage = sum(facts.values.get(lemma, 0.0) for lemma in own) / facts.top
    lonely = sum(facts.counts.get(lemma, 0) < max(2, 0.03 * facts.n) for lemma in own)
    named = sum(lemma in facts.proper and facts.counts.get(lemma, 0) < 0.4 * facts.n for lemma in own)
    pairs = max((math.log2(facts.pairs[pair]) for pair in candidate.pairs if facts.pairs[pair]), default=0.0)
    rare = sum(
        max(0.0, math.log(_USUAL / max(facts.spellings.get(pair, 0), 1)))
        for pair in {pair for piece in candidate.pieces for pair in letter_pairs(piece)}
    ) if facts.spellings else 0.0
    weight = 1.8 * coverage + 1.2 * typical + 0.35 * min(pairs, 4.0) + 0.8 * nearness(candidate.source, facts.n) + 1.2 * candidate.mood
    weight -= 0.3 * lonely + 0.8 * named + 0.12 * rare + 0.05 * max(0, abs(len(candidate.label) - _BEST_LENGTH) - 3)
    weight -= 1.5 * (not candidate.names_matter) + 0.5 * (_LONG_RUN.search(candidate.label) is not None)
    if candidate.is_clause:
        weight -= 0.5 * abs(candidate.is_negative - facts.negative.get(candidate.head, 0.0))
    return weight


def _nearest_to_all(
    weighed: Mapping[str, tuple[float, Candidate]], facts: Facts, *, trust: Sequence[float]
) -> list[tuple[str, tuple[float, Candidate]]]:
    """Candidates in falling weight, raised where what the other sentences would be called is like them (a medoid)."""
    ordered = sorted(weighed.items(), key=lambda item: (-item[1][0], item[0]))
    of_source: dict[int, list[frozenset[str]]] = {}
    for _, (_, candidate) in ordered:
        sets = of_source.setdefault(candidate.source, [])
        if len(sets) < _PER_SENTENCE:
            sets.append(frozenset(candidate.lemmas))
    total = sum(trust) or 1.0
    raised = []
    for label, (weight, candidate) in ordered[:_COMPARED]:
        own = frozenset(candidate.lemmas)
        likeness = sum(trust[source] * max(_overlap(own, other, facts) for other in sets) for source, sets in of_source.items())
        raised.append((label, (weight + 3.0 * likeness / total, candidate)))
    return sorted(raised, key=lambda item: (-item[1][0], item[0])) + ordered[_COMPARED:]


def _overlap(one: frozenset[str], two: frozenset[str], facts: Facts) -> float:
    either = sum(facts.values.get(lemma, 0.0) for lemma in one | two)
    return sum(facts.values.get(lemma, 0.0) for lemma in one & two) / either if either else 0.0


def _named_after_thing(facts: Facts, kind: str) -> list[tuple[str, float]]:
    """Last resorts: the things that most clauses are about, with the noun of the kind."""
    things = Counter(
        phrase.text for group in facts.readings for reading in group for phrase in reading.phrases
        if phrase.case in {"が", "を", "は"} and has_matter([phrase])
    )  # fmt: skip
    leading = sorted(things.items(), key=lambda item: (-item[1], item[0]))[:3]
    labels = [(plain_fallback(text, kind), 0.01 * math.log1p(count)) for text, count in leading if count > 1]
    return [(label, weight) for label, weight in labels if len(label) <= _LONGEST and not known.FORBIDDEN.search(label)]


def _tones(texts: Sequence[str], kind: str) -> list[float]:
    """Praise that sounds like a complaint weighs less, and the other way round, by the lexicon of opinions."""
    sign = {"称賛": 1, "不具合": -1, "料金": -1, "対応": -1}.get(kind, 0)
    if not sign or not texts:
        return [0.0] * len(texts)
    balance = read_evidence(texts).values[:, FEATURES.index("balance")]
    # 「イベントがある」 says nothing good by itself; a fault is told in neutral words as well
    neutral = -0.4 if kind == "称賛" else 0.0
    return [0.3 if sign * value > 0 else -1.0 if sign * value < 0 else neutral for value in balance]


def _read_again(candidates: Sequence[tuple[str, float, Candidate]], parse) -> list[tuple[str, float]]:
    """Candidates whose label the parser reads as it was meant."""
    result = []
    for (label, weight, candidate), sentence in zip(candidates, parse([c[0] for c in candidates]), strict=True):
        lemmas = {word.lemma for word in sentence}
        texts = {word.text for word in sentence}
        lost = sum(lemma not in lemmas and lemma not in texts for lemma in candidate.lemmas)
        roots = [word for word in sentence if word.head < len(sentence) and sentence[word.head] is word]
        broken = len(roots) != 1 or any(word.dep == "dep" for word in sentence)
        result.append((label, weight - 1.0 * lost - 0.7 * broken))
    return result


