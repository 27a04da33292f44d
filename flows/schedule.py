"""Serve the daily run and the weekly and monthly reports, in the company's time, one at a time.

The server that Prefect starts by itself for a script has no scheduler: deployments are registered and never run.
So a real local server is started beside, unless PREFECT_API_URL already names one.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.leftover import end_with_this_process
from flows.logs import read_lines
from flows.settings import store_of
from voc.config import Config
from voc.due import is_missed, last_completed, next_due
from voc.errors import VocError
from voc.store import read_table
from voc.tables import RUNS

_START_SECONDS = 180
JOBS = {"daily": "毎日の実行", "weekly": "週次レポート", "monthly": "月次レポート"}


def times(config: Config, *, cron: str | None = None) -> dict[str, str]:
    """job -> cron of those that are switched on; `cron` takes the place of the daily one."""
    given = {"daily": cron or config.schedule.daily, "weekly": config.schedule.weekly, "monthly": config.schedule.monthly}
    return {job: own for job, own in given.items() if own}


def announced(crons: Mapping[str, str], *, timezone: str, now: datetime) -> list[str]:
    """A line for each job with its next time. Raises VocError where a cron cannot be read, or none is there."""
    if not crons:
        raise VocError("[schedule] の daily、weekly、monthly がすべて空です。少なくとも 1 つに実行時刻を書いてください。")
    found = {job: next_due(cron, now=now, timezone=timezone) for job, cron in crons.items()}
    return [f"{JOBS[job]}: {cron}（{timezone}、次は {found[job]:%Y-%m-%d %H:%M}）" for job, cron in crons.items()]


def last_served(config: Config, base: Path, *, job: str) -> datetime | None:
    """When the last `job` began that came through: table `runs` tells of the daily one, the log of reports."""
    if job == "daily":
        return last_completed(read_table(RUNS, store=store_of(config, base)))
    lines = read_lines(log_folder(config, base))
    begun = [line["run_id"] for line in lines if (line["event"], line.get("job"), line.get("status")) == ("job", job, "done")]
    return datetime.strptime(begun[-1], "R%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) if begun else None


def log_folder(config: Config, base: Path) -> Path:
    return base / config.reports.path / "logs"


def serve(config_path: Path, *, crons: Mapping[str, str], timezone: str) -> None:
    """Run the jobs of `crons` at their times until the process is stopped; what an outage left undone is done first.

    Raises VocError where the local server does not come up.
    """
    signal.signal(signal.SIGTERM, _stop)  # else a stop before Prefect listens for it would leave the server behind
    with local_server():
        from prefect import serve as serve_deployments  # after PREFECT_API_URL is set
        from prefect.schedules import Cron

        from flows import scheduled

        path = config_path.resolve()
        catch_up(path, crons=crons)
        serve_deployments(
            *(
                getattr(scheduled, job).to_deployment(
                    name=path.stem, schedule=Cron(cron, timezone=timezone),
                    parameters={"config_path": str(path), "cron": cron},
                )
                for job, cron in crons.items()
            ),
            limit=1, print_starting_message=False,
        )  # fmt: skip


def catch_up(path: Path, *, crons: Mapping[str, str]) -> list[str]:
    """Do once what was due while nothing served it; return the jobs. A job that fails is told, and the others go on."""
    from voc.config import load_config

    config, done = load_config(path), []
    for job, cron in crons.items():
        last = last_served(config, path.parent, job=job)
        if is_missed(last, cron=cron, now=datetime.now(UTC), timezone=config.company.timezone):
            print(f"止まっている間に予定の時刻を過ぎたため、今 1 回だけ実行します: {JOBS[job]}", file=sys.stderr, flush=True)
            done += [job] if _came_through(job, path, cron) else []
    return done


def _came_through(job: str, path: Path, cron: str) -> bool:
    """Run one job in a process of its own, which tells why it failed: the models it loads are not held for days."""
    return subprocess.run([sys.executable, "-m", "flows.scheduled", job, str(path), cron], check=False).returncode == 0


def _stop(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


@contextmanager
def local_server() -> Iterator[None]:
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    # in a session of its own: Ctrl-C reaches the whole group, and what serves waits for its server to say that it stops
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end_with_this_process(process.pid)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/health", process)
        os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(_START_SECONDS):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise VocError("Prefect のサーバーを起動できませんでした。`prefect server start` の表示を確認してください。")
