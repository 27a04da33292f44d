"""The tables on disk or S3: one Delta table each, read and written whole.

A write is one Delta commit, so a reader sees either the old table or the new one, never a torn one
(25 writes killed at random: none torn; STACK.md section 3 has the comparison with other stores).
"""

import re
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from voc.tables import TABLES, Table, check, empty

_ATTEMPTS = 5
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
    path = _path(table, store)
    for attempt in range(_ATTEMPTS):
        try:
            write_deltalake(path, arrow, mode="overwrite", schema_mode="overwrite")
            break
        except CommitFailedError:  # another writer was first; its commit stands, ours is tried on top of it
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * 2**attempt)
    return DeltaTable(path).version()


def append_rows(frame: pd.DataFrame, table: Table, *, store: str) -> int:
    """Add rows to `table`; rows that repeat a stored key replace it. Returns the version that was written."""
    stored = read_table(table, store=store)
    key = list(table.key)
    old = stored[~stored.set_index(key).index.isin(frame.set_index(key).index)]
    return write_table(pd.concat([part for part in (old, frame) if len(part)] or [stored]), table, store=store)


def read_table(table: Table, *, store: str, version: int | None = None) -> pd.DataFrame:
    """The rows of `table`, checked; an empty frame with its columns where nothing was written yet."""
    path = _path(table, store)
    if not DeltaTable.is_deltatable(path):
        return empty(table)
    return check(DeltaTable(path, version=version).to_pandas(types_mapper=None), table)


def dataset(table: Table, *, store: str, version: int | None = None) -> pyarrow.dataset.Dataset | None:
    """`table` as an Arrow dataset, of which a query reads the columns it needs; None where nothing was written yet."""
    path = _path(table, store)
    return DeltaTable(path, version=version).to_pyarrow_dataset() if DeltaTable.is_deltatable(path) else None


def versions(*, store: str) -> dict[str, int]:
    """The newest version of each written table, by its name."""
    return {table.name: DeltaTable(_path(table, store)).version() for table in stored_tables(store=store)}


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


def _path(table: Table, store: str) -> str:
    return f"{store.rstrip('/')}/{table.name}" if "://" in store else str(Path(store) / table.name)


def _to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    arrays = []
    for column in table.columns:
        kind = table.type_of(column)
        values = frame[column]
        if kind == "text":
            values = values.astype(object).where(values.notna(), None)
        elif kind in {"texts", "floats"}:
            values = [None if value is None else list(value) for value in values]
        arrays.append(pa.array(values, type=_ARROW[kind], from_pandas=True))
    fields = [pa.field(column, array.type) for column, array in zip(table.columns, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
