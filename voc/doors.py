"""Single steps for other programs, without configuration and store: mask a list of texts, mask a file."""

import csv
import gzip
import json
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from voc.errors import SourceError
from voc.parsing.charset import UndecodableError
from voc.privacy import mask_texts
from voc.raw import MAX_BYTES
from voc.text_rows import delimited_values, encoding_of, excel_values, json_values, lines_of

_BATCH = 5_000  # rows that are masked at a time, so that memory does not grow with the file
_BATCH_CHARACTERS = 8_000_000
_CHUNK = 1024 * 1024
_MAX_UNPACKED = 8 * 1024**3  # of a .gz: a small one can unpack to any size
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
    Rows are read one by one, so memory does not grow with the file (a .json with one array and the parts of a workbook
    are held whole, within MAX_BYTES). Raises SourceError where the file cannot be read, has no such column, or is `out` itself.
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
            for batch in _batches(values):
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
