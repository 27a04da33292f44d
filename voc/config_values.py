"""What a value of a voc.toml may be: shares, yen, days of the calendar, time zones, patterns."""

import re
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Yen = Annotated[float, Field(ge=0)]


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"[下限, 上限] の順に書いてください（現在: {list(pair)}）")
    return pair


ShareRange = Annotated[tuple[Share, Share], AfterValidator(_ascending)]
"""[low, high], both 0..1."""
RateRange = Annotated[tuple[Rate, Rate], AfterValidator(_ascending)]
"""The same, above 0."""


def _real_date(text: str) -> str:
    try:
        is_date = len(text) == len("2026-01-31") and bool(date.fromisoformat(text))
    except ValueError:
        is_date = False
    if not is_date:
        raise ValueError("暦にある日付を 2026-01-31 の形で書いてください")
    return text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of names
        raise ValueError("知らないタイムゾーンです。\"Asia/Tokyo\" や \"UTC\" のように、IANA の名前で書いてください") from None
    return name


def _expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"正規表現として正しくありません（{error}）。括弧とバックスラッシュを確かめてください。例: 'M-\\d{{6}}'") from None
    return pattern


Day = Annotated[str, AfterValidator(_real_date)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Pattern = Annotated[str, AfterValidator(_expression)]
