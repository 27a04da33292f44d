"""From the root of a request down through its words of wishing to the word that holds the matter.

助かります <- ダウンロードできると; ほしい <- できるように <- 検索; やめて <- 送るのは. Each rule below knows one construction.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from voc.changes import ADJECTIVES, STATES
from voc.japanese import Word
from voc.noun_phrases import Tree, case_of, is_time, left, relative, tail
from voc.wish_words import (
    ABILITY,
    ADDING,
    ASKED_FOR,
    ASKING_TAIL,
    CARRIERS,
    EXISTS,
    FEELING,
    GLAD,
    NEGATION,
    NOMINAL,
    NOUNS,
    PREFIX,
    REPAIR,
    STOP_VERBS,
    VISITS,
)

_CLAUSE_DEPS = frozenset("advcl ccomp acl csubj obl nsubj obj dep".split())
_NOUN_DEPS = frozenset("nsubj obj obl csubj dep".split())
_ABLE = frozenset("できる 出来る".split())
_EASE = frozenset("やすい にくい づらい".split())
_IF = frozenset("と ば たら だら なら".split())
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Matter:
    """Where the walk ended: word `head`, the words `passed` (their arguments are the matter's as well), and how.

    `state`: adjective (速くして), state (無料にして), fix (なんとかして), the word of asking (ほしい, 希望), or empty for a verb.
    """

    head: int
    passed: tuple[int, ...] = ()
    is_negative: bool = False
    is_stopped: bool = False
    is_asked_for: bool = False
    state: str = ""


class _Step(NamedTuple):
    """Where a rule goes on (None: the word is the matter), the words it passes besides, and what it found out."""

    to: int | None
    found: dict
    passed: tuple[int, ...] = ()


class _Place(NamedTuple):
    word: Word
    tail: list[Word]
    clauses: list[int]
    nouns: list[int]


def find_matter(tree: Tree, root: int) -> Matter | None:
    """The matter under `root`; None where the walk does not end."""
    matter = Matter(root)
    for _ in range(_DEEPEST):
        place = _look(tree, matter.head)
        matter = replace(matter, is_negative=matter.is_negative or _is_denied(place))
        step = next((step for step in (rule(tree, matter, place) for rule in _RULES) if step is not None), None)
        if step is None or step.to is None:
            return matter if step is None else replace(matter, **step.found)
        matter = replace(matter, passed=(*matter.passed, matter.head, *step.passed), head=step.to, **step.found)
    return None


def is_own_plan(tree: Tree, matter: Matter) -> bool:
    """また行きたい, 来月も利用したい: the speaker's own doing, nothing that anybody else should change."""
    said = "".join(w.text for w in tail(tree, matter.head)) + "".join(tree.words[i].text for i in matter.passed)
    if re.search(r"させて(?:もら|貰|いただ|頂)", said):  # 確認させてもらいたい
        return True
    is_wish = re.search(r"たい|たく|たか", said) is not None and re.search(r"もら|貰|いただ|頂|でき|られ", said) is None
    return tree.words[matter.head].lemma in VISITS and is_wish


def is_done(tree: Tree, i: int) -> bool:
    """Whether a noun is used as a verb: オンライン化してほしい."""
    return any(w.lemma in {"する", *_ABLE} for w in tail(tree, i)[:1])


def _look(tree: Tree, i: int) -> _Place:
    before = left(tree, i)
    clauses = [c for c in before if tree.words[c].dep in _CLAUSE_DEPS and tree.words[c].pos in {"VERB", "ADJ"}]
    nouns = [c for c in before if tree.words[c].dep in _NOUN_DEPS and tree.words[c].pos in NOUNS]
    return _Place(tree.words[i], tail(tree, i), clauses, nouns)


def _is_denied(place: _Place) -> bool:
    word = place.word
    if word.lemma == "不要" or (word.lemma in {"要る", "いる", "必要"} and any(w.lemma in NEGATION for w in place.tail)):
        return True
    return _denies([word, *place.tail] if word.lemma == "ない" else place.tail)


def _denies(words: Sequence[Word]) -> bool:
    """〜ないで(ください), 〜ないように, 〜べきではない; not 〜ないのでしょうか, which asks for it."""
    should = any(w.text in {"べき", "べし"} for w in words)
    return any(
        word.lemma in NEGATION and word.pos in {"AUX", "ADJ"} and (should or (after is not None and after.text in {"で", "よう", "様", "方", "ほう"}))
        for word, after in zip_longest(words, words[1:])
    )


def _like(tree: Tree, clauses: list[int]) -> list[int]:
    return [c for c in clauses if any(w.text in {"よう", "様"} for w in tail(tree, c))]


def _noun_wished(tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """パンフレット欲しい, 月二回に: a noun that ends the sentence with a wish or with に."""
    if place.word.pos not in NOUNS or is_done(tree, matter.head):
        return None
    if any(w.lemma in {"ほしい", "欲しい"} for w in place.tail):
        return _Step(None, {"is_asked_for": True, "state": "ほしい"})
    is_state = [w.text for w in place.tail] == ["に"] and not matter.passed
    return _Step(None, {"state": "state"}) if is_state else None


def _nominal(_tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """〜したほうが, 〜する必要が, 〜できる機能: what stands before the noun is the matter."""
    is_thing = place.word.lemma in {"もの", "もん"} and not any(w.dep == "case" for w in place.tail)
    if (place.word.lemma in NOMINAL or is_thing) and place.word.pos in {"NOUN", "SCONJ"} and place.clauses:
        return _Step(max(place.clauses), {"is_asked_for": False})
    return None


def _become(tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """する and なる: 〜できるように(する), 速く(する), 無料に(する), なんとか(する)."""
    if place.word.lemma not in {"する", "なる", "す"} or place.word.pos != "VERB":
        return None
    if like := _like(tree, place.clauses):
        return _Step(max(like), {})
    adjectives = {*place.clauses, *(c for c in left(tree, matter.head) if tree.words[c].pos == "ADJ")}
    near = [c for c in adjectives if _is_quality(tree, c)]
    if near and matter.head - max(near) <= 3:
        return _Step(max(near), {"state": "adjective"})
    states = [c for c in place.nouns if case_of(tree, c) in {"に", "と"} and matter.head - c <= 2]
    return _Step(max(states), {"state": "state"}) if states else _Step(None, {"state": "fix"})


def _is_quality(tree: Tree, c: int) -> bool:
    word = tree.words[c]
    return (word.pos == "ADJ" and word.lemma not in GLAD) or any(w.lemma in _EASE for w in tail(tree, c))


def _able(tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """安くできませんか, オフにできる, 切れないように直して."""
    word = place.word
    if word.lemma in _ABLE:
        near = [c for c in place.clauses if tree.words[c].pos == "ADJ" and tree.words[c].text.endswith("く") and tree.words[c].end == word.start]
        if near:
            return _Step(near[-1], {"state": "adjective"})
    like = _like(tree, place.clauses)
    if like and word.lemma in REPAIR:
        return _Step(max(like), {})
    if word.lemma in _ABLE:
        states = [c for c in place.nouns if case_of(tree, c) == "に" and tree.words[c].text not in PREFIX]
        states = [c for c in states if tree.words[c].lemma in STATES or tree.words[c + 1].end == word.start]
        return _Step(max(states), {"state": "state"}) if states else None
    return None


def _denied_verb(tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """送ら|ないで, where the parser makes ない the head."""
    if place.word.lemma != "ない" or place.word.pos != "ADJ":
        return None
    verbs = [c for c in left(tree, matter.head) if tree.words[c].pos == "VERB" and tree.words[c].end == place.word.start]
    return _Step(verbs[-1], {}) if verbs else None


def _added_ability(tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """〜する機能を追加して: the ability is the matter."""
    able = [c for c in place.nouns if tree.words[c].lemma in ABILITY and relative(tree, c) is not None]
    return _Step(relative(tree, able[-1]), {}, (able[-1],)) if place.word.lemma in ADDING and able else None


def _plain_quality(_tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """もう少し早ければ, 軽いと(助かる)."""
    word = place.word
    is_known = word.lemma in ADJECTIVES or word.lemma in {"早い", "速い", "遅い"}
    is_wished = matter.passed or any(w.text in _IF for w in place.tail)
    return _Step(None, {"state": "adjective"}) if word.pos == "ADJ" and is_known and word.lemma not in FEELING and is_wished else None


def _condition(tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """場所があると選びやすい: what would have to be is the matter, unless the main clause itself asks."""
    asks = any(w.lemma in ASKING_TAIL or w.text in {"べき", "たい", "よう"} for w in place.tail)
    ends = {c: tail(tree, c) for c in place.clauses}
    found = [c for c, words in ends.items() if words and words[-1].text in _IF]
    return _Step(max(found), {}) if found and not asks else None


def _asking_clause(tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """なんとかしてくれ|長すぎる: the clause that asks, not the remark after it."""
    if place.word.lemma in FEELING or place.word.lemma in CARRIERS:
        return None
    asking = [c for c in place.clauses if any(w.lemma in ASKING_TAIL for w in tail(tree, c))]
    return _Step(max(asking), {}) if asking else None


def _stopped(tree: Tree, _matter: Matter, place: _Place) -> _Step | None:
    """送るのはやめて: what is to stop is the matter."""
    if place.word.lemma not in STOP_VERBS:
        return None
    named = [c for c in place.clauses if any(w.text in {"の", "こと"} for w in tail(tree, c))]
    return _Step(max(named), {"is_stopped": True}) if named else None


def _asked_for(tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """〜がほしい, 〜があると, 〜の追加を希望; 求められている asks the speaker."""
    word = place.word
    is_told = any(w.lemma in {"られる", "れる"} for w in place.tail)
    if matter.is_stopped or is_told or word.lemma not in EXISTS | ASKED_FOR:
        return None
    own = [c for c in place.nouns if case_of(tree, c) in {"が", "を", "は", ""} and not is_time(tree.words[c])]
    if own and (not place.clauses or max(own) > max(place.clauses) or word.lemma in EXISTS):
        return _Step(max(own), {"is_asked_for": True, "state": word.lemma})
    return None


def _end_of_asking(_tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    if matter.is_asked_for:
        return _Step(None, {})
    if place.word.text in {"ぜひ", "是非"} and place.nouns:
        return _Step(max(place.nouns), {"is_asked_for": True, "state": "ほしい"})
    return None


def _feeling(tree: Tree, matter: Matter, place: _Place) -> _Step | None:
    """助かる, 思う, 困る and the verbs that carry another (〜てくる): down to what they are about."""
    is_feeling = place.word.lemma in FEELING and not matter.is_stopped
    if not is_feeling and place.word.lemma not in CARRIERS:
        return None
    clauses = [c for c in place.clauses if tree.words[c].lemma not in {"強い", "深い", "切に"}]
    plain = [c for c in clauses if not _is_reason(tree, c)] or clauses
    if plain:
        return _Step(max(plain), {})
    return _Step(max(place.nouns), {}) if place.nouns and is_feeling else None


def _is_reason(tree: Tree, i: int) -> bool:
    texts = [w.text for w in tail(tree, i)]
    return bool({"けど", "けれど", "けれども", "が", "し", "から"} & set(texts)) or ("の" in texts and "で" in texts)


_RULES = (_noun_wished, _nominal, _become, _able, _denied_verb, _added_ability, _plain_quality, _condition, _asking_clause,
          _stopped, _asked_for, _end_of_asking, _feeling)  # fmt: skip
