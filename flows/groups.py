"""`voc group`: the issues of a file as a table and as a page. Prefect is not needed."""

from datetime import datetime
from pathlib import Path

import pandas as pd

from voc.doors import group
from voc.errors import SourceError
from voc.parsing.dates import parse_instant
from voc.reports.groups_view import groups_page
from voc.text_files import text_batches, written_rows


def group_file(
    path: Path, *, text: str, out: Path, time: str | None = None, n_issues: int | None = None, timezone: str = "Asia/Tokyo"
) -> dict[str, int]:
    """`voc.group` column `text` of a CSV, TSV, XLSX or JSONL file (also .gz) into the CSV `out`, and a page beside it (.html).

    Returns n_rows, n_issues, n_left_out (rows without an issue) and n_undated (rows whose `time` is no date that
    `voc.parsing.dates` reads, or empty). Times without a zone, and months, are `timezone`'s. Raises SourceError as `text_batches`, or where a
    file cannot be written.
    """
    texts = [value for batch in text_batches(path, column=text, out=out) for value in batch]
    times = [value for batch in text_batches(path, column=time, out=out) for value in batch] if time else None
    said_at = [parse_instant(one, timezone=timezone) for one in times] if times else None
    frame = group(texts, times=said_at, n_issues=n_issues)
    with written_rows(out, list(frame.columns)) as lines:
        lines.writerows(frame.astype(object).where(frame.notna(), "").itertuples(index=False, name=None))
    page = out.with_name(out.name.removesuffix(".gz").removesuffix(".csv") + ".html")
    try:
        page.write_text(groups_page(frame, texts, months=_months(said_at, timezone)), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{page} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    left = frame["row"].nunique() - frame.dropna(subset=["issue_id"])["row"].nunique()
    return {"n_rows": len(texts), "n_issues": int(frame["issue_id"].nunique()), "n_left_out": int(left), "n_undated": said_at.count(None) if said_at else 0}


def _months(said_at: list[datetime | None] | None, timezone: str) -> pd.Series | None:
    """First days of the months in `timezone`; None where no time can be read."""
    if said_at is None:
        return None
    months = pd.to_datetime(pd.Series(said_at), utc=True).dt.tz_convert(timezone).dt.tz_localize(None).dt.to_period("M").dt.to_timestamp()
    return months if months.notna().any() else None
