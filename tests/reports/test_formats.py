import pytest

from voc.reports import formats


@pytest.mark.parametrize(("value", "text"), [
    (0, "0円"), (-0.2, "0円"), (980, "980円"), (9_999, "9,999円"), (9_999.6, "1万円"), (10_000, "1万円"), (64_000, "6.4万円"),
    (384_200, "38.4万円"), (999_499, "99.9万円"), (999_900, "100万円"), (2_230_000, "223万円"), (99_994_000, "9,999万円"),
    (99_999_000, "1.0億円"), (123_000_000, "1.2億円"), (-64_000, "−6.4万円"), (None, "—"), (float("nan"), "—"),
])
def test_yen_is_written_as_in_a_meeting(value, text):
    assert formats.yen(value) == text


@pytest.mark.parametrize(("low", "high", "text"), [
    (6.1, 11.3, "6.1〜11.3名"), (-0.8, 1.1, "−0.8〜+1.1名"), (31.2, 55.7, "31〜56名"), (-3.4, -0.7, "−3.4〜−0.7名"),
    (0.0, 0.04, "0.0〜0.0名"), (-0.01, 2.0, "0.0〜+2.0名"), (None, 1.0, "—"),
])
def test_interval_shows_signs_where_it_leaves_zero_open(low, high, text):
    assert formats.people_range(low, high) == text


@pytest.mark.parametrize(("n", "text"), [(0, "5名未満"), (4, "5名未満"), (5, "5名"), (1200, "1,200名"), (None, "—")])
def test_fewer_than_five_customers_are_hidden(n, text):
    assert formats.customers(n) == text


@pytest.mark.parametrize(("text", "shown"), [
    ("a\u202egnp.exe", "agnp.exe"), ("\u2066x\u2069\u200b\ufeff", "x"), ("改行\n\tと\x00制御\x1b[31m", "改行 と制御[31m"),
    ("Z" + "\u0335" * 40, "Z\u0335\u0335"), ("が" * 300, "が" * 199 + "…"), ("\ud800壊れ", "壊れ"), (None, ""),
    ("<b>太字</b>", "<b>太字</b>"),  # markup is shown as it was written; the template escapes it
])
def test_foreign_text_becomes_one_inert_line(text, shown):
    assert formats.plain(text) == shown


def test_a_giant_string_is_cut():
    assert len(formats.plain("あ" * 5_000_000)) == formats.QUOTE_LENGTH
