"""What a person should hear of this morning: rows of ALERTS out of the tables of a run. Nothing is sent here.

An alert is one kind, one subject and one period. What still holds in the next run is the same alert; what comes back
within 28 days is too, so that an issue on the edge of its test does not warn every other morning.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from scipy.stats import fisher_exact

from voc.inert import inert_name
from voc.notices import silences
from voc.nps_change import nps_change
from voc.tables import ALERTS, check, empty

GRAVE, NOTE = "重大", "注意"
"""Severities, the graver first."""
COOL_DAYS = 28
RUN_FAILED = "run_failed"
"""The kind of alert that the schedule raises, not the tables."""
EMERGING = {"new": "新しい課題", "reopened": "再び増えた課題", "emerging": "増えている課題"}
"""States of ISSUE_TRENDS that are told."""
_UNREAD = ("read", "parse")
"""Stages of a fault of a whole source (REJECTS without source_row): it cannot be reached, nothing in it can be used."""
_FEWEST_REJECTS = 10
_REJECTS_RATIO = 2.0
_REJECTS_P = 0.001  # asked every night for every source: one false alarm in years


def raise_alerts(
    tables: Mapping[str, pd.DataFrame], *, sources: Sequence[str], rows_before: Mapping[str, Sequence[int]],
    rows_now: Mapping[str, Sequence[int]], as_of_on: pd.Timestamp, today: pd.Timestamp, timezone: str,
) -> pd.DataFrame:  # fmt: skip
    """ALERTS after a run: what was there, closed where it holds no more, and what is new.

    `tables`: alerts (of the run before), issue_trends, issues, customer_health, contacts, rejects. `rows_before` and
    `rows_now`: source -> (rows used, rows rejected) after the run before and now. `today` is the day by which a source
    should have spoken. Texts hold labels and figures, no customer's words.
    """
    day = pd.Timestamp(as_of_on).tz_localize(None).normalize()
    found = [
        *_emerging(tables["issue_trends"], tables["issues"]), *_nps(tables["contacts"], as_of_on=day, timezone=timezone),
        *_at_risk(tables["customer_health"], tables["issues"]),
        *_silent(tables["contacts"], tables["rejects"], sources, today=today, timezone=timezone),
        *_rejects(rows_before, rows_now, day=day),
    ]  # fmt: skip
    own = tables["alerts"]["kind"] != RUN_FAILED
    return merge_alerts(tables["alerts"], found, day=day, closing=own)


def merge_alerts(before: pd.DataFrame, found: Sequence[Mapping], *, day: pd.Timestamp, closing: pd.Series) -> pd.DataFrame:
    """ALERTS `before` with what was `found` on `day`; rows in `closing` (a mask over `before`) that were not found are closed.

    `found`: kind, subject, severity, text, evidence, value_yen, and period where the subject has one of its own.
    """
    rows = {row["alert_id"]: row for row in before.assign(is_open=before["is_open"] & ~closing.astype(bool)).to_dict("records")}
    last = before.sort_values(["raised_on", "alert_id"]).drop_duplicates(["kind", "subject"], keep="last").set_index(["kind", "subject"])
    for item in found:
        period = item.get("period") or _episode(last, item, day)
        alert_id = f"{item['kind']}:{item['subject']}:{period}"
        if alert_id in rows:
            rows[alert_id] |= {"last_on": max(rows[alert_id]["last_on"], day), "is_open": True}
        else:
            rows[alert_id] = {**item, "alert_id": alert_id, "period": period, "raised_on": day, "last_on": day, "is_open": True, "sent_to": []}
    return check(pd.DataFrame(list(rows.values())), ALERTS) if rows else empty(ALERTS)


def _episode(last: pd.DataFrame, item: Mapping, day: pd.Timestamp) -> str:
    """The period of the alert that `item` goes on with, else one that begins on `day`. What is still open goes on
    however long ago the last run was."""
    key = (item["kind"], item["subject"])
    if key in last.index and (last.at[key, "is_open"] or last.at[key, "last_on"] >= day - pd.Timedelta(days=COOL_DAYS)):
        return last.at[key, "period"]
    return f"{day:%Y-%m-%d}"


def _alert(kind: str, subject: str, severity: str, text: str, evidence: list[str], **more) -> dict:
    return {"kind": kind, "subject": subject, "severity": severity, "text": text, "evidence": evidence, "value_yen": None, **more}


def _emerging(trends: pd.DataFrame, issues: pd.DataFrame) -> list[dict]:
    labels = issues.set_index("issue_id")[["label", "kind"]]
    risen = trends[trends["state"].isin(EMERGING) & trends["issue_id"].isin(labels.index)]
    risen = risen[risen["issue_id"].map(labels["kind"]) != "称賛"]
    return [
        _alert("issue_emerging", row.issue_id, NOTE,
               f"{EMERGING[row.state]}「{inert_name(labels.at[row.issue_id, 'label'])}」（{row.issue_id}）：{_counted(row)}",
               [row.issue_id, f"product.html#{row.issue_id}"])
        for row in risen.itertuples()
    ]  # fmt: skip


def _counted(row) -> str:
    if row.state == "new" or pd.isna(row.q_value):
        return f"直近4週の問い合わせは{row.n_recent:,}件です。"
    return (f"直近4週は{row.n_recent:,}件で、見込まれる{row.expected:,.1f}件の{row.ratio:.1f}倍です"
            f"（90%区間 {row.ratio_low:.1f}〜{row.ratio_high:.1f}倍）。")  # fmt: skip


def _nps(contacts: pd.DataFrame, *, as_of_on: pd.Timestamp, timezone: str) -> list[dict]:
    found = nps_change(contacts, as_of_on=as_of_on, timezone=timezone)
    if found is None or found.high >= 0:
        return []
    year, month = found.month.split("-")
    text = (f"NPSが下がりました：{year}年{int(month)}月は{found.nps:+.0f}（回答{found.n:,}件）、それまでの6か月は{found.nps_before:+.0f}"
            f"（{found.n_before:,}件）で、差は{found.change:.0f}（95%区間 {found.low:.0f}〜{found.high:.0f}）です。")  # fmt: skip
    return [_alert("nps_drop", "nps", GRAVE, text, ["executive.html#kpi-h"], period=found.month)]


def _at_risk(health: pd.DataFrame, issues: pd.DataFrame) -> list[dict]:
    labels, rows = issues.set_index("issue_id")["label"], health[health["is_at_risk"].astype(bool)]
    return [
        _alert("customer_at_risk", row.customer_id, GRAVE, _customer(row, labels), _customer_evidence(row),
               value_yen=None if pd.isna(row.ltv_yen) else float(row.ltv_yen))
        for row in rows.itertuples()
    ]  # fmt: skip


def _customer(row, labels: pd.Series) -> str:
    parts = ["" if pd.isna(row.score) else f"健康度{row.score:.0f}点", "" if pd.isna(row.ltv_yen) else f"LTV {row.ltv_yen:,.0f}円"]
    if isinstance(row.issue_id, str) and row.issue_id in labels.index:
        parts.append(f"主な課題「{inert_name(labels[row.issue_id])}」")
    told = "、".join(part for part in parts if part)
    return f"顧客 {inert_name(row.customer_id)} が「危険」になりました（{told}）。" if told else f"顧客 {inert_name(row.customer_id)} が「危険」になりました。"


def _customer_evidence(row) -> list[str]:
    return [*([row.issue_id] if isinstance(row.issue_id, str) else []), "cs.html"]


def _silent(
    contacts: pd.DataFrame, rejects: pd.DataFrame, sources: Sequence[str], *, today: pd.Timestamp, timezone: str
) -> list[dict]:
    unread = rejects[rejects["stage"].isin(_UNREAD) & (rejects["source_row"] == "") & rejects["source"].isin(sources)]
    failed = sorted(set(unread["source"]))
    found = [
        _alert("source_silent", name, GRAVE, f"取り込み元「{inert_name(name)}」を読み込めませんでした。理由はレポートの「取り込みの注意」にあります。",
               ["executive.html#notices-h"])
        for name in failed
    ]  # fmt: skip
    quiet = silences(contacts, [name for name in sources if name not in failed], timezone=timezone, today=today)
    return found + [
        _alert("source_silent", row.source, GRAVE,
               f"取り込み元「{inert_name(row.source)}」から{row.last_on:%Y-%m-%d}を最後に{row.days:,}日間、新しい声が届いていません。",
               ["executive.html#notices-h"])
        for row in quiet.itertuples()
    ]  # fmt: skip


def _rejects(before: Mapping[str, Sequence[int]], now: Mapping[str, Sequence[int]], *, day: pd.Timestamp) -> list[dict]:
    """Sources whose newly read rows were rejected surely more often than those before, and at least twice as often."""
    found = []
    for name in sorted(before.keys() & now.keys()):
        used, rejected = (max(int(after) - int(was), 0) for was, after in zip(before[name], now[name], strict=True))
        used_before, rejected_before = map(int, before[name])
        if rejected < _FEWEST_REJECTS or used_before + rejected_before == 0:
            continue
        share, share_before = rejected / (used + rejected), rejected_before / (used_before + rejected_before)
        p = fisher_exact([[rejected, used], [rejected_before, used_before]], alternative="greater").pvalue
        if share >= _REJECTS_RATIO * share_before and p < _REJECTS_P:
            text = (f"取り込み元「{inert_name(name)}」で使えない行が増えました：新しく読んだ{used + rejected:,}行のうち{rejected:,}行"
                    f"（{share:.0%}、それまで{share_before:.1%}）です。")  # fmt: skip
            found.append(_alert("rejects_up", name, NOTE, text, ["executive.html#left-h"], period=f"{day:%Y-%m-%d}"))
    return found
