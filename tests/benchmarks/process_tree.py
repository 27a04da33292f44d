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
    """`at` (UNIX seconds) and `cpu` (seconds used until then) of each look; `peak_mb` of all processes at once, pages that
    several share counted once; `left`: process ids that were still there three seconds after the end."""

    code: int
    output: str
    seconds: float
    at: np.ndarray
    cpu: np.ndarray
    peak_mb: float
    peak_processes: int
    left: list[int]

    def cpu_between(self, start: float, end: float) -> float:
        """Processor seconds that all processes used from `start` to `end`."""
        low, high = np.interp([start, end], self.at, self.cpu)
        return float(high - low)


def watch(command: Sequence[str], *, environment: dict[str, str] | None = None, cwd: Path | None = None) -> Watched:
    """Run `command` to its end. Processes are known by their session, so one that outlives its parent is found too."""
    begin = time.time()
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, cwd=cwd, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    at, cpu, used, peaks = [begin], [0.0], {}, [0.0, 0]

    def look() -> None:
        turn = 0
        while process.poll() is None:
            found = members(process.pid)
            for pid, (birth, seconds) in found.items():
                used[(pid, birth)] = seconds
            at.append(time.time())
            cpu.append(sum(used.values()))
            if turn % _MEMORY_EVERY == 0:
                peaks[0] = max(peaks[0], sum(memory_mb(pid) for pid in found))
                peaks[1] = max(peaks[1], len(found))
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
        process.returncode, output, end - begin, np.array([*at, end]), np.array([*cpu, cpu[-1]]), peaks[0], peaks[1],
        sorted(members(process.pid)),
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
