"""Labels a person would write: the plain-form clause that most exemplars share, worded for its kind."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from voc.clauses import Clause, main_clause
from voc.japanese import Word

_LONGEST = 30
_SHORTEST = 5
_MASKED = re.compile(r"\[[^\]]*\]|\d{3,}")
_ENDS_WELL = re.compile(r"(方法|手順|手続き|やり方|設定|場所)$")


def label_candidates(texts: Sequence[str], kind: str, *, parse: Callable[[Sequence[str]], list[list[Word]]]) -> list[tuple[str, int]]:
    """(label, weight) from exemplar sentences, nearest first: the more exemplars share a clause's words, the heavier."""
    clauses = [main_clause(words) for words in parse(list(texts))]
    labels = [word_for_kind(clause, kind) if clause else None for clause in clauses]
    parts = Counter(part for clause in clauses if clause for part in set(_parts(clause)))
    scored = {}
    for rank, (clause, label) in enumerate(zip(clauses, labels, strict=True)):
        if label is None or not _SHORTEST <= len(label) <= _LONGEST or _MASKED.search(label) or not clause.arguments:
            continue
        shared = sum(math.log1p(parts[part]) for part in set(_parts(clause)))
        weight = shared / math.sqrt(1 + len(label) / 12) - 0.02 * rank
        scored[label] = max(scored.get(label, -1e9), weight)
    return sorted(scored.items(), key=lambda item: (-item[1], item[0]))


def choose_label(candidates: list[tuple[str, float]], words: Sequence[str], kind: str, *, taken: set[str]) -> str:
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
    """The clause as a label of its kind: 使い方 〜する方法, 手続き 〜の手続き, 要望 〜したい / 〜してほしい, else plain."""
    text = clause.text()
    if kind in {"使い方", "手続き"}:
        ending = "方法" if kind == "使い方" else "手続き"
        if clause.is_noun:
            return text if _ENDS_WELL.search(text) else f"{text}の{ending}"
        if clause.is_negative:
            return text
        thing = clause.case("を")
        if thing and clause.predicate.endswith("する") and len(clause.arguments) == 1:
            return f"{thing}の{clause.predicate.removesuffix('する')}{ending if kind == '手続き' else '方法'}"
        return f"{text}{ending}"
    if kind == "要望":
        if clause.is_noun:
            return text
        if clause.predicate.endswith(("できる", "られる", "える", "ける", "せる", "べる", "れる")):
            return f"{text}ようにしてほしい"
        if clause.is_negative:
            return f"{text.removesuffix('ない')}るようにしてほしい" if text.endswith("られない") else text
        return clause.text(form="te") + "ほしい"
    return text


def _parts(clause: Clause) -> list[str]:
    return [*(phrase for phrase, _ in clause.arguments), clause.predicate]
