"""Choose the voices that stand beside an issue: representative first, then as different as possible."""

import pandas as pd

from voc.reports.formats import day, plain
from voc.reports.wording import channel_name

MIN_LENGTH = 12
_POOL = 12


def choose_quotes(
    mentions: pd.DataFrame,
    sentences: pd.DataFrame,
    contacts: pd.DataFrame,
    issue_ids: list[str],
    *,
    timezone: str,
    n_quotes: int = 3,
) -> dict[str, list[dict]]:
    """Per issue up to `n_quotes` dicts with text, date, channel, sentence_id.

    The first is the most probable mention. Each next one is the most probable among those that differ most
    from the ones already chosen: another contact (a must), then another customer, then another channel.
    Left out: sentences set aside, duplicates of other contacts, fewer than 12 characters, equal texts.
    """
    pool = mentions.loc[mentions["issue_id"].isin(issue_ids)]
    usable = sentences.loc[sentences["set_aside"].isna() & (sentences["text"].str.len() >= MIN_LENGTH)]
    pool = pool.merge(usable[["sentence_id", "text"]], on="sentence_id")
    originals = contacts.loc[contacts["duplicate_of"].isna(), ["contact_id", "channel", "started_at"]]
    pool = pool.merge(originals, on="contact_id")
    pool = pool.sort_values(["issue_id", "probability", "sentence_id"], ascending=[True, False, True], kind="stable")
    pool = pool.groupby(["issue_id", "channel"], sort=False).head(_POOL)
    pool = pool.sort_values(["issue_id", "probability", "sentence_id"], ascending=[True, False, True], kind="stable")
    chosen = {issue_id: _spread(rows.to_dict("records"), n_quotes) for issue_id, rows in pool.groupby("issue_id")}
    return {issue_id: [_quote(row, timezone) for row in chosen.get(issue_id, [])] for issue_id in issue_ids}


def _spread(rows: list[dict], n_quotes: int) -> list[dict]:
    rows = [{**row, "shown": plain(row["text"])} for row in rows]
    rows = [row for row in rows if len(row["shown"]) >= MIN_LENGTH]
    picked: list[dict] = []
    while rows and len(picked) < n_quotes:
        customers = {row["customer_id"] for row in picked if not pd.isna(row["customer_id"])}
        channels = {row["channel"] for row in picked}
        # `rows` is sorted by probability; min() keeps the first of equals.
        best = min(rows, key=lambda row: (row["customer_id"] in customers) + (row["channel"] in channels))
        picked.append(best)
        rows = [row for row in rows if row["contact_id"] != best["contact_id"] and row["shown"] != best["shown"]]
    return picked


def _quote(row: dict, timezone: str) -> dict:
    return {
        "text": row["shown"],
        "date": day(row["started_at"].tz_convert(timezone)),
        "channel": channel_name(row["channel"]),
        "sentence_id": row["sentence_id"],
    }
