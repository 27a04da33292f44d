"""Tables in files: CSV, TSV, Excel and JSON lines -> text cells under our own column names."""

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from voc.config import Source
from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.parsing.records import cell, reject
from voc.raw import MAX_BYTES, PACKED, RawFile

NEEDED = {
    "survey": ("started_at",),
    "customers": ("customer_id",),
    "usage": ("customer_id", "month_on"),
    "faq": ("article_id", "title", "body"),
    "faq_logs": ("at",),
    "catalogue": ("option_id", "name"),
    "counts": ("n_offered", "n_answered"),
    "orders": ("customer_id", "ordered_at", "amount_yen"),
    "price_changes": ("customer_id", "changed_on", "price_yen"),
    "turns": ("contact_id", "started_at", "speaker", "text"),
    "review": ("started_at", "text"),
}
PAGES = (".html", ".htm", ".md", ".markdown", ".txt")
"""Endings of files that are one FAQ article each."""
_MAX_CELLS = 50_000_000  # of a sheet, the empty ones that its rows span among them
_QUOTE_HINT = "引用符「\"」の閉じ忘れを確かめてください。"
NO_OBJECT = "JSON オブジェクトとして読めないため使いませんでした。"
NO_RECORDS = "JSON のレコードがありません。配列 [...] か、1 行に 1 つの JSON オブジェクトを書いてください。"


class TableFileError(SourceError):
    """A file that cannot be read as a table."""


def read_table(file: RawFile, source: Source) -> tuple[pd.DataFrame, list[dict]]:
    """(frame, rejects). The frame has `source_row` and every column of the file as stripped text, renamed to ours.

    Raises TableFileError where the file is no table or lacks a needed column, naming all that is missing.
    """
    frame, faults = read_cells(file, source)
    return _renamed(frame, source, file, faults)


def read_cells(file: RawFile, source: Source) -> tuple[pd.DataFrame, list[dict]]:
    """(frame, rejects) under the file's own column names. Raises TableFileError where the file is no table."""
    if file.fault:
        raise TableFileError(file.fault)
    wide = {}
    if file.name.lower().endswith((".xlsx", ".xlsm")):
        header, rows, wide = _excel_rows(file.data)
    elif file.name.lower().endswith((".jsonl", ".ndjson", ".json")):
        header, rows, broken = _json_rows(decode(file.data, encoding=source.encoding))
        frame = _frame(header, rows, file)
        faults = [reject(source.name, f"{file.name}:{row}", NO_OBJECT) for row in broken]
        return frame, faults
    else:
        header, rows = _delimited_rows(decode(file.data, encoding=source.encoding))
    good = [(number, row) for number, row in rows if len(row) == len(header)]
    wrong = sorted((wide | {number: len(row) for number, row in rows if len(row) != len(header)}).items())
    faults = [
        reject(
            source.name, f"{file.name}:{number}",
            f"列の数（{n_cells}）が見出し（{len(header)}）と違うため使いませんでした。{_QUOTE_HINT}",
        )
        for number, n_cells in wrong
    ]  # fmt: skip
    return _frame(header, good, file), faults


def columns_of(file: RawFile, source: Source) -> list[str]:
    """The column names of a CSV, TSV or Excel file; none where it is JSON, whose keys may differ by row, or no table."""
    if file.fault or file.name.lower().endswith((".jsonl", ".ndjson", ".json", *PAGES)):
        return []
    try:
        if file.name.lower().endswith((".xlsx", ".xlsm")):
            header, _, _ = _excel_rows(file.data)
        else:
            header, _ = _delimited_rows(decode(file.data, encoding=source.encoding))
    except SourceError:
        return []  # parsing tells why
    return [name for name in map(_column_name, header) if name]


def _delimited_rows(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (row number as a spreadsheet counts them, cells); rows without any text are left out."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        rows = [
            (number, [part.strip() for part in row])
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1)
            if any(part.strip() for part in row)
        ]
    except csv.Error as error:
        raise TableFileError(f"CSV として読めません（{error}）。{_QUOTE_HINT}") from None
    if not rows:
        raise TableFileError("中身がありません。見出し行と回答行のあるファイルを置いてください。")
    return rows[0][1], rows[1:]


def _excel_rows(data: bytes) -> tuple[list[str], list[tuple[int, list[str]]], dict[int, int]]:
    """The first sheet's header, its rows by number, and number -> cells of the rows that are wider than the header."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_packing(archive)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        return _sheet_rows(sheet.iter_rows(values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, ElementTree.ParseError, KeyError, ValueError, TypeError,
            IndexError, AttributeError, EOFError, OSError, NotImplementedError, RuntimeError, zipfile.zlib.error,
            ) as error:  # fmt: skip
        # openpyxl has no error of its own for a broken workbook: what it meets first comes through
        reason = type(error).__name__
        raise TableFileError(f"Excel として読めません（{reason}）。開いて .xlsx で保存し直してください。") from None


def _check_packing(archive: zipfile.ZipFile) -> None:
    if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
        raise TableFileError(f"展開後の大きさが上限 {MAX_BYTES:,} バイトを超えます。分割してください。")
    if any(item.compress_type not in PACKED for item in archive.infolist()):
        raise TableFileError("Excel ファイルの圧縮方式が使えません（使える方式: 無圧縮と Deflate）。Excel で開いて保存し直してください。")


def _sheet_rows(found: Iterable[Sequence]) -> tuple[list[str], list[tuple[int, list[str]]], dict[int, int]]:
    """As `_excel_rows`. One value in the last column makes a row of 16,384 cells: of a row that is too wide only its width stays."""
    header, rows, wide, n_cells = [], [], {}, 0
    for number, values in enumerate(found, start=1):
        n_cells += max(len(values), len(header))
        if n_cells > _MAX_CELLS:
            raise TableFileError(f"{number:,} 行目までのセルの数が上限 {_MAX_CELLS:,} を超えます。右端の列に残った値を消すか、分割してください。")
        row = [_excel_cell(value) for value in _without_empty_end(values)]
        while row and not row[-1]:
            row.pop()
        if not row:
            continue
        if not header:
            header = row
        elif len(row) > len(header):
            wide[number] = len(row)
        else:
            rows.append((number, row + [""] * (len(header) - len(row))))
    if not header:
        raise TableFileError("最初のシートに中身がありません。見出し行のあるシートを先頭に置いてください。")
    return header, rows, wide


def _without_empty_end(values: Sequence) -> Sequence:
    end = len(values)
    while end and values[end - 1] is None:
        end -= 1
    return values[:end]


def _excel_cell(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else cell(value)


def _json_rows(text: str) -> tuple[list[str], list[tuple[int, list[str]]], list[int]]:
    """Header (all keys, in order of appearance), rows, and the numbers of lines that are no JSON object."""
    records, broken = json_records(text)
    if not records:
        raise TableFileError(NO_RECORDS)
    header = list(dict.fromkeys(key for _, record in records for key in record))
    return header, [(number, [cell(record.get(key)) for key in header]) for number, record in records], broken


def json_records(text: str) -> tuple[list[tuple[int, dict]], list[int]]:
    """Objects of a JSON array (numbered from 1) or of JSON lines (by line), and the numbers that are no object."""
    if text.lstrip()[:1] == "[":
        try:
            items = list(enumerate(json.loads(text), start=1))
        except (ValueError, RecursionError) as error:
            where = str(error)[:80]
            raise TableFileError(f"JSON として読めません（{where}）。途中で切れていないか確かめてください。") from None
    else:
        items = _json_items(text)
    good = [(number, item) for number, item in items if isinstance(item, dict)]
    return good, [number for number, item in items if not isinstance(item, dict)]


def _json_items(text: str) -> list[tuple[int, object]]:
    """One object over the whole text, else one per line; None for a line that is no JSON."""
    try:
        return [(1, json.loads(text))]
    except (ValueError, RecursionError):
        return [(number, _json_line(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _json_line(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _frame(header: Sequence[str], rows: Sequence[tuple[int, list[str]]], file: RawFile) -> pd.DataFrame:
    names = [_column_name(name) for name in header]
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise TableFileError(f"同じ名前の列が 2 つ以上あります: {doubled}。列名を変えてください。")
    frame = pd.DataFrame([row for _, row in rows], columns=names, dtype="object")
    frame = frame.loc[:, [name != "" for name in names]].drop(columns="source_row", errors="ignore")
    return frame.assign(source_row=[f"{file.name}:{number}" for number, _ in rows])


def _column_name(name: str) -> str:
    plain = unicodedata.normalize("NFKC", str(name)).encode("utf-8", "ignore").decode()
    return re.sub(r"\s+", " ", plain).strip().strip("\ufeff")


def _renamed(
    frame: pd.DataFrame, source: Source, file: RawFile, faults: list[dict]
) -> tuple[pd.DataFrame, list[dict]]:
    """Columns under our names; SourceError with all needed ones that are missing, rejects for optional ones."""
    wanted = {ours: _column_name(theirs) for ours, theirs in source.columns.items()}
    wanted |= {column: column for column in NEEDED[source.format] if column not in wanted}
    found = [column for column in frame.columns if column != "source_row"]
    missing = {ours: theirs for ours, theirs in wanted.items() if theirs not in found}
    texts = {_column_name(column): column for column in source.texts}
    needed = [ours for ours in NEEDED[source.format] if ours in missing]
    lacking = []
    if source.format == "survey" and not any(column in found for column in texts):
        lacking.append(f"自由記述の列 {list(source.texts)} がどれもありません。ある列: {found}。[sources.texts] を直してください。")
    if needed:
        lacking.append(_missing_columns(needed, wanted, found))
    if lacking:
        raise TableFileError("".join(lacking))
    for ours, theirs in missing.items():
        reason = f"列「{theirs}」（{ours}）がないため、この項目は空です。ある列: {found}"
        faults.append(reject(source.name, file.name, reason))
    for name, column in texts.items():
        if name not in found:
            faults.append(reject(source.name, file.name, f"自由記述の列「{column}」がありません。ある列: {found}"))
    picked = {ours: frame[theirs] for ours, theirs in wanted.items() if theirs in found}
    kept = {name: frame[name] for name in found if name not in picked}
    return pd.DataFrame({**kept, **picked, "source_row": frame["source_row"]}), faults


def _missing_columns(needed: Sequence[str], wanted: Mapping[str, str], found: Sequence[str]) -> str:
    listed = "、".join(f"{ours}（ファイルでは「{wanted[ours]}」のはず）" for ours in needed)
    example = found[0] if found else "列名"
    return (
        f"必要な列がありません: {listed}。ある列: {list(found)}。"
        f"設定に [sources.columns] {needed[0]} = \"{example}\" のように、ファイルの列名を書いてください。"
    )
