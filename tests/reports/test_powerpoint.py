"""The written slides, opened again: figures of the tables, Japanese typefaces, nothing that acts, nothing off the page."""

import io
import re
import zipfile
from xml.etree import ElementTree

import pandas as pd
import pytest
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from voc.reports.powerpoint import FILE, write_deck
from voc.reports.slide_shapes import LEAST, fitted, n_lines

HOSTILE = [
    "=CMD|'/C calc'!A0 という表示が出て困っています",
    "@SUM(1+1)*cmd と出て先へ進めなくなりました",
    "<script>alert(1)</script><a:hlinkClick r:id='rId1'/> が出ます",
    "[こちら](javascript:alert(1)) http://example.invalid/x を押しました",
    "\u202eすまりあが行逆\u202c\u2066\u200b という文字が\x07見えて\x0bいます",
    "]]>&lt;a:fld type=\"slidenum\"/&gt;{{ 7 * 7 }} と表示されました",
    "あ" * 1_000_000,
]
CHURN_TITLES = ["お客様の声レポート　経営向け", "上位5課題", "上位課題のお客様の声", "会社全体の推移", "件数が増えた課題・減った課題", "判定の読み方", "分析の範囲"]


def opened(make, folder, tables=None, *, run=None, **changes):
    path = write_deck(make.tables() if tables is None else tables, folder, config=make.config(**changes), run=run or make.run())
    assert path == folder / FILE
    return Presentation(str(path))


@pytest.fixture(scope="module")
def deck(make, tmp_path_factory):
    return opened(make, tmp_path_factory.mktemp("deck"))


@pytest.fixture(scope="module")
def attacked(make, tmp_path_factory):
    """The folder of a deck whose every free text is hostile."""
    tables = make.tables()
    for table, columns in (("sentences", ["text"]), ("issues", ["label", "kind"]), ("rejects", ["reason", "stage"]), ("requests", ["phrase"])):
        for column in columns:
            tables[table][column] = pd.Series([HOSTILE[n % len(HOSTILE)] for n in range(len(tables[table]))], dtype="str")
    tables["ranking"]["reason"] = HOSTILE[0]
    folder = tmp_path_factory.mktemp("attacked")
    write_deck(tables, folder, config=make.config(company={"name": HOSTILE[2]}), run=make.run(reasons=[HOSTILE[0], HOSTILE[6]]) | {"run_id": HOSTILE[3]})
    return folder


def chart(deck, name):
    return next(shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart and shape.name == name)


def frames(deck):
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield shape.text_frame
            if shape.has_table:
                yield from (cell.text_frame for row in shape.table.rows for cell in row.cells)


def shown(deck):
    return "\n".join(frame.text for frame in frames(deck))


def test_titles_are_as_agreed(make, deck, tmp_path):
    assert [slide.shapes.title.text for slide in deck.slides] == CHURN_TITLES
    without = opened(make, tmp_path, make.tables(with_churn=False), run=make.run(reasons=["契約データがありません。"]))
    assert [slide.shapes.title.text for slide in without.slides] == CHURN_TITLES
    assert "防げる解約／月" not in shown(without)
    assert [slide.shapes.title.text for slide in opened(make, tmp_path, {}).slides] == [CHURN_TITLES[0], *CHURN_TITLES[-2:]]


def test_what_tests_the_numbers_and_moves_the_nps_has_its_slides(make, tmp_path):
    pages = opened(make, tmp_path, make.decided())
    titles = [slide.shapes.title.text for slide in pages.slides]
    assert titles[5:7] == ["NPSを動かしている課題", "検証：解約の理由になりえない課題"]
    drivers, placebo = ([[cell.text for cell in row.cells] for row in next(s.table for s in slide.shapes if s.has_table).rows] for slide in list(pages.slides)[5:7])
    assert drivers[1] == ["多段階の承認フローを追加してほしい", "45名", "+5.1pt", "+3.1〜+7.1pt", "上がる関連がある"]
    assert placebo[1][1:] == ["候補", "1.11倍（0.80〜1.54倍）", "−0.8〜+0.9名"]


def test_the_page_is_wide(deck):
    assert deck.slide_width / deck.slide_height == pytest.approx(16 / 9, abs=0.001)


def test_the_first_slide_holds_sentences_figures_and_sides(deck):
    first = "\n".join(shape.text_frame.text for shape in deck.slides[0].shapes if shape.has_text_frame)
    for text in ("上位5課題をまとめて解消すれば、問い合わせた顧客だけで少なくとも毎月17.3名の解約を防げる見込みです。", "90%区間 12.4〜22.9名", "LTV換算 月431万円",
                 "問い合わせコストを毎月19.4万円〜31万円削減できる見込みです。", "顧客解約率", "2.60%", "前年+6pt 改善", "79%", "21%"):
        assert text in first, text


def test_the_interval_chart_holds_the_figures_of_impact(make, deck):
    plot = chart(deck, "防げる解約数の90%区間").plots[0]
    assert list(plot.categories) == ["5位", "4位", "3位", "2位", "1位"]
    start, to_point, from_point, whole, below = (list(series.values) for series in plot.series)
    first = make.tables()["impact"].set_index("issue_id").loc["VOC-0001"]
    assert (start[-1], start[-1] + to_point[-1], start[-1] + to_point[-1] + from_point[-1]) == pytest.approx(
        (first["churns_low"], first["churns_prevented"], first["churns_high"]))
    assert (whole[0], below[0]) == pytest.approx((1.1, -0.8))


def test_the_course_of_the_company_is_that_of_its_months(make, deck):
    months = make.tables()["company_months"].iloc[-18:]
    rates = {series.name: list(series.values) for series in chart(deck, "解約率の推移").plots[0].series}
    assert rates["顧客解約率"] == pytest.approx(months["churn_share"].tolist())
    assert rates["売上解約率"] == pytest.approx(months["mrr_churn_share"].tolist())
    assert list(chart(deck, "問い合わせ件数の推移").plots[0].series[0].values) == months["n_contacts"].tolist()


def test_the_table_of_issues_says_what_the_report_says(deck):
    table = next(shape.table for slide in deck.slides for shape in slide.shapes if shape.has_table and shape.name == "上位課題")
    rows = [[cell.text.replace("\n", "|") for cell in row.cells] for row in table.rows]
    assert rows[1] == ["1位|1〜2位", "銀行口座の連携が切れて明細が取り込まれない|不具合　月96件", "8.6名|6.1〜11.3名|推定値（暫定）", "223万円", "41.2万円"]
    assert rows[4][2:4] == ["−1.2〜+0.9名|影響を確認できず（暫定）", "—"]


def test_notes_name_their_sources(deck):
    for slide in deck.slides:
        notes = slide.notes_slide.notes_text_frame.text
        assert "出典: 表 " in notes
        assert "実行番号 run-20261001" in notes
    assert "VOC-0001" in deck.slides[1].notes_slide.notes_text_frame.text


def test_every_text_is_large_enough_and_names_its_japanese_typeface(deck):
    runs = [run for frame in frames(deck) for paragraph in frame.paragraphs for run in paragraph.runs]
    assert len(runs) > 100
    for run in runs:
        assert run.font.size >= Pt(LEAST)
        latin = run._r.find(qn("a:rPr")).find(qn("a:latin"))
        assert latin.getnext().tag == qn("a:ea")
        assert latin.get("typeface") == latin.getnext().get("typeface") == "Yu Gothic"


@pytest.mark.parametrize("which", ["plain", "attacked"])
def test_nothing_stands_off_the_page_and_texts_do_not_overlap(deck, attacked, which):
    pages = deck if which == "plain" else Presentation(str(attacked / FILE))
    for slide in pages.slides:
        boxes = [(shape.left, shape.top, shape.left + shape.width, shape.top + shape.height, shape) for shape in slide.shapes]
        for left, top, right, bottom, shape in boxes:
            assert left >= 0 and top >= 0 and right <= pages.slide_width and bottom <= pages.slide_height, shape.name
        texts = [box for box in boxes if box[4].has_text_frame and box[4].text_frame.text]
        for n, one in enumerate(texts):
            for other in texts[n + 1 :]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + Emu(9_144) or other[3] <= one[1] + Emu(9_144)
                assert apart, (one[4].text_frame.text, other[4].text_frame.text)


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_hostile_text_stays_text(attacked):
    found = parts(attacked / FILE)
    assert sum(map(len, found.values())) < 3_000_000
    xml = {name: data.decode() for name, data in found.items() if name.endswith((".xml", ".rels"))}
    for name, text in xml.items():
        ElementTree.fromstring(text)  # noqa: S314 - our own file
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07\x0b]|_x000[0-9A-F]_", text), name
        assert 'TargetMode="External"' not in text, name
        assert not re.search(r"<a:hlink(Click|Hover|MouseOver)|<a:snd|<p:ole|<script", text), name
    assert sum(text.count("<a:fld ") for name, text in xml.items() if name.startswith("ppt/slides/")) == len(Presentation(str(attacked / FILE)).slides)
    text = shown(Presentation(str(attacked / FILE)))
    assert "=CMD|'/C calc'!A0" in text
    assert "<script>" in text
    assert "あ" * 200 not in text


def test_workbooks_of_charts_hold_no_formula_and_no_text_of_customers(attacked):
    books = {name: data for name, data in parts(attacked / FILE).items() if name.endswith(".xlsx")}
    assert len(books) == 3
    for data in books.values():
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            cells = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
        assert "<f>" not in cells
        assert "CMD" not in cells
        assert "alert" not in cells


@pytest.mark.slow
def test_the_same_tables_give_the_same_bytes(make, tmp_path):
    one, two = (write_deck(make.tables(), tmp_path / name, config=make.config(), run=make.run()).read_bytes() for name in ("a", "b"))
    assert one == two


@pytest.mark.parametrize(("text", "size", "expected"), [
    ("短い文", 16, ("短い文", 16)),
    ("あ" * 20, 16, ("あ" * 20, 13)),  # smaller first
    ("あ" * 60, 16, ("あ" * 22 + "…", 12)),  # then cut
    ("", 16, ("", 16)),
])
def test_text_is_made_to_fit(text, size, expected):
    assert fitted(text, width=4.0, height=16 * 1.25 / 72, size=size) == expected


def test_lines_are_counted_by_the_width_of_japanese():
    assert n_lines("あ" * 17, width=4.0, size=16) == 1
    assert n_lines("あ" * 18, width=4.0, size=16) == 2
    assert n_lines("1" * 18, width=4.0, size=16) == 1
    assert n_lines("一行目\n二行目", width=4.0, size=16) == 2
