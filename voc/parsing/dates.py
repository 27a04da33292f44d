"""Japanese dates and times: text -> instants and dates."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

import pandas as pd

_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018,
         "m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018}  # fmt: skip
_DATE = re.compile(
    r"^(?:(?P<era>明治|大正|昭和|平成|令和|[mtshr])\s?(?P<era_year>\d{1,2}|元)\s?[年./-]|(?P<year>\d{4})\s?[年./-])"
    r"\s?(?P<month>\d{1,2})\s?(?:[月./-]\s?(?P<day>\d{1,2})\s?日?|月)?(?:\s?\([日月火水木金土](?:曜日?)?\))?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?!\d)")
_TIME = re.compile(
    r"^[t\s]*(?P<half>午前|午後|am|pm)?\s?(?P<hour>\d{1,2})(?:[:時]\s?(?P<minute>\d{1,2})?分?)"
    r"(?::?\s?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?\s?(?P<late_half>午前|午後|am|pm)?",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"^\s?(?:(?P<utc>z|utc|gmt)|(?P<jst>jst))?\s?(?:(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?)?$",
    re.IGNORECASE,
)
ALLOWED = "2025-04-25T13:05:00+09:00、2025/4/25 13:05、2025年4月25日、令和7年4月25日"
"""Spellings to show to a person whose date was refused."""


@lru_cache(maxsize=200_000)
def parse_instant(text: str, *, timezone: str = "Asia/Tokyo") -> datetime | None:
    """The instant (UTC) that `text` names, None where it names none. Local times without a zone are `timezone`'s."""
    local = _read(text)
    if local is None:
        return None
    try:
        return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except OverflowError:
        return None


def parse_date(text: str, *, timezone: str = "Asia/Tokyo") -> pd.Timestamp | None:
    """The calendar date that `text` names; an instant with a zone counts by the date in `timezone`."""
    local = _read(text)
    if local is None:
        return None
    try:
        local = local.astimezone(ZoneInfo(timezone)) if local.tzinfo else local
    except OverflowError:
        return None
    return pd.Timestamp(year=local.year, month=local.month, day=local.day)


@lru_cache(maxsize=200_000)
def _read(text: str) -> datetime | None:
    """A date with an optional time and zone. Only spellings with the year first: 4/5/2025 could be April or May."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if len(plain) > 60:
        return None
    date = _COMPACT.match(plain) or _DATE.match(plain)
    if date is None:
        return None
    rest = plain[date.end() :]
    time = _TIME.match(rest)
    zone = _ZONE.match(rest[time.end() :] if time else rest.strip())
    if zone is None or (time is None and rest.strip()):
        return None
    try:
        return datetime(*_calendar(date.groupdict()), *_clock(time), tzinfo=_offset(zone))
    except ValueError:
        return None


def _calendar(part: dict) -> tuple[int, int, int]:
    if part.get("era"):
        count = 1 if part["era_year"] == "元" else int(part["era_year"])
        year = _ERAS[part["era"].lower()] + count
    else:
        year = int(part["year"])
    return year, int(part["month"]), int(part.get("day") or 1)


def _clock(time: re.Match | None) -> tuple[int, int, int, int]:
    if time is None:
        return 0, 0, 0, 0
    hour, half = int(time["hour"]), (time["half"] or time["late_half"] or "").lower()
    if half in ("午後", "pm") and hour < 12:
        hour += 12
    elif half in ("午前", "am") and hour == 12:
        hour = 0
    fraction = int((time["fraction"] or "0")[:6].ljust(6, "0"))
    return hour, int(time["minute"] or 0), int(time["second"] or 0), fraction


def _offset(zone: re.Match) -> timezone | None:
    if zone["sign"]:
        shift = timedelta(hours=int(zone["hours"]), minutes=int(zone["minutes"] or 0))
        return timezone(-shift if zone["sign"] == "-" else shift)
    if zone["jst"]:
        return timezone(timedelta(hours=9))
    return UTC if zone["utc"] else None
