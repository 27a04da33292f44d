"""What happened to the ledger since the report before: table issue_events -> groups of lines."""

import pandas as pd

from voc.issues.categories import BY as CATEGORIES
from voc.issues.events import UNREPORTED, VOC
from voc.reports.formats import day, is_missing, plain
from voc.runs import completed

LINES = 3  # of each group; how many more there are is told
_LABEL, _SHORT, _NOTE = 26, 18, 30
_WORDS = {
    "birth": "新しい課題", "reopen": "再び開いた課題", "split": "分けた課題", "merge": "統合した課題", "fix": "行った対応",
    "close": "解決した課題", "death": "休止した課題", "rename": "名称の変更", "assign_owner": "担当の決定", "set_due": "期限の設定",
    "exclude": "除外した課題",
}  # fmt: skip


def ledger_changes(issues: pd.DataFrame, events: pd.DataFrame, runs: pd.DataFrame, *, run: dict, timezone: str) -> dict:
    """{"lead", "groups": [word, n, lines, rest], "note", "is_first", "since" (instant)}: events since the last completed run of an earlier as-of day.

    Events of voc bear the as-of instant of their run, those of people the time of their edit: so the first are
    compared with the as-of day of the run before and the others with its start.
    """
    before = previous_run(runs, run)
    if before is None:
        n = int((~issues["status"].isin(UNREPORTED)).sum())
        return {"lead": f"今回が最初のレポートです。{n}件の課題を見つけました。変化は次回から示します。" if n else "今回が最初のレポートです。変化は次回から示します。",
                "groups": [], "note": "前回の実行はありません。", "is_first": True, "since": None}
    since = pd.Timestamp(before["as_of_on"]).tz_localize(timezone)
    is_ours = events["by"].isin((VOC, CATEGORIES))
    fresh = events[(is_ours & (events["at"] > since)) | (~is_ours & (events["at"] > before["started_at"]))].sort_values("position")
    groups = [group for kind, word in _WORDS.items() if (group := _group(kind, word, fresh, issues))]
    told = f"前回（分析基準日 {day(before['as_of_on'])}）からの課題の台帳の変化です。"
    return {"lead": told if groups else f"前回（分析基準日 {day(before['as_of_on'])}）から、課題の台帳に変化はありません。",
            "groups": groups, "note": f"前回の実行番号 {plain(before['run_id'])}。", "is_first": False, "since": since}


def previous_run(runs: pd.DataFrame, run: dict) -> dict | None:
    """The newest completed run with an as-of day before that of `run`; None where there is none."""
    if runs.empty or is_missing(run.get("as_of_on")):
        return None
    rows = completed(runs[runs["as_of_on"] < pd.Timestamp(run["as_of_on"])]).sort_values("as_of_on", kind="stable")
    return None if rows.empty else rows.iloc[-1].to_dict()


def _group(kind: str, word: str, fresh: pd.DataFrame, issues: pd.DataFrame) -> dict | None:
    labels = issues.set_index("issue_id")["label"]
    hidden = set(issues.loc[issues["status"].isin(UNREPORTED), "issue_id"])
    rows = fresh[fresh["kind"] == kind].drop_duplicates("issue_id", keep="last")
    if kind == "birth":  # parts of a split are told there
        rows = rows[rows["from"].isna()]
    if kind not in ("merge", "death", "exclude"):
        rows = rows[~rows["issue_id"].isin(hidden)]
    if rows.empty:
        return None
    lines = [] if kind == "exclude" else [_line(kind, row, labels) for row in rows.head(LINES).to_dict("records")]
    return {"word": word, "n": len(rows), "lines": lines, "rest": len(rows) - LINES if lines and len(rows) > LINES else 0}


def _line(kind: str, row: dict, labels: pd.Series) -> str:
    def name(issue_id: object) -> str:
        return f"「{plain(labels.get(issue_id, issue_id), limit=_LABEL)}」"

    own = name(row["issue_id"])
    note, to = plain(row["note"], limit=_NOTE), plain(row["to"], limit=_LABEL)
    if kind == "merge":
        return f"{own}を{name(row['to'])}へ"
    if kind == "fix":
        return f"{own}{day(row['to'])}" + (f" {note}" if note else "")
    if kind == "rename":
        return f"「{plain(row['from'], limit=_LABEL)}」を「{to}」へ"
    if kind == "assign_owner":
        return f"{own}担当 {to or 'なし'}"
    if kind == "set_due":
        return f"{own}期限 {day(row['to']) if to else 'なし'}"
    return own


def trend_lines(report: dict) -> dict:
    """{"groups": [word, lines], "note"}: issues whose contacts grow and shrink.

    From the report's tested trends where it has them, else the last three months against the three before.
    """
    tested = report.get("trends")
    if tested and tested["note"]:
        groups = [{"word": word, "lines": [f"「{plain(row['label'], limit=_SHORT)}」{row['word']}" for row in tested[name][:LINES]]}
                  for name, word in (("growing", "増えている課題"), ("shrinking", "減っている課題"))]
        return {"groups": [group for group in groups if group["lines"]], "note": "件数の増減の出典: 表 issue_trends。" + tested["note"]}
    groups = []
    for start, word in (("増加", "増えている課題"), ("減少", "減っている課題")):
        rows = [row for row in report["ranked"] if row["trend"].startswith(start)][:LINES]
        groups.append({"word": word, "lines": [f"「{plain(row['label'], limit=_SHORT)}」{row['trend']}" for row in rows]})
    return {"groups": [group for group in groups if group["lines"]],
            "note": "件数の増減の出典: 表 issue_months。直近3か月とその前の3か月の比（検定はしていません）。順位の高い課題から示します。"}
