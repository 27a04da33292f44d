"""Labels a person would write: the plain-form clause that says most of what an issue's sentences share."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from voc.clauses import Clause, main_clause
from voc.cleaning.fillers import without_fillers
from voc.issues.matter import names_a_matter
from voc.japanese import Word

_LONGEST = 30
_SHORTEST = 6
_BEST_LENGTH = 14
_LONG_ADVERB = 6
_SLIP, _USUAL = 0.35, 20  # pairs of characters rarer than this are often slips of the recogniser or of the typist
_OPENING = re.compile(
    r"^((すみません|すいません|もしもし|こんにちは|こんばんは|もう一点|一点|ところで|それから|あと|また|お世話になって(い|おり)?ます|(率直な)?感想として)[、。，\s]*)+"
)
_MASKED = re.compile(r"\[[^\]]*\]|\d|[。、？！「」]")
_MEANS = re.compile(r"(方法|手順|手続き|やり方|仕方|設定|場所|違い|期限|時間|日)$")
_VAGUE_PHRASE = re.compile(
    r"^(いつも|こと|もの|者|方|話|件|何|なに|どこ|これ|それ|あれ|ここ|そこ|こちら|そちら|さっき|今|前|後|中|上|うち|まま|たび|ため|場|人|自分|弊社|当社|うちの会社|お世話|.*今後の.*|.*(ため|もの|こと|つて|とき|場合|羽目))$"
)
_VAGUE_VERB = frozenset("なる ある いる する 出る 来る くる 行く いく 申す 言う なくなる できる 出来る 思う 違う 同じ 変わる 良い いい やる 見る 使う".split())
_MISHAP = frozenset("忘れる 無くす なくす 失う 失念する 紛失する 間違える 消す 消える 切れる 届かない 分からない わからない".split())
_OFFER = ("できる", "られる", "える", "ける", "せる", "べる", "れる", "てる", "ねる")


def label_candidates(
    texts: Sequence[str], kind: str, *, words: Sequence[str], spellings: Mapping[str, int],
    parse: Callable[[Sequence[str]], list[list[Word]]],
) -> list[tuple[str, float]]:
    """(label, weight), heaviest first, from exemplar sentences given nearest first.

    A clause weighs by how many of the sentences share its words, more so where they are among the issue's leading
    `words`; it must have an argument that names the matter. `spellings` (of `count_spellings`) tells slips from
    usual writing. Lengths near fourteen characters read best.
    """
    parsed = parse([_OPENING.sub("", without_fillers(text)) for text in texts])
    clauses = [_told(main_clause(sentence)) for sentence in parsed]
    shared = Counter(lemma for sentence in parsed for lemma in {_lemma(word) for word in sentence} if lemma)
    negative = sum(clause.is_negative for clause in clauses if clause) / max(sum(c is not None for c in clauses), 1)
    scored: dict[str, float] = {}
    for rank, (clause, sentence) in enumerate(zip(clauses, parsed, strict=True)):
        label = word_for_kind(clause, kind) if clause else None
        if label is None or not _SHORTEST <= len(label) <= _LONGEST or _MASKED.search(label):
            continue
        own = {_lemma(w) for w in sentence if any(start <= w.start < end for start, end in clause.words)} - {None}
        weight = sum(math.log(shared[lemma]) * (1.6 if lemma in words else 1.0) for lemma in own)
        weight -= _SLIP * sum(max(0.0, math.log(_USUAL / spellings.get(pair, 1))) for pair in _pairs(label))
        weight -= abs(clause.is_negative - negative) + 1.5 * any(
            w.pos == "PROPN" and shared[w.lemma] < len(texts) / 3 for w in sentence if w.text in label
        )
        weight -= abs(len(label) - _BEST_LENGTH) * 0.12 + rank * 0.02
        weight -= 1.5 * (clause.predicate in _VAGUE_VERB) + 0.05 * max(0, len(texts[rank]) - 30)
        scored[label] = max(scored.get(label, -1e9), weight)
    return sorted(scored.items(), key=lambda item: (-item[1], item[0]))


def choose_label(candidates: Sequence[tuple[str, float]], words: Sequence[str], kind: str, *, taken: set[str]) -> str:
    """The heaviest candidate that no other issue has; failing that, the leading words as a plain noun phrase."""
    for label, _ in candidates:
        if label not in taken:
            return label
    stem = "・".join(words[:2]) or "その他"
    for ending in ("", *(f"（{word}）" for word in words[2:]), *(f"（{n}）" for n in range(2, 100))):
        label = f"{stem}に関する{kind}{ending}"[:_LONGEST]
        if label not in taken:
            return label
    raise AssertionError("a ledger with a hundred issues of the same words")


def word_for_kind(clause: Clause, kind: str) -> str | None:
    """The clause as a label of its kind: 使い方 〜する方法, 手続き 〜の手続き, 要望 〜してほしい, else plain."""
    text = clause.text()
    if kind in {"使い方", "手続き", "要望"}:
        clause = _as_object(clause)
        text = clause.text()
    if kind in {"使い方", "手続き"}:
        return _means(clause, text, "方法" if kind == "使い方" else "手続き")
    if kind == "要望":
        return _wish(clause, text)
    return text


def count_spellings(texts: Iterable[str]) -> Counter:
    """In how many distinct texts each pair of neighbouring characters stands."""
    return Counter(pair for text in set(texts) for pair in _pairs(text))


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def _told(clause: Clause | None) -> Clause | None:
    """The clause without arguments that name nothing; None where no argument is left that does."""
    if clause is None:
        return None
    pairs = list(zip(clause.arguments, clause.words, strict=False))
    if any(not case and end - start > _LONG_ADVERB for (_, case), (start, end) in pairs):
        return None
    kept = [(a, span) for a, span in pairs if not _VAGUE_PHRASE.match(a[0])]
    if not any(case and names_a_matter([phrase]) for (phrase, case), _ in kept):
        return None
    arguments = tuple(a for a, _ in kept)
    return Clause(arguments, clause.predicate, clause.wish, clause.te, clause.is_negative, clause.is_noun,
                  (*(span for _, span in kept), clause.words[-1]))  # fmt: skip


def _as_object(clause: Clause) -> Clause:
    """Under 使い方 and 要望 the topic is what the customer handles: 番号は打ち込む -> 番号を打ち込む."""
    if any(case == "を" for _, case in clause.arguments) or clause.predicate.endswith(_OFFER):
        return clause
    return replace(clause, arguments=tuple((p, "を" if c == "は" else c) for p, c in clause.arguments))


def _means(clause: Clause, text: str, ending: str) -> str | None:
    if clause.is_noun:
        return text if _MEANS.search(text) else f"{text}について"
    if clause.predicate in _MISHAP or clause.is_negative:
        past = clause.te[:-1] + ("た" if clause.te.endswith("て") else "だ")
        base = "".join(phrase + case for phrase, case in clause.arguments)
        return f"{text}ときの対処方法" if clause.is_negative else f"{base}{past}ときの手順"
    thing = clause.case("を")
    if thing and clause.predicate.endswith("する") and len(clause.arguments) == 1:
        return f"{thing}の{clause.predicate.removesuffix('する')}{ending}"
    if clause.predicate.endswith("できる") and thing and len(clause.arguments) == 1:
        return f"{thing}の{clause.predicate.removesuffix('できる')}{ending}"
    return f"{text}{ending}"


def _wish(clause: Clause, text: str) -> str | None:
    if clause.is_noun:
        return text
    thing = clause.case("が", "は")
    if clause.predicate in {"ない", "ある"}:
        return f"{thing}がほしい" if thing else None
    if clause.is_negative:
        able = clause.predicate.removesuffix("ない")
        base = "".join(phrase + case for phrase, case in clause.arguments)
        return f"{base}{able}るようにしてほしい" if able.endswith(("でき", "られ", "え", "け", "せ", "べ", "れ", "て")) else None
    return f"{text}ようにしてほしい" if clause.predicate.endswith(_OFFER) else clause.text(form="te") + "ほしい"


def _lemma(word: Word) -> str | None:
    return word.lemma if word.pos in {"NOUN", "PROPN", "VERB", "ADJ"} and names_a_matter([word.lemma]) else None
