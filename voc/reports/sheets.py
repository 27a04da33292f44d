"""A table of a report as one thing: named columns with their unit, rows of plain values. HTML and Excel lay out the same.

A number column may hold a str in single cells: what is shown where the number may not be (5名未満, 匿名).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from voc.reports.formats import (
    NONE,
    SMALL_GROUP,
    SMALL_GROUP_TEXT,
    count,
    customers,
    is_missing,
    people,
    percent,
    plain,
    yen,
)

_WRITTEN: dict[str, Callable] = {
    "yen": yen, "people": people, "customers": customers, "contacts": count, "count": lambda value: f"{value:,.0f}件", "sentences": lambda value: f"{value:,.0f}文",
    "percent": lambda value: percent(value, places=0), "share": percent, "day": lambda value: f"{value.year}/{value.month}/{value.day}", "times": lambda value: f"{value:.1f}倍",
    "points": lambda value: f"{value:.0f}点", "probability": lambda value: f"{value:.2f}", "rank": lambda value: f"{value:.0f}",
}  # fmt: skip
WRAPPED = ("text", "long")
_WIDE = 30
NUMBERS = tuple(_WRITTEN)
"""Kinds of columns that hold numbers (`day`: dates); the others are `text`, `long` (wraps) and `id`."""


@dataclass(frozen=True)
class Column:
    """`kind`: see NUMBERS. `width`: characters in Excel. `bar`: data bars. `choices`: readers pick a value to filter by.
    `on_page`: also in the HTML, which has less room."""

    name: str
    kind: str = "text"
    width: float = 12
    bar: bool = False
    choices: bool = False
    on_page: bool = True


@dataclass(frozen=True)
class Chart:
    """Lines of the first `n_rows` rows over the columns `columns`, named by the column `label`."""

    title: str
    label: str
    columns: tuple[str, ...]
    n_rows: int = 5


@dataclass(frozen=True)
class Sheet:
    """`name`: the tab. `lines`: what the reader must know before reading. Without `columns`, `blocks` (heading, lines) follow."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: pd.DataFrame | None = None
    chart: Chart | None = None
    blocks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    when_empty: str = "該当する行はありません。"


def table(records: Sequence[dict] | pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Rows with exactly the columns of `columns`, in their order; texts made inert and cut."""
    frame = pd.DataFrame(records, columns=None if len(records) else [column.name for column in columns])
    shown = {}
    for column in columns:
        values = frame[column.name].astype(object).reset_index(drop=True)
        if column.kind not in NUMBERS:
            limit = 400 if column.kind == "long" else 120
            values = values.map(lambda value, limit=limit: plain(value, limit=limit))
        shown[column.name] = values
    return pd.DataFrame(shown, columns=[column.name for column in columns], dtype=object)


def hidden(numbers: pd.Series) -> pd.Series:
    """Numbers of customers with those under five replaced by 「5名未満」."""
    return numbers.astype(object).where(~(numbers < SMALL_GROUP), SMALL_GROUP_TEXT)


def written(value: object, kind: str) -> str:
    """One cell as a reader of the HTML sees it."""
    if is_missing(value) or value == "":
        return NONE if kind in NUMBERS else ""
    return value if isinstance(value, str) else _WRITTEN[kind](value)


def sort_key(value: object, kind: str) -> str:
    """What the page sorts a cell by: a number, days since 1970, or the text; empty where there is none."""
    if is_missing(value):
        return ""
    if kind not in NUMBERS:
        return str(value)
    if isinstance(value, str):
        return "0"  # 5名未満: below every number that is shown
    return str(pd.Timestamp(value).toordinal()) if kind == "day" else f"{value:.6g}"


def cells(sheet: Sheet, *, limit: int | None = None) -> dict:
    """A sheet as the template draws it: head (name, is_number, choices) and rows of cells (text, key, kind)."""
    kept = [column for column in sheet.columns if column.on_page]
    rows = sheet.rows if limit is None else sheet.rows.head(limit)
    body = [
        [{"text": written(value, column.kind), "key": sort_key(value, column.kind), "kind": column.kind, "name": column.name,
          "is_wide": column.kind == "text" and column.width >= _WIDE} for column, value in zip(kept, row, strict=True)]
        for row in rows[[column.name for column in kept]].itertuples(index=False, name=None)
    ]  # fmt: skip
    head = [{"name": column.name, "is_number": column.kind in NUMBERS,
             "choices": sorted({row[i]["text"] for row in body if row[i]["text"]}) if column.choices else []}
            for i, column in enumerate(kept)]  # fmt: skip
    return {"head": head, "rows": body, "n_left_out": len(sheet.rows) - len(rows)}
