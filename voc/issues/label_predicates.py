"""A predicate of a parse taken apart: dictionary form, voice, negation, mood; and put together again in plain form."""

from collections.abc import Sequence
from dataclasses import dataclass

from voc.conjugation import conjugate
from voc.japanese import Word

_FAVOUR = {"ほしい", "欲しい", "くださる", "下さる", "もらう", "貰う", "もらえる", "貰える", "いただく", "頂く", "いただける", "頂ける", "願う", "願える"}
_PASSING = {"しまう", "ちゃう", "じゃう", "くる", "来る", "いく", "行く", "みる", "見る", "おく", "くれる", "る", "とく"}
_GOING_ON = {"いる", "てる", "居る", "おる", "でる", "とる"}
_VOICE = {"れる", "られる", "せる", "させる"}
_NEGATION = {"ない", "ぬ", "ん", "ず", "無い", "まい"}
_DEGREE = {"すぎる", "過ぎる", "にくい", "やすい", "づらい", "辛い", "がたい", "難い", "易い"}
_POLITE = {"ます", "です", "だ", "ある"}
_CONDITION = {"と", "ば", "たら", "なら", "ても", "でも"}
_DOING = {"する", "為る", "いたす", "致す", "なさる", "できる", "出来る", "くださる", "下さる", "いただく", "頂く", "いただける", "頂ける"}


@dataclass(frozen=True, slots=True)
class Predicate:
    """`stem` + `base` is the dictionary form; `sort` verb, adjective or adnominal; `ending` what follows it."""

    stem: str
    base: str
    inflection: str
    sort: str
    lemma: str
    is_negative: bool
    is_going_on: bool
    is_past: bool
    mood: str
    ending: str
    last: int

    def form(self, form: str) -> str:
        """dictionary, negative, wish, te or past of the predicate, its own negation aside."""
        if self.sort == "adnominal":
            return self.base + {"negative": "ではない", "te": "で", "past": "だった"}.get(form, "")
        return self.stem + conjugate(self.base, self.inflection, form)

    def plain(self, *, keep_state: bool = False) -> str:
        """Plain form with the negation; 〜ている is kept where asked for or negated."""
        if self.is_going_on and self.sort == "verb" and (keep_state or self.is_negative):
            return self.form("te") + ("いない" if self.is_negative else "いる")
        return self.form("negative" if self.is_negative else "dictionary")


def read_predicate(words: Sequence[Word], i: int) -> Predicate | None:
    """The predicate whose content word is `words[i]`; None where that word heads none."""
    word = words[i]
    sort = _sort(words, i)
    if sort is None:
        return None
    state = {"stem": "", "base": word.lemma if not word.tag.startswith("名詞") else word.text, "inflection": word.inflection,
             "sort": sort, "negative": False, "going": False, "past": False, "mood": "", "ending": ""}  # fmt: skip
    if state["base"].endswith("ずる") and sort == "verb":  # 感ずる, by which the dictionary knows 感じる
        state.update(base=state["base"][:-2] + "じる", inflection="上一段-ザ行,")
    last, k = i, i + 1
    while k < len(words) and not state["ending"]:
        step = _step(words, i, k, state)
        if step == 0:
            break
        last, k = k + step - 1, k + step
    if state["base"] == word.text and sort == "verb" and word.tag.startswith("名詞"):
        return None  # a noun that GiNZA calls a verb though nothing is done with it
    if state["base"] != "する" and not state["stem"] and not conjugates(state["base"], state["inflection"], state["sort"]):
        return None
    return Predicate(state["stem"], state["base"], state["inflection"], state["sort"], word.lemma, state["negative"],
                     state["going"], state["past"], state["mood"], state["ending"], last)  # fmt: skip


def conjugates(base: str, inflection: str, sort: str) -> bool:
    """Whether the plain forms of the word are known: no slang, no classical ending, no half a word."""
    if sort == "adnominal":
        return True
    return inflection.startswith(("五段", "上一段", "下一段", "サ行変格", "カ行変格", "形容詞")) and len(base) >= 2


def _sort(words: Sequence[Word], i: int) -> str | None:
    word = words[i]
    following = words[i + 1] if i + 1 < len(words) else None
    if word.tag.startswith("名詞"):
        if following is not None and following.lemma in _DOING and word.tag.endswith(("サ変可能", "サ変形状詞可能")):
            return "verb"
        return "adnominal" if word.pos == "ADJ" and "形状詞" in word.tag and _is_said(words, i) else None
    if word.tag.startswith("形状詞"):
        return "adnominal" if _is_said(words, i) and word.pos == "ADJ" else None
    if word.tag.startswith("形容詞"):
        return "adjective"
    if word.tag.startswith("動詞") and word.pos in {"VERB", "ADJ"}:
        return "verb"
    return None


def _is_said(words: Sequence[Word], i: int) -> bool:
    """丁寧です, 丁寧で, 丁寧 at the end; not 丁寧に, 丁寧な."""
    following = words[i + 1] if i + 1 < len(words) else None
    return following is None or (following.text not in {"に", "な"} and following.pos in {"AUX", "PUNCT", "SCONJ", "PART"})


def _step(words: Sequence[Word], i: int, k: int, state: dict) -> int:
    """Take in the word at `k` (and those that go with it): how many words; 0 where the predicate is over."""
    word, lemma, before = words[k], words[k].lemma, words[k - 1]
    following = words[k + 1] if k + 1 < len(words) else None
    is_bare = state["sort"] == "verb" and words[i].tag.startswith("名詞") and k == i + 1
    if is_bare:
        return _do(words, i, k, state)
    if word.text in {"て", "で"} and word.tag == "助詞-接続助詞":
        return _after_te(following, state)
    if word.tag.startswith("助動詞") and word.text in {"たら", "だら", "なら"}:
        state["ending"] = "condition"
        return 1
    if lemma in _VOICE and word.pos == "AUX" and not state["negative"]:
        state.update(stem=state["stem"] + _irrealis(before, state), base=lemma, inflection="下一段-ラ行,")
        return 1
    if lemma in _DEGREE and (word.pos == "AUX" or k == i + 1 or before.pos == "AUX"):
        if state["sort"] == "adnominal":
            state["stem"] = state["base"]
        elif before.text == "し" and state["base"] == "する":
            state["stem"] += "し"
        else:
            state["stem"] += before.text
        state.update(base=word.lemma, inflection=word.inflection, sort="verb" if "過ぎ" in lemma or "すぎ" in lemma else "adjective")
        return 1
    if lemma in _NEGATION and word.tag.startswith(("助動詞", "形容詞-非自立")):
        return _deny(words, k, state)
    if word.text == "よう" and following is not None and following.text == "に" and not state["mood"]:
        after = words[k + 2] if k + 2 < len(words) else None
        if after is not None and after.lemma in {"する", "なる", "お願い", "願う", "いたす"}:
            state["mood"] = "able" if after.lemma != "なる" else ""
            return 3
        return 0
    return _tail(word, before, state)


def _tail(word: Word, before: Word, state: dict) -> int:
    lemma = word.lemma
    if lemma == "たい" and word.pos == "AUX":
        state["mood"] = state["mood"] or "wish"
        return 1
    if lemma in {"てる", "でる", "とる"} and word.pos == "AUX":
        state["going"] = True
        return 1
    if lemma in {"ちゃう", "じゃう", "とく"} and word.pos == "AUX":
        return 1
    if lemma == "た" and word.pos == "AUX":
        state["past"] = True
        return 1
    if lemma in _POLITE and word.pos == "AUX" and word.text not in {"な", "に"}:
        if word.text == "で" and state["sort"] == "adnominal":
            state["ending"] = "te"
        return 1
    if word.pos in {"SCONJ", "ADP"} and word.text in _CONDITION and before.text not in {"た"}:
        state["ending"] = "condition"
        return 1
    if word.text == "に" and before.text == state["stem"] + state["base"] and word.pos in {"ADP", "SCONJ"}:
        state["ending"] = "purpose"
        return 1
    return 0


def _do(words: Sequence[Word], i: int, k: int, state: dict) -> int:
    noun, lemma = words[i].text, words[k].lemma
    if lemma in {"できる", "出来る"}:
        state.update(stem=noun, base="できる", inflection="上一段-カ行,")
    else:
        state.update(stem=noun, base="する", inflection="サ行変格,")
        if lemma in {"くださる", "下さる", "いただく", "頂く", "いただける", "頂ける"}:
            state["mood"] = "ask"
    return 1


def _after_te(following: Word | None, state: dict) -> int:
    if following is None or following.tag.startswith(("動詞-一般", "名詞", "形容詞-一般", "補助記号", "副詞", "形状詞")):
        state["ending"] = "te"
        return 1
    if following.lemma in _FAVOUR or following.text.startswith(("欲し", "ほし")):
        state["mood"] = "able" if state["mood"] == "able" else "ask"
        state["ending"] = "favour"  # what follows concerns the favour: 減らしてもらえないか is no negation of 減らす
        return 2
    if following.lemma in _GOING_ON:
        state["going"] = True
        return 2
    if following.lemma in _PASSING:
        return 2
    if following.text in {"は", "も", "から"}:
        state["ending"] = "condition" if following.text == "も" else "te"
        return 2
    state["ending"] = "te"
    return 1


def _deny(words: Sequence[Word], k: int, state: dict) -> int:
    following = words[k + 1] if k + 1 < len(words) else None
    if following is not None and following.lemma in {"なる", "成る"} and words[k].text == "なく":
        state.update(stem=state["stem"] + conjugate(state["base"], state["inflection"], "negative")[:-1] + "く", base="なる",
                     inflection="五段-ラ行,", sort="verb")  # fmt: skip
        return 2
    if (following is not None and following.text in {"と", "ば", "わけ", "訳", "でも"}) or state["negative"]:
        state["ending"] = "condition"  # 〜ないといけない, 〜ないわけではない: no plain negation
        return 1
    state["negative"] = True
    return 1


def _irrealis(before: Word, state: dict) -> str:
    if state["base"] == "する":
        return "さ" if before.text == "さ" else before.text
    return before.text
