"""Seconds and memory of `voc impact` on 50,000 customers x 24 months x 40 issues, alone and with all sensitivity lines.

    python tests/benchmarks/impact_speed.py [--customers 50000] [--months 24] [--issues 40]

Bars: 120 s, 360 s with the lines, 4 GB. Also the start: the same command on 300 customers, which is nearly all imports.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.worlds import WORLDS, simulate, write_folder

SEED = 7


def measured(folder: Path, *options: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and highest memory (GB) of one command."""
    command = [sys.executable, "-m", "flows.cli", "impact", str(folder), "--out", str(folder / "out" / "est.csv"), *options]
    (folder / "out").mkdir(exist_ok=True)
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"exit status {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("customers", 50_000), ("months", 24), ("issues", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    big = replace(WORLDS["plain"], n_customers=options.customers, n_months=options.months, n_issues=options.issues)
    with tempfile.TemporaryDirectory() as place:
        print("| run | seconds | CPU seconds | GB |\n| --- | --- | --- | --- |")
        for name, setting, extra in (
            ("start (300 customers)", replace(WORLDS["tiny"], n_customers=300), ()), ("main estimate", big, ()),
            ("with all sensitivity lines", big, ("--sensitivity",)),
        ):
            folder = Path(place) / str(setting.n_customers)
            if not folder.exists():
                write_folder(simulate(setting, SEED), folder)
            wall, cpu, memory = measured(folder, *extra)
            print(f"| {name} | {wall:.1f} | {cpu:.1f} | {memory:.2f} |", flush=True)


if __name__ == "__main__":
    main()
