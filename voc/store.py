"""The tables on disk or S3: one Delta table each, read whole, written whole or by the rows that came.

A write is one Delta commit, so a reader sees either the old table or the new one, never a torn one
(25 writes killed at random: none torn).
"""

import errno
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from voc.errors import StoreError
from voc.tables import RUNS, TABLES, UNFINISHED, WATERMARKS, Table, check, content_sha, empty

_ATTEMPTS = 5
_MANY_FILES = 30  # appended files of one table; more are made one
_KEPT_HOURS, _KEPT_LONG_HOURS = 7 * 24, 400 * 24
_LARGE = frozenset("contacts turns sentences opinions wishes requests calls embeddings mentions unfinished faq_logs usage".split())
_NO_CONTENT = {RUNS.name, UNFINISHED.name}
_ADDED_BLINDLY = {UNFINISHED.name}  # rows come without a look at what is there: an append that was tried again stands twice
_CLOCKS = {WATERMARKS.name: ["at"]}
_NO_SPACE = "書き込む空きがありません。不要なファイルを消すか、[store] path を空きのある場所に変えて、もう一度 voc run を実行してください。"
_NO_RIGHT = "書き込めません（書き込み禁止）。フォルダーの権限とディスクのマウントを確かめてから、もう一度 voc run を実行してください。"
_FAULTS = {
    errno.ENOSPC: _NO_SPACE, errno.EDQUOT: _NO_SPACE, errno.EFBIG: _NO_SPACE,
    errno.EROFS: _NO_RIGHT, errno.EACCES: _NO_RIGHT, errno.EPERM: _NO_RIGHT,
}  # fmt: skip
_NOTHING_LOST = "前に保存した内容はそのまま残っており、続きから実行できます"
_ROW_GROUPS = WriterProperties(max_row_group_size=20_000)  # a writer holds a group of rows in memory; vectors are wide
_UNFINISHED = re.compile(r"#\d+$")
_ARROW = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "instant": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
    "texts": pa.list_(pa.string()),
    "floats": pa.list_(pa.float32()),
}


def write_table(frame: pd.DataFrame, table: Table, *, store: str) -> int:
    """Replace `table` in `store` by `frame` (checked). Returns the version that was written."""
    arrow = _to_arrow(check(frame, table), table)
    return _write(lambda: arrow, table, store=store, mode="overwrite")


def write_parts(parts: Callable[[], Iterable[pd.DataFrame]], table: Table, *, store: str, is_addition: bool) -> int:
    """As `write_table`, or `add_rows` where `is_addition`, with the rows of all frames that `parts()` gives, in one commit:
    only one of them is in memory at a time. No key may stand in two of them. Returns the version that was written."""
    schema = _to_arrow(empty(table), table).schema

    def rows() -> pa.RecordBatchReader:
        made = (_to_arrow(check(part, table), table) for part in parts())
        return pa.RecordBatchReader.from_batches(schema, (batch for arrow in made for batch in arrow.to_batches()))

    return _write(rows, table, store=store, mode="append" if is_addition else "overwrite")


def add_rows(frame: pd.DataFrame, table: Table, *, store: str) -> int:
    """Add rows to `table` without reading it; none may be there already. Returns the version that was written."""
    arrow = _to_arrow(check(frame, table), table)
    return _write(lambda: arrow, table, store=store, mode="append")


def replace_table(frame: pd.DataFrame, table: Table, *, store: str) -> bool:
    """Make `table` hold the rows of `frame`, writing only what differs. Returns whether anything was written.

    Rows of a table with `made_from` are the same where key and `made_from` are; those of other tables where all values are.
    """
    frame = check(frame, table)
    is_new = (new_rows if "made_from" in table.columns else _new_values)(frame, table, store=store)
    if is_new is None:
        write_table(frame, table, store=store)
        return True
    if is_new.any():
        add_rows(frame[is_new], table, store=store)
    return bool(is_new.any())


def new_rows(frame: pd.DataFrame, table: Table, *, store: str) -> np.ndarray | None:
    """Which rows of `frame` (key and `made_from`) `table` lacks: boolean (n,). None where more than that differs: rows are
    stored that `frame` has not, or nothing was written yet."""
    proof = [*table.key, "made_from"]
    if not is_stored(table, store=store):
        return None
    delta = _delta(table, store)
    if "made_from" not in {field.name for field in delta.schema().fields}:  # a store of an earlier version
        return None
    stored = delta.to_pandas(columns=proof, types_mapper=None)
    old, new = (pd.MultiIndex.from_frame(rows[proof].astype("str")) for rows in (stored, frame))
    is_new = ~new.isin(old)
    if len(old) + is_new.sum() != len(new) or not old.isin(new).all() or stored["made_from"].isna().any():
        return None
    return is_new


def _new_values(frame: pd.DataFrame, table: Table, *, store: str) -> np.ndarray | None:
    """As `new_rows`, where rows are the same if all their values are."""
    if not is_stored(table, store=store):
        return None
    stored, key = read_table(table, store=store), list(table.key)
    is_new = ~pd.MultiIndex.from_frame(frame[key]).isin(pd.MultiIndex.from_frame(stored[key]))
    again, kinds = frame[~is_new].reset_index(drop=True), {table.type_of(column) for column in table.columns}
    # pandas does not compare lists; hashes of millions of rows would take minutes
    is_same = content_sha(again) == content_sha(stored) if kinds & {"texts", "floats"} else again.equals(stored)
    return is_new if is_same else None


def _write(rows: Callable[[], pa.Table | pa.RecordBatchReader], table: Table, *, store: str, mode: str) -> int:
    path = _path(table, store)
    with _told(path):
        for attempt in range(_ATTEMPTS):
            try:
                write_deltalake(path, rows(), mode=mode, schema_mode="overwrite" if mode == "overwrite" else "merge",
                                writer_properties=_ROW_GROUPS)
                break
            except CommitFailedError:  # another writer was first; its commit stands, ours is tried on top of it
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.2 * 2**attempt)
        delta = DeltaTable(path)
        if mode == "append" and len(delta.file_uris()) > _MANY_FILES:
            delta.optimize.compact()
        return delta.version()


def append_rows(frame: pd.DataFrame, table: Table, *, store: str) -> int:
    """Add rows to `table`; rows that repeat a stored key replace it. Returns the version that was written."""
    stored = read_table(table, store=store)
    key = list(table.key)
    old = stored[~stored.set_index(key).index.isin(frame.set_index(key).index)]
    return write_table(pd.concat([part for part in (old, frame) if len(part)] or [stored]), table, store=store)


def read_table(table: Table, *, store: str, version: int | None = None) -> pd.DataFrame:
    """The rows of `table`, checked; an empty frame with its columns where nothing was written yet."""
    path = _path(table, store)
    with _told(path):
        if not DeltaTable.is_deltatable(path):
            return empty(table)
        frame = DeltaTable(path, version=version).to_pandas(types_mapper=None)
        return check(frame.drop_duplicates(list(table.key)) if table.name in _ADDED_BLINDLY else frame, table)


def read_version(table: Table, version: int | None, *, store: str) -> pd.DataFrame | None:
    """`table` as it was at `version` (None: before it was written); None where that version is gone for good."""
    if version is None:
        return empty(table)
    try:
        return read_table(table, store=store, version=version)
    except (DeltaError, FileNotFoundError):
        return None


def is_stored(table: Table, *, store: str) -> bool:
    """Whether `table` was ever written to `store`."""
    with _told(_path(table, store)):
        return DeltaTable.is_deltatable(_path(table, store))


def table_version(table: Table, *, store: str) -> int | None:
    """The version of `table` that is current; None where it was never written."""
    return _delta(table, store).version() if is_stored(table, store=store) else None


def clear_table(table: Table, *, store: str) -> None:
    """Remove all rows of `table` for good, with its history."""
    if is_stored(table, store=store) and _delta(table, store).count():
        write_table(empty(table), table, store=store)
        forget_history(table, store=store)


def content_hashes(*, store: str) -> dict[str, str]:
    """Table -> SHA-256 of what it holds, clocks left out: equal where two stores say the same. Not of RUNS."""
    return {
        table.name: content_sha(read_table(table, store=store).drop(columns=_CLOCKS.get(table.name, [])))
        for table in stored_tables(store=store) if table.name not in _NO_CONTENT
    }


def drop_old_versions(*, store: str) -> None:
    """Delete the files of versions that are older than a week, or than 400 days where a table is small; the current one stays."""
    for table in stored_tables(store=store):
        hours = _KEPT_HOURS if table.name in _LARGE else _KEPT_LONG_HOURS
        with _told(_path(table, store)):
            _delta(table, store).vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False)


def dataset(table: Table, *, store: str, version: int | None = None) -> pyarrow.dataset.Dataset | None:
    """`table` as an Arrow dataset, of which a query reads the columns it needs; None where nothing was written yet."""
    return DeltaTable(_path(table, store), version=version).to_pyarrow_dataset() if is_stored(table, store=store) else None


def versions(*, store: str) -> dict[str, int]:
    """The newest version of each written table, by its name."""
    return {table.name: _delta(table, store).version() for table in stored_tables(store=store)}


def forget_history(table: Table, *, store: str) -> int:
    """End time travel: only the current rows of `table` stay, in no file, log entry or statistic anything older.

    Vacuum removes the data files of older versions; their log entries, which hold the least and greatest values of
    every column, go with the checkpoint of an empty commit. Returns the version that stays. Run it while nothing else
    writes to the table; when it is cut off, run it again.
    """
    path = _path(table, store)
    if not DeltaTable.is_deltatable(path):
        return -1
    delta = DeltaTable(path)
    delta.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
    delta = DeltaTable(path)
    delta.create_checkpoint()
    time.sleep(0.01)  # entries must be older than the retention, which is counted in milliseconds
    delta.cleanup_metadata()
    _remove_unfinished(path)
    delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 30 days"})
    return DeltaTable(path).version()


def _remove_unfinished(path: str) -> None:
    """What a killed writer left of a file: `name#1` is how object_store stages one on disk, and no vacuum sees it."""
    if "://" not in path:
        for file in Path(path).rglob("*#*"):
            if _UNFINISHED.search(file.name):
                file.unlink()


def stored_tables(*, store: str) -> list[Table]:
    """The tables that were written to `store`, by name."""
    return [table for name, table in sorted(TABLES.items()) if DeltaTable.is_deltatable(_path(table, store))]


def _delta(table: Table, store: str) -> DeltaTable:
    return DeltaTable(_path(table, store))


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Faults that a person can mend, in words; the others as they are."""
    try:
        yield
    except (OSError, DeltaError) as error:
        number = getattr(error, "errno", None) or _number(str(error))
        if number not in _FAULTS:
            raise
        raise StoreError(f"保存先 {path} に{_FAULTS[number]}（{_NOTHING_LOST}）") from None


def _number(told: str) -> int | None:
    found = re.search(r"os error (\d+)", told)
    return int(found[1]) if found else None


def _path(table: Table, store: str) -> str:
    return f"{store.rstrip('/')}/{table.name}" if "://" in store else str(Path(store) / table.name)


def _to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    arrays = []
    for column in table.columns:
        kind = table.type_of(column)
        values = frame[column]
        if kind == "text":
            values = values.astype(object).where(values.notna(), None)
        elif kind == "floats":
            arrays.append(_float_lists(values))
            continue
        elif kind == "texts":
            values = [None if value is None else list(value) for value in values]
        arrays.append(pa.array(values, type=_ARROW[kind], from_pandas=True))
    fields = [pa.field(column, array.type) for column, array in zip(table.columns, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _float_lists(values: pd.Series) -> pa.Array:
    """A column of vectors, without an object per number."""
    is_none = values.isna().to_numpy()
    filled = [np.empty(0, np.float32) if gone else np.asarray(value, np.float32) for value, gone in zip(values, is_none, strict=True)]
    offsets = np.concatenate([[0], np.cumsum([len(value) for value in filled])]).astype(np.int32)
    flat = np.concatenate(filled) if filled else np.empty(0, np.float32)
    mask = pa.array(is_none) if is_none.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat, pa.float32()), type=_ARROW["floats"], mask=mask)
