"""What the reports of the fixture say, word for word. After a wanted change: VOC_RENEW_GOLDEN=1 pytest tests/reports/test_golden.py

Then read the difference of tests/reports/golden/*.txt aloud before it is committed: it is what managers will read.
"""

import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.reports.test_cs_pack import desk_tables
from voc.reports.cs_pack import cs_report, cs_sheets
from voc.reports.deck import executive_deck
from voc.reports.formats import is_missing
from voc.reports.html import write_cs_report, write_daily, write_reports, write_weekly
from voc.reports.product_sheets import product_sheets

GOLDEN = Path(__file__).parent / "golden"
VOID = {"meta", "link", "input", "br"}
SILENT = {"script", "style", "svg", "head", "select"}
BLOCKS = {"p", "h1", "h2", "h3", "h4", "li", "tr", "dt", "dd", "blockquote", "footer", "figcaption", "section", "header", "nav"}
pytestmark = pytest.mark.slow


class Words(HTMLParser):
    """The text of a page, a line a block, cells apart by ｜."""

    def __init__(self, text: str):
        super().__init__()
        self.lines, self.stack = [""], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser's signature
        if tag not in VOID:
            self.stack.append(tag)
        if tag in BLOCKS:
            self.lines.append("")

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        self.stack.pop()
        if tag in BLOCKS:
            self.lines.append("")
        elif tag in ("td", "th"):
            self.lines[-1] += "｜"

    def handle_data(self, data):
        if not SILENT & set(self.stack):
            self.lines[-1] += " ".join(data.split())


def page_text(path: Path) -> str:
    return "\n".join(line.strip("｜") for line in Words(path.read_text(encoding="utf-8")).lines if line.strip("｜"))


def texts(value) -> list[str]:
    if isinstance(value, dict):
        return [text for key, part in value.items() if key not in ("amounts", "source") for text in texts(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) and value else []


def cell_text(value) -> str:
    if is_missing(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def sheet_text(sheets) -> str:
    lines = []
    for sheet in sheets:
        lines += [f"■ {sheet.name}", sheet.title, *sheet.lines]
        lines += [line for heading, told in sheet.blocks for line in (f"・{heading}", *told)]
        if sheet.columns:
            lines.append("｜".join(sheet.rows.columns))
            lines += ["｜".join(map(cell_text, row)) for row in sheet.rows.head(8).itertuples(index=False)]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def said(make, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("said")
    tables, options = make.decided() | desk_tables(make), {"config": make.config(), "run": make.run()}
    pages = [*write_reports(tables, folder, **options), write_cs_report(tables, folder, **options),
             write_daily(tables, folder, **options), write_weekly(tables, folder, **options)]
    found = {path.stem: page_text(path) for path in pages}
    found["slides"] = "\n\n".join("\n".join(texts(slide)) for slide in executive_deck(tables, **options))
    return found | {"product_xlsx": sheet_text(product_sheets(tables, **options)), "cs_xlsx": sheet_text(cs_sheets(tables, **options))}


@pytest.mark.parametrize("name", ["product", "executive", "cs", "daily", "weekly", "slides", "product_xlsx", "cs_xlsx"])
def test_the_words_are_those_that_were_read(said, name):
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("VOC_RENEW_GOLDEN") == "1":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(said[name] + "\n", encoding="utf-8", newline="\n")
        pytest.skip(f"{path.name} was renewed: read its difference")
    assert said[name].splitlines() == path.read_text(encoding="utf-8").splitlines(), f"read the difference; if it is wanted, renew {path.name}"


def test_the_golden_pages_are_of_all_sections(make):
    """The fixture shows every section of the desk's page: an empty one would pass unread."""
    report = cs_report(desk_tables(make), config=make.config(), run=make.run())
    assert [section["id"] for section in report["sections"] if not section["table"]["rows"]] == []
