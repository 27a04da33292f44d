"""The analysis date, and contacts that are dated after the day of the run: a wrong date moves nothing else.

All functions take `given` (company.as_of_on, which decides alone where it is set), `run_on` (the company's day of the run)
and `timezone` (the company's). `run_on` decides nothing where no contact is dated after it: the same store gives the same
result whenever it is run.
"""

from datetime import datetime

import pandas as pd


def as_of_day(contacts: pd.DataFrame, *, given: str | None, run_on: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """The day up to whose start is analysed: `given`, else the day after the last of `contacts` (CONTACTS) that is not
    dated after `run_on`; the day after `run_on` where there is none."""
    if given:
        return pd.Timestamp(given)
    last = up_to_run(contacts, given=given, run_on=run_on, timezone=timezone)["started_at"].max()
    last_on = run_on if pd.isna(last) else last.tz_convert(timezone).tz_localize(None).normalize()
    return last_on + pd.Timedelta(days=1)


def up_to_run(contacts: pd.DataFrame, *, given: str | None, run_on: pd.Timestamp, timezone: str) -> pd.DataFrame:
    """`contacts` (started_at) without those that are dated after `run_on`; all of them where `given` is set."""
    return contacts if given else contacts[contacts["started_at"] < start_of(run_on + pd.Timedelta(days=1), timezone)]


def told_later(contacts: pd.DataFrame, *, given: str | None, run_on: pd.Timestamp, timezone: str) -> list[str]:
    """A Japanese sentence where `up_to_run` leaves any of `contacts` (CONTACTS) out, with the one that is dated last."""
    known = up_to_run(contacts, given=given, run_on=run_on, timezone=timezone)
    later = contacts[~contacts.index.isin(known.index)]
    if later.empty:
        return []
    last = later.sort_values(["started_at", "contact_id"]).iloc[-1]
    return [
        f"実行日（{run_on:%Y-%m-%d}）より後の日付の問い合わせが {len(later):,} 件あります。その日が来るまで分析に使いません"
        f"（例: {last['started_at'].tz_convert(timezone):%Y-%m-%d}、ソース {last['source']}、{last['source_row']}、番号 {last['contact_id']}）。"
        "取り込み元の日付か、この機械の時計を確かめてください。"
    ]


def day_of(instant: datetime, timezone: str) -> pd.Timestamp:
    """The day of `instant` (with a zone) in `timezone`."""
    return pd.Timestamp(instant).tz_convert(timezone).tz_localize(None).normalize()


def start_of(day: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """The instant (UTC) at which `day` begins in `timezone`."""
    return day.tz_localize(timezone, nonexistent="shift_forward", ambiguous=True).tz_convert("UTC")
