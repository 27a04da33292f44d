"""The three flows that a schedule starts: the daily run, the weekly and the monthly report.

Each asks first whether its time was served already (late runs that pile up in Prefect after an outage do nothing), then
waits until no other run goes on.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from flows import settings

if __name__ == "__main__":  # by hand or from cron nobody prepared the process, and Prefect reads its environment when it is imported
    settings.prepare(Path(sys.argv[2]).resolve().parent)

from prefect import flow

from flows.alert import alert_failure, close_failure
from flows.logs import write_line
from flows.one_run import one_run
from flows.record import RunRecord
from flows.report_files import render_period
from flows.run import run
from flows.schedule import last_served, log_folder
from voc.config import Config, load_config
from voc.due import is_done, last_due
from voc.errors import VocError

_WAIT_SECONDS = 6 * 3600
DONE, SKIPPED = "done", "already done"


@flow(name="voc-daily", validate_parameters=False, persist_result=False)
def daily(config_path: str, cron: str | None = None) -> str:
    """Read, analyse, report and warn, unless the last due time was served."""
    return _job("daily", config_path, cron=cron)


@flow(name="voc-weekly", validate_parameters=False, persist_result=False)
def weekly(config_path: str, cron: str | None = None) -> str:
    """The weekly report out of the store."""
    return _job("weekly", config_path, cron=cron)


@flow(name="voc-monthly", validate_parameters=False, persist_result=False)
def monthly(config_path: str, cron: str | None = None) -> str:
    """The monthly report out of the store."""
    return _job("monthly", config_path, cron=cron)


def _job(job: str, config_path: str, *, cron: str | None) -> str:
    path = Path(config_path).resolve()
    config = load_config(path)
    cron, base = cron or getattr(config.schedule, job), path.parent
    settings.prepare(base)  # a worker's process: files are closed to others here too
    with one_run(base, wait_seconds=_WAIT_SECONDS):
        now = datetime.now(UTC)
        # asked under the lock: the run that was waited for may have been this one's
        due_at = last_due(cron, now=now, timezone=config.company.timezone) if cron else now
        if is_done(last_served(config, base, job=job), due_at=due_at):
            write_line(log_folder(config, base), "job", job=job, status="skipped")
            return SKIPPED
        begun = RunRecord(config, is_quiet=True, log_folder=log_folder(config, base))
        try:
            if job == "daily":
                run(str(path))
            render_period(config, base=base, period=job)
            if job != "daily":
                close_failure(store=settings.store_of(config, base), job=job, day=begun.started_on)
        except Exception as error:
            _tell_failure(error, config, base, job=job, record=begun)
            raise
    begun.log("job", job=job, status="done")
    return DONE


def _tell_failure(error: Exception, config: Config, base: Path, *, job: str, record: RunRecord) -> None:
    """On the terminal, in the log, as an alert. The store may be what failed, so the alert may fail too."""
    name = type(error).__name__
    record.log("job", job=job, status="failed", error=name)
    if isinstance(error, VocError):
        print(f"エラー: {error}", file=sys.stderr, flush=True)
    try:
        alert_failure(config, base=base, store=settings.store_of(config, base), record=record, job=job, error=name)
    except Exception as second:  # noqa: BLE001 - the first fault is the one to be raised
        print(f"失敗のお知らせも残せませんでした（{type(second).__name__}）。", file=sys.stderr, flush=True)


def _main(job: str, config_path: str, cron: str) -> int:
    """One job from the command line (`python -m flows.scheduled daily voc.toml "0 6 * * *"`): 0 where it came through."""
    state = {"daily": daily, "weekly": weekly, "monthly": monthly}[job](config_path, cron=cron, return_state=True)
    return 0 if state.is_completed() else 1


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
