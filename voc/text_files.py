"""The text column of a file on disk, batch by batch, and a result beside it: whole or not at all."""

import csv
import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from voc.errors import SourceError
from voc.parsing.charset import UndecodableError
from voc.raw import MAX_BYTES
from voc.text_rows import delimited_values, encoding_of, excel_values, json_values, lines_of

_BATCH = 5_000  # rows that are worked on at a time, so that memory does not grow with the file
_BATCH_CHARACTERS = 8_000_000
_CHUNK = 1024 * 1024
_MAX_UNPACKED = 8 * 1024**3  # of a .gz: a small one can unpack to any size
_EXCEL = (".xlsx", ".xlsm")
_JSON = (".jsonl", ".ndjson", ".json")


def text_batches(path: Path, *, column: str, out: Path) -> Iterator[list[str]]:
    """The texts in `column` of a CSV, TSV, XLSX or JSONL file (also .gz), in order, some thousand at a time.

    Every data row gives one text, an empty cell too; blank lines of a CSV or JSONL are no rows. Rows are read one by
    one (a .json with one array and the parts of a workbook are held whole, within MAX_BYTES). Raises SourceError where
    the file cannot be read, has no such column, or is `out` itself.
    """
    if out.exists() and path.exists() and out.samefile(path):
        raise SourceError(f"出力先 {out} が入力ファイルと同じです。--out に別の名前を指定してください。")
    return _batches(_values(path, column))


@contextmanager
def written_rows(out: Path, header: Sequence[str]) -> Iterator:
    """A csv.writer into `out` (also .gz), whose file appears only when all rows were written."""
    part = out.with_name(f".{out.name}.part")
    try:
        with _writer(part, is_packed=out.suffix == ".gz") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(header)
            yield lines
        part.replace(out)
    except OSError as error:
        raise SourceError(f"{out} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    finally:
        part.unlink(missing_ok=True)


def _writer(path: Path, *, is_packed: bool):
    if is_packed:
        return gzip.open(path, "wt", encoding="utf-8", errors="replace", newline="")
    return path.open("w", encoding="utf-8", errors="replace", newline="")


def _values(path: Path, column: str) -> Iterator[str]:
    name = path.name.removesuffix(".gz").lower()
    if name.endswith(_EXCEL):
        return _excel(path, column)
    try:
        encoding = encoding_of(_chunks(path))
    except UndecodableError as error:
        raise SourceError(f"{path}: {error}") from None
    if name.endswith(_JSON):
        lines = lines_of(_chunks(path), encoding=encoding, path=str(path), ends=re.compile("\n"))
        return json_values(lines, column=column, path=str(path))
    return delimited_values(lines_of(_chunks(path), encoding=encoding, path=str(path)), column=column, path=str(path))


def _excel(path: Path, column: str) -> Iterator[str]:
    with tempfile.TemporaryFile() as file:  # a workbook is read from its end, so what is packed is unpacked first
        size = 0
        for chunk in _chunks(path):
            size += len(chunk)
            if size > MAX_BYTES:
                raise SourceError(f"{path} は上限 {MAX_BYTES:,} バイトを超えます。シートを分割してください。")
            file.write(chunk)
        yield from excel_values(file, column=column, path=str(path))


def _chunks(path: Path) -> Iterator[bytes]:
    """The bytes of `path`, unpacked. Raises SourceError where it cannot be read or unpacks to more than is allowed."""
    size, is_packed = 0, path.suffix == ".gz"
    try:
        with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if is_packed and size > _MAX_UNPACKED:
                    raise SourceError(f"{path} は展開後の大きさが上限 {_MAX_UNPACKED:,} バイトを超えます。分割するか、展開してから指定してください。")
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "gzip として展開できません"
        raise SourceError(f"{path} を読めません（{reason}）。パスと権限を確かめてください。") from None


def _batches(values: Iterator[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for value in values:
        batch.append(value)
        size += len(value)
        if len(batch) >= _BATCH or size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
