"""What customers pay: orders of a shop, changes of a subscription's price."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.company import numbers, read_all, without_unusable
from voc.parsing.dates import ALLOWED, parse_date
from voc.parsing.records import cell, file_of, reject, rejects_frame
from voc.raw import RawFile
from voc.tables import ORDERS, PRICE_CHANGES, check


def parse_orders(files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo") -> tuple[pd.DataFrame, pd.DataFrame]:
    """(orders, rejects): ORDERS, one row per order, amount_yen in 円 from 0 on; raw customer and order numbers.

    `[sources.columns]`: customer_id, ordered_at, amount_yen, order_id?. Without order_id an order is known by its
    customer, day, amount and count among the like of its file, so overlapping exports do not double it. A row with an
    order_id that stood in the file before (an item of the same order) is refused: one row must be one order.
    Raises SourceError where no file can be used.
    """
    frame, faults = read_all(files, source)
    frame["customer_id"] = [identifier(cell(value)) for value in frame["customer_id"]]
    frame = _dated(frame, source, faults, written="ordered_at", column="ordered_on", timezone=timezone)
    frame = _with_amount(frame, "amount_yen", source, faults)
    frame = _with_customer(frame, source, faults)
    given = [identifier(cell(value)) for value in frame["order_id"]] if "order_id" in frame else [""] * len(frame)
    frame["order_id"] = [own or counted for own, counted in zip(given, _counted(frame), strict=True)]
    frame = without_unusable(frame, ["order_id"], source, faults)
    return check(frame[list(ORDERS.columns)], ORDERS), rejects_frame(faults)


def parse_price_changes(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(price changes, rejects): PRICE_CHANGES, 円 a month from changed_on on; one row per customer and day.

    `[sources.columns]`: customer_id, changed_on, price_yen, price_before_yen? (empty: the change before tells it).
    Raises SourceError where no file can be used.
    """
    frame, faults = read_all(files, source)
    frame["customer_id"] = [identifier(cell(value)) for value in frame["customer_id"]]
    frame = _dated(frame, source, faults, written="changed_on", column="changed_on", timezone=timezone)
    frame = _with_amount(frame, "price_yen", source, faults)
    frame = without_unusable(frame.assign(day=frame["changed_on"].astype("str")), ["customer_id", "day"], source, faults)
    frame["price_before_yen"] = numbers(frame, "price_before_yen", source, faults)
    return check(frame[list(PRICE_CHANGES.columns)], PRICE_CHANGES), rejects_frame(faults)


def _dated(
    frame: pd.DataFrame, source: Source, faults: list[dict], *, written: str, column: str, timezone: str
) -> pd.DataFrame:
    """Rows whose cell `written` names a day, which stands in `column`."""
    dates = [parse_date(cell(value), timezone=timezone) for value in frame[written]]
    for row, text, date in zip(frame["source_row"], frame[written], dates, strict=True):
        if date is None:
            faults.append(reject(source.name, row, f"{written}「{cell(text)[:30]}」を日付として読めないため使いませんでした（書き方: {ALLOWED}）。"))
    frame[column] = pd.Series(dates, index=frame.index, dtype="object")
    return frame.loc[frame[column].notna()]


def _with_amount(frame: pd.DataFrame, column: str, source: Source, faults: list[dict]) -> pd.DataFrame:
    """Rows with an amount; `numbers` tells those that are none, here those that are empty."""
    told = len(faults)
    amounts = numbers(frame, column, source, faults)
    refused = {fault["source_row"] for fault in faults[told:]}
    faults += [
        reject(source.name, row, f"{column} が空の行のため使いませんでした。")
        for row, amount in zip(frame["source_row"], amounts, strict=True) if pd.isna(amount) and row not in refused
    ]
    frame = frame.assign(**{column: amounts})
    return frame.loc[frame[column].notna()]


def _with_customer(frame: pd.DataFrame, source: Source, faults: list[dict]) -> pd.DataFrame:
    is_empty = frame["customer_id"] == ""
    faults += [reject(source.name, row, "customer_id が空の行のため使いませんでした。") for row in frame.loc[is_empty, "source_row"]]
    return frame.loc[~is_empty]


def _counted(frame: pd.DataFrame) -> list[str]:
    seen: Counter = Counter()
    names = []
    files = map(file_of, frame["source_row"])
    for file, who, day, amount in zip(files, frame["customer_id"], frame["ordered_on"], frame["amount_yen"], strict=True):
        name = f"{who}|{day:%Y-%m-%d}|{amount:g}"
        seen[file, name] += 1
        names.append(f"{name}|{seen[file, name]}")
    return names
