"""CTI counts: calls offered, answered and abandoned by hour."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from voc.config import Source
from voc.errors import SourceError
from voc.parsing.company import read_all
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.records import cell, number, reject, rejects_frame
from voc.raw import RawFile
from voc.tables import COUNTS_BY_HOUR, check

_COUNTS = ("n_offered", "n_answered", "n_abandoned")
_HOUR = re.compile(r"^(\d{1,2})(?:\s?[:時]\s?(\d{2})?分?)?(?::\d{2})?\s?(?:台|[-~〜–].{0,12})?$")


def parse_counts(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(counts, rejects): COUNTS_BY_HOUR, one row per hour and queue; n_abandoned is empty where it is not given.

    `[sources.columns]`: hour_at (date and time), or date_on with hour (9, 9:00, 9時台, 9:00-9:30); n_offered,
    n_answered, queue?, n_abandoned?. Shorter intervals are added up to hours; an interval that comes twice counts
    once, the first. An hour has to come whole in one run: of an hour whose intervals come in files of two runs the
    later run's intervals replace the earlier ones (the table has no intervals to add to). Raises SourceError where no
    file can be used or the time columns are missing.
    """
    frame, faults = read_all(files, source)
    columns = set(frame.columns)
    if "hour_at" not in columns and not {"date_on", "hour"} <= columns:
        found = sorted(columns - {"source_row"})[:30]
        raise SourceError(
            f"ソース {source.name}: 時刻の列がありません。ある列: {found}。[sources.columns] に hour_at = \"日時の列\" か、"
            "date_on = \"日付の列\" と hour = \"時間帯の列\" を書いてください。"
        )
    rows, seen = [], {}
    for record in frame.to_dict("records"):
        row, reason = _read_row(record, timezone=timezone)
        if row is not None:
            first = seen.setdefault((row["begins_at"], row["queue"]), record["source_row"])
            if first != record["source_row"]:
                reason = f"{first} と同じ時間帯・窓口のため使いませんでした（重複）。"
            else:
                rows.append(row)
        if reason:
            faults.append(reject(source.name, record["source_row"], reason))
    return _by_hour(rows), rejects_frame(faults)


def _read_row(record: dict, *, timezone: str) -> tuple[dict | None, str]:
    written = cell(record.get("hour_at")) or _joined(cell(record.get("date_on")), cell(record.get("hour")))
    begins_at = parse_instant(written, timezone=timezone)
    if begins_at is None:
        return None, f"時間帯「{written[:40]}」を読めないため使いませんでした（書き方: {ALLOWED}、時間帯は 9、9:00、9時台）。"
    values, faults = {}, []
    for column in _COUNTS:
        text = cell(record.get(column))
        value = number(text) if text else None
        is_count = value is not None and value >= 0 and value.is_integer() and value < 1e9
        if not is_count and (text or column != "n_abandoned"):
            faults.append(f"{column}「{text[:30]}」")
        values[column] = value if is_count else None
    if faults:
        return None, f"{'、'.join(faults)} は件数ではないため行を使いませんでした（使える値: 0 以上の整数）。"
    if values["n_answered"] > values["n_offered"]:
        return None, (
            f"応答数 {values['n_answered']:g} が着信数 {values['n_offered']:g} より多いため使いませんでした。"
            "n_offered と n_answered の列を取り違えていないか確かめてください。"
        )
    return {"begins_at": begins_at, "queue": cell(record.get("queue")) or None, **values}, ""


def _joined(date: str, hour: str) -> str:
    found = _HOUR.match(unicodedata.normalize("NFKC", hour).strip())
    return f"{date} {found[1]}:{found[2] or '00'}" if found else f"{date} {hour}"


def _by_hour(rows: list[dict]) -> pd.DataFrame:
    if not rows:
        return check(pd.DataFrame(columns=list(COUNTS_BY_HOUR.columns)), COUNTS_BY_HOUR)
    frame = pd.DataFrame(rows)
    # whole hours of the clock hold in every zone that differs from UTC by whole hours, as Japan does
    frame["hour_at"] = [time - timedelta(minutes=time.minute, seconds=time.second, microseconds=time.microsecond)
                        for time in frame["begins_at"]]  # fmt: skip
    grouped = frame.astype({"n_abandoned": "float64"}).groupby(["hour_at", "queue"], dropna=False)
    counts = grouped[["n_offered", "n_answered"]].sum()
    # abandoned calls of an hour are known only where every interval in it tells them
    counts["n_abandoned"] = grouped["n_abandoned"].agg(lambda values: values.sum(skipna=False))
    return check(counts.reset_index(), COUNTS_BY_HOUR)
