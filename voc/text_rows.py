"""One column of a CSV, TSV, JSON Lines or Excel file, row by row, so that memory does not grow with the file.

Text comes as chunks of bytes and is read twice: once for its character set, once for its rows.
"""

import codecs
import csv
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import openpyxl

from voc.errors import SourceError
from voc.parsing.charset import decode, decode_iso2022_jp
from voc.raw import MAX_BYTES, PACKED

MAX_LINE = 16 * 1024 * 1024
"""Characters of the longest row and cell: a quote that is never closed would swallow the file."""
_SAMPLE = 256 * 1024
_CODECS = ("utf_8", "cp932", "euc_jp", "utf_16_le", "utf_16_be")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_ANY_END, _NEWLINE = re.compile(r"\r\n|\r(?!\Z)|\n"), re.compile(r"\n")
_JIS = "iso-2022-jp"


def encoding_of(chunks: Iterable[bytes]) -> str:
    """Name of the character set of all `chunks`: BOM, strict UTF-8, ISO-2022-JP escapes, else by what the first lines hold.

    Raises UndecodableError where it is none that is known.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    head, sample, rest, is_utf8, has_high, has_escape = b"", b"", b"", True, False, False
    for chunk in chunks:
        head += chunk[: _SAMPLE - len(head)]
        has_high, has_escape = has_high or not chunk.isascii(), has_escape or b"\x1b" in chunk
        if len(sample) < _SAMPLE:
            *lines, rest = (rest + chunk).split(b"\n")
            sample += b"".join(line + b"\n" for line in lines if not line.isascii())
            rest = rest if len(rest) < _SAMPLE else b""
        try:
            is_utf8 = is_utf8 and utf8.decode(chunk) is not None
        except UnicodeDecodeError:
            is_utf8 = False
    if name := next((name for bom, name in _BOMS if head.startswith(bom)), None):
        return name
    if has_escape and not has_high:
        return _JIS
    if is_utf8 and not utf8.getstate()[0]:
        return "utf-8"
    if b"\0" in head:  # UTF-16 without a mark, or no text at all
        sample = head[: len(head) // 2 * 2]
    elif not sample:
        sample = rest or head[: head.rfind(b",") + 1]  # a comma is no part of a character in CP932 and EUC-JP
    else:
        sample = sample[: sample.rfind(b"\n", 0, _SAMPLE) + 1] or sample
    text = decode(sample)
    return next((name for name in _CODECS if _reads_as(sample, name, text)), "cp932")


def _reads_as(sample: bytes, name: str, text: str) -> bool:
    try:
        return sample.decode(name).removeprefix("\ufeff") == text
    except UnicodeDecodeError:
        return False


def lines_of(chunks: Iterable[bytes], *, encoding: str, path: str, ends: re.Pattern = _ANY_END) -> Iterator[str]:
    """Decoded lines with their ends. Raises SourceError for bytes that `encoding` does not know and for too long a line."""
    number = 1
    for line in _split(_decoded(chunks, encoding, path), ends):
        if len(line) > MAX_LINE:
            raise SourceError(f"{path} の {number} 行目が上限 {MAX_LINE:,} 文字を超えます。改行と引用符の閉じ忘れを確かめてください。")
        yield line
        number += 1


def _decoded(chunks: Iterable[bytes], encoding: str, path: str) -> Iterator[str]:
    if encoding == _JIS:
        # a line of ISO-2022-JP ends in ASCII, so it is decoded alone
        for line in _split((chunk.decode("latin-1") for chunk in chunks), _NEWLINE):
            yield decode_iso2022_jp(line.encode("latin-1"))
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise SourceError(f"{path} は途中から {encoding} として読めません。UTF-8 か CP932（Shift_JIS）で書き出し直してください。") from None


def _split(texts: Iterable[str], ends: re.Pattern) -> Iterator[str]:
    rest = ""
    for text in texts:
        rest += text
        start = 0
        for match in ends.finditer(rest):
            yield rest[start : match.end()]
            start = match.end()
        rest = rest[start:]
        if len(rest) > MAX_LINE:
            yield rest
            rest = ""
    if rest:
        yield rest


def delimited_values(lines: Iterator[str], *, column: str, path: str) -> Iterator[str]:
    """`column` of each data row; blank lines are no rows, a row that is too short gives an empty text."""
    first = next((line for line in lines if line.strip("\ufeff\r\n")), None)
    if first is None:
        raise SourceError(f"{path} は空です。見出し行のあるファイルを指定してください。")
    delimiter = max(",\t;", key=first.count)
    rows = _csv_rows(first.removeprefix("\ufeff"), lines, delimiter, path)
    place = place_of(column, next(rows), path=path)
    return (row[place] if place < len(row) else "" for row in rows)


def _csv_rows(first: str, lines: Iterator[str], delimiter: str, path: str) -> Iterator[list[str]]:
    def every() -> Iterator[str]:
        yield first
        yield from lines

    reader = csv.reader(every(), delimiter=delimiter)
    while True:
        limit = csv.field_size_limit(MAX_LINE)  # it belongs to the process: set only while a row is read
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise SourceError(f"{path} を CSV として読めません（{error}）。引用符の閉じ忘れを確かめてください。") from None
        finally:
            csv.field_size_limit(limit)
        if row is None:
            return
        if row:
            yield row


def place_of(column: str, header: Sequence[str], *, path: str) -> int:
    """Position of `column`. Raises SourceError that tells the columns there are."""
    names = [name.strip() for name in header]
    if column not in names:
        raise SourceError(f"{path} に列「{column}」がありません。ある列: {names}。--text に列名を指定してください。")
    return names.index(column)


def json_values(lines: Iterator[str], *, column: str, path: str) -> Iterator[str]:
    """`column` of each JSON line, or of each element where the file is one JSON array (read whole, within MAX_BYTES)."""
    known: dict[str, None] = {}
    n_records = 0
    for number, record in _json_records(lines, path):
        if not isinstance(record, dict):
            raise SourceError(f"{path} の {number} 行目は JSON オブジェクトではありません。1 行に 1 つのオブジェクトを書いてください。")
        n_records += 1
        known |= {column: None} if column in record else dict.fromkeys(list(record)[: max(100 - len(known), 0)])
        value = record.get(column)
        yield "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if n_records and column not in known:
        place_of(column, sorted(known), path=path)


def _json_records(lines: Iterator[str], path: str) -> Iterator[tuple[int, object]]:
    is_first = True
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        if not text.strip():
            continue
        if is_first and text.lstrip().startswith("["):
            yield from enumerate(_one(_whole(text, lines, path), path, number), start=1)
            return
        is_first = False
        yield number, _one(text, path, number)


def _whole(first: str, lines: Iterator[str], path: str) -> str:
    parts, size = [first], len(first)
    for line in lines:
        parts.append(line)
        size += len(line)
        if size > MAX_BYTES:
            raise SourceError(f"{path} は 1 つの JSON 配列として大きすぎます（上限 {MAX_BYTES:,} 文字）。1 行に 1 件の JSON Lines にしてください。")
    return "".join(parts)


def _one(text: str, path: str, number: int) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} の {number} 行目を JSON として読めません（{str(error)[:60]}）。") from None


def excel_values(file: BinaryIO, *, column: str, path: str) -> Iterator[str]:
    """`column` of each row of the first sheet; empty rows at its end are left out."""
    rows = _excel_rows(file, path)
    header = next(rows, None)
    if header is None:
        raise SourceError(f"{path} の最初のシートは空です。見出し行のあるシートを先頭に置いてください。")
    place = place_of(column, header, path=path)
    return _without_empty_end((row, row[place] if place < len(row) else "") for row in rows)


def _without_empty_end(rows: Iterable[tuple[list[str], str]]) -> Iterator[str]:
    n_empty = 0
    for row, value in rows:
        if not any(row):
            n_empty += 1
            continue
        yield from [""] * n_empty
        n_empty = 0
        yield value


def _excel_rows(file: BinaryIO, path: str) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
                raise SourceError(f"{path} は展開後の大きさが上限 {MAX_BYTES:,} バイトを超えます。シートを分割してください。")
            if any(item.compress_type not in PACKED for item in archive.infolist()):
                raise SourceError(f"{path} の圧縮方式は使えません（使える方式: 無圧縮と Deflate）。Excel で開いて保存し直してください。")
        sheet = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            yield ["" if value is None else str(value) for value in row]
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl has no error of its own for a broken workbook
        reason = type(error).__name__
        raise SourceError(f"{path} を Excel として読めません（{reason}）。開いて .xlsx で保存し直してください。") from None
