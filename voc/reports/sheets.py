"""A table of a report as one thing: named columns with their unit, rows of plain values. HTML and Excel lay out the same.

A number column may hold a str in single cells: what is shown where the number may not be (5名未満, 匿名).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
from voc.reports.sources import address

_WRITTEN: dict[str, Callable] = {
    "yen": yen, "people": people, "customers": customers, "contacts": count, "count": lambda value: f"{value:,.0f}件", "sentences": lambda value: f"{value:,.0f}文",
    "percent": lambda value: percent(value, places=0), "share": percent, "day": lambda value: f"{value.year}/{value.month}/{value.day}", "times": lambda value: f"{value:.1f}倍",
    "points": lambda value: f"{value:.0f}点", "hours": lambda value: f"{value:,.1f}時間", "months": lambda value: f"{value:.0f}か月", "probability": lambda value: f"{value:.2f}", "rank": lambda value: f"{value:.0f}",
}  # fmt: skip
WRAPPED = ("text", "long")
_WIDE = 30
NUMBERS = tuple(_WRITTEN)
"""Kinds of columns that hold numbers (`day`: dates); the others are `text`, `long` (wraps) and `id`."""


@dataclass(frozen=True)
class Column:
    """`kind`: see NUMBERS. `width`: characters in Excel. `bar`: data bars. `choices`: readers pick a value to filter by.
    `on_page`: also in the HTML, which has less room. `source`: of a number, `table|column` of the store, or in words how it is
    counted; what the sheet 数値の出典 tells."""

    name: str
    kind: str = "text"
    width: float = 12
    bar: bool = False
    choices: bool = False
    on_page: bool = True
    source: str = ""


@dataclass(frozen=True)
class Chart:
    """Lines of the first `n_rows` rows over the columns `columns`, named by the column `label`."""

    title: str
    label: str
    columns: tuple[str, ...]
    n_rows: int = 5


@dataclass(frozen=True)
class Sheet:
    """`name`: the tab. `lines`: what the reader must know before reading. Without `columns`, `blocks` (heading, lines) follow.
    `keys`: columns of the sheet that name the row of the store, in the order of its key (課題番号 -> issue_id);
    `across`: the column of the store that the heads of the number columns stand for (month_on). `amounts`: written figures
    of `lines` -> address (voc.reports.sources)."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: pd.DataFrame | None = None
    chart: Chart | None = None
    blocks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    when_empty: str = "該当する行はありません。"
    keys: tuple[tuple[str, str], ...] = ()
    across: str = ""
    amounts: Mapping[str, str] = field(default_factory=dict)


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
    keys = [row_key(sheet, row) for row in rows.to_dict("records")]
    body = [
        [{"text": written(value, column.kind), "key": sort_key(value, column.kind), "kind": column.kind, "name": column.name,
          "is_wide": column.kind == "text" and column.width >= _WIDE, "source": _address(column, value, key)} for column, value in zip(kept, row, strict=True)]
        for row, key in zip(rows[[column.name for column in kept]].itertuples(index=False, name=None), keys, strict=True)
    ]  # fmt: skip
    head = [{"name": column.name, "is_number": column.kind in NUMBERS,
             "choices": sorted({row[i]["text"] for row in body if row[i]["text"]}) if column.choices else []}
            for i, column in enumerate(kept)]  # fmt: skip
    return {"head": head, "rows": body, "n_left_out": len(sheet.rows) - len(rows)}


def row_key(sheet: Sheet, row: Mapping) -> tuple[str, ...]:
    """The values of `sheet.keys` in a row: the key of its row in the store; () where the sheet counts over many rows."""
    values = tuple(row[name] for name, _ in sheet.keys)
    return () if any(is_missing(value) or value == "" for value in values) else values


def _address(column: Column, value: object, key: tuple[str, ...]) -> str:
    if "|" not in column.source or not key or is_missing(value) or isinstance(value, str):
        return ""
    name, _, where = column.source.partition("|")
    return address(name, key, where)


def sources_sheet(sheets: Sequence[Sheet]) -> Sheet:
    """数値の出典: for each number of `sheets` the table and column of the store, and which cells name the row there."""
    columns = [Column("シート", "text", 20), Column("列", "text", 28), Column("保存先の表", "id", 20), Column("表の列", "id", 26),
               Column("行の決め方", "text", 48), Column("数え方", "long", 70)]  # fmt: skip
    records = []
    for sheet in sheets:
        for column in sheet.columns:
            if column.kind not in NUMBERS or not column.source:
                continue
            name, bar, where = column.source.partition("|")
            keys = "、".join(f"{shown} = {own}" for shown, own in (*sheet.keys, *((("列の見出し", sheet.across),) if sheet.across else ())))
            records.append({"シート": sheet.name, "列": column.name, "保存先の表": name if bar else "", "表の列": where,
                            "行の決め方": keys if bar else "", "数え方": "そのままの値" if bar else column.source})  # fmt: skip
    lines = ("どの数値が、保存先のどの表のどの行と列から来ているかを示します。表 impact は、最後の実行が書いた課題ごとに1行の表です。",)
    return Sheet("数値の出典", "数値の出典", lines, tuple(columns), table(records, columns))
