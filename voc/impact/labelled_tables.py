"""Labelled tables as a person brings them -> clean columns; every refused row or value is told with its reason."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from voc.errors import TableError
from voc.impact.periods import ZONE

COLUMNS = {
    "contacts": {
        "contact_id": "id", "customer_id": "id?", "time": "instant", "channel": "text?", "handle_seconds": "amount?",
        "transfers": "amount?", "sentiment": "number?", "issues": "text",
    },
    "customers": {
        "customer_id": "id", "plan": "text?", "segment": "text?", "mrr": "amount?", "contract_start": "date?",
        "churn_date": "date?",
    },
    "issues": {"issue_id": "id", "name": "text?", "negative_control": "flag?", "cancel_procedure": "flag?"},
    "usage": {"customer_id": "id", "month": "date", "logins": "amount"},
    "nps": {"customer_id": "id", "date": "date", "score": "score"},
}
"""Columns of each table. `?`: a cell may be empty. id, text; instant and date (Asia/Tokyo where no zone is given); number;
amount (not negative); score (0..10); flag (0 or 1)."""
MAY_LACK = {
    "contacts": {"channel", "handle_seconds", "transfers", "sentiment"}, "customers": {"plan", "segment", "mrr"},
    "issues": {"name", "negative_control", "cancel_procedure"}, "usage": set(), "nps": set(),
}
"""Columns that may be absent as a whole."""
STAGE = "impact"
REJECT_COLUMNS = ["source", "source_row", "stage", "reason"]
_ZONED = re.compile(r"[T :]\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$")
_SHOWN = 40


def read_columns(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows, rejects): the columns of COLUMNS[table] as typed values, index 0..n-1, `source_row` the row's number.

    A row without a value that must be there, or with an unreadable date, is refused; another value that cannot be read
    is emptied. Both are in the rejects. Columns that MAY_LACK are empty where absent. Raises TableError for
    other missing columns.
    """
    missing = [name for name in COLUMNS[table] if name not in frame and name not in MAY_LACK[table]]
    if missing:
        raise TableError(
            f"{table} に列がありません: {'、'.join(missing)}。見つかった列: {'、'.join(str(name) for name in frame if name != 'source_row')}。"
            f"別の名前の列は --column {table}.{missing[0]}=実際の列名 のように指定してください。"
        )
    given = frame["source_row"] if "source_row" in frame else pd.Series(np.arange(1, len(frame) + 1))
    rows = pd.DataFrame({"source_row": given.to_numpy()})
    refused, parts = np.zeros(len(frame), dtype=bool), []
    for name, stated in COLUMNS[table].items():
        kind = stated.rstrip("?")
        if name not in frame:
            rows[name] = _NOTHING[kind](len(rows))
            continue
        cells = frame[name].reset_index(drop=True)
        rows[name], unread = _READ[kind](cells)
        is_empty = cells.isna().to_numpy() if _is_time(cells) else (_text(cells) == "").to_numpy()
        bad, lacking = unread & ~is_empty, is_empty & (not stated.endswith("?") and kind != "text")
        is_lost = not stated.endswith("?") or kind == "date"  # without a readable churn date nobody knows who left
        told = "この行は使いませんでした" if is_lost else "この値を空欄として扱いました"
        parts.append(rejects(table, rows["source_row"][bad], [
            f"{name} の値「{value}」が正しくありません（{_ALLOWED[kind]}）。{told}。" for value in _shown(cells[bad])
        ]))
        parts.append(rejects(table, rows["source_row"][lacking], f"{name} が空欄のため、この行は使いませんでした。"))
        refused |= lacking | (bad & is_lost)
    return rows[~refused].reset_index(drop=True), _together(parts)


def without_repeats(rows: pd.DataFrame, table: str, key: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows, rejects): of identical rows with one key the first stays; where they differ none does."""
    repeated = rows.duplicated(key, keep=False)
    if not repeated.any():
        return rows, _together([])
    some = rows[repeated]
    copies = some.duplicated([name for name in some.columns if name != "source_row"])
    differs = some[~copies].duplicated(key, keep=False)
    unclear = pd.MultiIndex.from_frame(some[key]).isin(pd.MultiIndex.from_frame(some[~copies][differs][key]))
    named = "、".join(key)
    gone = copies[copies & ~unclear].index
    refused = some.index[unclear]
    parts = [
        rejects(table, rows.loc[gone, "source_row"], f"{named} が同じ行の繰り返しのため、2 回目以降は使いませんでした。"),
        rejects(table, rows.loc[refused, "source_row"], f"{named} が同じで内容の違う行が複数あり、どれが正しいか分からないため使いませんでした。"),
    ]
    return rows.drop(index=[*gone, *refused]).reset_index(drop=True), _together(parts)


def labels_of(contacts: pd.DataFrame, issue_ids: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(links, rejects): contact_id, issue_id, probability from `issues` such as `I08:0.804|I20:0.090`.

    A label is refused alone, the contact stays: without a probability in 0..1, or of an issue that `issue_ids` lacks.
    """
    cells = contacts["issues"].astype("object").str.split("|").explode()
    cells = cells[cells.notna()].str.strip()
    cells = cells[cells != ""]
    row = cells.index.to_numpy()
    issue = cells.str.replace(r":?[^:]*$", "", regex=True).str.strip().to_numpy(dtype=object)
    probability = pd.to_numeric(cells.str.extract(r":([^:]*)$")[0].str.strip(), errors="coerce").to_numpy(dtype="float64")
    broken = ~((probability >= 0) & (probability <= 1 + 1e-6)) | (issue == "")
    unknown = ~broken & ~pd.Index(issue).isin(issue_ids)
    number = contacts["source_row"].to_numpy()[row]
    refused = _together([
        rejects("contacts", number[broken], [
            f"issues の「{value}」が正しくありません（課題番号:0〜1 の確率）。この課題だけ使いませんでした。" for value in _shown(cells[broken])]),
        rejects("contacts", number[unknown], [
            f"issues の課題「{value}」が issues の表にありません。この課題だけ使いませんでした。" for value in _shown(issue[unknown])]),
    ])
    good = ~(broken | unknown)
    links = pd.DataFrame({
        "contact_id": contacts["contact_id"].to_numpy()[row[good]], "issue_id": issue[good],
        "probability": np.minimum(probability[good], 1.0),
    })
    return links.groupby(["contact_id", "issue_id"], sort=True, as_index=False)["probability"].max(), refused


def refuse(
    rows: pd.DataFrame, bad: np.ndarray, table: str, reason: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows without the `bad` ones, rejects)."""
    return rows[~bad].reset_index(drop=True), rejects(table, rows.loc[bad, "source_row"], reason)


def rejects(table: str, source_rows: object, reason: str | list[str]) -> pd.DataFrame:
    """REJECTS rows of this stage."""
    number = pd.Series(np.asarray(source_rows)).astype("str")
    return pd.DataFrame({"source": table, "source_row": number, "stage": STAGE, "reason": reason})[REJECT_COLUMNS]


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=REJECT_COLUMNS, dtype="str")


def _is_time(cells: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(cells.dtype)


def _text(cells: pd.Series) -> pd.Series:
    return cells.where(cells.notna(), "").astype("str").str.strip()


def _shown(values: object) -> list[str]:
    return ["".join(c if c.isprintable() else "?" for c in str(value))[:_SHOWN] for value in values]


def _read_text(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    return _text(cells), np.zeros(len(cells), dtype=bool)


def _read_id(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    values = _text(cells)
    if pd.api.types.is_float_dtype(cells.dtype):  # 12 beside an empty cell was read as 12.0
        values = values.str.removesuffix(".0")
    return values, np.zeros(len(cells), dtype=bool)


def _number_between(low: float, high: float) -> Callable[[pd.Series], tuple[pd.Series, np.ndarray]]:
    def read(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
        is_number = pd.api.types.is_numeric_dtype(cells.dtype)
        plain = cells if is_number else _text(cells).str.replace(",", "", regex=False)
        values = pd.to_numeric(plain, errors="coerce").astype("float64")
        good = np.isfinite(values.to_numpy()) & (values >= low).to_numpy() & (values <= high).to_numpy()
        return values.where(good), ~good

    return read


def _read_flag(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    text = _text(cells).str.lower()
    yes = text.isin(["1", "1.0", "true"])
    return yes, ~(yes | text.isin(["0", "0.0", "false", ""])).to_numpy()


def _read_instant(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Instants (UTC); texts without a zone are local time in Tokyo."""
    if _is_time(cells):
        local = cells.dt.tz_localize(ZONE) if cells.dt.tz is None else cells
        return local.dt.tz_convert("UTC").astype("datetime64[us, UTC]"), cells.isna().to_numpy()
    text = _text(cells)
    zoned = text.str.contains(_ZONED)
    iso = text.where(text.str.match(r"\d{4}-\d{2}"), None)
    naive = pd.to_datetime(iso.where(~zoned), format="ISO8601", errors="coerce").astype("datetime64[us]")
    found = naive.dt.tz_localize(ZONE).dt.tz_convert("UTC")
    if zoned.any():
        found = found.fillna(pd.to_datetime(iso.where(zoned), format="ISO8601", errors="coerce", utc=True))
    rest = text[found.isna() & (text != "")]
    if len(rest):  # other Japanese spellings: 2025/4/25, 令和7年4月25日
        from voc.parsing.dates import parse_instant  # its package loads every parser of the product

        spelled = {value: parse_instant(value, timezone=ZONE) for value in rest.unique()}
        found = found.fillna(pd.to_datetime(rest.map(spelled), utc=True, errors="coerce").reindex(found.index))
    return found.astype("datetime64[us, UTC]"), found.isna().to_numpy()


def read_dates(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Days in Tokyo, midnight without a zone."""
    found, unread = _read_instant(cells)
    return found.dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize(), unread


_READ = {
    "id": _read_id, "text": _read_text, "instant": _read_instant, "date": read_dates, "flag": _read_flag,
    "number": _number_between(-np.inf, np.inf), "amount": _number_between(0.0, np.inf), "score": _number_between(0.0, 10.0),
}
_NOTHING = {
    "id": lambda n: [""] * n, "text": lambda n: [""] * n, "flag": lambda n: np.zeros(n, dtype=bool),
    "date": lambda n: pd.Series(pd.NaT, index=range(n), dtype="datetime64[us]"),
    **dict.fromkeys(("number", "amount", "score"), lambda n: np.full(n, np.nan)),
}
_ALLOWED = {
    "id": "空でない番号", "text": "文字", "instant": "2025-04-25T13:05:00 のような日時", "date": "2025-04-25 のような日付",
    "flag": "0 か 1", "number": "数値", "amount": "0 以上の数値", "score": "0〜10",
}
