"""Thirty figures of every format, drawn by a seed, are followed to rows of the store and recomputed; the formats agree."""

import random
import re
import subprocess
import unicodedata

import pandas as pd
import pytest

from tests.conftest import _program
from tests.reports.figures import book_figures, faults, html_figures, parsed, recomputed, slide_figures
from tests.reports.test_cs_pack import desk_tables
from voc.reports.cs_pack import cs_sheets
from voc.reports.html import write_cs_report, write_reports
from voc.reports.pdf import PdfError, write_pdf
from voc.reports.powerpoint import write_deck
from voc.reports.product_sheets import product_sheets
from voc.reports.workbook import write_workbook
from voc.store import read_table, write_table
from voc.tables import TABLES

N = 30
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*extension is not supported")]


@pytest.fixture(scope="module")
def packs(make, tmp_path_factory):
    """(folder of the reports, tables as the store gives them back)."""
    folder = tmp_path_factory.mktemp("packs")
    given = make.decided() | desk_tables(make)
    for name, frame in given.items():
        write_table(frame, TABLES[name], store=str(folder / "store"))
    tables = {name: read_table(TABLES[name], store=str(folder / "store")) for name in given}
    options = {"config": make.config(), "run": make.run()}
    write_reports(given, folder, **options)
    write_cs_report(given, folder, **options)
    write_deck(given, folder, **options)
    for name, sheets in (("product", product_sheets), ("cs", cs_sheets)):
        write_workbook(sheets(given, **options), folder / f"{name}.xlsx", title="題", as_of_on=None)
    return folder, tables


def drawn(figures: list, *, seed: int) -> list:
    """N figures of different addresses: a table of one column shall not fill the draw."""
    one_each = sorted(dict.fromkeys(figures))
    assert len(one_each) >= N
    return random.Random(seed).sample(one_each, N)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["product", "executive"])
def test_figures_of_a_page_are_those_of_the_store(packs, name, seed):
    folder, tables = packs
    assert faults(tables, drawn(html_figures(folder / f"{name}.html"), seed=seed)) == []


def test_every_figure_of_the_pages_is_that_of_the_store(packs):
    folder, tables = packs
    for name in ("product", "executive", "cs"):
        figures = html_figures(folder / f"{name}.html")
        assert len(set(figures)) >= N, name
        assert faults(tables, figures) == [], name


@pytest.mark.parametrize("name", ["product", "cs"])
def test_figures_of_a_workbook_are_those_of_the_store(packs, name):
    folder, tables = packs
    for address, value in drawn(book_figures(folder / f"{name}.xlsx"), seed=3):
        assert recomputed(tables, address) == pytest.approx([value]), address


def test_figures_of_the_slides_are_those_of_the_store(packs):
    folder, tables = packs
    assert faults(tables, drawn(slide_figures(folder / "executive.pptx"), seed=4)) == []


def test_figures_of_the_print_are_those_of_the_store(packs):
    folder, tables = packs
    try:
        path = write_pdf(folder / "executive.html", folder)
    except PdfError as error:
        pytest.skip(str(error))
    done = subprocess.run([_program("pdftotext"), "-layout", str(path), "-"], capture_output=True, text=True, check=True)
    shown = re.sub(r"\s", "", unicodedata.normalize("NFKC", done.stdout))
    chosen = drawn(html_figures(folder / "executive.html"), seed=5)
    assert [text for _, text in chosen if unicodedata.normalize("NFKC", text) not in shown] == []
    assert faults(tables, chosen) == []


def test_a_wrong_figure_is_noticed(packs):
    folder, tables = packs
    moved = tables | {"impact": tables["impact"].assign(churns_prevented=lambda t: t["churns_prevented"] + 0.2)}
    assert any("churns_prevented" in fault for fault in faults(moved, html_figures(folder / "product.html")))


def test_the_formats_agree(packs):
    folder, _ = packs
    written = {"product": html_figures(folder / "product.html"), "executive": html_figures(folder / "executive.html"),
               "cs": html_figures(folder / "cs.html"), "slides": slide_figures(folder / "executive.pptx")}
    told = {name: {address: parsed(text) for address, text in figures if ">" not in address} for name, figures in written.items()}
    told |= {f"{name}.xlsx": {address: [(value, 1e-6 * abs(value))] for address, value in book_figures(folder / f"{name}.xlsx")} for name in ("product", "cs")}
    for one, other in (("product", "executive"), ("executive", "slides"), ("product", "product.xlsx"), ("cs", "cs.xlsx"), ("slides", "product.xlsx")):
        both = sorted(told[one].keys() & told[other].keys())
        assert len(both) >= 8, (one, other)
        for address in both:
            for (a, half), (b, other_half) in zip(told[one][address], told[other][address], strict=True):
                assert abs(a - b) <= (half + other_half) * 1.001, (address, one, a, other, b)


@pytest.mark.parametrize("name", ["product", "cs"])
def test_every_column_of_numbers_tells_where_it_comes_from(make, name):
    make_sheets = {"product": product_sheets, "cs": cs_sheets}[name]
    sheets = make_sheets(desk_tables(make), config=make.config(), run=make.run())
    source = next(sheet for sheet in sheets if sheet.name == "数値の出典").rows
    known = set(zip(source["シート"], source["列"], strict=True))
    kinds = ("yen", "people", "customers", "contacts", "count", "sentences", "percent", "times", "points", "probability", "rank")
    silent = [(sheet.name, column.name) for sheet in sheets for column in sheet.columns if column.kind in kinds and (sheet.name, column.name) not in known]
    assert silent == []


def test_who_asked_are_the_customers_that_are_counted(packs):
    """Askers within the period, counted by hand from the raw mentions, as many as `impact` says in the demo's own run."""
    folder, tables = packs
    asked = pd.read_excel(folder / "cs.xlsx", sheet_name="声を寄せた顧客", header=None)
    head = asked.index[asked[0] == "課題番号"][0]
    rows = asked.iloc[head + 1:].set_axis(asked.loc[head], axis=1)
    mentions = tables["mentions"].dropna(subset=["customer_id"]).query("probability >= 0.5")
    assert rows.groupby("課題番号").size().to_dict() == mentions.groupby("issue_id")["customer_id"].nunique().to_dict()
