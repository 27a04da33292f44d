"""`voc group`: the issues of a file as a table and as a page. Prefect is not needed."""

from pathlib import Path

import pandas as pd

from voc.doors import group
from voc.errors import SourceError
from voc.reports.groups_view import groups_page
from voc.text_files import text_batches, written_rows


def group_file(path: Path, *, text: str, out: Path, time: str | None = None, n_issues: int | None = None) -> dict[str, int]:
    """`voc.group` column `text` of a CSV, TSV, XLSX or JSONL file (also .gz) into the CSV `out`, and a page beside it (.html).

    Returns n_rows, n_issues and n_left_out (rows without an issue). Raises SourceError as `text_batches`, or where a
    file cannot be written.
    """
    texts = [value for batch in text_batches(path, column=text, out=out) for value in batch]
    times = [value for batch in text_batches(path, column=time, out=out) for value in batch] if time else None
    frame = group(texts, times=times, n_issues=n_issues)
    with written_rows(out, list(frame.columns)) as lines:
        lines.writerows(frame.astype(object).where(frame.notna(), "").itertuples(index=False, name=None))
    page = out.with_name(out.name.removesuffix(".gz").removesuffix(".csv") + ".html")
    try:
        page.write_text(groups_page(frame, texts, months=_months(times)), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{page} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    left = frame["row"].nunique() - frame.dropna(subset=["issue_id"])["row"].nunique()
    return {"n_rows": len(texts), "n_issues": int(frame["issue_id"].nunique()), "n_left_out": int(left)}


def _months(times: list[str] | None) -> pd.Series | None:
    """First days of the months; None where no time can be read."""
    if times is None:
        return None
    months = pd.to_datetime(pd.Series(times), errors="coerce", utc=True).dt.tz_localize(None).dt.to_period("M").dt.to_timestamp()
    return months if months.notna().any() else None
