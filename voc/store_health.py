"""How a store on disk is: rows and bytes of each table, older versions, files that belong to none."""

import json
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from voc.store import read_table, stored_tables
from voc.tables import Table


@dataclass(frozen=True, slots=True)
class TableHealth:
    """Of one table: `fault` (class of what reading raised, empty where it reads), rows, bytes of the current version, of
    older ones that time travel still needs, and of files that no version knows (a writer was killed)."""

    name: str
    fault: str
    n_rows: int
    n_bytes: int
    old_bytes: int
    n_orphans: int
    orphan_bytes: int


def store_health(*, store: str) -> list[TableHealth]:
    """A line for each table of `store`, each read and checked; sizes where the store is a folder."""
    return [_health(table, store=store) for table in stored_tables(store=store)]


def unknown_folders(*, store: str) -> list[str]:
    """Folders in a store on disk that are no table of this version."""
    known = {table.name for table in stored_tables(store=store)}
    return [] if "://" in store or not Path(store).is_dir() else sorted(p.name for p in Path(store).iterdir() if p.is_dir() and p.name not in known)


def _health(table: Table, *, store: str) -> TableHealth:
    fault, n_rows = "", 0
    try:
        n_rows = len(read_table(table, store=store))
    except Exception as error:  # noqa: BLE001 - torn files raise many kinds; each is told
        fault = type(error).__name__
    if "://" in store:
        return TableHealth(table.name, fault, n_rows, 0, 0, 0, 0)
    folder = Path(store) / table.name
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file() and "_delta_log" not in path.parts}
    current, known = _current(folder), _named_in_log(folder)
    orphans = [name for name in sizes if name not in current | known]
    return TableHealth(
        table.name, fault, n_rows, sum(size for name, size in sizes.items() if name in current),
        sum(size for name, size in sizes.items() if name in known - current), len(orphans), sum(sizes[name] for name in orphans),
    )  # fmt: skip


def _current(folder: Path) -> set[str]:
    try:
        return {Path(uri).name if "/" not in uri else uri.rpartition(f"/{folder.name}/")[2] for uri in DeltaTable(str(folder)).file_uris()}
    except Exception:  # noqa: BLE001 - the fault of this table is told by reading it
        return set()


def _named_in_log(folder: Path) -> set[str]:
    """Files of all versions whose log entries are kept; what a checkpoint alone remembers is in the current version."""
    found = set()
    for entry in (folder / "_delta_log").glob("*.json"):
        for line in entry.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                action = json.loads(line)
            except ValueError:
                continue
            found |= {action[kind]["path"] for kind in ("add", "remove") if kind in action}
    return found
