import pytest

from voc.japanese import tokenize
from voc.lexicon import FEATURES, read_evidence
from voc.negation import Denial, canonical, double_negation


def kept(text: str) -> list:
    return canonical(tokenize([text])[0])


@pytest.mark.parametrize(
    "text",
    [
        "使えないわけではない",
        "不満がないとは言えない",
        "不便がないと言えば嘘になります",
        "分からなくはない",
        "行かないことはない",
        "届かなくもありません",
        "問題がなかったわけじゃないけど",
        "わからんでもない",
        "使えへんわけやない",
    ],
)
def test_a_second_negation_concedes(text):
    assert double_negation(kept(text)) == Denial(2, False)


@pytest.mark.parametrize(
    "text",
    [
        "遅れない日がない",
        "失敗しなかったことがない",
        "納得できなかったことは一度もありません",
        "笑わずにはいられない",
        "止まらない週がありません",
    ],
)
def test_a_second_negation_that_says_always(text):
    assert double_negation(kept(text)) == Denial(2, True)


@pytest.mark.parametrize(
    "text",
    [
        "使えない",
        "直さなければならない",
        "聞かなければ言えない",
        "行かないといけない",
        "届かないし、返事もない",
        "美味しくなくない？",
        "やむを得ない",
        "良くなくて使えない",
        "",
    ],
)
def test_no_double_negation(text):
    assert double_negation(kept(text)) == Denial(0, False)


@pytest.mark.parametrize(
    ("text", "balance"),
    [
        ("電話がつながらないわけではない", "weakly good"),
        ("不満がないとは言えない", "weakly bad"),
        ("不便がないわけではない", "weakly bad"),
        ("遅れない日がない", "bad"),
        ("おいしくない日がない", "good"),
        ("待たされることがなく", "weakly good"),
        ("一度も壊れたことがない", "weakly good"),
        ("迷うことがなくなりました", "weakly good"),
        ("失敗した覚えがない", "weakly good"),
        ("何も怖いことあらへん", "weakly good"),
        ("便利ではない", "bad"),
    ],
)
def test_denied_words_count_by_what_is_left_of_them(text, balance):
    values = dict(zip(FEATURES, read_evidence([text]).values[0], strict=True))
    own, other = ("pos", "neg") if balance.endswith("good") else ("neg", "pos")
    assert values[own] > 0
    assert values[other] == 0
    assert (values[own] < 1) == balance.startswith("weakly")
