from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from voc.due import is_done, is_missed, last_completed, last_due, next_due
from voc.errors import VocError
from voc.tables import RUNS, empty

SIX = "0 6 * * *"  # 21:00 UTC of the day before


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def missed(started, now):
    return is_missed(started and at(started), cron=SIX, now=at(now), timezone="Asia/Tokyo")


def test_times_are_japanese():
    assert last_due(SIX, now=at("2026-11-22T10:00"), timezone="Asia/Tokyo") == at("2026-11-21T21:00")
    assert next_due("0 7 * * 1", now=at("2026-11-22T10:00"), timezone="Asia/Tokyo") == at("2026-11-22T22:00")  # a Monday
    assert next_due("0 7 1 * *", now=at("2026-11-22T10:00"), timezone="Asia/Tokyo") == at("2026-11-30T22:00")


@pytest.mark.parametrize(("started", "now", "expected"), [
    ("2026-11-21T21:00:02", "2026-11-22T10:00", False),
    ("2026-11-20T21:00:02", "2026-11-22T10:00", True),
    ("2026-11-10T21:00:02", "2026-11-22T10:00", True),
    ("2026-11-20T21:00:02", "2026-11-21T20:59", False),
    ("2026-11-21T20:59:40", "2026-11-22T10:00", False),  # begun a little early
    (None, "2026-11-22T10:00", False),
])  # fmt: skip
def test_a_missed_night(started, now, expected):
    assert missed(started, now) is expected


def test_five_missed_nights_are_made_up_once():
    """The late runs of five nights come one after another; the first does it, the others find it done."""
    last, n = at("2026-11-15T21:00"), 0
    for minute in range(5):
        now = at("2026-11-22T10:00") + timedelta(minutes=minute)
        if not is_done(last, due_at=last_due(SIX, now=now, timezone="Asia/Tokyo")):
            last, n = now, n + 1
    assert n == 1


def test_a_run_that_starts_a_little_early_is_not_taken_for_yesterdays():
    now = at("2026-11-21T20:59:50")
    assert not is_done(at("2026-11-20T21:00:01"), due_at=last_due(SIX, now=now, timezone="Asia/Tokyo"))


@pytest.mark.parametrize("cron", ["0 99 * * *", "0 0 31 2 *", "x"])
def test_a_wrong_time_is_told(cron):
    with pytest.raises(VocError, match="例"):
        next_due(cron, now=at("2026-11-22T10:00"), timezone="Asia/Tokyo")


def test_only_completed_runs_count():
    rows = [("a", "2026-11-20", "completed"), ("b", "2026-11-21", "running")]
    runs = pd.DataFrame([{"run_id": a, "started_at": pd.Timestamp(b, tz="UTC"), "status": c} for a, b, c in rows])
    assert last_completed(runs) == at("2026-11-20T00:00") and last_completed(empty(RUNS)) is None
