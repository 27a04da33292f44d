"""What Prefect's interface and the terminal show: hostile text in labels, notices and file names stays text."""

import re
from pathlib import Path

import pytest

from voc.notices import inert_line, inert_markdown

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
    ("  解析: 1.2 秒", "  解析: 1.2 秒"),  # stages are set in
    ("あ" * 1_000_000, "あ" * 499 + "…"),
    ("\ud800壊れた", "壊れた"),
])
def test_a_line_of_a_log_is_one_line_that_moves_nothing(text, line):
    assert inert_line(text) == line


def row(label):
    return {"rank": 1, "rank_span": "", "issue_id": "VOC-0001", "label": label, "kind": label, "churn": {"chip": "推定値（暫定）", "figure": "8.6名", "detail": "6.1〜11.3名"},
            "value": {"figure": "", "detail": ""}, "cost": "1万円", "contacts": "96件"}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_summary_and_table_take_hostile_text(text):
    from flows.telling import ranking_table, summary_markdown  # imports Prefect

    told = summary_markdown([text], [Path("/x/product.html"), Path(f"/x/{text.replace('/', '')}")], n_notices=2)
    marks = re.findall(r"^(?:## |- )", told, re.M)
    assert marks == ["## ", "- ", "## ", "- ", "## ", "- ", "- "]
    assert not re.search(r"[\[\]<>|`*]|://", told)
    cells = ranking_table([row(text)])[0]
    assert not any(re.search(r"[\[\]<>|`*()\n]|://", cell) for cell in cells.values())
    assert (cells["防げる解約／月"], cells["LTV換算／月"], cells["順位の幅"]) == ("8.6名", "—", "—")


@pytest.mark.slow
def test_the_summary_names_files_in_japanese():
    from flows.telling import summary_markdown

    told = summary_markdown(["a"], [Path("/x/executive.pptx")], n_notices=0)
    assert "取り込みの注意" not in told and told.endswith("- 経営向けスライド（executive.pptx）")
