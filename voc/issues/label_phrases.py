"""Noun phrases of a parse with their particles, without what belongs to one customer only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voc.issues import label_words as known
from voc.japanese import Word

_CASES = ("が", "を", "に", "で", "から", "まで", "と", "へ", "より")
_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ"}
_LONGEST_PHRASE = 16
Children = Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """`text` without its particle; `case` が を に …, は where only the topic is marked, "" for an adverb."""

    text: str
    case: str
    head: str
    lemmas: tuple[str, ...]
    place: int = field(default=0, compare=False)

    def written(self) -> str:
        return self.text + ("が" if self.case == "は" else self.case)


def children_of(words: Sequence[Word]) -> dict[int, list[int]]:
    """For each word the places of the words that depend on it."""
    children: dict[int, list[int]] = {}
    for i, word in enumerate(words):
        if word.head != i:
            children.setdefault(word.head, []).append(i)
    return children


def read_phrase(words: Sequence[Word], children: Children, head: int) -> Phrase | None:
    """The noun phrase or adverb that ends in word `head`, without what belongs to one customer only."""
    word = words[head]
    marks = _marks(words, children, head)
    case = _case(marks, word)
    is_counted = "ずつ" in marks and head > 0 and words[head - 1].text in {"一", "1", "１"}
    if is_counted:
        return Phrase(f"{words[head - 1].text}{word.text}ずつ", "しか" if "しか" in marks else "", word.text, (), head)
    if case == "によって" and word.pos == "NOUN" and not _children_before(children, head):  # 人によって, 日によって: what it varies with
        return Phrase(word.text, case, word.text, (word.lemma,), head)
    if word.pos == "ADV" or (word.pos == "ADJ" and word.tag.startswith("形状詞")):
        return None
    if word.pos not in {"NOUN", "PROPN"} or word.lemma in known.DEICTIC or _names_time(words, head):
        return None
    if head and words[head - 1].pos == "NUM" and word.text not in known.FOLDS:
        return None
    left = _left_edge(words, children, head)
    text = "".join(part.text for part in words[left : head + 1])
    lemmas = tuple(part.lemma for part in words[left : head + 1] if part.pos in _CONTENT and part.lemma not in known.VAGUE)
    if known.FORBIDDEN.search(text) or not lemmas or (word.lemma in known.VAGUE and left == head):
        return None
    if not case and word.dep not in {"nsubj", "obj"} and words[word.head].pos != "NOUN" and not word.tag.endswith("副詞可能") and word.lemma not in known.MODES:
        return None
    if word.lemma in known.VAGUE and words[left:head] and words[head - 1].tag.startswith(("助動詞", "動詞")):
        return None
    return Phrase(text + ("だけ" if "だけ" in marks and case else ""), case, word.lemma, lemmas, head)


def _children_before(children: Children, head: int) -> list[int]:
    """The words before `head` that depend on it."""
    return [k for k in children.get(head, []) if k < head]


def _marks(words: Sequence[Word], children: Children, head: int) -> list[str]:
    own = {head, *(k for k in children.get(head, []) if k > head)}
    marks = []
    for k in range(head + 1, len(words)):
        if words[k].head not in own or words[k].tag.startswith("接尾辞"):
            break
        own.add(k)
        marks.append(words[k].text)
    return marks


def _case(marks: Sequence[str], word: Word) -> str:
    joined = "".join(marks)
    for fixed in ("でも", "について", "によって", "により", "に対して", "として", "しか"):
        if joined.startswith(fixed) or (fixed == "しか" and fixed in marks):
            return fixed
    found = next((mark for mark in marks if mark in _CASES), None)
    if found is not None:
        return found
    if word.dep == "obj":
        return "を"
    return "は" if word.dep in {"nsubj", "dislocated"} or {"は", "も", "って"} & set(marks) else ""


def _names_time(words: Sequence[Word], head: int) -> bool:
    """A time adverb, unless a noun makes it a stage of the work: ログイン後, 撮影中."""
    if words[head].lemma not in known.TIME and words[head].text not in known.TIME:
        return False
    before = words[head - 1] if head else None
    if before is not None and before.dep == "compound" and before.pos == "NOUN" and before.lemma not in known.TIME and words[head].text in {"日", "時間", "期間", "時刻"}:
        return False
    following = words[head + 1].text if head + 1 < len(words) else ""
    if words[head].text in {"時間", "期間", "日程"} and following in {"が", "を"} and before is not None and words[head - 1].pos != "NUM":
        return not any(word.head == head and word.dep in {"acl", "nmod", "compound"} for word in words[:head])
    return not (words[head].text in {"後", "中", "前", "時"} and before is not None and before.tag.endswith("サ変可能"))


def _left_edge(words: Sequence[Word], children: Children, head: int) -> int:
    """The first word of the phrase: compounds, 〜の and short adjectives; nothing before a deictic word or a number."""
    inside = {head}
    stack = [head]
    while stack:
        for child in children.get(stack.pop(), []):
            if child < head and child not in inside:
                inside.add(child)
                stack.append(child)
    left = head
    while left - 1 in inside and not _is_foreign(words, left - 1):
        left -= 1
    while left < head and _is_empty(words[left]):
        left += 1
    for k in range(left, head):  # a relative clause is kept where it is whole and short, and one adjective
        if words[k].dep == "acl" and words[k].head <= head:
            end = max(j for j in range(k, head) if words[j].bunsetsu == words[k].bunsetsu)
            below = [j for j in children.get(k, []) if j < k]
            is_whole = all(j >= left for j in below) and (words[k].tag.startswith("形容詞") or bool(below))
            is_short = sum(len(w.text) for w in words[left : end + 1]) <= 8 and not known.MEANS.search(words[head].text)
            if words[k].tag.startswith("形容詞") and end == k and not is_whole and words[k].lemma not in known.THIN:
                left = max(left, k)  # 配色を暗い色調に: the parser gave 配色 to 暗い
            elif not (is_whole and is_short) or words[k].lemma in known.SHELL or words[head].lemma in known.VAGUE:
                left = max(left, end + 1)
                if words[k].head < head:  # 抜けている期間の明細: without its clause 期間の says nothing
                    left = max(left, words[k].head + 1)
    while left < head and _is_empty(words[left]):
        left += 1
    if sum(len(w.text) for w in words[left : head + 1]) > _LONGEST_PHRASE:
        after = [k + 1 for k in range(left, head) if words[k].text == "の"]
        left = after[0] if after else left
    return left


def _is_empty(word: Word) -> bool:
    """A word that no phrase begins with: particles, 関する, 他の."""
    return (
        word.pos in {"ADP", "AUX", "SCONJ", "PART", "PUNCT", "CCONJ"}
        or word.tag.startswith(("助", "接尾辞"))
        or word.lemma in known.VAGUE
        or word.lemma in {"関する", "対する", "よる", "因る", "伴う", "基づく", "つく", "おく"}
    )


def _is_foreign(words: Sequence[Word], k: int) -> bool:
    word = words[k]
    return (
        word.pos in {"PUNCT", "SYM", "INTJ", "PRON", "DET", "ADV", "CCONJ"}
        or (word.pos == "NUM" and words[k + 1].text not in known.FOLDS)
        or word.lemma in known.DEICTIC
        or word.text in known.DEICTIC
        or (word.lemma in known.TIME and word.dep != "compound")
        or word.lemma in {"ます", "です", "ちゃう", "てる"}
        or word.tag.startswith(("感動詞", "名詞-固有名詞-人名"))
        or (word.pos == "VERB" and word.dep == "advcl")
        or (k > 0 and words[k - 1].pos == "NUM" and word.text not in known.FOLDS)
        or (word.pos == "ADP" and word.text not in {"の", "や", "と", "へ"} and not _is_in_clause(words, k))
    )


def _is_in_clause(words: Sequence[Word], k: int) -> bool:
    """The particle of an argument of a relative clause: に in 経理にかける時間."""
    noun = words[words[k].head]
    return _heads_clause(words[noun.head]) and k < noun.head and words[k].text in {"に", "を", "が", "で", "から"}


def _heads_clause(word: Word) -> bool:
    return word.dep == "acl" and word.pos == "VERB"
