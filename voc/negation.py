"""How often the words after a word deny it: 悪くない once, 使えないわけではない twice, 「遅れない日がない」 twice and firmly.

Works on the canonical forms of a sentence: content in its dictionary form, politeness and case particles left out,
every negation as ない.
"""

from collections.abc import Sequence
from typing import NamedTuple

from voc.japanese import Token

NOT = frozenset("無い ず ぬ ない まい へん".split())
# What may stand between a word and its negation: 便利|とは思わ|ない, 壊れ|たことが一度も|ない
_LIGHT = frozenset(
    "為る 成る 有る 言う 思う 居る 感じる 訳 事 こと 程 そう 全然 余り 其れ程 決して 一度 一 1 つ ~つ 一つ 一切 覚え".split()
)
# What may stand between two negations of which the second denies the first: 使えない|わけでは|ない
_BETWEEN = frozenset(
    "訳 こと 事 物 筈 と だ た 言う 言える 言い切る 断言 為る 限る 思う まで 居る られる せる 有る 覚え や で".split()
)
# 「遅れない日がない」: it is so every time, which is more than 「遅れないこともない」
_EVERY = frozenset("日 朝 夜 晩 週 週末 月 年 冬 夏 時 回 度 例 試し 人 者 店".split())
_REACH = 4
_SKIPPED_PARTICLES = frozenset("は が も を に で の".split())


class Denial(NamedTuple):
    """`times` 0, 1 or 2; `is_firm`: the second negation says "always", not only "in some way"."""

    times: int
    is_firm: bool


def canonical(words: Sequence[Token]) -> list[tuple[str, Token]]:
    """Content of the words in order: politeness and case particles out, every negation as ない, suffixes marked."""
    kept = []
    for word in words:
        if word.normal in {"ます", "です"} or (
            word.pos == "助詞" and word.normal in _SKIPPED_PARTICLES and not word.detail.startswith("接続")
        ):
            continue
        if word.normal in NOT and word.pos in {"助動詞", "形容詞"}:
            if kept and kept[-1][0] == "有る":
                kept.pop()
            kept.append(("ない", word))
        else:
            kept.append(("~" + word.normal if word.pos == "接尾辞" else word.normal, word))
    return kept


def denial(kept: Sequence[tuple[str, Token]], start: int) -> Denial:
    """Of the word that ends before `kept[start]`."""
    first = _first_not(kept, start)
    return Denial(0, False) if first is None else _second(kept, first)


def denial_within(kept: Sequence[tuple[str, Token]], end: int) -> Denial:
    """Of an entry that holds a negation itself and ends before `kept[end]`: 繋がらない, 不満はない."""
    return _second(kept, end - 1)


def double_negation(kept: Sequence[tuple[str, Token]]) -> Denial:
    """The firmest double negation of a sentence, of whatever word."""
    found = [_second(kept, i) for i, (form, _) in enumerate(kept) if form == "ない"]
    twice = [d for d in found if d.times == 2]
    return Denial(2, any(d.is_firm for d in twice)) if twice else Denial(0, False)


def _first_not(kept: Sequence[tuple[str, Token]], start: int) -> int | None:
    for i, (form, word) in enumerate(kept[start : start + _REACH + 1], start):
        if form in {"ない", "なくなる"}:  # 迷うことがなくなった
            return i
        is_light = form in _LIGHT or word.pos in {"助動詞", "副詞"} or word.normal in {"て", "と", "だ"}
        if not is_light or word.surface in {"けど", "けれど"}:
            return None
    return None


def _second(kept: Sequence[tuple[str, Token]], first: int) -> Denial:
    """Whether the negation at `first` is denied in its turn."""
    is_every, is_past = False, False
    for i, (form, word) in enumerate(kept[first + 1 : first + 2 + _REACH], first + 1):
        after_if = kept[i - 1][0] == "ば"
        if form == "嘘" and after_if:  # ないと言えば嘘になる
            return Denial(2, False)
        if after_if:  # 直らなければ使えない: a condition, not a concession
            return Denial(1, False)
        if form == "ない":
            is_glued = i == first + 1 and word.start == kept[first][1].end  # 良くなくない? asks, なく|は|ない concedes
            return Denial(1, False) if is_glued else Denial(2, is_every or is_past)
        is_every |= form in _EVERY or form == "られる"  # 笑わずにはいられない
        is_past |= form in {"こと", "事"} and kept[i - 1][0] == "た"  # 失敗しなかったことがない
        if form not in _BETWEEN and form not in _EVERY and form not in {"ば", "一度"}:
            return Denial(1, False)
    return Denial(1, False)
