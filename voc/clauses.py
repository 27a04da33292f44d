"""The one clause that says what a sentence is about, in plain form, from GiNZA's dependency structure.

「部署ごとに閲覧権限を分けられると助かります」 -> arguments 部署ごとに, 閲覧権限を; predicate 分けられる.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from voc.conjugation import conjugate
from voc.japanese import Word

# predicates that say how the speaker feels about the matter, not what the matter is
_SHELL = frozenset(
    "助かる 嬉しい うれしい 有難い 有り難い ありがたい 困る 思う 教える 知る 願う お願い 頂く 頂ける いただく いただける くださる 下さる ほしい 欲しい "
    "良い いい よい 幸い 便利 不便 不満 残念 言う 聞く 伺う 尋ねる 確認 為る する できる 出来る 存ずる 感じる 迷惑 連絡 相談 検討 希望 "
    "分かる わかる 方法 件 ある いる お聞き 質問 悩む 大変 面倒 やる 使う 教示 おしえる 切望 要望 ござる 御座る くだす 下す 案内 頼む もらう 貰う くれる 申す 存じる 困難 不明 待ち望む 望む 求める 期待 お願い致す".split()
)
_TIME = frozenset("昨日 今日 今朝 昨晩 先日 先月 今月 来月 最近 昨夜 先週 今週 去年 昨年 今年 夕方 朝 夜 前 後 時 際 場合 とき".split())
_CASE = {"が", "を", "に", "で", "から", "まで", "と", "へ", "より", "の"}
_VOICE = {"れる", "られる", "せる", "させる"}
_ASPECT = {"いる", "くる", "来る", "くれる", "もらえる", "いただける", "る"}
_NEGATION = {"ない", "ぬ", "ん", "ず", "無い"}
_CONTENT_POS = {"VERB", "ADJ", "NOUN", "PROPN"}


@dataclass(frozen=True, slots=True)
class Clause:
    """`arguments` are (phrase, case) in their order; `predicate` is in plain form; `words` (start, end) in the text."""

    arguments: tuple[tuple[str, str], ...]
    predicate: str
    wish: str
    te: str
    is_negative: bool
    is_noun: bool
    words: tuple[tuple[int, int], ...]

    def text(self, *, form: str = "predicate") -> str:
        """Arguments and predicate as one phrase; `form` is predicate, wish or te."""
        return "".join(phrase + {"は": "が"}.get(case, case) for phrase, case in self.arguments) + getattr(self, form)

    def case(self, *cases: str) -> str | None:
        """The phrase of the last argument that stands in one of `cases`."""
        return next((phrase for phrase, case in reversed(self.arguments) if case in cases), None)


def main_clause(words: Sequence[Word]) -> Clause | None:
    """The clause of the sentence that carries the matter; None where no content word heads one."""
    children: dict[int, list[int]] = {}
    for i, word in enumerate(words):
        if word.head != i:
            children.setdefault(word.head, []).append(i)
    head = _matter(words, children)
    return None if head is None else _clause(words, children, head)


def _matter(words: Sequence[Word], children: dict[int, list[int]]) -> int | None:
    roots = [i for i, word in enumerate(words) if word.head == i]
    for root in roots:
        head = root
        for _ in range(6):
            if words[head].lemma not in _SHELL and words[head].pos in _CONTENT_POS:
                return head
            below = [
                i
                for i in children.get(head, [])
                if words[i].dep in {"advcl", "ccomp", "acl", "csubj", "obl", "nsubj", "obj", "dep"}
                and words[i].pos in {"VERB", "ADJ", "NOUN", "PROPN"}
            ]
            verbs = [i for i in below if words[i].pos in {"VERB", "ADJ"} and words[i].lemma not in _SHELL]
            if not below:
                break
            head = max(verbs) if verbs else max(below)
    return None


def _clause(words: Sequence[Word], children: dict[int, list[int]], head: int) -> Clause:
    predicate, wish, te, negative, is_noun, last = _predicate(words, head)
    found = [_argument(words, children, child, head) for child in sorted(children.get(head, []))]
    if not any(item and item[1] for item in found):
        found = [*_borrowed(words, children, head), *found]
    arguments = [(phrase, case) for phrase, case, _ in filter(None, found)]
    spans = [span for _, _, span in filter(None, found)]
    spans.append((words[head].start, words[last].end))
    return Clause(tuple(arguments), predicate, wish, te, negative, is_noun, tuple(spans))


def _predicate(words: Sequence[Word], head: int) -> tuple[str, str, str, bool, bool, int]:
    word, stem, last = words[head], "", head
    is_noun = word.tag.startswith(("名詞", "形状詞", "代名詞"))
    base, inflection = word.lemma if not word.tag.startswith("名詞") else word.text, word.inflection
    negative = False
    for i in range(head + 1, len(words)):
        tail = words[i]
        if tail.bunsetsu != word.bunsetsu and not (is_noun and i == head + 1):
            break
        if tail.text in {"て", "で"} and tail.tag == "助詞-接続助詞":
            continue
        if tail.lemma in _ASPECT and words[i - 1].text in {"て", "で"}:  # 取り込まれてこない is still a negation
            continue
        if is_noun and tail.lemma in {"する", "できる", "出来る"} and last == head:
            stem, base, inflection, is_noun = word.text, "できる" if tail.lemma != "する" else "する", tail.inflection, False
        elif tail.lemma in _VOICE and tail.pos == "AUX":
            stem, base, inflection = stem + words[i - 1].text, tail.lemma, "下一段-ラ行,"
        elif tail.lemma in _NEGATION and tail.tag.startswith(("助動詞", "形容詞-非自立")):
            negative = True
        elif tail.lemma not in {"ます", "です", "だ", "た", "ある"} or tail.tag.startswith("助詞"):
            break
        last = i
    if is_noun:
        return (word.text + ("ではない" if negative else "")), word.text, word.text, negative, True, last
    if base == "する" and stem:
        inflection = "サ行変格,"
    plain = conjugate(base, inflection, "negative" if negative else "dictionary")
    return stem + plain, stem + conjugate(base, inflection, "wish"), stem + conjugate(base, inflection, "te"), negative, False, last


def _borrowed(words: Sequence[Word], children: dict[int, list[int]], head: int) -> list:
    """Arguments that stand with a 〜て verb before the predicate: 金額を間違えて読み取る, PDFをまとめて落とせる."""
    for verb in sorted((i for i in children.get(head, []) if i < head and words[i].dep == "advcl"), reverse=True):
        marks = [i for i in children.get(verb, []) if i > verb and words[i].text in {"て", "で"}]
        arguments = [_argument(words, children, child, verb) for child in sorted(children.get(verb, []))]
        if marks and any(arguments) and words[verb].lemma not in _SHELL | {"なる"}:
            adverb = "".join(word.text for word in words[verb : marks[0] + 1])
            joined = [item for item in arguments if item]
            if _is_manner(words[verb]):
                return joined
            return [*joined, (adverb, "", (words[verb].start, words[marks[0]].end))]
    return []


def _is_manner(word: Word) -> bool:
    return word.text.startswith(("まとめ", "一括", "自動"))


def _argument(
    words: Sequence[Word], children: dict[int, list[int]], child: int, head: int
) -> tuple[str, str, tuple[int, int]] | None:
    word = words[child]
    if child > head or word.pos == "PUNCT":
        return None
    marks = [words[i].text for i in children.get(child, []) if words[i].dep == "case" and i > child]
    if word.dep in {"nsubj", "obj", "obl", "iobj", "nmod", "csubj"} and word.pos in {"NOUN", "PROPN"}:
        case = next((mark for mark in marks if mark in _CASE), None) or _hidden_case(word, words, children, head)
        if case is None or word.lemma in _TIME:
            return None
        start = _left_edge(words, children, child)
        phrase = "".join(w.text for w in words[start : child + 1] if w.pos != "PUNCT")
        return phrase, case, (words[start].start, word.end)
    if words[head].lemma in {"なる", "する"} and words[child + 1].text in {"に", "く"} and word.pos == "ADJ":
        return word.text, words[child + 1].text, (word.start, words[child + 1].end)
    if word.dep == "advcl" and _is_manner(word):
        end = max([child, *(i for i in children.get(child, []) if i > child and words[i].bunsetsu == word.bunsetsu)])
        phrase = "".join(w.text for w in words[child : end + 1] if w.pos != "PUNCT")
        return phrase, "", (word.start, words[end].end)
    return None


def _hidden_case(word: Word, words: Sequence[Word], children: dict[int, list[int]], head: int) -> str | None:
    """The case under は and も: the object of 「番号はどこに入力すれば」, the subject of 「画面は遅い」."""
    if word.dep == "obj":
        return "を"
    if word.dep != "nsubj":
        return None
    verb = words[head]
    tail = [words[i].lemma for i in children.get(head, []) if i > head]
    acts = verb.pos == "VERB" and verb.tag.startswith("名詞") and "する" in tail and not _VOICE & set(tail)
    return "を" if acts else "は" if _is_topic(words, children, word) else "が"


def _is_topic(words: Sequence[Word], children: dict[int, list[int]], word: Word) -> bool:
    """Whether は or も marks the word: then it may be the object as well (「番号はどの欄に打ち込めば」)."""
    place = next(i for i, other in enumerate(words) if other is word)
    return any(words[i].text in {"は", "も", "って"} for i in children.get(place, []) if i > place)


def _left_edge(words: Sequence[Word], children: dict[int, list[int]], i: int) -> int:
    """The first word of the noun phrase that ends in word `i`: compounds and 〜の, no relative clauses."""
    left = i
    for child in sorted(children.get(i, []), reverse=True):
        word = words[child]
        if child < i and word.dep in {"nmod", "compound", "nummod", "det"} and word.pos in {"NOUN", "PROPN", "NUM"}:
            left = min(left, _left_edge(words, children, child))
    return left
