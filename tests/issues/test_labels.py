"""Labels: (clause, kind -> wording), and what happens when no clause serves."""

import pytest

from voc.clauses import Clause
from voc.issues.labels import choose_label, word_for_kind


def clause(*arguments, predicate, wish="", te="", is_noun=False, is_negative=False):
    return Clause(tuple(arguments), predicate, wish, te, is_negative, is_noun, ())


@pytest.mark.parametrize(
    ("clause", "kind", "label"),
    [
        (clause(("銀行口座の連携", "が"), predicate="切れる"), "不具合", "銀行口座の連携が切れる"),
        (clause(("パスワード", "を"), predicate="再設定する"), "使い方", "パスワードの再設定方法"),
        (clause(("社員", "を"), ("アプリ", "に"), predicate="招待する"), "使い方", "社員をアプリに招待する方法"),
        (clause(("住所", "を"), predicate="変更する"), "手続き", "住所の変更手続き"),
        (clause(("解約", "の"), predicate="手続き", is_noun=True), "手続き", "解約の手続き"),
        (clause(("請求書", "を"), predicate="一括出力できる"), "要望", "請求書を一括出力できるようにしてほしい"),
        (clause(("通知", "を"), predicate="減らす", te="減らして"), "要望", "通知を減らしてほしい"),
        (clause(("対応", "が"), predicate="丁寧", is_noun=True), "称賛", "対応が丁寧"),
    ],
)
def test_wording(clause, kind, label):
    assert word_for_kind(clause, kind) == label


def test_a_taken_label_is_not_given_twice():
    choices = [("画面が遅い", 2.0), ("表示が遅い", 1.0)]
    assert choose_label(choices, ["画面"], "不具合", taken={"画面が遅い"}) == "表示が遅い"


def test_without_a_clause_the_leading_words_serve():
    first = choose_label([], ["銀行", "連携", "明細"], "不具合", taken=set())
    second = choose_label([], ["銀行", "連携", "明細"], "不具合", taken={first})
    assert first == "銀行・連携に関する不具合" and second != first and len(second) <= 30
