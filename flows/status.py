"""`voc status`: the last runs, what comes next, what is open. Reads the store and the log, changes nothing."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from flows.alert import rows_by_source
from flows.company_tables import COMPANY
from flows.logs import read_lines
from flows.one_run import is_running
from flows.schedule import JOBS, last_served, times
from flows.settings import store_of
from voc.config import Config
from voc.due import is_missed, next_due
from voc.notices import silences
from voc.runs import COMPLETED, FAILED, INTERRUPTED, RUNNING, completed, in_order
from voc.store import read_table
from voc.tables import ALERTS, CONTACTS, REJECTS, RUNS

_RUNS = 5
_ALERTS = 20
_STATUS = {"done": "完了", "failed": "失敗", "skipped": "済みのため省略"}
_RUN_STATUS = {COMPLETED: "完了", FAILED: "失敗", INTERRUPTED: "途中で途切れた", RUNNING: "途中で途切れた"}


@dataclass(frozen=True)
class Status:
    """Lines to be read, and the exit status: 0; 1 where no run came through, the last was cut off, or a job that is switched
    on (daily, weekly, monthly) failed last or missed its time."""

    lines: list[str]
    status: int


def status(config: Config, *, base: Path, now: datetime | None = None) -> Status:
    """What happened last and what comes next, in the company's time."""
    now, store, zone = now or datetime.now(UTC), store_of(config, base), config.company.timezone
    runs = read_table(RUNS, store=store)
    logged = list(read_lines(base / config.reports.path / "logs"))
    going, done = is_running(base), completed(runs)
    cut = _cut_off(logged, done)
    lines = [f"今: {'実行中' if going else '実行していません'}", "", "直近の実行", *_runs(runs, zone, is_going=going)]
    if cut and not going:
        lines.append(f"  最後に始めた実行（{_local(cut['at'], zone)}）は終わっていません。{_where(logged, cut['run_id'])}")
    lines += [f"  {line}" for line in _jobs(logged, zone)]
    crons = times(config)
    failed = any(line.get("status") == "failed" for job, line in _last_jobs(logged).items() if job in crons)
    lines += ["", "次の予定（voc schedule、systemd、cron などが動いているとき）"]
    for job, cron in crons.items():
        lines.append(f"  {JOBS[job]}: {next_due(cron, now=now, timezone=zone):%Y-%m-%d %H:%M}（{cron}）")
    missed = [] if going else [
        JOBS[job] for job, cron in crons.items() if is_missed(last_served(config, base, job=job), cron=cron, now=now, timezone=zone)
    ]
    if missed:
        lines.append(f"  ⚠ 前回の予定の時刻に実行されていません（{'、'.join(missed)}）。voc schedule などが動いているか確かめてください。")
    lines += ["", *_sources(config, store, now, zone), "", *_open_alerts(store)]
    return Status(lines, 1 if missed or failed or done.empty or (cut is not None and not going) else 0)


def _runs(runs: pd.DataFrame, zone: str, *, is_going: bool) -> list[str]:
    if runs.empty:
        return ["  まだありません。voc run を実行してください。"]
    lines = []
    for number, row in enumerate(in_order(runs)[::-1].head(_RUNS).itertuples()):
        if row.status != COMPLETED:
            told = "実行中" if is_going and number == 0 and row.status == RUNNING else _RUN_STATUS[row.status]
            lines.append(f"  {_local(row.started_at, zone)} {told}")
            continue
        counts, spent = json.loads(row.counts), (row.finished_at - row.started_at).total_seconds()
        notices = len(json.loads(row.settings).get("notices", []))
        lines.append(
            f"  {_local(row.started_at, zone)} {_RUN_STATUS[COMPLETED]} {spent:,.0f}秒 問い合わせ{counts.get('parse', 0):,}件（新規{counts.get('new', 0):,}、"
            f"更新{counts.get('replaced', 0):,}）使えなかった行{counts.get('rejects', 0):,} 課題{counts.get('issues', 0):,} 取り込みの注意{notices}")
    return lines


def _cut_off(logged: list[dict], done: pd.DataFrame) -> dict | None:
    """The last line run_started, where its run is none of those that came through."""
    begun = [line for line in logged if line["event"] == "run_started"]
    return begun[-1] if begun and begun[-1].get("run_id") not in set(done["run_id"]) else None


def _where(logged: list[dict], run_id: str) -> str:
    own = [line for line in logged if line.get("run_id") == run_id]
    failed = [line for line in own if line["event"] == "stage_failed"]
    if failed:
        return f"段階 {failed[-1].get('stage')} で止まりました（{failed[-1].get('error')}）。"
    past = [line["stage"] for line in own if line["event"] == "stage"]
    return f"{'段階 ' + past[-1] + ' の後' if past else '始めてすぐ'}で途切れました。もう一度 voc run を実行すれば続きから進みます。"


def _last_jobs(logged: list[dict]) -> dict[str, dict]:
    return {line.get("job"): line for line in logged if line["event"] == "job"}


def _jobs(logged: list[dict], zone: str) -> list[str]:
    last = _last_jobs(logged)
    return [
        f"{JOBS[job]}: {_STATUS.get(last[job].get('status'), '?')}（{_local(last[job]['at'], zone)}）" for job in JOBS if job in last
    ]


def _sources(config: Config, store: str, now: datetime, zone: str) -> list[str]:
    contacts, rejects = read_table(CONTACTS, store=store), read_table(REJECTS, store=store)
    today = pd.Timestamp(now).tz_convert(zone).tz_localize(None).normalize()
    quiet = silences(contacts, [source.name for source in config.sources], timezone=zone, today=today)
    days = dict(zip(quiet["source"], quiet["days"], strict=True))
    formats = {source.format for source in config.sources} & COMPANY.keys()
    stored = {COMPANY[one].name: read_table(COMPANY[one], store=store) for one in sorted(formats)}
    rows, lines = rows_by_source(config, {"contacts": contacts, "rejects": rejects, **stored}), ["取り込み元"]
    for source in config.sources:
        own = contacts.loc[contacts["source"] == source.name, "started_at"]
        said = f"最後の声 {own.max().tz_convert(zone):%Y-%m-%d}、{len(own):,}件" if len(own) else "声はありません"
        if source.format in COMPANY:
            n_rows = len(stored[COMPANY[source.format].name])
            said = f"{n_rows:,}行" if source.name in rows else f"同じ形式の取り込み元と合わせて{n_rows:,}行"
        n = int((rejects["source"] == source.name).sum())
        mark = f" ⚠ {days[source.name]}日間届いていません" if source.name in days else ""
        lines.append(f"  {source.name}（{source.format}）: {said}、使えなかった行{n:,}{mark}")
    return lines


def _open_alerts(store: str) -> list[str]:
    alerts = read_table(ALERTS, store=store)
    open_ = alerts[alerts["is_open"].astype(bool)].sort_values(["raised_on", "alert_id"], ascending=[False, True])
    lines = [f"開いている注意のお知らせ {len(open_):,} 件"]
    for row in open_.head(_ALERTS).itertuples():
        sent = "、".join(row.sent_to) if len(row.sent_to) else "未送信"
        lines.append(f"  {row.raised_on:%Y-%m-%d}【{row.severity}】{row.text}（{sent}）")
    return [*lines, f"  ほか {len(open_) - _ALERTS:,} 件"] if len(open_) > _ALERTS else lines


def _local(at: object, zone: str) -> str:
    return f"{pd.Timestamp(at).tz_convert(zone):%Y-%m-%d %H:%M}"
