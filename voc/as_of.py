"""The analysis date, and contacts whose date lies after the day of the run: a wrong date moves nothing else."""

import pandas as pd


def as_of_day(contacts: pd.DataFrame, *, given: str | None, run_on: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """The day before whose start contacts (CONTACTS) are analysed: `given` (company.as_of_on), else the day after the
    last contact that is not dated after `run_on`.

    `run_on` is the company's day of the run. It decides nothing where no contact is dated after it: the same store gives
    the same day whenever it is run. Where all contacts are dated after it, the day after it.
    """
    if given:
        return pd.Timestamp(given)
    last = contacts.loc[~is_later(contacts, run_on=run_on, timezone=timezone), "started_at"].max()
    last_on = run_on if pd.isna(last) else last.tz_convert(timezone).tz_localize(None).normalize()
    return last_on + pd.Timedelta(days=1)


def is_later(contacts: pd.DataFrame, *, run_on: pd.Timestamp, timezone: str) -> pd.Series:
    """Whether each of `contacts` (started_at) is dated after the day `run_on` of `timezone`."""
    return contacts["started_at"] >= start_of(run_on + pd.Timedelta(days=1), timezone)


def told_later(contacts: pd.DataFrame, *, run_on: pd.Timestamp, timezone: str) -> list[str]:
    """A Japanese sentence where any of `contacts` (CONTACTS) is dated after `run_on`, with the one that is dated last."""
    later = contacts[is_later(contacts, run_on=run_on, timezone=timezone)]
    if later.empty:
        return []
    last = later.sort_values(["started_at", "contact_id"]).iloc[-1]
    return [
        f"実行日（{run_on:%Y-%m-%d}）より後の日付の問い合わせが {len(later):,} 件あります。その日が来るまで分析に使いません"
        f"（例: {last['started_at'].tz_convert(timezone):%Y-%m-%d}、ソース {last['source']}、{last['source_row']}、番号 {last['contact_id']}）。"
        "取り込み元の日付か、この機械の時計を確かめてください。"
    ]


def start_of(day: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """The instant (UTC) at which `day` begins in `timezone`."""
    return day.tz_localize(timezone, nonexistent="shift_forward", ambiguous=True).tz_convert("UTC")
