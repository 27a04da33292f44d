"""Days, full calendar months and the reporting period, all in one zone: the company's, Asia/Tokyo where none is told."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

ZONE = "Asia/Tokyo"
LONG_AGO = -1_000_000  # day number for "before the data"
NOT_ENDED = 1_000_000  # day number for "still a customer"
PERIOD_MONTHS = 12
DAYS_PER_MONTH = 30.4375
START_SLACK_DAYS = 3  # a month whose first contact came on the 2nd or 3rd still counts as full
STRAY_SHARE = 0.05  # of the median month's contacts; fewer are strays, no start of the data


@dataclass(frozen=True)
class Window:
    """The data's window. Day numbers count from 1970-01-01; `end_day` and `month_ends` are exclusive."""

    start_day: int
    end_day: int
    month_starts: np.ndarray
    month_ends: np.ndarray
    period_start: int
    period_end: int

    @property
    def n_months(self) -> int:
        """Full calendar months in the window."""
        return len(self.month_starts)

    @property
    def period_months(self) -> float:
        """Length of the reporting period in months (a fraction only where no month is full)."""
        full = int(((self.month_starts >= self.period_start) & (self.month_ends <= self.period_end)).sum())
        return float(full) if full else max((self.period_end - self.period_start) / DAYS_PER_MONTH, 1 / DAYS_PER_MONTH)

    @property
    def period_month_indices(self) -> np.ndarray:
        """Positions of the period's months among the window's full months."""
        return np.flatnonzero((self.month_starts >= self.period_start) & (self.month_ends <= self.period_end))


def day_of_instant(instants: pd.Series, *, timezone: str = ZONE) -> np.ndarray:
    """Day number (in `timezone`) of each instant. Empty instants give LONG_AGO."""
    local = pd.to_datetime(instants, utc=True).dt.tz_convert(timezone).dt.tz_localize(None)
    return _days(local, LONG_AGO)


def day_of_date(dates: pd.Series, *, empty: int) -> np.ndarray:
    """Day number of each date; `empty` where there is none."""
    return _days(pd.to_datetime(dates), empty)


def as_of_day(as_of: object) -> int:
    """Day number of the analysis date (a date, a Timestamp, of Asia/Tokyo where it has a zone, or ISO text); data from that day on is not used."""
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is not None:
        moment = moment.tz_convert(ZONE).tz_localize(None)
    return int(np.datetime64(moment, "D").astype("int64"))


def timestamp(day: int) -> pd.Timestamp:
    """Midnight of a day number, without a zone."""
    return pd.Timestamp(np.datetime64(int(day), "D"))


def month_number(days: np.ndarray) -> np.ndarray:
    """Months since 1970-01 of day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("int64")


def month_start(months: np.ndarray) -> np.ndarray:
    """First day number of months counted from 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype("int64")


def window_of(contact_days: np.ndarray, *, end_day: int) -> Window:
    """Window from the first month with contacts in usual number up to `end_day`; the period is its last 12 full months.

    A month with less than a twentieth of the median month is no start: one contact with a wrong date would lengthen
    the window by years without data. Where no calendar month is full, the period is the whole window.
    """
    days = contact_days[contact_days < end_day]
    start = usual_days(days)[0] if len(days) else end_day - 1
    return _window(start, end_day, slack=(START_SLACK_DAYS, 1), n_last=PERIOD_MONTHS)


def usual_days(contact_days: np.ndarray) -> tuple[int, int]:
    """First and last day of contacts in the months that have them in usual number, a twentieth of the median or more."""
    months = month_number(contact_days)
    found, counts = np.unique(months, return_counts=True)
    usual = found[counts >= STRAY_SHARE * np.median(counts)]
    inside = contact_days[(months >= usual[0]) & (months <= usual[-1])]
    return int(inside.min()), int(inside.max())


def window_between(start_day: int, end_day: int) -> Window:
    """Window [start_day, end_day); the period is all its full months (up to two days may lack at either end).

    Where no calendar month is full, the period is the whole window.
    """
    return _window(start_day, end_day, slack=(START_SLACK_DAYS, START_SLACK_DAYS), n_last=None)


def _window(start: int, end_day: int, *, slack: tuple[int, int], n_last: int | None) -> Window:
    first = int(month_number(np.array([start - slack[0] + 1]))[0])
    starts = month_start(np.arange(first, int(month_number(np.array([end_day + slack[1]]))[0]) + 2))
    full = (starts[:-1] > start - slack[0]) & (starts[1:] < end_day + slack[1])
    month_starts, month_ends = starts[:-1][full], starts[1:][full]
    if not len(month_starts):
        return Window(start, end_day, month_starts, month_ends, start, end_day)
    first_of_period = month_starts[-n_last:][0] if n_last else month_starts[0]
    return Window(start, end_day, month_starts, month_ends, int(first_of_period), int(month_ends[-1]))


def _days(values: pd.Series, empty: int) -> np.ndarray:
    days = values.to_numpy(dtype="datetime64[us]").astype("datetime64[D]")
    return np.where(np.isnat(days), empty, days.astype("int64"))
