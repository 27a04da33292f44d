"""The Prefect server that a run starts ends with it, however that ends: Prefect itself stops it at an orderly end only.

A run that is killed (by the kernel where memory ends, say) would else leave a server behind every night.
"""

import os
import subprocess
from pathlib import Path

_SERVER = "prefect.server.api.server"
_watchers: dict[int, subprocess.Popen] = {}


def end_servers_with_this_process() -> None:
    """Have each Prefect server that this process started end with it. Linux only; elsewhere nothing is done."""
    for pid in _children():
        if _SERVER in _command(pid):
            end_with_this_process(pid)


def end_with_this_process(pid: int) -> None:
    """Have process `pid` asked to end (SIGTERM) when this one is gone."""
    if pid in _watchers:
        return
    # the end of the pipe that stays open here is closed by the kernel, whatever ends this process
    hears, _ = os.pipe()
    command = ["/bin/sh", "-c", 'read -r _; kill "$0"', str(pid)]
    quiet = subprocess.DEVNULL
    _watchers[pid] = subprocess.Popen(command, stdin=hears, stdout=quiet, stderr=quiet, start_new_session=True)
    os.close(hears)


def _children() -> list[int]:
    own = os.getpid()
    return [int(place.name) for place in Path("/proc").glob("[0-9]*") if _parent(place) == own]


def _parent(place: Path) -> int | None:
    try:
        told = (place / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile
        return None
    return int(told.rpartition(")")[2].split()[1])


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
