"""FAQ search and view logs."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.company import read_all
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.records import cell, reject, rejects_frame, yes_or_no
from voc.raw import RawFile
from voc.tables import FAQ_LOGS, check


def parse_faq_logs(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(faq_logs, rejects): searches (query, is_found) and views (article_id) at an instant.

    `[sources.columns]`: at and query or article_id, is_found?. is_found may be yes or no, or a count of hits.
    log_id is of the content and its number within the file, so exports that overlap are not counted twice. query is
    as the visitor typed it: mask it before it is stored. Raises SourceError where no file can be used.
    """
    frame, faults = read_all(files, source)
    rows, counted = [], Counter()
    for record in frame.to_dict("records"):
        source_row, written = record["source_row"], cell(record["at"])
        at = parse_instant(written, timezone=timezone)
        query, article_id = cell(record.get("query")), identifier(cell(record.get("article_id")))
        if at is None or not (query or article_id):
            reason = (
                f"日時「{written[:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。" if at is None
                else "検索語（query）も記事番号（article_id）もない行のため使いませんでした。"
            )  # fmt: skip
            faults.append(reject(source.name, source_row, reason))
            continue
        found = cell(record.get("is_found"))
        is_found = _is_found(found)
        if found and is_found is None:
            reason = f"is_found の値「{found[:30]}」は使えないため空にしました（使える値: はい、いいえ、ヒット件数）。"
            faults.append(reject(source.name, source_row, reason))
        content = f"{source.name}|{at.isoformat()}|{query}|{article_id}|{found}"
        counted[file_name := source_row.rpartition(":")[0], content] += 1
        digest = hashlib.sha256(f"{content}|{counted[file_name, content]}".encode("utf-8", "replace")).hexdigest()
        rows.append({
            "log_id": "L" + digest[:16], "at": at, "query": query or None, "article_id": article_id or None,
            "is_found": is_found, "source": source.name, "source_row": source_row,
        })  # fmt: skip
    logs = pd.DataFrame(rows, columns=list(FAQ_LOGS.columns)).drop_duplicates("log_id")
    return check(logs, FAQ_LOGS), rejects_frame(faults)


def _is_found(written: str) -> bool | None:
    if written.isdecimal():
        return int(written[:20]) > 0
    return yes_or_no(written)
