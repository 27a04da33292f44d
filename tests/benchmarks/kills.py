"""Kills at moments spread evenly over a whole run: `python tests/benchmarks/kills.py --kills 25 --after mentions runs`.

`--after`: as well at the moment when each of these tables is first written, where the moments of a clock seldom fall.

Each time in a folder of its own: a run is killed (SIGKILL to it and all its processes), every table must be readable, and
the next run must come through and end in the content hashes of a run that nothing disturbed. Exit status 1 where not.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deltalake import DeltaTable

from voc.store import content_hashes, read_table, stored_tables
from voc.tables import RUNS

_CONFIG = """
[company]
as_of_on = "2026-05-01"
[[sources]]
name = "calls"
format = "transcript"
path = "calls/*.jsonl"
[[sources]]
name = "customers"
format = "customers"
path = "customers.csv"
[sources.columns]
customer_id = "番号"
started_on = "開始日"
[issues]
categories = "categories.csv"
[compute]
workers = {workers}
"""
_SAID = (
    "アプリが何度も落ちて困っています。", "請求書をまとめてダウンロードできるようにしてほしいです。", "料金が高いので解約したいです。",
    "田中と申します。検索が遅いので改善してください。", "とても使いやすくて助かっています。", "一括で登録できずに不便です。",
)  # fmt: skip
_CATEGORIES = "name,kind,examples\nアプリが落ちる,不具合,アプリが落ちて使えない|アプリが何度も落ちる\n料金が高い,料金,料金が高い|値段が高すぎる\n"


def write_small_company(folder: Path, *, workers: int = 1, n_calls: int = 18) -> Path:
    """A company so small that a run takes seconds: calls of three files, customers, issues by name. Returns its voc.toml."""
    (folder / "calls").mkdir(parents=True)
    for part in range(3):
        rows = []
        for number in range(part, n_calls, 3):
            said = [_SAID[number % len(_SAID)], _SAID[(number * 5 + 1) % len(_SAID)]]
            turns = [{"speaker": who, "text": text} for own in said for who, text in (("customer", own), ("operator", "承知しました。"))]
            rows.append({"contact_id": f"C{number}", "customer_id": f"K{number % 5}", "started_at": f"2026-04-{number + 1:02d}T10:00:00+09:00",
                         "handle_seconds": 300, "turns": turns})  # fmt: skip
        (folder / f"calls/part-{part}.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    (folder / "customers.csv").write_text("番号,開始日\n" + "\n".join(f"K{n},2025-01-05" for n in range(5)), encoding="utf-8")
    (folder / "categories.csv").write_text(_CATEGORIES, encoding="utf-8")
    (folder / "voc.toml").write_text(_CONFIG.format(workers=workers), encoding="utf-8")
    return folder / "voc.toml"


def start(config: Path, environ: dict[str, str]) -> subprocess.Popen:
    """`voc run` in a process group of its own."""
    log = (config.parent / "run.log").open("ab")
    return subprocess.Popen([sys.executable, "-m", "flows.cli", "run", str(config)], env=environ, stdout=log, stderr=log, start_new_session=True)


def environ() -> dict[str, str]:
    """The caller's, with this checkout first and nothing of a Prefect profile."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_") or name == "PREFECT_API_URL"}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}


def _wait(run: subprocess.Popen, moment: float | str, store: str) -> None:
    """Until the run ends, `moment` seconds are over, or the table `moment` is there."""
    begin = time.perf_counter()
    while run.poll() is None:
        is_there = DeltaTable.is_deltatable(f"{store}/{moment}") if isinstance(moment, str) else time.perf_counter() - begin > moment
        if is_there:
            return
        time.sleep(0.005)


def killed_once(source: Path, folder: Path, moment: float | str, expected: dict[str, str]) -> str:
    """"" where all is well, else what was wrong after a kill at `moment`: seconds, or the table that was just written."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("store", "reports", "prefect", "cache", "identity", "run.log"))
    config, store = folder / "voc.toml", str(folder / "store")
    run = start(config, environ())
    _wait(run, moment, store)
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    try:
        for table in stored_tables(store=store):
            read_table(table, store=store)
    except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is looked for
        return f"torn: {error}"
    n_runs = len(read_table(RUNS, store=store))
    # a run that was quicker than the undisturbed one was through: another one after it is the next night's, not a repair
    is_through = (read_table(RUNS, store=store)["status"] == "completed").any()
    if not is_through and (code := start(config, environ()).wait()):
        return f"the next run ended with {code}: {(folder / 'run.log').read_text(encoding='utf-8')[-500:]}"
    found = content_hashes(store=store)
    differ = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    statuses = read_table(RUNS, store=store).sort_values("started_at")["status"].tolist()
    if n_runs and not is_through and statuses != ["interrupted", "completed"]:
        return f"statuses {statuses}"
    return f"other content: {differ}" if differ else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--after", nargs="*", default=[], help="tables at whose first writing a run is killed as well")
    parser.add_argument("--at-once", type=int, default=2, help="experiments at a time")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--company", type=Path, help="folder with a voc.toml instead of the small one")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="voc-kills-"))
    if options.company:
        shutil.copytree(options.company, folder / "whole")
    else:
        write_small_company(folder / "whole", workers=options.workers)
    begin = time.perf_counter()
    if start(folder / "whole/voc.toml", environ()).wait():
        print((folder / "whole/run.log").read_text(encoding="utf-8")[-2000:])
        return 1
    whole, expected = time.perf_counter() - begin, content_hashes(store=str(folder / "whole/store"))
    print(f"undisturbed: {whole:.1f} s, {len(expected)} tables", flush=True)
    moments = [*(round(whole * (number + 0.5) / options.kills, 1) for number in range(options.kills)), *options.after]
    with ThreadPoolExecutor(options.at_once) as pool:
        jobs = [pool.submit(killed_once, folder / "whole", folder / f"kill-{number}", moment, expected) for number, moment in enumerate(moments)]
        faults = []
        for number, (job, moment) in enumerate(zip(jobs, moments, strict=True)):
            fault = job.result()
            faults += [fault] if fault else []
            told = f"after {moment}" if isinstance(moment, str) else f"at {moment} s"
            print(f"kill {number + 1} {told}: {fault or 'same content'}", flush=True)
    print(f"{len(moments) - len(faults)} of {len(moments)} ended in the same content")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
