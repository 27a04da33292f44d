"""What a run sees of an issue's life: a solved one that comes back, one that nobody mentions any more."""

import pandas as pd

from voc.issues.events import DRIFTING, VOC, event_row


def lifecycle_rows(
    issues: pd.DataFrame,
    events: pd.DataFrame,
    mentions: pd.DataFrame,
    *,
    at: pd.Timestamp,
    timezone: str,
    dead_after_months: int,
    reopen_contacts: int,
) -> list[dict]:
    """Rows of `event_row` for reopening and death as of `at`, in the order of issues.

    closed -> reopened: at least `reopen_contacts` contacts mention the issue on days after `closed_on` (days of
    `timezone`; one late or misread voice reopens nothing). candidate, open -> dead: no mention in the last
    `dead_after_months` months, and none was seen first in them. dead -> reopened: the same, turned round. A locked
    issue never dies, because a person wants it in sight.
    """
    seen = mentions[mentions["mentioned_at"] < at]
    last = seen.groupby("issue_id")["mentioned_at"].max()
    limit = pd.Timestamp(at) - pd.DateOffset(months=dead_after_months)
    days = seen["mentioned_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    rows = []
    for issue in issues.sort_values("issue_id").to_dict("records"):
        issue_id, status = issue["issue_id"], issue["status"]
        latest = max(last.get(issue_id, issue["first_seen_at"]), issue["first_seen_at"])
        if status == "closed":
            later = seen.loc[(seen["issue_id"] == issue_id) & (days > issue["closed_on"]), "contact_id"].nunique()
            if later >= reopen_contacts:
                note = f"解決日（{issue['closed_on']:%Y-%m-%d}）より後に {later:,} 件の問い合わせがありました。"
                rows.append(_row(issue, "reopen", status_before(events, issue_id), at=at, note=note))
        elif status in DRIFTING and latest < limit:
            note = f"最後の声は {latest.tz_convert(timezone):%Y-%m-%d} で、{dead_after_months} か月以上ありません。"
            rows.append(_row(issue, "death", "dead", at=at, note=note))
        elif status == "dead" and issue_id in last.index and last[issue_id] >= limit:
            note = f"{last[issue_id].tz_convert(timezone):%Y-%m-%d} に再び声がありました。"
            rows.append(_row(issue, "reopen", status_before(events, issue_id), at=at, note=note))
    return rows


def status_before(events: pd.DataFrame, issue_id: str) -> str:
    """What an issue becomes when it comes back: locked if a person had locked it before, else open."""
    own = events[(events["issue_id"] == issue_id) & events["kind"].isin(["close", "exclude", "death"])]
    came_from = own.sort_values("position")["from"].tolist()
    return next((status for status in reversed(came_from) if status in {"locked", "open", "candidate"}), "open").replace("candidate", "open")


def _row(issue: dict, kind: str, to: str, *, at: pd.Timestamp, note: str) -> dict:
    return event_row(issue["issue_id"], kind, at=at, by=VOC, old=issue["status"], to=to, note=note)
