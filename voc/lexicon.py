"""What the grammar and the words of a sentence say about its intent, without a model.

Two sources: the constructions of `voc.constructions`; and lexicon.tsv, compared as Sudachi's normalised forms so that
spelling and politeness do not matter (出来ません = できない). Its kinds: positive and negative (strength 1 or 2; a
following negation turns them round), lukewarm (普通, それなり), strong and mild (words of degree: 非常に, やや), cancel.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from voc.constructions import FLAGS, GRAMMAR
from voc.japanese import Token, tokenize
from voc.negation import NOT, canonical, denial, denial_within, double_negation

_NOTHING = Token("", "", "", "", "", "", 0, 0)


@dataclass(frozen=True)
class Evidence:
    """`values` float32 (n, features) in the order of `names`; `hits` the words that matched, feature -> text."""

    names: tuple[str, ...]
    values: np.ndarray
    hits: list[dict[str, str]]
    flags: list[list[str]]


def read_evidence(texts: Sequence[str]) -> Evidence:
    """Grammar and lexicon features of each text, the words they rest on, and its flags
    (emotion, effort, urgency, competitor)."""
    # half a surrogate pair, as broken JSON carries it, cannot be tokenised
    plain = [unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).strip() for text in texts]
    tokens = tokenize(plain)
    rows, hits = [], []
    for text, words in zip(plain, tokens, strict=True):
        found = {name: match[0] for name, expression in _compiled() if (match := expression.search(text))}
        kept = canonical(words)
        polar, others = _lexicon_words(text, kept)
        counts = [float(min(others.count(kind), 3)) for kind in _COUNTED_KINDS]
        grammar = [float(name in found) for name in GRAMMAR]
        rows.append(grammar + list(_sums(polar)) + counts + _shape(text, words, kept))
        for _, word, sign, _, _ in polar:
            found.setdefault("positive" if sign > 0 else "negative", word)
        hits.append(found)
    flags = [[name for name, expression in FLAGS.items() if re.search(expression, text)] for text in plain]
    values = np.array(rows, dtype=np.float32).reshape(len(texts), len(FEATURES))
    return Evidence(FEATURES, _with_totals(_with_products(values)), hits, flags)


_SUMS = ("pos", "neg", "pos_strong", "neg_strong", "pos_last", "neg_last", "balance", "balance_last")
_COUNTED_KINDS = ("lukewarm", "strong", "mild", "cancel")
_SHAPE = (
    "n_not",
    "past",
    "length",
    "imperative",
    "volitional",
    "no_verb",
    "noun_end",
    "verb_end",
    "particle_end",
    "adjective_end",
    "double_not",
    "firm_not",
)
_PRODUCTS = (
    ("wish", "pos"),
    ("if_any", "pos"),
    ("thanks", "neg"),
    ("contrast", "pos"),
    ("contrast", "neg"),
    ("question_end", "cannot"),
    ("question_end", "leave"),
    ("noun_end", "pos"),
    ("noun_end", "neg"),
    ("strong", "pos"),
    ("strong", "neg"),
    ("mild", "pos"),
    ("mild", "neg"),
    ("lukewarm", "contrast"),
    ("double_not", "contrast"),
    ("double_not", "cannot"),
    ("double_not", "not_done"),
    ("never", "pos"),
    ("never", "neg"),
    ("denied_intent", "question_end"),
    ("irony", "pos"),
)
_COUNTED = ("complaint", "request", "question", "praise", "cancel")
_TOTALS = ("asks", "why_failure", *(f"n_{intent}" for intent in _COUNTED))
# Constructions that by themselves ask for a change; the others of "request" only lean that way.
_ASKING = ("wish", "favour", "give", "if_glad", "only_if", "should", "please", "be_made", "order", "noun_wish")
# Constructions of a complaint that say that something went wrong, beside the why.
_FAILING = ("regret", "excess", "cannot", "not_done", "again_broken", "suffer", "hard_to", "fails")
FEATURES = (*GRAMMAR, *_SUMS, *_COUNTED_KINDS, *_SHAPE, *(f"{a}*{b}" for a, b in _PRODUCTS), *_TOTALS)


def _with_products(values: np.ndarray) -> np.ndarray:
    for a, b in _PRODUCTS:
        values[:, FEATURES.index(f"{a}*{b}")] = values[:, FEATURES.index(a)] * values[:, FEATURES.index(b)]
    return values


def _with_totals(values: np.ndarray) -> np.ndarray:
    def any_of(names: Sequence[str]) -> np.ndarray:
        return values[:, [FEATURES.index(name) for name in names]].any(axis=1)

    # a construction asks for a change, and none for information or for the end of the contract
    values[:, FEATURES.index("asks")] = any_of(_ASKING) & ~any_of(("ask_info", "leave", "leave_words"))
    # 「なぜ落ちるのですか」 reproaches, 「なぜ青いのですか」 wants to know
    why = values[:, FEATURES.index("why")] > 0
    values[:, FEATURES.index("why_failure")] = why & (any_of(_FAILING) | (values[:, FEATURES.index("neg")] > 0))
    for intent in _COUNTED:
        own = [FEATURES.index(name) for name, (spoken_for, _) in GRAMMAR.items() if spoken_for == intent]
        values[:, FEATURES.index(f"n_{intent}")] = np.minimum(values[:, own].sum(axis=1), 3)
    return values


@cache
def _compiled() -> tuple[tuple[str, re.Pattern], ...]:
    return tuple((name, re.compile(expression)) for name, (_, expression) in GRAMMAR.items())


@cache
def _lexicon() -> dict[str, list[tuple[tuple[str, ...], str, float]]]:
    """First form -> its entries (forms, kind, strength), longest first."""
    table = pd.read_csv(Path(__file__).with_name("lexicon.tsv"), sep="\t")
    entries: dict[str, list[tuple[tuple[str, ...], str, float]]] = {}
    for words, row in zip(tokenize(table["word"]), table.itertuples(index=False), strict=True):
        forms = tuple(form for form, _ in canonical(words))
        if forms:
            entries.setdefault(forms[0], []).append((forms, row.kind, float(row.strength)))
    for suffix, kind in (("~易い", "positive"), ("~難い", "negative"), ("~辛い", "negative")):
        entries[suffix] = [((suffix,), kind, 1.0)]
    return {form: sorted(group, key=lambda entry: (-len(entry[0]), entry)) for form, group in entries.items()}


def _lexicon_words(
    text: str, kept: list[tuple[str, Token]]
) -> tuple[list[tuple[int, str, int, float, bool]], list[str]]:
    """(start, words in the text, sign, strength, is_negated) of every good or bad word, a negation turns the sign;
    and the kinds of the other words of the lexicon."""
    forms = [form for form, _ in kept]
    entries, found, others, i = _lexicon(), [], [], 0
    while i < len(forms):
        entry = next((e for e in entries.get(forms[i], ()) if tuple(forms[i : i + len(e[0])]) == e[0]), None)
        if entry is None:
            i += 1
            continue
        end = i + len(entry[0])
        if entry[1] in _COUNTED_KINDS:
            others.append(entry[1])
            i = end
            continue
        sign, strength = (1 if entry[1] == "positive" else -1), entry[2]
        sign, strength, is_negated = _denied(kept, end, entry[0], sign, strength)
        found.append((kept[i][1].start, text[kept[i][1].start : kept[end - 1][1].end], sign, strength, is_negated))
        i = end
    return found, others


def _denied(
    kept: list[tuple[str, Token]], end: int, entry: tuple[str, ...], sign: int, strength: float
) -> tuple[int, float, bool]:
    """Sign, strength and is_negated of an entry that ends before `end`, after the negations that follow it."""
    if "ない" in entry:  # 繋がらない: the entry is one negation, a second one takes most of it back
        denied = denial_within(kept, end)
        if denied.times == 1:
            return sign, strength, False
        return -sign, (strength if denied.is_firm else 0.5), True
    denied = denial(kept, end)
    if denied.times == 1:  # 良くない is bad, 悪くない is only not bad
        return -sign, (1.0 if sign > 0 else 0.5), True
    if denied.times == 2 and not denied.is_firm:  # 不便がないわけではない: a little inconvenient
        return sign, 0.5, True
    return sign, strength, denied.times == 2


def _sums(polar: list[tuple[int, str, int, float, bool]]) -> np.ndarray:
    """Strength of good and of bad words, in all and in the last third of them, where the point is made."""
    good = [p[3] for p in polar if p[2] > 0]
    bad = [p[3] for p in polar if p[2] < 0]
    last = polar[-1:] if polar else []
    last_good = sum(p[3] for p in last if p[2] > 0)
    last_bad = sum(p[3] for p in last if p[2] < 0)
    total = sum(good) + sum(bad)
    return np.array([min(sum(good), 4), min(sum(bad), 4), 2.0 in good, 2.0 in bad, last_good, last_bad,
                     (sum(good) - sum(bad)) / (total + 1), last_good - last_bad])  # fmt: skip


def _shape(text: str, words: Sequence[Token], kept: list[tuple[str, Token]]) -> list[float]:
    twice = double_negation(kept)
    forms = [word.form for word in words]
    end = next((word for word in reversed(words) if word.pos not in {"補助記号", "空白"}), _NOTHING)
    return [
        min(sum(word.normal in NOT for word in words), 3),
        float(any(word.normal == "た" and word.pos == "助動詞" for word in words)),
        np.log1p(len(text)) / 4,
        float("命令形" in forms),
        float(any(form.startswith("意志推量形") for form in forms)),
        float(not any(word.pos in {"動詞", "形容詞", "形状詞"} for word in words)),
        float(end.pos in {"名詞", "接尾辞"}),
        float(end.pos == "動詞" and end.form.startswith(("終止形", "連体形"))),
        float(end.pos == "助詞" and end.normal in {"に", "を", "へ", "も"}),
        float(end.pos == "形容詞"),
        float(twice.times == 2 and not twice.is_firm),
        float(twice.is_firm),
    ] + [0.0] * (len(_PRODUCTS) + len(_TOTALS))
