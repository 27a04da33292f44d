"""What a person must hear of after an ingest: a source that fell silent, a table whose columns changed."""

from collections.abc import Collection, Sequence

import pandas as pd

from voc.sources.watermarks import column_marks

_LEAST_DAYS = 14  # days with contacts in the last 90 that a source must have, before silence is a surprise
_LEAST_SILENCE = 3.0
_PAST_DAYS = 90


def silences(
    contacts: pd.DataFrame, names: Sequence[str], *, timezone: str, today: pd.Timestamp | None = None
) -> pd.DataFrame:
    """(source, last_on, days) of each source of `names` that gave contacts regularly and gives none any more.

    Compared are the days of its last contact and of `today`, without it of the last contact of all: silence is longer
    than 3 days and than three times the source's own 95th percentile of the days between two days with contacts, over
    the 90 days before.
    """
    days, found = pd.to_datetime(contacts["started_at"], utc=True).dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize(), []
    newest = days.max() if today is None else today
    contacts, days = contacts[days <= newest], days[days <= newest]  # a wrong date ahead is no sign of life
    for name in names:
        own = pd.Series(days[contacts["source"] == name].unique()).sort_values()
        if own.empty:
            continue
        own = own[own > own.max() - pd.Timedelta(days=_PAST_DAYS)]
        silence = (newest - own.max()).days
        gaps = own.diff().dt.days.dropna()
        if len(own) >= _LEAST_DAYS and silence > max(_LEAST_SILENCE, 3 * gaps.quantile(0.95)):
            found.append((name, own.max(), silence))
    return pd.DataFrame(found, columns=["source", "last_on", "days"])


def silent_sources(contacts: pd.DataFrame, names: Sequence[str], *, timezone: str) -> list[str]:
    """A Japanese sentence for each source of `names` that fell silent while others spoke (`silences`)."""
    return [
        f"ソース {row.source}: {row.last_on:%Y-%m-%d} を最後に、{row.days} 日間新しい声が届いていません。取り込み元の出力を確かめてください。"
        for row in silences(contacts, names, timezone=timezone).itertuples()
    ]


def changed_columns(
    known: Collection[str], columns: Sequence[str], *, mapped: Sequence[str], file: str, source: str, key: bytes
) -> str | None:
    """A Japanese sentence where the `columns` of a file are not those whose hashes are `known` from the file before.

    `mapped` are the columns that the configuration names; they are listed where they are gone.
    """
    marks = column_marks(columns, key=key)
    added = [name for name, mark in marks.items() if mark not in known]
    gone = set(known) - set(marks.values())
    if not known or not (added or gone):
        return None
    parts = [f"増えた列: {'、'.join(name[:30] for name in added[:10])}"] if added else []
    if gone:
        used = [name for name, mark in column_marks(mapped, key=key).items() if mark in gone]
        parts.append(f"なくなった列: {len(gone)} 列" + (f"（設定で使っている {'、'.join(used)} を含みます）" if used else ""))
    return (
        f"ソース {source}: ファイル {file} の見出しが前のファイルと変わりました（{'。'.join(parts)}）。"
        "[sources.columns] と [sources.texts] を確かめてください。"
    )
