"""The ledger as lines of Japanese text: a list, one issue with its history, what an import changed."""

import unicodedata
from collections.abc import Sequence

import pandas as pd

from voc.cleaning.controls import without_controls
from voc.issues.edits import STATUS_WORDS, Edit, known_issue
from voc.issues.events import UNREPORTED

_EXEMPLARS = 5
_MONTHS = 12
_EVENT_WORDS = {
    "birth": "誕生", "rename": "名前の変更", "merge": "統合", "split": "分割", "recentre": "範囲の更新", "accept": "公開", "lock": "固定",
    "unlock": "固定の解除", "exclude": "除外", "include": "除外の取り消し", "close": "解決", "reopen": "再開", "death": "休止",
    "assign_owner": "担当部署", "set_effort": "工数", "set_due": "期限", "set_parent": "領域", "fix": "対応",
}  # fmt: skip
_EDIT_WORDS = {
    "rename": "名前", "merge": "統合先", "set_status": "状態", "set_area": "領域", "assign_owner": "担当部署", "set_effort": "工数（人日）", "set_due": "期限",
    "fix": "対応",
}  # fmt: skip


def list_lines(issues: pd.DataFrame, mentions: pd.DataFrame, *, is_whole: bool = False) -> list[str]:
    """One line an issue, most contacts first; excluded, resting and merged ones only with `is_whole`."""
    counts = mentions.groupby("issue_id")["contact_id"].nunique()
    shown = issues if is_whole else issues[~issues["status"].isin(UNREPORTED)]
    shown = shown.assign(n=shown["issue_id"].map(counts).fillna(0).astype(int)).sort_values(["n", "issue_id"], ascending=[False, True])
    lines = [f"{_wide('課題番号', 12)}{_wide('状態', 10)}{_wide('領域', 16)}{_wide('種類', 10)}    件数  課題名"]
    for row in shown.to_dict("records"):
        end = f" → {row['merged_into']}" if row["status"] == "merged" else f"（担当: {row['owner']}）" if isinstance(row["owner"], str) else ""
        area = row["parent"] if isinstance(row["parent"], str) else "-"
        lines.append(f"{row['issue_id']:<12}{_wide(STATUS_WORDS[row['status']], 10)}{_wide(area, 16)}{_wide(row['kind'], 10)}{row['n']:>8,}  {row['label']}{end}")
    hidden = len(issues) - len(shown)
    return [*lines, f"表示していない課題が {hidden:,} 件あります（--all で表示）。"] if hidden else lines


def show_lines(
    issue_id: str, issues: pd.DataFrame, events: pd.DataFrame, mentions: pd.DataFrame, sentences: pd.DataFrame, *, timezone: str
) -> list[str]:
    """Label, kind, status, contacts of the last twelve months with voices, exemplars and history of one issue."""
    issue_id = known_issue(issue_id, issues, may_be_merged=True)
    row = issues.set_index("issue_id").loc[issue_id]
    own = mentions[mentions["issue_id"] == issue_id]
    lines = [f"{issue_id}「{row['label']}」", f"  種類: {row['kind']}　状態: {STATUS_WORDS[row['status']]}"]
    for name, value in (("領域", row["parent"]), ("統合先", row["merged_into"]), ("担当部署", row["owner"])):
        lines += [f"  {name}: {value}"] if isinstance(value, str) else []
    lines += [f"  工数: {row['effort']:.10g} 人日"] if pd.notna(row["effort"]) else []
    lines += [f"  {name}: {day:%Y-%m-%d}" for name, day in (("期限", row["due_on"]), ("解決日", row["closed_on"])) if pd.notna(day)]
    lines += [f"  最初の声: {_day(row['first_seen_at'], timezone)}　問い合わせ: {own['contact_id'].nunique():,} 件　声: {len(own):,} 文"]
    months = own["mentioned_at"].dt.tz_convert(timezone).dt.strftime("%Y-%m")
    counts = own.groupby(months)["contact_id"].nunique().sort_index().tail(_MONTHS)
    lines += ["月別の件数", *([f"  {month}  {n:>6,}" for month, n in counts.items()] or ["  （声はありません）"])]
    lines += ["例文", *(_exemplars(row, own, sentences) or ["  （声はありません）"]), "履歴"]
    history = events[(events["issue_id"] == issue_id) | ((events["kind"] == "merge") & (events["to"] == issue_id))]
    return lines + [_history(event, issue_id, timezone) for event in history.sort_values("position").to_dict("records")]


def edit_lines(edits: Sequence[Edit], before: pd.DataFrame) -> list[str]:
    """What each fulfilled edit changed, with the label that the issue had `before`."""
    labels = before.set_index("issue_id")["label"]
    lines = []
    for edit in edits:
        to = STATUS_WORDS.get(edit.to, edit.to) if edit.kind == "set_status" else edit.to
        value = f"{to} {edit.note}" if edit.kind == "fix" else to or "なし"
        lines.append(f"  {edit.issue_id}「{labels[edit.issue_id]}」 {_EDIT_WORDS[edit.kind]} → {value}")
    return lines


def _exemplars(row: pd.Series, own: pd.DataFrame, sentences: pd.DataFrame) -> list[str]:
    nearest = own.sort_values(["probability", "sentence_id"], ascending=[False, True])["sentence_id"]
    # exemplars that were erased or went to another issue are replaced by the most probable voices
    wanted = [one for one in row["exemplar_ids"] if one in set(nearest)] + nearest.tolist()
    texts = sentences.set_index("sentence_id")["text"].reindex(list(dict.fromkeys(wanted))).dropna()
    texts = texts[~texts.duplicated()].head(_EXEMPLARS)
    return [f"  ・{without_controls(text)}（{sentence_id}）" for sentence_id, text in texts.items()]


def _history(event: dict, issue_id: str, timezone: str) -> str:
    old, to = (value if isinstance(value, str) else "" for value in (event["from"], event["to"]))
    if event["kind"] in {"accept", "lock", "unlock", "exclude", "include", "close", "reopen", "death"}:
        old, to = STATUS_WORDS.get(old, old), STATUS_WORDS.get(to, to)
    if event["kind"] == "merge" and event["issue_id"] != issue_id:
        old, to = event["issue_id"], "この課題"
    change = f"{old} → {to}" if old and to else to or old
    note = f"　{event['note']}" if isinstance(event["note"], str) else ""
    return f"  {_day(event['at'], timezone)}  {_EVENT_WORDS[event['kind']]}: {change}{note}（{event['by']}）"


def _day(at: pd.Timestamp, timezone: str) -> str:
    return f"{at.tz_convert(timezone):%Y-%m-%d}"


def _wide(text: str, columns: int) -> str:
    """Text filled to a width that counts a Japanese character as two."""
    return text + " " * max(columns - sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text), 1)
