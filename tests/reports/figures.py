"""Follow the figures of written reports to the tables: read from the file, recomputed from the store, with no code of the reports.

A figure is (address, text or number); an address is `table|key|column` as voc.reports.sources describes it.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
from pptx import Presentation

VOID = {"meta", "link", "input", "br", "img"}
UNITS = {"万円": 1e4, "億円": 1e8, "円": 1.0, "名": 1.0, "件": 1.0, "倍": 1.0, "pt": 1.0, "%": 0.01, "点": 1.0, "時間": 1.0, "か月": 1.0, "": 1.0}
KEYS = {
    "impact": ["issue_id"], "impact_totals": ["scope"], "impact_sensitivity": ["issue_id", "line"], "impact_controls": ["issue_id"],
    "issue_segments": ["issue_id", "attribute", "value"], "drivers": ["measure", "issue_id"], "contrasts": ["issue_id", "group"],
    "faq_triage": ["issue_id"], "cost_parts": ["issue_id"], "customer_health": ["customer_id"], "mentions": ["issue_id", "sentence_id"],
    "issue_months": ["issue_id", "month_on"], "company_months": ["month_on"], "issue_trends": ["issue_id"],
    "silent": ["issue_id"], "retention": ["issue_id", "group", "month"], "cost_channels": ["channel"],
}  # fmt: skip
SHOWN_NAMES = {"プラン": "plan", "顧客区分": "segment", "ハイタッチ": "high", "ミドルタッチ": "middle", "ロータッチ": "low"}
_NUMBER = re.compile(r"([+−]?)([\d,]+(?:\.\d+)?)")


def parsed(text: str) -> list[tuple[float, float]]:
    """(value, half of its last digit) of each number in a written figure: '−1.2〜+0.9名', '19.4万円〜31万円', '2.60%'."""
    assert text, "an empty figure"
    last = next(unit for unit in sorted(UNITS, key=len, reverse=True) if text.endswith(unit))
    found = []
    for part in text.split("〜"):
        unit = next(unit for unit in sorted(UNITS, key=len, reverse=True) if part.endswith(unit)) or last
        sign, digits = _NUMBER.fullmatch(part.removesuffix(unit)).groups()
        places = len(digits.partition(".")[2])
        found.append(((-1 if sign == "−" else 1) * float(digits.replace(",", "")) * UNITS[unit], 0.5 * 10**-places * UNITS[unit]))
    return found


def rows_at(tables: dict[str, pd.DataFrame], name: str, key: str) -> pd.Series:
    """The one row of the raw table that `key` names."""
    frame = tables[name]
    if name == "cost_parts":
        frame = frame[frame["scope"] == ("company" if key == "company" else "issue")].replace({"issue_id": {"": "company"}})
    for column, part in zip(KEYS[name], key.split("/", len(KEYS[name]) - 1), strict=True):
        values = frame[column].dt.strftime("%Y-%m") if column == "month_on" else frame[column].astype("str")
        frame = frame[values.str.startswith(part.removesuffix("…"))] if part.endswith("…") else frame[values == part]
    assert len(frame) == 1, f"{name}|{key}: {len(frame)} rows"
    return frame.iloc[0]


def recomputed(tables: dict[str, pd.DataFrame], address: str, text: str = "") -> list[float]:
    """The values at an address, from the raw tables alone."""
    name, rest = address.split("|", 1)
    key, columns = rest.rsplit("|", 1)
    if ">" in key:
        then, now = (rows_at(tables, name, one)[columns] for one in key.split(">"))
        if text.endswith("%"):
            return [now / then - 1]
        return [(now - then) * (100 if columns.endswith("_share") else 1)]
    if "+" in key:
        return [float(sum(rows_at(tables, name, one)[column] for one in key.split("+"))) for column in columns.split()]
    return [float(rows_at(tables, name, key)[column]) for column in columns.split()]


def faults(tables: dict[str, pd.DataFrame], figures: list[tuple[str, str]]) -> list[str]:
    """What is wrong with written figures: those that the tables do not give."""
    wrong = []
    for address, shown in figures:
        text = shown.replace("±", "+")
        told, real = parsed(text), recomputed(tables, address, text)
        close = len(told) == len(real) and all(abs(value - one) <= half * 1.001 for (value, half), one in zip(told, real, strict=True))
        if not close:
            wrong.append(f"{address}: written {text}, recomputed {real}")
    return wrong


class _Figures(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("data-figure"), []))

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        for _, address, said in self.open:
            if address:
                said.append(data)

    def handle_endtag(self, tag):  # noqa: ARG002 - the parser's signature
        _, address, said = self.open.pop()
        if address:
            self.found.append((address, "".join(said)))


def html_figures(path: Path) -> list[tuple[str, str]]:
    return _Figures(path.read_text(encoding="utf-8")).found


def slide_figures(path: Path) -> list[tuple[str, str]]:
    """What the notes say of each slide's figures; each must stand on its slide."""
    found = []
    for slide in Presentation(str(path)).slides:
        shown = "\n".join(text for shape in slide.shapes for text in _shape_texts(shape))
        for line in slide.notes_slide.notes_text_frame.text.split("\n"):
            text, arrow, address = line.partition(" ← ")
            if arrow:
                assert text in shown, f"{text} does not stand on the slide {slide.shapes.title.text}"
                found.append((address, text))
    return found


def _shape_texts(shape) -> list[str]:
    if shape.has_text_frame:
        return [shape.text_frame.text]
    return [cell.text for row in shape.table.rows for cell in row.cells] if shape.has_table else []


def book_figures(path: Path) -> list[tuple[str, float]]:
    """Numbers of a workbook whose column the tab 数値の出典 leads to a table, with their addresses."""
    book = openpyxl.load_workbook(path)
    found = []
    for source in _rows(book["数値の出典"]):
        if not source["保存先の表"]:
            continue
        keys = [pair.split(" = ")[0] for pair in source["行の決め方"].split("、")]
        for row in _rows(book[source["シート"]]):
            value = row[source["列"]]
            if not isinstance(value, (int, float)):
                continue
            parts = [source["列"].replace("/", "-") if key == "列の見出し" else SHOWN_NAMES.get(row[key], str(row[key])) for key in keys]
            found.append(("|".join([source["保存先の表"], "/".join(parts), source["表の列"]]), float(value)))
    return found


def _rows(page) -> list[dict]:
    (native,) = page.tables.values()
    head, *body = [[cell.value for cell in row] for row in page[native.ref]]
    return [dict(zip(head, row, strict=True)) for row in body if any(cell is not None for cell in row)]
