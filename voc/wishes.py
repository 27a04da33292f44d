"""What a request wishes for, read off GiNZA's dependency tree: the thing, the change, where, and the words for it.

請求書のPDFをまとめてダウンロードできるようにしてほしい -> 請求書PDFの一括ダウンロード.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voc.changes import ease_change, join
from voc.japanese import Word
from voc.noun_phrases import Argument, Tree, argument, is_time, left, phrase_start, relative, tail, tree_of
from voc.wish_change import find_thing, read_change
from voc.wish_matter import Matter, find_matter, is_own_plan
from voc.wish_words import EASILY, HOLDER, NOUNS, PLACE, PREFIX, QUICKLY, SCREEN, SKIPPED, WHEN

_TELLING = 8  # 「速度制限がかかる前の通知」 says enough, 「今日中の追加」 does not
_SELF = ("自分", "私", "こちら", "そちら")
_DEGREE = frozenset("多い 少ない 良い よい いい 上手い うまい".split())
_QUICK = {"前倒し", "迅速化", "速度の改善"}


@dataclass(frozen=True, slots=True)
class Wish:
    """`phrase` of `thing` and `change`; `place` where it is wished; `start`, `end`: the words in the text."""

    phrase: str
    thing: str | None
    change: str
    place: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Manner:
    """How, where and when: `times` and `ways` stand before the thing, `adjective` and `prefix` before the change."""

    times: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    adjective: str = ""
    prefix: str = ""
    place: str | None = None
    instead: str | None = None
    used: tuple[Argument, ...] = ()


def read_wish(words: Sequence[Word]) -> Wish | None:
    """The wish of one parsed sentence; None where the structure names no change, or only the speaker's own plan."""
    tree = tree_of(words)
    roots = [i for i, word in enumerate(words) if word.head == i]
    found = [wish for wish in (_wish(tree, root) for root in reversed(roots)) if wish]
    return next((wish for wish in found if wish.thing), found[0] if found else None)


def _wish(tree: Tree, root: int) -> Wish | None:
    matter = find_matter(tree, root)
    if matter is None or is_own_plan(tree, matter):
        return None
    arguments = _arguments(tree, matter)
    manner = _manner(tree, matter, arguments)
    thing, change, told_by = read_change(tree, matter, arguments)
    if change is None:
        return None
    if manner.instead == "値下げ":
        change = manner.instead
    elif manner.instead and change not in _QUICK:
        thing, change = join(thing, change), manner.instead
    else:
        change = manner.adjective + (manner.prefix if not change.startswith(manner.prefix) else "") + change
    before = "".join((*manner.times, *manner.ways))
    if thing is None and not manner.ways and len(before) < _TELLING and len(change) < 3:
        return None
    start = min([tree.words[matter.head].start, *(a.start for a in (*told_by, *manner.used))])
    last = max([matter.head, *(a.at for a in told_by)])
    end = ([tree.words[last], *tail(tree, last)])[-1].end
    place = _screen_of(thing) if any(a.text == manner.place for a in told_by) else manner.place or _screen_of(thing)
    return Wish(before + join(thing, change), thing, change, place, start, end)


def _screen_of(thing: str | None) -> str | None:
    """マイページ of マイページの文字."""
    first, _, rest = (thing or "").partition("の")
    return first if rest and SCREEN.search(first) else None


def _arguments(tree: Tree, matter: Matter) -> list[Argument]:
    """Noun phrases that stand with the matter or with a word passed on the way to it."""
    nodes = [matter.head, *matter.passed]
    below = {c for node in nodes for c in left(tree, node) if c < matter.head}
    # an adjective has no object: メーターを in 「メーターを新しいものに取り替えて」 is the verb's
    below |= {i for i, w in enumerate(tree.words[: matter.head]) if w.dep == "obj" and tree.words[w.head].pos == "ADJ"}
    own = range(phrase_start(tree, matter.head), matter.head) if tree.words[matter.head].pos in NOUNS else ()
    below = {c for c in below if tree.words[c].tag != "接頭辞"}  # お of お知らせください, where the parser tears it off
    found = [argument(tree, c) for c in sorted(below) if c not in own and c not in nodes]
    return [a for a in found if a is not None]


def _manner(tree: Tree, matter: Matter, arguments: Sequence[Argument]) -> _Manner:
    manner, thing = _Manner(), find_thing(tree, matter, arguments)
    spans = [range(phrase_start(tree, a.at), a.at) for a in arguments]  # 海外でも同じ料金で: 海外 is inside 料金's phrase
    for a in arguments:
        if not any(a.at in span for span in spans) and (thing is None or a.at != thing.at):
            found = _way(tree, matter, a)
            manner = replace(_joined(manner, found), used=(*manner.used, a)) if found else manner
    for c in (c for node in (matter.head, *matter.passed) for c in left(tree, node) if c < matter.head):
        manner = _joined(manner, _clause_way(tree, c, is_own=matter.state != "adjective"))
    return manner


def _joined(manner: _Manner, found: dict) -> _Manner:
    lists = {name: (*getattr(manner, name), found[name]) for name in ("times", "ways") if name in found}
    rest = {name: value for name, value in found.items() if name not in lists}
    if manner.place is not None:
        rest.pop("place", None)
    return replace(manner, **lists, **rest)


def _way(tree: Tree, matter: Matter, a: Argument) -> dict:
    """What one argument says about how, where or when: アプリでの, 部署ごとの, 土日の; a screen or a room is the place."""
    word = tree.words[a.at]
    is_how = a.case in {"で", "に", ""}
    if word.text in PREFIX and (is_how or a.case == "から"):
        return {"prefix": PREFIX[word.text]}
    if (is_how and word.lemma in EASILY) or (a.case == "で" and word.text in {"一回", "一発"}):
        return {"instead": "簡素化"}
    if is_how and word.lemma in QUICKLY:
        return {"instead": "迅速化"}
    if word.lemma in SKIPPED or word.pos == "PRON" or a.text.startswith(_SELF):
        return {}
    if a.case == "まで":
        return {"ways": f"{a.text}までの"}
    if a.text.endswith(("ごと", "別", "単位")):
        return {"ways": a.text + ("での" if a.text.endswith("単位") else "の")}
    is_clause = word.text in {"前", "後", "まえ", "あと"} and relative(tree, a.at) is not None
    if is_clause or (WHEN.search(a.text) and (is_how or a.case in {"は", "が"})):
        return {"times": f"{a.text}の"}
    if is_time(word):
        return {}
    is_place = PLACE.search(a.text) is not None or (a.case in {"に", "へ"} and HOLDER.search(a.text) is not None)
    if is_place and matter.state != "state" and a.case in {"で", "から", "に", "へ"}:
        return {"place": a.text}
    return {"ways": f"{a.text}での"} if a.case == "で" else {}


def _clause_way(tree: Tree, c: int, *, is_own: bool) -> dict:
    """The same of a word that is no argument: まとめて, 簡単に, 早く, 細かく, 再入荷したら."""
    word, after = tree.words[c], "".join(w.text for w in tail(tree, c))
    if word.text in PREFIX and word.pos in {"VERB", "ADV", "ADJ"}:
        return {"prefix": PREFIX[word.text]}
    if is_own and word.lemma in EASILY:
        return {"instead": "簡素化"}
    if is_own and word.lemma in QUICKLY and word.pos in {"ADJ", "ADV"}:
        return {"instead": "迅速化"}
    if is_own and after.startswith("やすく"):
        return {"adjective": ease_change(word.text).removesuffix("さの改善") + "い"}
    if is_own and word.pos == "ADJ" and word.dep == "advcl":
        return _adverb(tree, c, after)
    if word.tag.startswith("名詞") and word.pos == "VERB" and after.startswith(("したら", "すると")):
        return {"times": "".join(w.text for w in tree.words[phrase_start(tree, c) : c + 1]) + "時の"}
    return {}


def _adverb(tree: Tree, c: int, after: str) -> dict:
    word = tree.words[c]
    is_adverb = re.match(r"形容詞|形状詞|名詞.*形状詞可能", word.tag) and (word.text.endswith("く") or after.startswith("に"))
    has_subject = any(tree.words[k].dep == "nsubj" for k in left(tree, c))  # 店も少なく、… is a clause of its own
    if not is_adverb or has_subject:
        return {}
    if word.lemma == "安い":
        return {"instead": "値下げ"}
    return {} if word.lemma in _DEGREE else {"adjective": word.lemma if word.lemma.endswith("い") else word.lemma + "な"}
