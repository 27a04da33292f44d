"""Single steps for other programs, without configuration and store: mask a list of texts, mask a file."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import openpyxl
import pandas as pd

from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.privacy import mask_texts

_BATCH = 5_000  # rows that are masked at a time, so that memory does not grow with the file
_EXCEL = (".xlsx", ".xlsm")
_JSON = (".jsonl", ".ndjson", ".json")


def mask(texts: Iterable[str | None]) -> pd.DataFrame:
    """Mask personal data in `texts`: frame [row, masked, spans], one row per text in their order.

    `spans` lists {start, end, kind} in the original text; kinds: PERSON, PHONE, EMAIL, ADDRESS, POSTAL_CODE, CARD,
    MY_NUMBER, ACCOUNT, BIRTH_DATE, ID, URL. Nothing (None, NaN) is read as an empty text.
    """
    from voc.japanese import name_like, person_names

    plain = ["" if text is None or text != text else str(text) for text in texts]  # noqa: PLR0124 - NaN
    return mask_texts(plain, names=person_names, name_like=name_like)


def mask_file(path: Path | str, *, text: str, out: Path | str) -> dict[str, float]:
    """Mask column `text` of a CSV, TSV, XLSX or JSONL file (also .gz) into the CSV `out` (also .gz).

    `out` has row (0-based position of the data row; every row of the file once, with empty text too), masked, and
    spans as JSON (start, end, kind in the original text). Blank lines of a CSV or JSONL are no rows. Returns n_rows,
    n_spans and name_share, the share of different sentences that were searched for names.
    Raises SourceError where the file cannot be read, has no such column, or is `out` itself.
    """
    path, out = Path(path), Path(out)
    if out.exists() and path.exists() and out.samefile(path):
        raise SourceError(f"出力先 {out} が入力ファイルと同じです。--out に別の名前を指定してください。")
    values = _values(path, text)
    part = out.with_name(f".{out.name}.part")
    counts = {"n_rows": 0, "n_spans": 0, "n_sentences": 0, "n_asked": 0}
    try:
        with _writer(part, is_packed=out.suffix == ".gz") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["row", "masked", "spans"])
            while batch := list(islice(values, _BATCH)):
                frame = mask(batch)
                spans = [json.dumps(found, separators=(",", ":")) for found in frame["spans"]]
                rows = range(counts["n_rows"], counts["n_rows"] + len(batch))
                lines.writerows(zip(rows, frame["masked"], spans, strict=True))
                counts["n_rows"] += len(batch)
                counts["n_spans"] += int(frame["spans"].map(len).sum())
                counts["n_sentences"] += frame.attrs["n_sentences"]
                counts["n_asked"] += frame.attrs["n_sentences_for_names"]
        part.replace(out)
    except OSError as error:
        raise SourceError(f"{out} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    finally:
        part.unlink(missing_ok=True)
    share = counts.pop("n_asked") / max(counts.pop("n_sentences"), 1)
    return {**counts, "name_share": share}


def _writer(path: Path, *, is_packed: bool):
    if is_packed:
        return gzip.open(path, "wt", encoding="utf-8", errors="replace", newline="")
    return path.open("w", encoding="utf-8", errors="replace", newline="")


def _values(path: Path, column: str) -> Iterator[str]:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "gzip として展開できません"
        raise SourceError(f"{path} を読めません（{reason}）。パスと権限を確かめてください。") from None
    name = path.name.removesuffix(".gz").lower()
    if name.endswith(_EXCEL):
        header, rows = _excel(data, path)
    elif name.endswith(_JSON):
        return iter(_json(decode(data, encoding=None), path, column))
    else:
        header, rows = _delimited(decode(data, encoding=None), path)
    if column not in header:
        raise SourceError(_no_column(path, column, header))
    place = header.index(column)
    return (row[place] if place < len(row) else "" for row in rows)


def _no_column(path: Path, column: str, header: Sequence[str]) -> str:
    return f"{path} に列「{column}」がありません。ある列: {header}。--text に列名を指定してください。"


def _delimited(text: str, path: Path) -> tuple[list[str], list[list[str]]]:
    text = text.removeprefix("\ufeff")
    delimiter = max(",\t;", key=text.lstrip("\r\n").partition("\n")[0].count)
    limit = csv.field_size_limit(sys.maxsize)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise SourceError(f"{path} を CSV として読めません（{error}）。引用符の閉じ忘れを確かめてください。") from None
    finally:
        csv.field_size_limit(limit)
    if not rows:
        raise SourceError(f"{path} は空です。見出し行のあるファイルを指定してください。")
    return [name.strip() for name in rows[0]], rows[1:]


def _excel(data: bytes, path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()
        rows = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # noqa: BLE001 - openpyxl has no error of its own for a broken workbook
        reason = type(error).__name__
        raise SourceError(f"{path} を Excel として読めません（{reason}）。開いて .xlsx で保存し直してください。") from None
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise SourceError(f"{path} の最初のシートは空です。見出し行のあるシートを先頭に置いてください。")
    return [name.strip() for name in rows[0]], rows[1:]


def _json(text: str, path: Path, column: str) -> list[str]:
    records, known = [], set()
    if text.lstrip("\ufeff \r\n\t").startswith("["):
        numbered = enumerate(_one(text.removeprefix("\ufeff"), path, 1), start=1)
    else:
        lines = ((number, line) for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1) if line.strip())
        numbered = ((number, _one(line, path, number)) for number, line in lines)
    for number, record in numbered:
        if not isinstance(record, dict):
            raise SourceError(f"{path} の {number} 行目は JSON オブジェクトではありません。1 行に 1 つのオブジェクトを書いてください。")
        known.update(record)
        value = record.get(column)
        records.append("" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if records and column not in known:
        raise SourceError(_no_column(path, column, sorted(known)))
    return records


def _one(text: str, path: Path, number: int) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} の {number} 行目を JSON として読めません（{str(error)[:60]}）。") from None
