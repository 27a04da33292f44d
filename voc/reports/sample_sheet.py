"""Writes the sheet on which people say whether sentences stand under the right issue (`voc issues sample`)."""

from pathlib import Path

import pandas as pd
import xlsxwriter

from voc.issues.calibration import COLUMNS, ENOUGH
from voc.issues.sample_sheet import HELP_SHEET, SHEET
from voc.reports.formats import plain
from voc.reports.help_sheet import write_help
from voc.reports.whole_file import whole_file

_WIDTHS = {"課題": 38, "文": 60, "前後の文": 60, "合っている": 13}
_HIDDEN = ("文番号", "課題番号", "確率", "重み")
_LENGTHS = {"文": 300, "前後の文": 600}
_LINE = {"課題": 18, "文": 29, "前後の文": 29}  # full-width characters that one line of a cell holds
HELP = (
    ("この表でお願いしたいこと", None),
    ("答え方", "1 行ごとに、「文」が「課題」の話かどうかを見て、「合っている」に「はい」か「いいえ」を選んでください。"),
    ("迷うとき", "「前後の文」も読んで決めてください。それでも分からない行は空のままで構いません（答えのない行は使いません）。"),
    ("「はい」とするもの", "その課題の声として会議に出してよい文です。言い方が違っていても、同じ事柄なら「はい」です。"),
    ("「いいえ」とするもの", "別の事柄の文、同じ言葉でも求めていることが違う文（不具合の報告と使い方の質問など）です。"),
    ("件数の目安", f"全体で {ENOUGH} 件以上の答えがあると「校正済み」になります。300 件ほどで、多くの課題の確率が実際に合うようになります。"),
    ("反映の方法", "保存してから、次の 1 行を実行します: voc issues import このファイル --config voc.toml"),
    ("反映の後", "次の voc run から、割り当ての確率、件数、金額、解約数の幅に使います。答えは蓄積し、同じ文に答え直すと新しい答えを使います。"),
    ("変えないもの", "見出しの行と、隠れている列（文番号、課題番号、確率、重み）は変えないでください。"),
)  # fmt: skip


def write_sample_sheet(rows: pd.DataFrame, path: Path) -> Path:
    """Write `rows` (of `choose_sample`) as the .xlsx file `path`, whole or not at all. Raises StoreError where it cannot be written."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with whole_file(path, name="確認の表", setting="--out") as part, xlsxwriter.Workbook(part, options) as book:
        book.set_properties({"title": SHEET, "created": pd.Timestamp("2020-01-01").to_pydatetime()})
        _rows(book, rows)
        write_help(book, HELP_SHEET, HELP, width=26)
    return path


def _rows(book: xlsxwriter.Workbook, rows: pd.DataFrame) -> None:
    page = book.add_worksheet(SHEET)
    base = {"valign": "top", "border": 1, "border_color": "#D9D9D9", "font_size": 10, "text_wrap": True, "quote_prefix": True}
    head = {"bold": True, "font_color": "white", "valign": "vcenter", "border": 1, "border_color": "#BFBFBF"}
    shown = book.add_format({**base, "bg_color": "#F2F2F2"})
    answer = book.add_format({**base, "bg_color": "#FFF9DB", "locked": False, "align": "center"})
    names = list(COLUMNS.values())
    for column, name in enumerate(names):
        page.set_column(column, column, _WIDTHS.get(name, 9), None, {"hidden": name in _HIDDEN})
        colour = "#9A6B00" if name == COLUMNS["answer"] else "#5B6B7B"
        page.write_string(0, column, name, book.add_format({**head, "bg_color": colour}))
        for row, value in enumerate(rows[name], start=1):
            if name == COLUMNS["answer"]:
                page.write_blank(row, column, None, answer)
            elif name in ("確率", "重み"):
                page.write_number(row, column, float(value))
            else:
                page.write_string(row, column, plain(value, limit=_LENGTHS.get(name, 200)), shown)
    for row, cells in enumerate(rows[list(_LINE)].itertuples(index=False), start=1):
        lines = max(-(-len(plain(cell, limit=600)) // width) for cell, width in zip(cells, _LINE.values(), strict=True))
        page.set_row(row, 14 * max(lines, 1) + 4)
    page.freeze_panes(1, 0)
    if len(rows):
        column = names.index(COLUMNS["answer"])
        page.data_validation(1, column, len(rows), column, {
            "validate": "list", "source": ["はい", "いいえ"], "error_title": "入力を確かめてください", "error_message": "「はい」か「いいえ」を選んでください。",
        })  # fmt: skip
        page.autofilter(0, 0, len(rows), column)
    page.protect("", {"format_columns": True, "format_rows": True, "autofilter": True})
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
