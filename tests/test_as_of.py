"""One contact dated far ahead moves nothing; without one no clock decides."""

import pandas as pd
import pytest

from voc.as_of import as_of_day, told_later, up_to_run
from voc.tables import CONTACTS, check

ZONE = "Asia/Tokyo"


def contacts(*instants):
    rows = [{"contact_id": f"C{n}", "channel": "call", "source": "calls", "source_row": f"a.csv:{n}", "started_at": at, "content_sha": ""}
            for n, at in enumerate(instants)]  # fmt: skip
    return check(pd.DataFrame(rows, columns=["contact_id", "channel", "source", "source_row", "started_at", "content_sha"]), CONTACTS)


def days(run_on="2026-04-10", given=None, timezone=ZONE):
    return {"given": given, "run_on": pd.Timestamp(run_on), "timezone": timezone}


@pytest.mark.parametrize("run_on", ["2026-04-02", "2026-04-10", "2030-01-01"])
def test_no_clock_decides_where_nothing_is_dated_ahead(run_on):
    known = contacts("2026-04-01T00:00Z", "2026-04-02T14:59Z")  # a minute to midnight in Tokyo
    assert as_of_day(known, **days(run_on)) == pd.Timestamp("2026-04-03")
    assert len(up_to_run(known, **days(run_on))) == 2 and told_later(known, **days(run_on)) == []


def test_a_contact_dated_ahead_waits_for_its_day_and_is_told():
    known = contacts("2026-04-02T00:00Z", "2026-04-10T15:00Z", "2062-04-02T00:00Z")
    assert as_of_day(known, **days()) == pd.Timestamp("2026-04-03")
    assert up_to_run(known, **days())["contact_id"].tolist() == ["C0"]
    [told] = told_later(known, **days())
    assert all(part in told for part in ("2 件", "2062-04-02", "a.csv:2", "C2", "2026-04-10"))
    assert as_of_day(known, **days("2026-04-11")) == pd.Timestamp("2026-04-12")


def test_a_given_day_decides_alone():
    known = contacts("2026-04-02T00:00Z", "2062-04-02T00:00Z")
    assert as_of_day(known, **days(given="2026-05-01")) == pd.Timestamp("2026-05-01")
    assert len(up_to_run(known, **days(given="2026-05-01"))) == 2 and told_later(known, **days(given="2026-05-01")) == []


def test_where_all_are_dated_ahead_the_run_decides():
    assert as_of_day(contacts("2062-04-02T00:00Z"), **days()) == pd.Timestamp("2026-04-11")
