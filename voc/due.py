"""When a job was due and whether it was done: pure decisions over cron times, table `runs` and a given now.

An outage of five nights leaves five due times; only the last one counts, so that what was missed is done once.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from cronsim import CronSim, CronSimError

from voc.errors import VocError
from voc.runs import latest_completed

SLACK = timedelta(seconds=30)
"""A scheduler may start a job so much early; that is the due time's own run, not a repetition of the last one."""


def last_due(cron: str, *, now: datetime, timezone: str) -> datetime:
    """The latest time of `cron` in `timezone` up to `now`, with SLACK. Raises VocError where `cron` cannot be read."""
    return _next(cron, now=now + SLACK, timezone=timezone, is_past=True)


def next_due(cron: str, *, now: datetime, timezone: str) -> datetime:
    """The first time of `cron` in `timezone` after `now`. Raises VocError where `cron` cannot be read."""
    return _next(cron, now=now, timezone=timezone, is_past=False)


def is_done(started_at: datetime | None, *, due_at: datetime) -> bool:
    """Whether a job that last came through when begun at `started_at` has done what was due at `due_at`."""
    return started_at is not None and started_at >= due_at - SLACK


def is_missed(started_at: datetime | None, *, cron: str, now: datetime, timezone: str) -> bool:
    """Whether a due time passed since `started_at`. What never ran has missed nothing: it waits for its first time."""
    return started_at is not None and not is_done(started_at, due_at=last_due(cron, now=now, timezone=timezone))


def last_completed(runs: pd.DataFrame) -> datetime | None:
    """When the latest run began that came through (RUNS, status completed)."""
    newest = latest_completed(runs)
    return newest["started_at"].to_pydatetime() if newest else None


def _next(cron: str, *, now: datetime, timezone: str, is_past: bool) -> datetime:
    try:
        return next(CronSim(cron, now.astimezone(ZoneInfo(timezone)), reverse=is_past))
    except (CronSimError, StopIteration) as error:
        told = str(error) or "当たる日がありません"
        raise VocError(f"実行時刻「{cron}」を読めません（{told}）。分 時 日 月 曜日 の順に書いてください。例: \"0 6 * * *\"（毎朝 6 時）") from None
