"""Writes sheets as one Excel file with XlsxWriter: native tables with filters, bars and charts. No formula, no link, no macro."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from voc.reports.formats import is_missing, plain
from voc.reports.palette import ACCENT, INK, MUTED, PALE, RULE
from voc.reports.sheets import NUMBERS, WRAPPED, Sheet
from voc.reports.whole_file import whole_file

MAX_ROWS = 1_048_500
"""Rows of one table: what Excel allows, less the lines above."""
_FONT = "游ゴシック"
_FORMATS = {
    "yen": '#,##0"円"', "people": '0.0"名"', "customers": '#,##0"名"', "contacts": '#,##0.0"件"', "count": '#,##0"件"', "sentences": '#,##0"文"',
    "percent": "0%", "share": "0.0%", "day": "yyyy/mm/dd", "times": '0.0"倍"', "points": '0"点"', "hours": '#,##0.0"時間"', "months": '0"か月"', "probability": "0.00",
    "rank": '0"位"',
}  # fmt: skip
_LINES_WIDTH, _POINTS = 96, 18.0
_A4, _A3, _WIDE = 9, 8, 200  # a table that is wider than _WIDE characters cannot be read on A4
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}


def write_workbook(sheets: Sequence[Sheet], path: Path, *, title: str, as_of_on: object, max_rows: int = MAX_ROWS) -> Path:
    """Write `sheets` to `path` and return it. The same sheets give the same bytes.

    A table of more than `max_rows` rows is cut, and says so. Raises StoreError where the file cannot be written.
    """
    path = Path(path)
    with whole_file(path) as part, xlsxwriter.Workbook(part, _OPTIONS) as book:
        created = pd.Timestamp("2000-01-01") if is_missing(as_of_on) else pd.Timestamp(as_of_on)
        book.set_properties({"title": plain(title, limit=120), "created": created.to_pydatetime().replace(tzinfo=None)})
        looks = _looks(book)
        for number, sheet in enumerate(sheets, start=1):
            page = book.add_worksheet(sheet.name)
            page.hide_gridlines(2)
            page.set_landscape()
            page.set_paper(_A3 if sum(column.width for column in sheet.columns) > _WIDE else _A4)
            page.fit_to_pages(1, 0)
            page.set_footer("&R&P / &N")
            if sheet.columns:
                _table(book, page, _cut(sheet, max_rows), number=number, looks=looks)
            else:
                _texts(page, sheet, looks)
    return path


def _looks(book: xlsxwriter.Workbook) -> dict:
    base = {"font_name": _FONT, "font_size": 10.5, "font_color": INK, "valign": "top"}
    # quote_prefix: text that begins with = + - @ stays text, also after somebody opened the cell and pressed Enter
    text = {**base, "quote_prefix": True}
    looks = {
        "title": {**base, "font_size": 15, "bold": True}, "line": {**text, "text_wrap": True, "font_color": MUTED},
        "heading": {**base, "bold": True, "font_size": 12, "font_color": ACCENT, "bottom": 1, "bottom_color": RULE, "valign": "bottom"},
        "block": {**text, "text_wrap": True},
        "head": {**base, "bold": True, "font_color": "white", "bg_color": ACCENT, "text_wrap": True, "valign": "vcenter"},
        "text": {**text, "text_wrap": True, "indent": 1}, "id": {**text, "indent": 1}, "long": {**text, "text_wrap": True, "indent": 1},
        "told": {**text, "align": "right", "font_color": MUTED},
    }
    looks |= {kind: {**base, "num_format": written, "align": "right"} for kind, written in _FORMATS.items()}
    return {name: book.add_format(look) for name, look in looks.items()}


def _texts(page, sheet: Sheet, looks: dict) -> None:
    page.set_column(0, 0, _LINES_WIDTH, looks["block"])
    page.write_string(0, 0, sheet.title, looks["title"])
    page.set_row(0, 26)
    row = 1
    for line in sheet.lines:
        row = _line(page, row, line, looks["line"])
    for heading, lines in sheet.blocks:
        page.set_row(row, 34)
        page.write_string(row, 0, plain(heading, limit=120), looks["heading"])
        row += 1
        for line in lines:
            row = _line(page, row, line, looks["block"])


def _line(page, row: int, line: str, look) -> int:
    line = plain(line, limit=1000)
    page.set_row(row, _height(line, _LINES_WIDTH))
    page.write_string(row, 0, line, look)
    return row + 1


def _cut(sheet: Sheet, max_rows: int) -> Sheet:
    n = len(sheet.rows)
    if n <= max_rows:
        return sheet
    told = f"Excelに収まる{max_rows:,}行までを載せています（全{n:,}行。残り{n - max_rows:,}行は載せていません）。"
    return replace(sheet, rows=sheet.rows.head(max_rows), lines=(*sheet.lines, told))


def _table(book: xlsxwriter.Workbook, page, sheet: Sheet, *, number: int, looks: dict) -> None:
    last = len(sheet.columns) - 1
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width)
    page.write_string(0, 0, sheet.title, looks["title"])
    page.set_row(0, 26)
    across = sum(column.width for column in sheet.columns)
    # A line over all columns of a wide table would run out of the window.
    end, width = last, 0.0
    for at, column in enumerate(sheet.columns):
        width += column.width
        if width >= _LINES_WIDTH:
            end, across = at, width
            break
    lines = [plain(line, limit=1000) for line in sheet.lines] + ([sheet.when_empty] if sheet.rows.empty else [])
    for row, line in enumerate(lines, start=1):
        page.set_row(row, _height(line, across))
        if end:
            page.merge_range(row, 0, row, end, line, looks["line"])
        else:
            page.write_string(row, 0, line, looks["line"])
    top = len(lines) + 1
    _body(page, sheet, top, looks, number=number)
    if sheet.chart is not None and len(sheet.rows):
        _chart(book, page, sheet, top)


def _body(page, sheet: Sheet, top: int, looks: dict, *, number: int) -> None:
    rows = sheet.rows
    for at, column in enumerate(sheet.columns):
        for row, value in enumerate(rows[column.name].tolist(), start=top + 1):
            _cell(page, (row, at), value, column.kind, looks=looks)
    for row, lines in enumerate(_lines(rows, sheet).tolist(), start=top + 1):
        if lines > 1:
            page.set_row(row, _POINTS * lines)
    bottom, last = top + max(len(rows), 1), len(sheet.columns) - 1
    # A native table may not hold two columns of one name; it keeps filter, banding and sorting for its readers.
    page.add_table(top, 0, bottom, last, {
        "name": f"Table{number}", "style": "Table Style Light 1",
        "columns": [{"header": column.name, "header_format": looks["head"]} for column in sheet.columns],
    })  # fmt: skip
    page.set_row(top, 32)
    page.freeze_panes(top + 1, min(2, last))
    page.repeat_rows(top)
    for at, column in enumerate(sheet.columns):
        if column.bar and len(rows):
            page.conditional_format(top + 1, at, bottom, at, {
                "type": "data_bar", "bar_color": PALE, "bar_solid": True, "bar_border_color": PALE, "min_type": "num", "min_value": 0,
            })  # fmt: skip


def _cell(page, place: tuple[int, int], value: object, kind: str, *, looks: dict) -> None:
    if is_missing(value) or value == "":
        page.write_blank(*place, None, looks[kind])
    elif kind not in NUMBERS or isinstance(value, str):
        page.write_string(*place, str(value), looks["told" if kind in NUMBERS else kind])
    elif kind == "day":
        page.write_datetime(*place, pd.Timestamp(value).to_pydatetime().replace(tzinfo=None), looks[kind])
    else:
        page.write_number(*place, float(value), looks[kind])


def _chart(book: xlsxwriter.Workbook, page, sheet: Sheet, top: int) -> None:
    names = [column.name for column in sheet.columns]
    first, last = names.index(sheet.chart.columns[0]), names.index(sheet.chart.columns[-1])
    label = names.index(sheet.chart.label)
    chart = book.add_chart({"type": "line"})
    tab = "'" + sheet.name + "'"
    for row in range(top + 1, top + 1 + min(sheet.chart.n_rows, len(sheet.rows))):
        chart.add_series({
            "name": f"={tab}!{xl_rowcol_to_cell(row, label, True, True)}",
            "categories": [sheet.name, top, first, top, last], "values": [sheet.name, row, first, row, last],
            "line": {"width": 2},
        })  # fmt: skip
    font = {"name": _FONT, "size": 9, "color": INK}
    chart.set_title({"name": sheet.chart.title, "name_font": {**font, "size": 11}, "overlay": False})
    chart.set_x_axis({"num_font": font, "line": {"color": RULE}})
    chart.set_y_axis({"num_font": font, "num_format": "0", "min": 0, "line": {"none": True}, "major_gridlines": {"visible": True, "line": {"color": RULE}}})
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": 1000, "height": 360})
    page.insert_chart(top + len(sheet.rows) + 2, 0, chart)


def _lines(rows: pd.DataFrame, sheet: Sheet) -> pd.Series:
    """Lines that the longest text of each row takes; not every program fits the height of a row to wrapped text."""
    taken = pd.Series(1, index=rows.index)
    for column in sheet.columns:
        if column.kind in WRAPPED:
            full = -(-2 * rows[column.name].fillna("").str.len() // (column.width - 3))
            taken = taken.where(taken >= full, full)
    return taken.astype(int)


def _height(line: str, width: float) -> float:
    """Points that a wrapped line needs: full-width signs take two of a column's characters."""
    taken = sum(2 if unicodedata.east_asian_width(sign) in "FWA" else 1 for sign in line)
    return _POINTS * max(1, -(-taken // width))
