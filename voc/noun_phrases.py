"""Noun phrases and arguments in GiNZA's dependency tree: 請求書のPDF, 車椅子でも乗れる車両; and the particle after them."""

from collections.abc import Sequence
from dataclasses import dataclass

from voc.japanese import Word
from voc.wish_words import FILLER, MORE, NOUNS, PLAIN_NOUNS, SKIPPED, TIME

_CASES = frozenset("が を に で から まで へ と より".split())
_LINKED = frozenset("nmod compound nummod".split())
_BREAKS = frozenset("NOUN PROPN ADJ INTJ PUNCT ADV PRON".split())
_SHORT_CLAUSE, _LONG_CLAUSE = 14, 24  # characters of a relative clause that a phrase may carry


@dataclass(frozen=True, slots=True)
class Tree:
    """The words of one sentence and the positions of each word's children."""

    words: Sequence[Word]
    children: dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class Argument:
    """A noun phrase that ends in word `at`, the particle after it (「は」 also for も), and where the phrase starts."""

    at: int
    case: str
    text: str
    start: int


def tree_of(words: Sequence[Word]) -> Tree:
    children: dict[int, list[int]] = {}
    for i, word in enumerate(words):
        if word.head != i:
            children.setdefault(word.head, []).append(i)
    return Tree(words, children)


def left(tree: Tree, i: int) -> list[int]:
    """Children of word `i` that stand before it."""
    return [c for c in tree.children.get(i, ()) if c < i]


def tail(tree: Tree, i: int) -> list[Word]:
    """Auxiliaries and particles that follow word `i` up to the next content word."""
    rest = []
    for word in tree.words[i + 1 :]:
        if word.pos in _BREAKS or (word.pos == "VERB" and word.dep != "fixed"):
            break
        rest.append(word)
    return rest


def is_time(word: Word) -> bool:
    return word.lemma in TIME or word.text in TIME


def relative(tree: Tree, i: int) -> int | None:
    """The verb of the relative clause before noun `i`."""
    return max((c for c in left(tree, i) if tree.words[c].dep == "acl" and tree.words[c].pos == "VERB"), default=None)


def compound_start(tree: Tree, i: int) -> int:
    """First word of the compound that ends in `i`: 操作 + ログ, 再 + 入荷."""
    while i and _joins(tree, i - 1, i):
        i -= 1
    return i


def _joins(tree: Tree, before: int, after: int) -> bool:
    a, b = tree.words[before], tree.words[after]
    is_name = a.tag.startswith(("名詞", "接頭辞", "接尾辞-名詞")) and b.tag.startswith(("名詞", "接尾辞-名詞"))
    is_marked = any(c > before and tree.words[c].dep == "case" for c in tree.children.get(before, ()))
    return is_name and a.end == b.start and not is_marked and not is_time(a) and a.lemma not in SKIPPED and MORE.fullmatch(a.text) is None


def phrase_start(tree: Tree, i: int) -> int:
    """The first word of the noun phrase that ends in `i`: compounds, 〜の, and a short clause before it."""
    first = begin = compound_start(tree, i)
    for c in (c for k in range(begin, i + 1) for c in left(tree, k) if c < begin):
        word = tree.words[c]
        is_clause = (word.dep == "acl" and word.pos in {"VERB", "NOUN", "ADJ"}) or word.dep == "amod" or word.tag.startswith("動詞")
        if is_clause:
            first = min(first, _trimmed(tree, i, _clause_start(tree, c)))
        elif word.dep in _LINKED and word.pos in NOUNS:
            first = min(first, phrase_start(tree, c))
    return _without_lead(tree, _after_mask(tree, first, i), i)


def _after_mask(tree: Tree, first: int, i: int) -> int:
    """A name that was masked ([氏名1]) does not enter a phrase, nor what stands before it."""
    masked = [k for k in range(first, i) if tree.words[k].text in {"[", "]", "［", "］"}]
    if masked:
        first = masked[-1] + 1
        while first < i and tree.words[first].pos in {"AUX", "ADP", "SCONJ", "PART"}:
            first += 1
    return first


def _without_lead(tree: Tree, first: int, i: int) -> int:
    while first < i and _leads(tree, first, i):
        first += 1
    return first


def _leads(tree: Tree, k: int, i: int) -> bool:
    word = tree.words[k]
    is_loose = word.pos == "ADV" and not k < word.head <= i  # どう in 「どうでもいいメール」 belongs to いい
    return FILLER.fullmatch(word.text) is not None or is_loose or word.pos in {"INTJ", "DET", "PUNCT", "CCONJ"}


def _clause_start(tree: Tree, i: int) -> int:
    """Start of a relative clause; 車椅子でも before 乗れる belongs to it, whatever the parser attached it to."""
    first = _leftmost(tree, i)
    before = tree.words[i - 1] if i else None
    carries = {"が", "に", "も", "を", "の", "で"} if tree.words[i].dep == "acl" else {"で", "を", "が"}
    if first == i and before is not None and before.pos == "ADP" and before.text in carries:
        while first and tree.words[first - 1].bunsetsu == before.bunsetsu:
            first -= 1
    return first


def _leftmost(tree: Tree, i: int) -> int:
    return min([i, *(_leftmost(tree, c) for c in left(tree, i))])


def _trimmed(tree: Tree, i: int, first: int) -> int:
    """The clause before noun `i` from `first` on, cut at a bunsetsu where it is too long for a phrase."""
    longest = _LONG_CLAUSE if tree.words[i].lemma in PLAIN_NOUNS else _SHORT_CLAUSE
    while first < i and tree.words[i].start - tree.words[first].start > longest:
        number = tree.words[first].bunsetsu
        while first < i and tree.words[first].bunsetsu == number:
            first += 1
    return first


def phrase(tree: Tree, i: int) -> str:
    """The noun phrase that ends in word `i`, without fillers and punctuation."""
    return FILLER.sub("", "".join("・" if w.text in {"、", "，"} else w.text for w in tree.words[phrase_start(tree, i) : i + 1] if w.pos != "PUNCT" or w.text in {"、", "，"}))


def argument(tree: Tree, i: int) -> Argument | None:
    """Word `i` with its phrase and particle; a bare noun right before its verb is its object. None for no noun."""
    word = tree.words[i]
    marks = [tree.words[c].text for c in tree.children.get(i, ()) if c > i and tree.words[c].dep in {"case", "fixed"}]
    if marks[:2] == ["と", "か"]:
        marks = ["とか", *marks[2:]]
    case = next((mark for mark in marks if mark in _CASES), "は" if marks else "")
    if word.pos not in (*NOUNS, "ADV", "PRON") or word.tag.startswith("副詞"):
        return None
    is_object = _stands_before_verb(tree, i, marks)
    if not case and word.dep in {"compound", "nmod"} and not is_object:
        return None
    if case in {"", "は"} and not {"は", "も"} & set(marks) and (word.dep == "obj" or is_object):
        case = "を"
    return Argument(i, case, phrase(tree, i), tree.words[phrase_start(tree, i)].start)


def _stands_before_verb(tree: Tree, i: int, marks: Sequence[str]) -> bool:
    """Whether the noun stands right before its verb, as objects do in speech: ボタン作って, おにぎりとか売って."""
    words = tree.words
    after = next((k for k in range(i + 1, len(words)) if words[k].dep != "case" and words[k].pos != "PUNCT"), None)
    is_adverb = is_time(words[i]) or "副詞可能" in words[i].tag or "助数詞" in words[i].tag
    is_verb = after is not None and words[after].tag.startswith("動詞")
    return after == words[i].head and is_verb and not is_adverb and set(marks) <= {"とか", "など", "なんか", "ぐらい", "くらい", "だけ"}


def case_of(tree: Tree, i: int) -> str:
    found = argument(tree, i)
    return found.case if found else "-"
