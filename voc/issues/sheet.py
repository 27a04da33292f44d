"""The sheet 「課題」 that a report ships and a person edits: its columns, and what was changed in it.

The very hidden sheet keeps the values as they were written. Only a cell that differs from them is an edit, so an old
sheet changes nothing that its owner did not touch; a cell that the ledger changed too since then is a conflict.
"""

import io
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree

import openpyxl
import pandas as pd
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from voc.cleaning.controls import without_controls
from voc.errors import SourceError
from voc.issues.edits import STATUS_WORDS, Edit, EditError, clean_id
from voc.parsing.dates import parse_date
from voc.raw import MAX_BYTES

SHEET, HELP_SHEET, KEPT_SHEET = "課題", "使い方", "台帳の控え"
MARK = "voc issues"
ID = "課題番号"
EDITABLE = ("課題名", "領域", "状態", "担当部署", "統合先", "対応日", "対応内容", "工数（人日）", "期限")
COLUMNS = (ID, "課題名", "領域", "種類", "状態", "担当部署", "統合先", "対応日", "対応内容", "工数（人日）", "期限", "件数", "直近の件数", "例文")
TEXTS = ("課題名", "領域", "対応内容")
"""Columns with words that people make up."""
_ADDED = ("領域",)  # columns that the sheets of older versions do not have
HEADER_ROW = 1
STATUS_CHOICES = ("公開", "固定", "除外", "解決済み")
_STATUS_OF = {word: status for status, word in STATUS_WORDS.items()}
_DATES = ("対応日", "期限")
_NUMBER = "工数（人日）"
_BROKEN = "{name} の控えが壊れています。voc run で書かれた新しい issues.xlsx に写し直してください。"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was read: `cells` (one row a ledger row: row, ID, EDITABLE as text), `kept` (ID, EDITABLE when it was
    written), `run_id` and `position` (last event) of the ledger then, `missing` the columns that were taken out."""

    cells: pd.DataFrame
    kept: pd.DataFrame
    run_id: str
    position: int
    missing: tuple[str, ...]


def editable_cells(issues: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Index ID, columns EDITABLE: the ledger's values as the sheet writes them, '' where there is none."""
    fixes = events[events["kind"] == "fix"].sort_values(["to", "position"]).drop_duplicates("issue_id", keep="last").set_index("issue_id")
    ids = issues["issue_id"]
    frame = pd.DataFrame({
        "課題名": issues["label"], "領域": issues["parent"], "状態": issues["status"].map(STATUS_WORDS), "担当部署": issues["owner"], "統合先": issues["merged_into"],
        "対応日": ids.map(fixes["to"]), "対応内容": ids.map(fixes["note"]),
        _NUMBER: issues["effort"].map(lambda value: f"{value:.10g}", na_action="ignore"),
        "期限": issues["due_on"].map(lambda day: f"{day:%Y-%m-%d}", na_action="ignore"),
    })  # fmt: skip
    frame = frame.astype(object).where(frame.notna(), "").map(_plain)
    frame.index = pd.Index(ids, name=ID)
    return frame


def read_sheet(data: bytes, *, name: str) -> Sheet:
    """The sheet in the bytes of an .xlsx file `name`. Raises SourceError where it is no sheet of voc."""
    book = open_book(data, name)
    if SHEET not in book.sheetnames or KEPT_SHEET not in book.sheetnames:
        raise SourceError(f"{name} は voc が書いた課題の表ではありません（シート「{SHEET}」と控えが要ります）。"
                          "レポートのフォルダーにある issues.xlsx を編集して使ってください。")  # fmt: skip
    kept_rows = [[_cell(value) for value in row] for row in book[KEPT_SHEET].iter_rows(values_only=True)]
    if len(kept_rows) < 2 or len(kept_rows[0]) < 3 or kept_rows[0][0] != MARK or not kept_rows[0][2].isdecimal():
        raise SourceError(_BROKEN.format(name=name))
    kept = pd.DataFrame(kept_rows[2:], columns=kept_rows[1])
    names = [name for name in EDITABLE if name in kept or name not in _ADDED]
    if list(kept.columns[: len(names) + 1]) != [ID, *names] or kept[ID].duplicated().any():
        raise SourceError(_BROKEN.format(name=name))
    cells, missing = _cells(book[SHEET], name)
    return Sheet(cells, kept.set_index(ID), kept_rows[0][1], int(kept_rows[0][2]), missing)


def sheet_edits(sheet: Sheet, issues: pd.DataFrame, events: pd.DataFrame) -> list[Edit]:
    """The edits in `sheet` that the ledger does not have yet. Raises EditError with every conflict and wrong row."""
    now, faults, edits, seen = editable_cells(issues, events), [], [], {}
    for row in sheet.cells.to_dict("records"):
        issue_id, number = clean_id(row[ID]), row["row"]
        if issue_id not in now.index or issue_id not in sheet.kept.index:
            faults.append(_unknown(issue_id, number))
            continue
        if issue_id in seen:
            faults.append(f"{place(number, ID)}: {issue_id} は {seen[issue_id]} 行目にもあります。1 つの課題は 1 行だけにしてください")
            continue
        seen[issue_id] = number
        changed = {}
        for column in (column for column in EDITABLE if column in row and column in sheet.kept):
            new, old, current = row[column], sheet.kept.at[issue_id, column], now.at[issue_id, column]
            if _same(new, old) or _same(new, current):
                continue
            if not _same(current, old):
                faults.append(f"{place(number, column)}: 台帳では、この表が書かれた後に「{old or '空'}」から「{current or '空'}」に変わっています。"
                              f"「{new or '空'}」でよければ、新しい issues.xlsx に書いてください")  # fmt: skip
                continue
            changed[column] = new
        edits += _edits_of_row(changed, row, issue_id=issue_id, now=now.loc[issue_id], faults=faults)
    if faults:
        raise EditError(faults)
    return edits


def changed_rows(sheet: Sheet, column: str) -> list[tuple[int, str]]:
    """(index, column) of the cells of `column` that differ from what the sheet was written with, where they say anything."""
    if column not in sheet.kept:
        return []
    old = sheet.cells[ID].map(clean_id).map(sheet.kept[column])
    return [(index, column) for index, (new, was) in enumerate(zip(sheet.cells[column], old, strict=True)) if new and new != was]


def place(number: int, column: str) -> str:
    return f"{SHEET}シート {number} 行目「{column}」"


def _edits_of_row(changed: dict[str, str], row: dict, *, issue_id: str, now: pd.Series, faults: list[str]) -> list[Edit]:
    number = row["row"]

    def edit(kind: str, column: str, to: str | None, note: str | None = None) -> Edit:
        return Edit(kind, issue_id, to, note, place=place(number, column))

    edits = []
    if "課題名" in changed:
        edits.append(edit("rename", "課題名", changed["課題名"]))
    if "状態" in changed:
        status = _STATUS_OF.get(unicodedata.normalize("NFKC", changed["状態"]))
        if status not in {"open", "locked", "excluded", "closed"}:
            faults.append(f"{place(number, '状態')}: 「{changed['状態'] or '空'}」は使えません。{'、'.join(STATUS_CHOICES)}から選んでください")
        else:
            solved_on = changed.get("対応日") if status == "closed" else None
            edits.append(edit("set_status", "状態", status, solved_on))
    for column, kind in (("領域", "set_area"), ("担当部署", "assign_owner"), (_NUMBER, "set_effort"), ("期限", "set_due")):
        if column in changed:
            edits.append(edit(kind, column, changed[column] or None))
    if "対応日" in changed or "対応内容" in changed:
        day, note = row.get("対応日", now["対応日"]), row.get("対応内容", now["対応内容"])
        column = "対応日" if "対応日" in changed else "対応内容"
        if not day and not note:
            faults.append(f"{place(number, column)}: 記録した対応は消せません（{now['対応日']} {now['対応内容']}）。元の値に戻してください")
        else:
            edits.append(edit("fix", column, day, note))
    if "統合先" in changed:
        edits.append(edit("merge", "統合先", changed["統合先"]))
    return edits


def _unknown(issue_id: str, number: int) -> str:
    return f"{place(number, ID)}: {issue_id or '空欄'} は台帳にありません。課題番号は変えないでください（新しい課題は表からは作れません）"


def _same(one: str, other: str) -> bool:
    return unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)


def open_book(data: bytes, name: str) -> openpyxl.Workbook:
    """The workbook in the bytes of an .xlsx file `name`. Raises SourceError where it is none, or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
                raise SourceError(f"{name} は展開後の大きさが上限 {MAX_BYTES:,} バイトを超えます。voc が書いた表か確かめてください。")
        return openpyxl.load_workbook(io.BytesIO(data))
    except (zipfile.BadZipFile, InvalidFileException, ElementTree.ParseError, KeyError, ValueError, TypeError, IndexError,
            AttributeError, EOFError, OSError, NotImplementedError, RuntimeError, zipfile.zlib.error) as error:  # fmt: skip
        # openpyxl has no error of its own for a broken workbook: what it meets first comes through
        raise SourceError(f"{name} を Excel として読めません（{type(error).__name__}）。開いて .xlsx で保存し直してください。") from None


def _cells(sheet, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    header = [_cell(cell.value) for cell in sheet[HEADER_ROW]]
    doubled = sorted({column for column in header if column in COLUMNS and header.count(column) > 1})
    if ID not in header or doubled:
        found = f"見出し {doubled} が 2 つあります" if doubled else f"1 行目に見出し「{ID}」がありません"
        raise SourceError(f"{name} のシート「{SHEET}」: {found}。見出しの行は変えないでください。")
    wanted = {column: header.index(column) for column in (ID, *EDITABLE) if column in header}
    rows, formulas = [], []
    for cells in sheet.iter_rows(min_row=HEADER_ROW + 1):
        if all(_cell(cell.value) == "" for cell in cells):
            continue
        row = {"row": cells[0].row}
        for column, index in wanted.items():
            if cells[index].data_type == "f":
                formulas.append(f"{place(row['row'], column)}: 数式は使えません（{get_column_letter(index + 1)}{row['row']}）。値を直接書いてください")
            row[column] = _typed(column, cells[index].value)
        rows.append(row)
    if formulas:
        raise EditError(formulas)
    missing = tuple(column for column in EDITABLE if column not in wanted)
    return pd.DataFrame(rows, columns=["row", *wanted]), missing


def _typed(column: str, value: object) -> str:
    """A cell as `editable_cells` would write it; what cannot be read stays as it is, to be told."""
    text = _cell(value)
    if column in _DATES and not isinstance(value, (date, datetime)):
        try:
            day = parse_date(text) if text else None
        except (ValueError, OverflowError):
            day = None
        return text if day is None else f"{day:%Y-%m-%d}"
    if column == "統合先" and text:
        return clean_id(text)
    return text


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (date, datetime)):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:.10g}"
    return _plain(str(value))


def _plain(text: str) -> str:
    return " ".join(without_controls(str(text)).split())
