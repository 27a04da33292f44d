import pytest

from voc.conjugation import conjugate


@pytest.mark.parametrize(
    ("lemma", "inflection", "negative", "wish", "te"),
    [
        ("切れる", "下一段-ラ行,連用形-一般", "切れない", "切れたい", "切れて"),
        ("読む", "五段-マ行,連用形-撥音便", "読まない", "読みたい", "読んで"),
        ("使う", "五段-ワア行,未然形-一般", "使わない", "使いたい", "使って"),
        ("戻す", "五段-サ行,連用形-一般", "戻さない", "戻したい", "戻して"),
        ("開く", "五段-カ行,連用形-イ音便", "開かない", "開きたい", "開いて"),
        ("行く", "五段-カ行,連用形-促音便", "行かない", "行きたい", "行って"),
        ("待つ", "五段-タ行,連用形-促音便", "待たない", "待ちたい", "待って"),
        ("ある", "五段-ラ行,連用形-促音便", "ない", "ありたい", "あって"),
        ("する", "サ行変格,連用形-一般", "しない", "したい", "して"),
        ("来る", "カ行変格,連用形-一般", "来ない", "来たい", "来て"),
        ("遅い", "形容詞,終止形-一般", "遅くない", "遅くなりたい", "遅くて"),
    ],
)
def test_forms(lemma, inflection, negative, wish, te):
    assert [conjugate(lemma, inflection, form) for form in ("negative", "wish", "te")] == [negative, wish, te]


def test_an_unknown_inflection_is_left_alone():
    assert conjugate("なんか", "文語四段-カ行,未然形-一般", "negative") == "なんか"
