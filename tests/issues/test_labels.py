"""Labels without a parser: wording of clauses, the choice among candidates, sentences and words beside a label."""

import numpy as np
import pytest

from voc.conjugation import conjugate
from voc.issues.label_clauses import Reading
from voc.issues.label_evidence import pick_exemplars, readable_keywords
from voc.issues.label_phrases import Phrase
from voc.issues.label_predicates import Predicate
from voc.issues.label_wording import plain_fallback, word_clause
from voc.issues.labels import choose_label, count_spellings, topic_label
from voc.japanese import Token


def phrase(text, case):
    return Phrase(text, case, text, (text,))


def verb(base, inflection, *, stem="", is_negative=False, is_past=False, is_going_on=False):
    return Predicate(stem, base, inflection, "verb", stem or base, is_negative, is_going_on, is_past, "", "", 0)


def adjective(base):
    return Predicate("", base, "形容詞,", "adjective", base, False, False, False, "", "", 0)


@pytest.mark.parametrize(
    ("phrases", "predicate", "mood", "kind", "label"),
    [
        ((("銀行口座の連携", "が"),), verb("切れる", "下一段-ラ行,"), "statement", "不具合", "銀行口座の連携が切れる"),
        ((("画面", "が"),), verb("開く", "五段-カ行,", is_negative=True), "statement", "不具合", "画面が開かない"),
        ((("文字", "が"),), verb("する", "サ行変格,", stem="反映", is_negative=True, is_going_on=True), "statement", "不具合", "文字が反映していない"),
        ((("パスワード", "を"),), verb("する", "サ行変格,", stem="再設定"), "question", "使い方", "パスワードの再設定方法"),
        ((("社員", "を"), ("アプリ", "に")), verb("する", "サ行変格,", stem="招待"), "wish", "使い方", "社員をアプリに招待する方法"),
        ((("パスワード", "を"),), verb("忘れる", "下一段-ラ行,"), "statement", "使い方", "パスワードを忘れたときの対処方法"),
        ((("画面", "が"),), verb("開く", "五段-カ行,", is_negative=True), "question", "使い方", "画面が開かないときの対処方法"),
        ((("住所", "を"),), verb("する", "サ行変格,", stem="変更"), "wish", "手続き", "住所の変更手続き"),
        ((("名義", "を"),), verb("変える", "下一段-ア行,"), "wish", "手続き", "名義を変える手続き"),
        ((("通知", "を"),), verb("減らす", "五段-サ行,"), "ask", "要望", "通知を減らしてほしい"),
        ((("権限", "を"),), verb("分けられる", "下一段-ラ行,"), "able", "要望", "権限を分けられるようにしてほしい"),
        ((("便", "が"),), verb("増える", "下一段-ア行,"), "able", "要望", "便を増やしてほしい"),
        ((("食堂", "が"),), verb("ある", "五段-ラ行,"), "able", "要望", "食堂がほしい"),
        ((("名義", "を"),), verb("変える", "下一段-ア行,"), "wish", "要望", "名義を変えたい"),
        ((("契約", "を"),), verb("する", "サ行変格,", stem="解約"), "wish", "解約", "契約を解約したい"),
        ((("時間", "が"),), verb("減る", "五段-ラ行,", is_past=True), "statement", "称賛", "時間が減った"),
        ((("値上げ幅", "が"),), adjective("大きい"), "statement", "料金", "値上げ幅が大きい"),
    ],
)  # fmt: skip
def test_wording(phrases, predicate, mood, kind, label):
    arguments = tuple(phrase(*pair) for pair in phrases)
    assert word_clause(Reading(arguments, predicate, "main", mood, "", ""), arguments, kind) == label


def test_what_happens_by_itself_has_no_method():
    arguments = (phrase("連携", "が"),)
    assert word_clause(Reading(arguments, verb("外れる", "下一段-ラ行,"), "main", "question", "", ""), arguments, "使い方") is None


@pytest.mark.parametrize(
    ("lemma", "inflection", "past"),
    [("忘れる", "下一段-ラ行,", "忘れた"), ("無くす", "五段-サ行,", "無くした"), ("死ぬ", "五段-ナ行,", "死んだ"),
     ("美味しい", "形容詞,", "美味しかった"), ("変更する", "サ行変格,", "変更した"), ("知らぬ", "不明,", "知らぬ")],
)  # fmt: skip
def test_past(lemma, inflection, past):
    assert conjugate(lemma, inflection, "past") == past


def test_a_taken_label_is_not_given_twice():
    choices = [("画面が遅い", 2.0), ("表示が遅い", 1.0)]
    assert choose_label(choices, ["画面"], "不具合", taken={"画面が遅い"}) == "表示が遅い"


def test_of_two_like_labels_the_second_says_what_parts_them():
    choices = [("画面が遅い", 2.0), ("画面の表示が遅い", 1.9), ("仕訳一覧の画面が遅い", 1.0)]
    assert choose_label(choices, ["画面"], "不具合", taken={"画面の表示が遅い"}) == "仕訳一覧の画面が遅い"


def test_two_words_of_praise_for_one_thing_are_one_label():
    choices = [("景色が良い", 2.0), ("山頂の施設が良い", 1.0)]
    assert choose_label(choices, ["景色"], "称賛", taken={"景色が綺麗"}) == "山頂の施設が良い"


def test_without_a_clause_the_leading_words_serve():
    first = choose_label([], ["銀行", "連携", "明細"], "不具合", taken=set())
    second = choose_label([], ["銀行", "連携", "明細"], "不具合", taken={first})
    assert first == "銀行に関する不具合" and second == "銀行に関する不具合（連携）" and len(second) <= 30


@pytest.mark.parametrize(
    ("thing", "kind", "label"),
    [("請求書の発行", "要望", "請求書の発行に関する要望"), ("住所変更", "手続き", "住所変更の手続き"), ("設定方法", "使い方", "設定方法")],
)
def test_last_resort(thing, kind, label):
    assert plain_fallback(thing, kind) == label


def test_spellings_count_texts_not_occurrences():
    counts = count_spellings(["画面画面", "画面が遅い", "画面が遅い"])
    assert counts["画面"] == 2 and counts[""] == 2


def test_exemplars_show_the_label_and_differ():
    texts = ["画面が遅いです", "画面が遅いです", "画面がほんとうに遅いです", "[氏名1]の一覧の表示に時間がかかります", "一覧の表示に時間がかかります"]
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.99, 0.14], [0.6, 0.8], [0.6, 0.8]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centroid = np.array([0.9, 0.436])
    rows = pick_exemplars(texts, vectors, centroid, label="画面が遅い", n=2)
    assert [texts[row] for row in rows] == ["画面が遅いです", "一覧の表示に時間がかかります"]
    assert pick_exemplars([], np.empty((0, 2)), centroid, label="") == []


def test_keywords_are_words_as_people_write_them():
    def noun(surface, normal=None):
        return Token(surface, normal or surface, "", "名詞", "普通名詞-一般", "", 0, 1)

    sentences = [[noun("取引", "取り引き"), noun("明細"), noun("今日")]] * 5 + [[noun("取引", "取り引き"), noun("t")]]
    assert readable_keywords(["t", "取り引き", "今日", "明細", "まれ"], sentences) == ["取引", "明細"]


def test_a_topic_is_named_by_its_words_and_never_twice():
    words, taken = ["選手", "試合", "大会", "監督"], set()
    for _ in range(4):
        taken.add(topic_label(words, taken=taken))
    assert "選手・試合・大会に関する話題" in taken and len(taken) == 4
    assert topic_label([], taken=set()) == "その他に関する話題"


def test_what_is_wished_for_is_no_praise():
    predicate = verb("できる", "上一段-カ行,")
    assert word_clause(Reading((phrase("席", "が"),), predicate, "main", "able", "", ""), (phrase("席", "が"),), "称賛") is None


def test_the_first_exemplar_is_of_the_issues_kind():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0]])
    texts = ["公共交通機関が充実している街です", "公共交通機関が充実してほしい街です"]
    chosen = pick_exemplars(texts, vectors, vectors[0], label="公共交通機関が充実", n=1, fits=[0.0, 1.0])
    assert chosen == [1]
