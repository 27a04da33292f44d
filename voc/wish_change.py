"""The thing and the noun of the change that a matter asks for: 駐車場を増やして -> 駐車場, 増加."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from voc.changes import CHANGES, FAULTS, adjective_change, ease_change, state_change, stopped, verb_change, verb_noun
from voc.noun_phrases import Argument, Tree, argument, compound_start, is_time, left, phrase, phrase_start, tail
from voc.wish_matter import Matter, is_done
from voc.wish_words import ASSORTED, EXISTS, LIGHT, MORE, NOUNS, SKIPPED, THINGS, WHEN

_ACT = re.compile(r"(?:手続き|申請|登録|確認|返金|交換|発行|再発行|連絡|修理)$")
_OFFERED = EXISTS - {"必要"}  # 〜がほしい, 〜があると ask for the thing itself, 〜を希望 for the act that the noun names
_SOMEHOW = {"なん", "何", "何とか", "なんとか"}
_WHOLE = 0.6  # a bare noun phrase asks only where it is most of the sentence


class Change(NamedTuple):
    """`thing` and `change`, each None where the structure names none, and the arguments that gave them."""

    thing: str | None
    change: str | None
    told_by: tuple[Argument, ...] = ()


def read_change(tree: Tree, matter: Matter, arguments: Sequence[Argument]) -> Change:
    """Thing and change of `matter`, from its word and its `arguments`."""
    word, found = tree.words[matter.head], find_thing(tree, matter, arguments)
    thing, told_by = (found.text, (found,)) if found else (None, ())
    is_noun = word.pos in NOUNS and not word.tag.startswith("動詞") and not is_done(tree, matter.head)
    if matter.state == "adjective":
        return Change(thing, _change_of_adjective(tree, matter, thing), told_by)
    if matter.state == "state":
        state = phrase(tree, matter.head)
        return Change(thing, state_change(state) or state_change(word.text) or f"{state}への変更", told_by)
    if matter.state == "fix":
        return _fix(tree, matter, found)
    if matter.is_asked_for or is_noun:
        own = Argument(matter.head, "", "", tree.words[phrase_start(tree, matter.head)].start)
        return Change(*_noun_asked_for(tree, matter), (own,))
    if word.lemma in LIGHT and word.pos == "VERB" and thing:
        return Change(*_split(thing), told_by)
    return _verb(tree, matter, arguments, Change(thing, _change_of_verb(tree, matter, thing), told_by))


def find_thing(tree: Tree, matter: Matter, arguments: Sequence[Argument]) -> Argument | None:
    """What is to change: を before が before は; else the thing of the clause that gives the reason (多いので止めて)."""
    usable = [a for a in arguments if _may_be_thing(tree, a)]
    for case in ("を", "が", "は"):
        own = [a for a in usable if a.case == case and (case == "を" or not WHEN.search(a.text))]
        if own:
            return own[-1]
    for c in sorted((c for node in (matter.head, *matter.passed) for c in left(tree, node) if c < matter.head), reverse=True):
        if tree.words[c].pos in {"VERB", "ADJ"} and tree.words[c].dep in {"advcl", "ccomp", "csubj", "dep"}:
            lent = [a for a in (argument(tree, k) for k in left(tree, c)) if a and a.case in {"が", "を", "は"}]
            lent = [a for a in lent if tree.words[a.at].lemma not in SKIPPED and _may_be_thing(tree, a)]
            if lent:
                return lent[-1]
    return None


def _may_be_thing(tree: Tree, a: Argument) -> bool:
    word = tree.words[a.at]
    is_named = word.lemma not in SKIPPED or phrase_start(tree, a.at) < a.at  # 安くておいしいもの names one, もの does not
    return is_named and not is_time(word) and word.pos in NOUNS


def _split(name: str) -> tuple[str | None, str]:
    """通帳の記帳 -> 通帳, 記帳."""
    thing, _, change = name.rpartition("の")
    return (thing or None), change


def _change_of_adjective(tree: Tree, matter: Matter, thing: str | None) -> str:
    word = tree.words[matter.head]
    stem = word.text if word.pos == "VERB" else word.lemma
    ease = re.fullmatch(r"(.+?)(?:やすい|易い|にくい|づらい|辛い)", stem)
    if ease:
        return ease_change(ease[1])
    if any(w.lemma in {"やすい", "にくい", "づらい"} for w in tail(tree, matter.head)):
        return ease_change(stem)
    return adjective_change(word.lemma, thing)


def _fix(tree: Tree, matter: Matter, found: Argument | None) -> Change:
    """なんとかして: 改善; ネット販売をして: the noun itself."""
    if found is None or found.case != "を":
        return Change(None, None)
    if any(w.text in _SOMEHOW for w in tree.words[found.at : matter.head]):
        return Change(found.text, "改善", (found,))
    rest, name = _split(found.text)
    return Change(rest, verb_change(name, rest) or name, (found,)) if rest else Change(name, "実施", (found,))


def _verb(tree: Tree, matter: Matter, arguments: Sequence[Argument], told: Change) -> Change:
    """Changes that have an aim: 郵送に戻す, 日本語に変える, 管理者に絞る, タッチ決済に対応する."""
    if told.thing == "面倒" and told.change == "閲覧":  # 面倒を見る is one verb
        return Change(None, "対応", told.told_by)
    to = next((a for a in arguments if a.case == "に" and not is_time(tree.words[a.at])), None)
    if to is None:
        return told
    if tree.words[matter.head].lemma in {"戻す", "戻る"}:
        is_act = tree.words[to.at].tag.endswith("サ変可能")
        return Change(told.thing, f"{to.text}の再開" if is_act else f"{to.text}への復元", (*told.told_by, to))
    if told.change in {"変更", "限定", "切り替え", "切替え"}:
        return Change(told.thing, f"{to.text}への{told.change}", (*told.told_by, to))
    return Change(to.text, "への対応", (to,)) if told.change == "対応" else told


def _change_of_verb(tree: Tree, matter: Matter, thing: str | None) -> str | None:
    word = tree.words[matter.head]
    is_denied = matter.is_negative or matter.is_stopped
    if any(w.lemma in {"やすい", "にくい", "づらい"} for w in tail(tree, matter.head)):
        return ease_change(word.text + "し" if word.tag.startswith("名詞") else word.text)
    if word.lemma in {"要る", "いる", "不要"}:
        return "停止" if is_denied else "追加"
    if word.tag.startswith("名詞") or word.pos == "NOUN":
        name = "".join(w.text for w in tree.words[compound_start(tree, matter.head) : matter.head + 1])
        change = verb_change(name, thing) or name
    else:
        if matter.is_negative and not matter.is_stopped and word.lemma in FAULTS:
            return f"{FAULTS[word.lemma]}の防止"
        change = verb_change(word.lemma, thing) or verb_noun(word.lemma, word.inflection)
    return stopped(change) if is_denied else change


def _noun_asked_for(tree: Tree, matter: Matter) -> tuple[str | None, str | None]:
    """〜がほしい, 〜があると, 〜の追加を希望, and a bare noun phrase."""
    word = tree.words[matter.head]
    if word.tag.startswith("動詞"):
        return None, None
    name = re.sub(f"^(?:{MORE.pattern})+の?", "", phrase(tree, matter.head)).removesuffix("希望")
    thing, last = _split(name)
    folded = verb_change(last, thing) or last
    names_act = _ACT.search(last) is not None or (thing is not None and word.tag.endswith("サ変可能") and last not in THINGS)
    is_change = folded in CHANGES and (thing is not None or matter.state not in _OFFERED)
    if is_change or last.endswith("化") or (names_act and matter.state not in _OFFERED):
        return thing, last if last.endswith("化") else folded
    to = [a for a in (argument(tree, c) for c in left(tree, matter.head)) if a and a.case == "に"]
    if last == "対応" and to:
        return to[-1].text, "への対応"
    if matter.is_negative or matter.is_stopped:
        return name, "停止"
    if matter.is_asked_for:
        said = "".join(w.text for w in tree.words[: word.head + 1])
        return name, "増加" if MORE.search(said) else "追加"
    return _bare(tree, matter.head, name, to)


def _bare(tree: Tree, head: int, name: str, held: Sequence[Argument]) -> tuple[str | None, str | None]:
    """A noun phrase that is the whole sentence: 交換部品のネット販売, 左利き用の取っ手, 露天風呂に屋根."""
    length = sum(len(w.text) for w in tree.words if w.pos not in {"PUNCT", "SYM"})
    covered = len(name) + sum(len(a.text) + 1 for a in held)
    if any(w.text in {"、", "，"} for w in tree.words) or covered < _WHOLE * length or head < len(tree.words) - 4:
        return None, None
    thing, last = _split(name)
    if (tree.words[head].tag.endswith("サ変可能") and last not in THINGS and not last.endswith(("施設", "設備"))) or last.endswith(("づくり", "化", "方")):
        return thing, last
    return name, "充実" if ASSORTED.search(name) else "追加"
