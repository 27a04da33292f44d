"""What the daily and the weekly page say: tables -> plain dicts of finished Japanese text. The monthly report is the three packs.

Both stand on `product_report`, so their figures are those of the packs, and nothing is estimated anew.
"""

from collections.abc import Mapping

import pandas as pd

from voc import tables as contract
from voc.issues.events import UNREPORTED
from voc.reports.content import product_report
from voc.reports.formats import SMALL_GROUP, count, customers, day, is_missing, plain
from voc.reports.quotes import choose_quotes
from voc.reports.wording import GROWING, channel_name

TOP, QUOTES, WEEKS_SHOWN = 5, 2, 4
RECENT_DAYS = 28  # the weeks that voc.issues.trends calls recent
_WEEK = pd.Timedelta(days=7)
_OVERDUE_SHOWN = 5
_WAVES = ("survey", "review")  # they come when they are asked for, and would make every other week a fall
_ASKED, _ALL = "問い合わせの計（アンケートなどを除く）", "合計"


def daily_report(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> dict:
    """Issues that are new, came back or grow beyond chance, each with voices of the last four weeks; nothing else.

    `tables`, `run`: as for `product_report`, whose shape this shares; besides `rows` (issue_id, label, kind, word, evidence,
    weeks, quotes, is_new) and `empty`, what is said where there is none.
    """
    base = product_report(tables, config=config, run=run)
    tables = _whole(tables)
    timezone = config.company.timezone
    born = _born(base, tables)
    rows = [row for row in base["trends"]["growing"] if row["state"] in GROWING]
    known = {row["issue_id"] for row in rows}
    rows = [*[row for row in born if row["issue_id"] not in known], *rows]
    ids = [row["issue_id"] for row in rows]
    end = _as_of(run, timezone)
    recent = tables["mentions"][tables["mentions"]["mentioned_at"] >= end - pd.Timedelta(days=RECENT_DAYS)]
    quotes = choose_quotes(recent, tables["sentences"], tables["contacts"], ids, timezone=timezone, n_quotes=QUOTES)
    new = {row["issue_id"] for row in born}
    return {
        **base, "title": "新しい声・急に増えた声", "audience": "日次", "period": f"{day(end.tz_convert(timezone) - pd.Timedelta(days=RECENT_DAYS))}〜{_last_day(end, timezone)}の声",
        "lead": "新しく出た課題と、偶然とは言えないほど増えた課題だけを載せています。",
        "rows": [{**row, "quotes": quotes[row["issue_id"]], "is_new": row["issue_id"] in new} for row in rows],
        "empty": "該当なし。新しく出た課題、再び寄せられた課題、偶然とは言えないほど増えた課題はありません。", "rest": base["trends"]["rest_growing"],
    }  # fmt: skip


def weekly_report(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> dict:
    """Issues that grow and shrink, contacts of the last seven days, the first five ranks, what asks for attention.

    Shares the shape of `product_report`; besides `contacts` (channel, now, before, usual, change), `top` and `alerts`.
    """
    base = product_report(tables, config=config, run=run)
    tables = _whole(tables)
    timezone = config.company.timezone
    end = _as_of(run, timezone)
    rows = _by_channel(tables["contacts"], end=end)
    asked = _by_issue(tables["mentions"], tables["contacts"], end=end)
    top = [{**row, "now": count(asked.get(row["issue_id"], (0, 0))[0]), "before": count(asked.get(row["issue_id"], (0, 0))[1])} for row in base["ranked"][:TOP]]
    first, last = end.tz_convert(timezone) - _WEEK, _last_day(end, timezone)
    return {
        **base, "title": "今週のお客様の声", "audience": "週次", "period": f"{day(first)}〜{last}",
        "lead": "件数の動き、増えた課題と減った課題、上位の課題、手を打つべきことをまとめました。",
        "trends": {**base["trends"], **{name: [{**row, "has_section": False} for row in base["trends"][name]] for name in ("growing", "shrinking")}},
        "contacts": rows, "sentence": _contact_sentence(rows), "top": top, "alerts": _alerts(base, tables, end=end, timezone=timezone),
    }  # fmt: skip


def _whole(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    names = ("mentions", "sentences", "contacts", "issues", "issue_events", "customer_health")
    return {name: tables[name] if name in tables else contract.empty(contract.TABLES[name]) for name in names}


def _as_of(run: Mapping, timezone: str) -> pd.Timestamp:
    """The instant at which the as-of day begins: what came before is counted."""
    as_of_on = dict(run).get("as_of_on")
    return pd.Timestamp("2000-01-01" if is_missing(as_of_on) else as_of_on).tz_localize(timezone).tz_convert("UTC")


def _last_day(end: pd.Timestamp, timezone: str) -> str:
    return day(end.tz_convert(timezone) - pd.Timedelta(days=1))


def _born(base: dict, tables: dict[str, pd.DataFrame]) -> list[dict]:
    """Issues that the ledger opened since the report before, as rows like those of the trends; none on a first report."""
    since = base["changes"]["since"]
    if since is None:
        return []
    events = tables["issue_events"]
    ids = events.loc[(events["kind"] == "birth") & (events["at"] > since), "issue_id"]
    issues = tables["issues"][tables["issues"]["issue_id"].isin(ids) & ~tables["issues"]["status"].isin(UNREPORTED)].sort_values("issue_id")
    sizes = tables["mentions"].groupby("issue_id")["contact_id"].nunique()
    return [{
        "issue_id": row["issue_id"], "label": plain(row["label"], limit=60), "area": plain(row["parent"], limit=20), "kind": plain(row["kind"], limit=20), "state": "new",
        "word": "新しい課題", "evidence": f"前回のレポートの後に見つかりました。これまでの問い合わせは{count(float(sizes.get(row['issue_id'], 0)))}です。", "has_section": False, "weeks": [],
    } for row in issues.to_dict("records")]  # fmt: skip


def _weeks(contacts: pd.DataFrame, end: pd.Timestamp) -> pd.Series:
    """How many whole weeks before `end` each contact came: 0 is the last week."""
    return (end - contacts["started_at"] - pd.Timedelta(microseconds=1)) // _WEEK


def _by_channel(contacts: pd.DataFrame, *, end: pd.Timestamp) -> list[dict]:
    own = contacts[contacts["duplicate_of"].isna()]
    own = own.assign(week=_weeks(own, end))
    own = own[(own["week"] >= 0) & (own["week"] <= WEEKS_SHOWN)]
    if own.empty:
        return []
    wide = own.groupby(["channel", "week"]).size().unstack(fill_value=0).reindex(columns=range(WEEKS_SHOWN + 1), fill_value=0)
    wide = wide.sort_values([0, 1], ascending=False, kind="stable")
    asked = wide[~wide.index.isin(_WAVES)]
    rows = [_week_row(name, wide.loc[name].tolist()) for name in wide.index]
    rows += [_week_row(_ASKED, asked.sum().tolist())] if 0 < len(asked) < len(wide) else []
    return [*rows, _week_row(_ALL, wide.sum().tolist())]


def _week_row(channel: str, weeks: list[int]) -> dict:
    now, before, usual = weeks[0], weeks[1], sum(weeks[1:]) / WEEKS_SHOWN
    step = now - before
    return {"channel": plain(channel_name(channel), limit=30), "now": f"{now:,}件", "before": f"{before:,}件", "usual": count(usual),
            "change": f"{'+' if step > 0 else '−' if step < 0 else '±'}{abs(step):,}件", "n_now": now, "n_before": before, "n_usual": usual}  # fmt: skip


def _contact_sentence(rows: list[dict]) -> str:
    if not rows:
        return "この週に寄せられた声はありません。"
    whole = next((row for row in rows if row["channel"] == _ASKED), rows[-1])
    if not whole["n_now"]:
        return f"この週に寄せられた問い合わせはありません（前の週 {whole['before']}、その前の4週の平均 {whole['usual']}）。"
    ratio = whole["n_now"] / whole["n_usual"] - 1 if whole["n_usual"] else None
    usual = "" if ratio is None else f"その前の4週の平均（{whole['usual']}）より{abs(ratio) * 100:.0f}%{'多く' if ratio > 0 else '少なく'}なりました。" if round(abs(ratio), 2) else "その前の4週の平均と同じです。"
    return f"この週の問い合わせ{'（アンケートなどを除く）' if whole['channel'] == _ASKED else ''}は{whole['now']}（前の週 {whole['before']}）です。{usual}"


def _by_issue(mentions: pd.DataFrame, contacts: pd.DataFrame, *, end: pd.Timestamp) -> dict[str, tuple[int, int]]:
    """issue_id -> contacts of the last week and of the week before."""
    own = mentions.merge(contacts.loc[contacts["duplicate_of"].isna(), ["contact_id", "started_at"]], on="contact_id").drop_duplicates(["issue_id", "contact_id"])
    sizes = own.assign(week=_weeks(own, end)).groupby(["issue_id", "week"]).size()
    return {issue_id: (int(sizes.get((issue_id, 0), 0)), int(sizes.get((issue_id, 1), 0))) for issue_id in own["issue_id"].unique()}


def _alerts(base: dict, tables: dict[str, pd.DataFrame], *, end: pd.Timestamp, timezone: str) -> list[str]:
    """What somebody must see to: silent sources, solved issues that came back, passed due days, customers at risk."""
    told = list(base["notices"])
    told += [f"「{row['label']}」が再び寄せられています。{row['evidence']}" for row in base["trends"]["growing"] if row["state"] == "reopened"]
    today = end.tz_convert(timezone).tz_localize(None)
    issues = tables["issues"]
    late = issues[(issues["due_on"] < today) & issues["closed_on"].isna() & ~issues["status"].isin((*UNREPORTED, "closed"))].sort_values(["due_on", "issue_id"])
    told += [f"「{plain(row['label'], limit=60)}」の期限（{day(row['due_on'])}）を過ぎています。担当: {plain(row['owner'], limit=40) or '未定'}。"
             for row in late.head(_OVERDUE_SHOWN).to_dict("records")]  # fmt: skip
    told += [f"期限を過ぎた課題は、ほかに{len(late) - _OVERDUE_SHOWN}件あります。"] if len(late) > _OVERDUE_SHOWN else []
    n = int(tables["customer_health"]["is_at_risk"].astype(bool).sum())
    shown = customers(float(n)) if n >= SMALL_GROUP else f"{SMALL_GROUP}名未満"
    return [*told, f"解約のおそれが高い、LTVの大きい顧客が{shown}います（cs.html の「要注意の顧客」）。"] if n else told
