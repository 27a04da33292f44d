"""Ten nights: `python tests/benchmarks/soak.py [--nights 10] [--calls 20] [--history 200] [--folder F]`.

Each night a day of calls comes as a new file, a customer leaves, and the daily job runs in a process of its own, by the
command, the environment and beside the one long-lived server that `voc schedule` has. Printed for each night: seconds with a bar,
peak memory, processes left, sizes of the store, of Prefect's own folder and of the reports; at the end what every table
holds on disk, in how many versions, and the three bars: memory flat, nothing left, the store explained.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from deltalake import DeltaTable
from load import CALLS, MONTHS, write_load
from process_tree import memory_mb, watch

from flows import settings
from flows.logs import read_lines
from flows.schedule import local_server
from voc.demo.world import START_ON

ROOT = Path(__file__).parents[2]
_CRON = "* * * * *"  # due each minute, so that a night can follow as soon as the last one has ended
_FLAT = 1.15  # peak of the last three nights over that of the first three after the history was read
_MB = 2**20


def prepare(folder: Path, *, nights: int, calls: int, history: int, seed: int) -> list[list[dict]]:
    """Write the history; return the calls of each night, dated on the days after it."""
    write_load(folder, share=(history + nights * calls) / CALLS, seed=seed)
    paths = sorted((folder / "raw/calls").glob("*.json"))
    records = [record for path in paths for record in json.loads(path.read_text(encoding="utf-8"))]
    for path in paths[1:]:
        path.unlink()
    paths[0].write_text(json.dumps(records[:history], ensure_ascii=False), encoding="utf-8")
    config = folder / "voc.toml"
    lines = [line for line in config.read_text(encoding="utf-8").splitlines() if not line.startswith("as_of_on")]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")  # so that each night's analysis is of its own day
    return [records[history + night * calls : history + (night + 1) * calls] for night in range(nights)]


def add_day(folder: Path, records: list[dict], *, night: int) -> None:
    """The files of one more day: its calls, and the customer table without one of those who stayed until then."""
    day = START_ON + pd.DateOffset(months=MONTHS) + pd.Timedelta(days=night)
    dated = [
        row | {"started_at": (day + pd.Timedelta(hours=9, minutes=7 * place)).tz_localize("Asia/Tokyo").isoformat()}
        for place, row in enumerate(records)
    ]
    (folder / f"raw/calls/night-{night:02d}.json").write_text(json.dumps(dated, ensure_ascii=False), encoding="utf-8")
    path = folder / "raw/customers.csv"
    customers = pd.read_csv(path, dtype=str)
    stay = customers.index[customers["ended_on"].isna()]
    customers.loc[stay[night], "ended_on"] = f"{day:%Y-%m-%d}"
    customers.to_csv(path, index=False)


def run_night(folder: Path) -> dict:
    """The daily job: seconds, processor seconds, peak memory (MB), ids of processes left. Exits where the job fails."""
    command = [sys.executable, "-m", "flows.scheduled", "daily", str(folder / "voc.toml"), _CRON]
    watched = watch(command, cwd=folder, environment={"PYTHONPATH": str(ROOT)})
    last = [line for line in read_lines(folder / "reports" / "logs") if line["event"] == "job"][-1:]
    if watched.code or not last:
        raise SystemExit(f"the daily job ended with {watched.code}\n{watched.output[-3000:]}")
    return {"status": last[0]["status"], "seconds": watched.seconds, "cpu_seconds": float(watched.cpu[-1]),
            "peak_mb": watched.peak_mb, "left": watched.left}  # fmt: skip


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MB


def table_sizes(store: Path) -> pd.DataFrame:
    """table, rows, versions, on_disk_mb, current_mb (files of the version that is read), log_mb; the rest is older versions."""
    rows = []
    for path in sorted(child for child in store.iterdir() if (child / "_delta_log").is_dir()):
        table = DeltaTable(str(path))
        current = {Path(uri).name for uri in table.file_uris()}
        data = [file for file in path.rglob("*.parquet") if "_delta_log" not in file.parts]
        rows.append({
            "table": path.name, "rows": table.to_pyarrow_dataset().count_rows(), "versions": len(table.history()),
            "on_disk_mb": size_mb(path), "current_mb": sum(file.stat().st_size for file in data if file.name in current) / _MB,
            "log_mb": size_mb(path / "_delta_log"),
        })  # fmt: skip
    return pd.DataFrame(rows)


def play(folder: Path, nights: list[list[dict]]) -> tuple[list[dict], pd.DataFrame | None]:
    """(figures of the history and of each night, `table_sizes` after the first night)."""
    rows, first = [], None
    for night, records in enumerate([None, *nights]):
        if records is not None:
            add_day(folder, records, night=night - 1)
        found = run_night(folder)
        while found["status"] == "skipped":  # it began within the minute in which the last night did
            time.sleep(61 - time.time() % 60)
            found = run_night(folder)
        sizes = {f"{name}_mb": size_mb(folder / name) for name in ("store", "prefect", "reports")}
        rows.append({"night": night, **found, **sizes, "server_mb": sum(memory_mb(pid) for pid in children())})
        slowest, row = max(one["seconds"] for one in rows), rows[-1]
        print(
            f"{'history ' if not night else f'night {night:2d}'} {row['seconds']:6.0f} s {'#' * round(30 * row['seconds'] / slowest):30} "
            f"{row['cpu_seconds']:5.0f} processor s {row['peak_mb']:6,.0f} MB, server {row['server_mb']:4.0f} MB  "
            f"store {row['store_mb']:6.1f} MB  prefect {row['prefect_mb']:5.1f} MB  reports {row['reports_mb']:5.1f} MB  left {len(row['left'])}",
            flush=True,
        )  # fmt: skip
        first = table_sizes(folder / "store") if night == 1 else first
    return rows, first


def children() -> list[int]:
    """Process ids of what this process has started and what runs still: the server."""
    return [int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="utf-8").split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--calls", type=int, default=20, help="a night")
    parser.add_argument("--history", type=int, default=200, help="calls before the first night")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="voc-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "store").exists():
        raise SystemExit(f"{folder} has a store already; give an empty folder")
    nights = prepare(folder, nights=options.nights, calls=options.calls, history=options.history, seed=options.seed)
    settings.prepare(folder)
    with local_server():
        rows, first = play(folder, nights)
    return judge(pd.DataFrame(rows), table_sizes(folder / "store"), first)


def judge(rows: pd.DataFrame, last: pd.DataFrame, first: pd.DataFrame | None) -> int:
    """Print the tables of the last night and the bars; 1 where one is missed."""
    if first is not None:
        last = last.merge(first[["table", "on_disk_mb"]], on="table", how="left", suffixes=("", "_night_1")).fillna({"on_disk_mb_night_1": 0.0})
        last["growth_mb"] = last["on_disk_mb"] - last.pop("on_disk_mb_night_1")
    last["older_mb"] = last["on_disk_mb"] - last["current_mb"] - last["log_mb"]
    print(last.sort_values(["on_disk_mb", "table"], ascending=[False, True]).to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    nights = rows[rows["night"] > 0]
    n = min(3, max(len(nights) // 2, 1))
    ratio = nights["peak_mb"].tail(n).mean() / nights["peak_mb"].head(n).mean()
    n_left = int(nights["left"].map(len).sum())
    total, told = rows["store_mb"].iloc[-1], last[["current_mb", "log_mb", "older_mb"]].sum()
    slope = np.polyfit(nights["night"], nights["seconds"], 1)[0] if len(nights) > 1 else 0.0
    server = nights["server_mb"].tail(n).mean() / nights["server_mb"].head(n).mean()
    bars = {
        f"memory of the server: last nights over first {server:.2f} (bar {_FLAT})": server <= _FLAT,
        f"memory: last nights over first {ratio:.2f} (bar {_FLAT})": ratio <= _FLAT,
        f"processes left: {n_left} (bar 0)": n_left == 0,
        f"store {total:.1f} MB = data read now {told['current_mb']:.1f} + logs of versions {told['log_mb']:.1f} + older versions "
        f"{told['older_mb']:.1f} + the rest {total - told.sum():.1f} (bar: rest below 1)": abs(total - told.sum()) < 1,
    }
    print(f"seconds grow by {slope:+.1f} a night; processor seconds {nights['cpu_seconds'].iloc[0]:.0f} -> {nights['cpu_seconds'].iloc[-1]:.0f}")
    for name, is_met in bars.items():
        print(f"{'met   ' if is_met else 'MISSED'} {name}")
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
