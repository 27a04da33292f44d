"""The log: JSON lines by month under `<reports>/logs`. Numbers, stage names and kinds of faults; never a text or a secret.

A message of a fault may quote a file or a server, so only its class is kept; the message itself is masked and stands in
the tables `rejects` and `runs`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

_WORD = re.compile(r"^[\w.:-]{0,64}$")
_OF = "of"  # a source as the configuration calls it
_FIELDS = ("run_id", "stage", _OF, "seconds", "counts", "error", "job", "status", "pid")


def write_line(folder: Path, event: str, **said: object) -> None:
    """Append one line: `event`, the time in UTC and what is `said`, under the names that are known here.

    Raises ValueError for another name: whoever adds one has to think of what it may hold. Words longer than a name are
    left out, counts keep their numbers only.
    """
    unknown = sorted(said.keys() - set(_FIELDS))
    if unknown:
        raise ValueError(f"log fields {unknown} are not known; allowed are {_FIELDS}")
    now = datetime.now(UTC)
    line = {"at": now.isoformat(timespec="milliseconds"), "event": event}
    line |= {name: kept for name in _FIELDS if name in said and (kept := _kept(said[name])) not in (None, "", {})}
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    descriptor = os.open(folder / f"voc-{now:%Y-%m}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
    finally:
        os.close(descriptor)


def read_lines(folder: Path) -> Iterator[dict]:
    """The lines of all months, oldest first; a line that a killed job tore is left out."""
    for path in sorted(folder.glob("voc-*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and {"at", "event"} <= said.keys():
                yield said


def _kept(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [kept for item in value if isinstance(kept := _kept(item), (int, float))]
    if isinstance(value, Mapping):
        return {str(k): kept for k, v in value.items() if _WORD.match(str(k)) and isinstance(kept := _kept(v), (int, float, dict, list))}
    return str(value) if _WORD.match(str(value)) else "?"
