"""What a command and all processes that it starts use: processor seconds and memory over time, read from /proc."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TICKS = os.sysconf("SC_CLK_TCK")
_PAUSE, _MEMORY_EVERY = 0.2, 5  # seconds between looks; every fifth also at memory, which costs more


@dataclass(frozen=True)
class Watched:
    """`at` (UNIX seconds), `cpu` (seconds used until then) and `mb` of each look (of all processes at once, pages that
    several share counted once; the last look at it, where this one did not); `own_mb`: what the largest process has of it;
    `left`: process ids that were still there three seconds after the end."""

    code: int
    output: str
    seconds: float
    at: np.ndarray
    cpu: np.ndarray
    mb: np.ndarray
    own_mb: np.ndarray
    peak_processes: int
    left: list[int]

    def cpu_between(self, start: float, end: float) -> float:
        """Processor seconds that all processes used from `start` to `end`."""
        low, high = np.interp([start, end], self.at, self.cpu)
        return float(high - low)

    def peak_between(self, start: float, end: float) -> tuple[float, float]:
        """(most MB of all processes at once, most of one of them) from `start` to `end`; of the nearest look where none lies between."""
        low, high = np.searchsorted(self.at, [start, end])
        looks = slice(min(low, len(self.at) - 1), max(high, low + 1))
        return float(self.mb[looks].max()), float(self.own_mb[looks].max())

    @property
    def peak_mb(self) -> float:
        return float(self.mb.max())


def watch(command: Sequence[str], *, environment: dict[str, str] | None = None, cwd: Path | None = None) -> Watched:
    """Run `command` to its end. Processes are known by their session, so one that outlives its parent is found too."""
    begin = time.time()
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, cwd=cwd, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    at, cpu, mb, own_mb, used, most = [begin], [0.0], [0.0], [0.0], {}, [0]

    def look() -> None:
        turn = 0
        while process.poll() is None:
            found = members(process.pid)
            for pid, (birth, seconds) in found.items():
                used[(pid, birth)] = seconds
            is_time = turn % _MEMORY_EVERY == 0
            sizes = [memory_mb(pid) for pid in found] if is_time else []
            at.append(time.time())
            cpu.append(sum(used.values()))
            mb.append(sum(sizes) if is_time else mb[-1])
            own_mb.append(max(sizes, default=0.0) if is_time else own_mb[-1])
            most[0] = max(most[0], len(found))
            turn += 1
            time.sleep(_PAUSE)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    output = process.communicate()[0]
    end = time.time()
    looking.join()
    deadline = time.time() + 3
    while members(process.pid) and time.time() < deadline:
        time.sleep(_PAUSE)
    return Watched(
        process.returncode, output, end - begin, np.array([*at, end]), np.array([*cpu, cpu[-1]]),
        np.array([*mb, mb[-1]]), np.array([*own_mb, own_mb[-1]]), most[0], sorted(members(process.pid)),
    )  # fmt: skip


def members(session: int) -> dict[int, tuple[int, float]]:
    """pid -> (start time in ticks, processor seconds) of the living processes of a session."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended between the two looks
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found[int(folder.name)] = (int(fields[19]), (int(fields[11]) + int(fields[12])) / _TICKS)
    return found


def memory_mb(pid: int) -> float:
    """Proportional set size; 0 where the process has ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return 0.0
    return 0.0
