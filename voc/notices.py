"""What a person must hear of after an ingest: a source that fell silent, a table whose columns changed."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Sequence

import pandas as pd

_LEAST_DAYS = 14  # days with contacts in the last 90 that a source must have, before silence is a surprise
_LEAST_SILENCE = 3.0
_PAST_DAYS = 90
_LONGEST = 500
_SILENT = {"Cf", "Cs", "Co", "Cn"}  # bidirectional and zero-width marks, lone surrogates, what no font has
_BREAKS = {"Cc", "Zl", "Zp"}  # line ends, tabs, the escape that starts a terminal's colour
_MARKUP = str.maketrans("\\`*_{}[]()<>#|~!&$@:\"'", "＼｀＊＿｛｝［］（）＜＞＃｜～！＆＄＠：＂＇")
_WWW = re.compile(r"(?i)\bwww\.")


def inert_line(text: object, *, limit: int = _LONGEST) -> str:
    """Any text as one line of a log or a terminal: nothing in it moves the cursor, breaks the line or turns its direction."""
    raw = str(text)[: limit * 4]
    kept = "".join(" " if unicodedata.category(one) in _BREAKS else one for one in raw if unicodedata.category(one) not in _SILENT).rstrip()
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def inert_markdown(text: object, *, limit: int = _LONGEST) -> str:
    """`inert_line` whose marks of Markdown, HTML and tables are full-width: no link, picture, tag, cell or heading is made of it.

    Renderers disagree on what a backslash escapes, and readers of plain text would see it; a full-width sign is read alike.
    """
    return _WWW.sub("www．", inert_line(text, limit=limit).translate(_MARKUP)).strip().lstrip("-+= ")


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


def column_marks(columns: Sequence[str], *, key: bytes) -> dict[str, str]:
    """Column name -> keyed hash: a file without a header has a customer's words in the place of names."""
    return {name: hidden_name(name, key=key) for name in columns}


def hidden_name(name: str, *, key: bytes) -> str:
    """16 hex of HMAC-SHA256 with `key` over a name that may hold personal data and only has to be known again."""
    return hmac.new(key, name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]


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
