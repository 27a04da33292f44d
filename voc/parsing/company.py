"""The company's own tables: customers, usage, FAQ; and which customer a contact belongs to."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from voc.cleaning.widths import customer_key, identifier, telephone
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.articles import read_pages
from voc.parsing.dates import ALLOWED, parse_date
from voc.parsing.records import cell, file_of, number, refuse_all, reject, rejects_frame
from voc.parsing.tabular import PAGES, read_table
from voc.raw import RawFile
from voc.tables import CUSTOMERS, FAQ, USAGE, check

KEY_COLUMNS = ["customer_id", "kind", "value"]
_NOT_ESTIMATED = "この顧客は解約の推定に使いません。"
_NEVER_ENDS = 2200
"""End dates from this year on (9999-12-31) are the usual way to say that a contract has no end."""


def parse_customers(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo"
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(customers, keys, rejects). customers is CUSTOMERS with raw customer numbers.

    keys [customer_id, kind, value] tells by which values contacts find a customer: kind `id` (the number itself,
    for every customer), `email` (lower case), `phone` (digits); raw, for the caller to pseudonymise. Of a customer
    in several files the last one counts. Raises SourceError where no file can be used.
    """
    frame, faults = read_all(files, source)
    frame["customer_id"] = [identifier(cell(value)) for value in frame["customer_id"]]
    frame = without_unusable(frame, ["customer_id"], source, faults)
    for column in ("plan", "segment"):
        frame[column] = [cell(value) or None for value in _column(frame, column)]
    frame["monthly_price_yen"] = numbers(frame, "monthly_price_yen", source, faults)
    started, ended = (_dates(frame, column, source, faults, timezone) for column in ("started_on", "ended_on"))
    ended = [None if date is not None and date.year >= _NEVER_ENDS else date for date in ended]
    frame["started_on"], frame["ended_on"] = _orderly(frame, started, ended, source, faults)
    if len(frame) and "started_on" not in source.columns and all(date is None for date in started):
        reason = (
            "契約開始日（started_on）の列がないため、解約の推定はできません（件数と費用は出せます）。"
            "[sources.columns] started_on = \"ファイルの列名\" を書いてください。"
        )
        faults.append(reject(source.name, frame["source_row"].iloc[0].rpartition(":")[0], reason))
    keys = _keys(frame, source, faults)
    return check(frame[list(CUSTOMERS.columns)], CUSTOMERS), keys, rejects_frame(faults)


def parse_usage(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(usage, rejects): one row per customer and month, month_on its first day. Raises SourceError as above."""
    frame, faults = read_all(files, source)
    frame["customer_id"] = [identifier(cell(value)) for value in frame["customer_id"]]
    months = [parse_date(cell(value), timezone=timezone) for value in frame["month_on"]]
    for row, written, month in zip(frame["source_row"], frame["month_on"], months, strict=True):
        if month is None:
            reason = f"対象月「{written[:30]}」を読めないため使いませんでした（書き方: 2025-04、2025年4月）。"
            faults.append(reject(source.name, row, reason))
    frame["month_on"] = [month.replace(day=1) if month is not None else None for month in months]
    frame = frame.loc[frame["month_on"].notna()]
    frame = without_unusable(frame, ["customer_id", "month_on"], source, faults)
    frame["n_logins"] = numbers(frame, "n_logins", source, faults)
    return check(frame[list(USAGE.columns)], USAGE), rejects_frame(faults)


def parse_faq(files: Sequence[RawFile], source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(faq, rejects): the company's articles, of tables and of pages (voc.parsing.articles).

    Raises SourceError as above.
    """
    pages = [file for file in files if file.name.lower().endswith(PAGES)]
    tables = [file for file in files if file not in pages]
    articles, refused = read_pages(pages, source)
    if not tables:
        refuse_all(source, refused, len(pages))
    faults, frames = refused, [pd.DataFrame(articles, columns=[*FAQ.columns, "source_row"])]
    if tables or not pages:
        frame, of_tables = read_all(tables, source)
        faults = of_tables + refused
        frame["article_id"] = [identifier(cell(value)) for value in frame["article_id"]]
        frame["url"] = [cell(value) or None for value in _column(frame, "url")]
        frames.append(frame[[*FAQ.columns, "source_row"]])  # an article in both counts as the table has it
    frame = pd.concat([part for part in frames if len(part)] or frames[:1], ignore_index=True)
    frame = without_unusable(frame, ["article_id"], source, faults)
    return check(frame[list(FAQ.columns)], FAQ), rejects_frame(faults)


def read_all(files: Sequence[RawFile], source: Source) -> tuple[pd.DataFrame, list[dict]]:
    """(rows of every file under our column names, rejects). Raises SourceError where no file can be used."""
    frames, faults, refused = [], [], []
    for file in files:
        try:
            frame, of_file = read_table(file, source)
        except SourceError as error:
            refused.append(reject(source.name, file.name, str(error), stage="read" if file.fault else "parse"))
            continue
        frames.append(frame)
        faults += of_file
    refuse_all(source, refused, len(files))
    if not frames:
        raise SourceError(f"ソース {source.name}: ファイルがありません。[[sources]] の path を確かめてください。")
    return pd.concat(frames, ignore_index=True), faults + refused


def _column(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame[column].fillna("") if column in frame else pd.Series("", index=frame.index)


def without_unusable(frame: pd.DataFrame, key: list[str], source: Source, faults: list[dict]) -> pd.DataFrame:
    """Rows with a key, each key once: of several files the last tells what is newest, in one file the first row stays."""
    is_empty = (frame[key] == "").any(axis=1)
    for row in frame.loc[is_empty, "source_row"]:
        faults.append(reject(source.name, row, f"{key[0]} が空の行のため使いませんでした。"))
    frame = frame.loc[~is_empty].assign(file=lambda rows: [file_of(row) for row in rows["source_row"]])
    is_doubled = frame.duplicated([*key, "file"])
    for row, value in zip(frame.loc[is_doubled, "source_row"], frame.loc[is_doubled, key[0]], strict=True):
        reason = f"{'・'.join(key)} が前の行と同じ（{value[:30]}）ため使いませんでした。"
        faults.append(reject(source.name, row, reason))
    frame = frame.loc[~is_doubled]
    is_older = frame.duplicated(key, keep="last")
    for file, values in frame.loc[is_older].groupby("file")[key[0]]:
        reason = f"{len(values)} 行（{values.iloc[0][:30]} など）は、後のファイルに{key[0]}が同じ行があるため、新しい方を使いました。"
        faults.append(reject(source.name, file, reason))
    return frame.loc[~is_older].drop(columns="file")


def numbers(frame: pd.DataFrame, column: str, source: Source, faults: list[dict]) -> np.ndarray:
    """The column's numbers; NaN where it is empty, missing or no number from 0 on, the latter told in `faults`."""
    values = []
    for row, written in zip(frame["source_row"], map(cell, _column(frame, column)), strict=True):
        value = number(written) if written else None
        if written and (value is None or value < 0):
            reason = f"{column}「{written[:30]}」は 0 以上の数ではないため空にしました。"
            faults.append(reject(source.name, row, reason))
            value = None
        values.append(math.nan if value is None else value)
    return np.array(values, dtype="float64")


def _dates(frame: pd.DataFrame, column: str, source: Source, faults: list[dict], timezone: str) -> list:
    """Dates; None where empty; NaT where something stands that is no date."""
    dates = []
    for row, written in zip(frame["source_row"], map(cell, _column(frame, column)), strict=True):
        date = parse_date(written, timezone=timezone) if written else None
        if written and date is None:
            reason = f"{column}「{written[:30]}」を日付として読めないため、契約期間を空にしました。{_NOT_ESTIMATED}"
            faults.append(reject(source.name, row, f"{reason}書き方: {ALLOWED}"))
            date = pd.NaT
        dates.append(date)
    return dates


def _orderly(frame: pd.DataFrame, started: list, ended: list, source: Source, faults: list[dict]) -> tuple[list, list]:
    """Contract periods; both dates are emptied where either is in doubt: one alone would bias the churn estimate."""
    starts, ends = [], []
    for row, start, end in zip(frame["source_row"], started, ended, strict=True):
        is_reversed = not pd.isna(start) and not pd.isna(end) and end < start
        if is_reversed:
            reason = f"解約日 {end:%Y-%m-%d} が契約開始日 {start:%Y-%m-%d} より前のため、契約期間を空にしました。"
            faults.append(reject(source.name, row, f"{reason}{_NOT_ESTIMATED}"))
        in_doubt = is_reversed or start is pd.NaT or end is pd.NaT
        starts.append(None if in_doubt else start)
        ends.append(None if in_doubt else end)
    return starts, ends


def _keys(frame: pd.DataFrame, source: Source, faults: list[dict]) -> pd.DataFrame:
    values = {
        "id": frame["customer_id"].map(customer_key),
        "email": _column(frame, "email").map(lambda text: identifier(cell(text))),
        "phone": _column(frame, "phone").map(lambda text: telephone(cell(text))),
    }
    keys = pd.concat([
        pd.DataFrame({"customer_id": frame["customer_id"], "kind": kind, "value": value, "row": frame["source_row"]})
        for kind, value in values.items()
    ])  # fmt: skip
    keys = keys.loc[keys["value"] != ""]
    for row, kind in keys.loc[keys.duplicated(["kind", "value"], keep=False), ["row", "kind"]].to_numpy():
        word = {"id": "顧客番号", "email": "メールアドレス", "phone": "電話番号"}[kind]
        same = "書き方だけが違う" if kind == "id" else "同じ"  # 090-1234-5678 and 09012345678
        faults.append(reject(source.name, row, f"ほかの顧客と{same}{word}のため、{word}では顧客を特定しません。"))
    return keys[KEY_COLUMNS].sort_values(KEY_COLUMNS, ignore_index=True).astype("str")
