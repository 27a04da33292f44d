"""How numbers, dates and foreign text are written in a Japanese report: value -> str, nothing else."""

import math
import re
import unicodedata

import pandas as pd

NONE = "—"
SMALL_GROUP = 5
SMALL_GROUP_TEXT = "5名未満"
QUOTE_LENGTH = 200
LABEL_LENGTH = 60
# Latin words longer than this are cut by browsers in ugly places and may be attacks on the layout.
_CONTROLS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SPACES = re.compile(r"\s+")


def is_missing(value: object) -> bool:
    """True for None, NaN, NaT, pd.NA and infinite numbers."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and not math.isfinite(value)


def plain(text: object, *, limit: int = QUOTE_LENGTH) -> str:
    """Hostile text made inert for one line: no control, bidi or zero-width marks, one space, cut with '…'.

    Markup is not removed here: the template escapes it, so that a reader sees what the customer wrote.
    """
    if is_missing(text):
        return ""
    # 4x: enough to fill the limit even where most characters are dropped; a giant string costs nothing.
    raw = _SPACES.sub(" ", str(text)[: limit * 4 + 4000])
    kept = "".join(c for c in raw if unicodedata.category(c) not in _CONTROLS)
    # More than two combining marks in a row are drawn over neighbouring lines.
    kept = re.sub(r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{2})[\u0300-\u036f\u0483-\u0489"
                  r"\u1ab0-\u1aff\u20d0-\u20ff]+", r"\1", kept).strip()
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def _signed(text: str, value: float, *, plus: bool = False) -> str:
    if value < 0:
        return "−" + text
    return "+" + text if plus and value > 0 else text


def yen(value: float | None, *, plus: bool = False) -> str:
    """円 as read in a meeting: in full below 10,000, then 万円 (one decimal below 100万), then 億円."""
    if is_missing(value):
        return NONE
    whole = round(abs(value))
    if whole < 10_000:
        text = f"{whole:,}円"
    elif whole < 999_500:
        text = f"{whole / 1e4:.1f}".removesuffix(".0") + "万円"
    elif round(whole / 1e4) < 10_000:
        text = f"{whole / 1e4:,.0f}万円"
    else:
        text = f"{whole / 1e8:,.1f}億円"
    return _signed(text, value if whole else 0.0, plus=plus)


def yen_range(low: float | None, high: float | None) -> str:
    """'38.4万円〜61.2万円'; one amount where both read the same."""
    first, last = yen(low), yen(high)
    return first if first == last else f"{first}〜{last}"


def _decimals(*values: float) -> int:
    return 1 if max(abs(value) for value in values) < 30 else 0


def people(value: float | None) -> str:
    """Persons per month: one decimal below 30."""
    if is_missing(value):
        return NONE
    text = f"{abs(value):,.{_decimals(value)}f}"
    return _signed(text, value if float(text.replace(",", "")) else 0.0) + "名"


def people_range(low: float | None, high: float | None) -> str:
    """A 90 % interval in persons; signs are written out where it touches or crosses zero."""
    if is_missing(low) or is_missing(high):
        return NONE
    places = _decimals(low, high)

    def one(value: float) -> str:
        text = f"{abs(value):,.{places}f}"
        return _signed(text, value if float(text.replace(",", "")) else 0.0, plus=low < 0)

    return f"{one(low)}〜{one(high)}名"


def count(value: float | None, unit: str = "件") -> str:
    """Contacts: soft counts are rounded; one decimal below 10 keeps rare issues apart."""
    if is_missing(value):
        return NONE
    text = f"{value:.1f}".removesuffix(".0") if abs(value) < 10 else f"{value:,.0f}"
    return text + unit


def customers(value: float | None) -> str:
    """A number of customers; fewer than five are hidden."""
    if is_missing(value):
        return NONE
    return SMALL_GROUP_TEXT if value < SMALL_GROUP else f"{value:,.0f}名"


def percent(value: float | None, *, places: int = 1) -> str:
    return NONE if is_missing(value) else f"{value * 100:.{places}f}%"


def month(value: object) -> str:
    return NONE if is_missing(value) else f"{pd.Timestamp(value).year}年{pd.Timestamp(value).month}月"


def day(value: object) -> str:
    if is_missing(value):
        return NONE
    at = pd.Timestamp(value)
    return f"{at.year}年{at.month}月{at.day}日"
