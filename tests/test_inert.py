"""Foreign text in a terminal, in Prefect's interface, in mail and chat: hostile text in labels, notices and file names stays text."""

import re

import pytest

from voc.inert import inert_line, inert_markdown, inert_message, inert_name

HOSTILE = [
    "[こちら](javascript:alert(1))", "![x](http://x.invalid/a.png)", "<img src=x onerror=alert(1)>", "a | b | c", "`code` **太字** _斜体_ ~~消す~~",
    "&lt;script&gt;", "# 見出し", "- [ ] 仕事", "1. 一\n2. 二\n\n---\n", "http://x.invalid https://x.invalid www.x.invalid a@x.invalid",
    "<https://x.invalid>", "[a]: http://x.invalid 'x'", "\\[a\\](b)", "$x$ :smile:", "=CMD()",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_mark_of_markdown_or_html_is_left(text):
    made = inert_markdown(text)
    assert not re.search(r"[\\`*_{}\[\]()<>#|~!&$@:\"']|www\.|\n", made)
    assert not made.startswith(("-", "+", "=", " "))
    assert made


def test_what_is_read_stays_the_same():
    text = "上位5課題をまとめて解消すれば、毎月17.3名の解約を防げる見込みです。（90%区間 12.4〜22.9名／推定値・暫定）VOC-0001"
    assert inert_markdown(text) == inert_line(text) == text


@pytest.mark.parametrize(("text", "line"), [
    ("一行目\n二行目\r三行目\u2028四", "一行目 二行目 三行目 四"),
    ("\x1b[31m赤\x1b[0m\x07", " [31m赤 [0m"),
    ("\u202eすまりあが行逆\u202c\u2066\u200b終", "すまりあが行逆終"),
    ("  読み取り: 1.2 秒", "  読み取り: 1.2 秒"),  # stages are set in
    ("あ" * 1_000_000, "あ" * 499 + "…"),
    ("\ud800壊れた", "壊れた"),
])
def test_a_line_of_a_log_is_one_line_that_moves_nothing(text, line):
    assert inert_line(text) == line


@pytest.mark.parametrize("hostile", ["<!channel> *bold* `x`", "<@U123|a> ~x~", "見て https://evil.example/", "a\r\nBcc: x@y.jp", "[x](http://e) #all @here",
                                     "\u202eabc\u2066\x00\x1b[31m", "$(rm) {x} \\n"])  # fmt: skip
def test_names_are_inert_in_mail_and_chat(hostile):
    shown = inert_name(hostile)
    assert not set(shown) & set("<>*_~`@&|[]#\\{}$\r\n\x00\x1b\u202e\u2066") and "://" not in shown


def test_long_names_are_cut_and_figures_stay_readable():
    assert len(inert_name("あ" * 500)) == 61
    assert inert_message("NPSは+12（95%区間 -3〜4）、1,000円です。") == "NPSは+12（95%区間 -3〜4）、1,000円です。"
