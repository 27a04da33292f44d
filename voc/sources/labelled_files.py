"""A folder with labelled tables (CSV, params.json) -> frames of text; results -> CSV files beside each other."""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from voc.errors import SourceError

NAMES = {
    "contacts": "contacts.csv", "customers": "customers.csv", "issues": "issues.csv", "usage": "usage.csv",
    "nps": "nps.csv", "params": "params.json",
}
"""Tables and their files."""
NEEDED = ("contacts", "customers", "issues")
_QUOTE_HINT = "引用符「\"」の閉じ忘れや余分なカンマを確かめてください。"


def read_labelled(
    folder: Path, *, files: Mapping[str, str], columns: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, pd.DataFrame | dict], pd.DataFrame, list[str]]:
    """(tables, rejects, notices): a frame of text cells for each table found, `params` as a dict.

    `files`: table -> file name in `folder` (or a path) in place of NAMES; `columns`: table -> our column -> the file's.
    Frames have `source_row`, the number of the data row. Lines with more or fewer cells than the header are rejects.
    A file that is not UTF-8 is read as what its bytes look like (Shift_JIS from Excel, UTF-16), and that is told.
    Raises SourceError for a missing file, bytes that are no Japanese text, no header, or a column that is not there.
    """
    if not folder.is_dir():
        raise SourceError(f"フォルダー {folder} がありません。contacts.csv などの入ったフォルダーを指定してください。")
    tables, rejects, notices = {}, [], []
    for name, usual in NAMES.items():
        path = folder / files.get(name, usual)
        if not path.is_file():
            if name in NEEDED or name in files:
                raise SourceError(
                    f"{path} がありません。フォルダーにあるファイル: {_listed(folder)}。"
                    f"別の名前なら --file {name}=ファイル名 で指定してください。"
                )
            continue
        if name == "params":
            tables[name] = _read_params(path)
        else:
            tables[name], faults, told = _read_csv(path, name, columns.get(name, {}))
            rejects += faults
            notices += told
    return tables, pd.DataFrame(rejects, columns=["source", "source_row", "stage", "reason"], dtype="str"), notices


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write `frame` as UTF-8 CSV; the file appears only when it is whole. Raises SourceError."""
    part = path.with_name(f".{path.name}.part")
    try:
        frame.to_csv(part, index=False, encoding="utf-8", lineterminator="\n", errors="replace")
        part.replace(path)
    except OSError as error:
        raise SourceError(f"{path} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    finally:
        part.unlink(missing_ok=True)


def _listed(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return "、".join(names[:20]) or "なし"


def _read_params(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path} を JSON として読めません（{error}）。UTF-8 の JSON で保存してください。") from None
    if not isinstance(found, dict):
        raise SourceError(f"{path} は JSON オブジェクト {{...}} で書いてください。")
    return found


def _utf8(path: Path) -> tuple[bytes, list[str]]:
    """(the file as UTF-8, what was guessed)."""
    data = path.read_bytes()
    try:
        data.decode("utf-8")  # the reader checks the rows it keeps only
    except UnicodeDecodeError:
        from voc.parsing.charset import decode  # its package loads every parser of the product

        told = f"{path.name} は UTF-8 ではないため、文字コード（Shift_JIS など）を推定して読みました。文字化けがあれば UTF-8 で保存し直してください。"
        return decode(data).encode("utf-8"), [told]
    return data, []


def _read_csv(path: Path, table: str, columns: Mapping[str, str]) -> tuple[pd.DataFrame, list[dict], list[str]]:
    faults, open_quotes = [], []

    def refuse(row: csv.InvalidRow) -> str:
        faults.append((row.number, row.actual_columns, row.expected_columns))
        if "\n" in row.text.strip():
            open_quotes.append(row.number)
        return "skip"

    try:
        data, told = _utf8(path)
        found = csv.read_csv(
            io.BytesIO(data), read_options=csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
            convert_options=csv.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
        )
        frame = found.to_pandas()
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise SourceError(_told(path, str(error))) from None
    except OSError as error:
        raise SourceError(f"{path} を読めません（{error.strerror}）。権限を確かめてください。") from None
    if open_quotes:  # one such quote swallows the rows below it
        raise SourceError(f"{path} の {open_quotes[0]} 行目から引用符「\"」が閉じていません。直してからやり直してください。")
    bad = {number for number, _, _ in faults}
    numbers = [number for number in range(1, len(frame) + len(bad) + 1) if number + 1 not in bad] if bad else range(1, len(frame) + 1)
    rejects = [
        {"source": table, "source_row": str(number - 1), "stage": "impact",
         "reason": f"列の数（{actual}）が見出し（{expected}）と違うため使いませんでした。{_QUOTE_HINT}"}
        for number, actual, expected in faults
    ]  # fmt: skip
    return _renamed(frame, path, columns).assign(source_row=list(numbers)), rejects, told


def _renamed(frame: pd.DataFrame, path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    frame.columns = [str(name).strip() for name in frame.columns]
    doubled = sorted(set(frame.columns[frame.columns.duplicated()]))
    missing = sorted(set(columns.values()) - set(frame.columns))
    if doubled or missing:
        told = f"列 {'、'.join(missing)} がありません" if missing else f"同じ名前の列があります: {'、'.join(doubled)}"
        raise SourceError(f"{path}: {told}。見つかった列: {'、'.join(frame.columns)}。")
    # a column of ours that stands for something else in this file gives way to the one that was named
    frame = frame.drop(columns=[ours for ours, theirs in columns.items() if ours in frame and ours != theirs])
    return frame.assign(**{ours: frame[theirs] for ours, theirs in columns.items()})


def _told(path: Path, error: str) -> str:
    if "Empty CSV" in error:
        return f"{path} は空のファイルです。見出しの行から書いてください。"
    if "UTF8" in error or "utf" in error.lower():
        return f"{path} は UTF-8 ではありません。UTF-8 の CSV で保存し直してください。"
    return f"{path} を CSV として読めません（{error[:120]}）。{_QUOTE_HINT}"
