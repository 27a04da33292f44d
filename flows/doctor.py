"""`voc doctor`: is this machine, this store and this configuration fit for tonight? Reads, changes nothing, sends nothing."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from flows.doctor_machine import FAULT, FINE, WARN, Line, fonts, models, modes, packages, python
from flows.settings import store_of
from voc.config import Config
from voc.errors import VocError
from voc.sources.checkup import check_up
from voc.store import read_table
from voc.store_health import TableHealth, store_health, unknown_folders
from voc.tables import ACTIONS, CONTACTS, ERASED, ISSUE_CALIBRATION, ISSUE_EVENTS, ISSUE_LABELS, ISSUES, RUNS

_GB = 1024**3
_LEAST_GB, _GOOD_GB = 1.0, 5.0
_OF_PEOPLE = frozenset(table.name for table in (ISSUES, ISSUE_EVENTS, ISSUE_LABELS, ISSUE_CALIBRATION, ACTIONS, ERASED, RUNS))
"""Tables that no source can give again: moved away, decisions would be lost, and erased customers would come back."""
_MANY_ORPHANS = 0.2  # of a store's size


@dataclass(frozen=True)
class Diagnosis:
    """All lines in order, and the exit status: 0 fine, 1 with warnings, 2 with a fault."""

    lines: list[Line]

    @property
    def status(self) -> int:
        found = {line.state for line in self.lines}
        return 2 if FAULT in found else 1 if WARN in found else 0


def diagnose(config: Config, *, base: Path, now: datetime | None = None) -> Diagnosis:
    """Every check. One that breaks is a line of its own and stops no other."""
    now, store = now or datetime.now(UTC), store_of(config, base)
    checks: list[tuple[str, Callable[[], list[Line]]]] = [
        ("Python", python), ("パッケージ", packages), ("モデル", models), ("フォントと PDF", fonts),
        ("時刻", lambda: _clock(config, store, now)), ("ディスク", lambda: _disk(base, store)),
        ("保存先", lambda: _store(store)), ("取り込み元", lambda: _sources(config, base)),
        ("ファイルの権限", lambda: modes(config, base=base, store=store)), ("お知らせ", lambda: _channels(config)),
    ]  # fmt: skip
    return Diagnosis([line for title, check in checks for line in _tried(title, check)])


def _tried(title: str, check: Callable[[], list[Line]]) -> list[Line]:
    try:
        return check()
    except VocError as error:
        return [Line(FAULT, title, str(error).splitlines()[0])]
    except Exception as error:  # noqa: BLE001 - a doctor must look at everything
        return [Line(FAULT, title, f"調べられませんでした（{type(error).__name__}）。この表示を添えて開発者に知らせてください")]


def _clock(config: Config, store: str, now: datetime) -> list[Line]:
    zone = config.company.timezone
    try:
        local = pd.Timestamp(now).tz_convert(zone)
    except (KeyError, ValueError, OSError):
        return [Line(FAULT, "時刻", f"[company] timezone「{zone}」を知りません。\"Asia/Tokyo\" のように書いてください")]
    lines = [Line(FINE, "時刻", f"{local:%Y-%m-%d %H:%M}（{zone}）")]
    runs, contacts = read_table(RUNS, store=store), read_table(CONTACTS, store=store)
    if len(runs) and runs["started_at"].max() > pd.Timestamp(now):
        lines.append(Line(FAULT, "時刻", "前回の実行が今より後になっています。機械の時計を合わせてください（timedatectl）"))
    future = contacts["started_at"] > pd.Timestamp(now) + pd.Timedelta(days=1)
    if future.any():
        lines.append(Line(WARN, "時刻", f"明日以降の日付の声が {int(future.sum()):,} 件あります。取り込み元の日付の列か、機械の時計を確かめてください"))
    return lines


def _disk(base: Path, store: str) -> list[Line]:
    places = {base} | ({Path(store)} if "://" not in store and Path(store).exists() else set())
    lines = []
    for place in sorted(places):
        free = shutil.disk_usage(place).free / _GB
        state = FAULT if free < _LEAST_GB else WARN if free < _GOOD_GB else FINE
        advice = "" if state == FINE else "。空きを増やしてください（途中で足りなくなると実行は止まり、表は前の版のまま残ります）"
        lines.append(Line(state, "ディスク", f"{place} の空き {free:,.1f} GB{advice}"))
    return lines


def _store(store: str) -> list[Line]:
    if "://" not in store and not Path(store).is_dir():
        return [Line(WARN, "保存先", f"{store} はまだありません。最初の voc run で作ります")]
    found = store_health(store=store)
    lines = [_table(one, store) for one in found if one.fault]
    total, old = sum(one.n_bytes for one in found), sum(one.old_bytes for one in found)
    n_orphans, orphans = sum(one.n_orphans for one in found), sum(one.orphan_bytes for one in found)
    size = f"、今の版 {total / 1024**2:,.1f} MB、以前の版 {old / 1024**2:,.1f} MB" if "://" not in store else ""
    lines.append(Line(FINE, "保存先", f"読めて検査に通った表 {len(found) - len(lines)} / {len(found)}{size}"))
    if n_orphans:
        state = WARN if orphans > _MANY_ORPHANS * max(total, 1) else FINE
        lines.append(Line(state, "保存先", f"どの版にも属さないファイル {n_orphans} 個（{orphans / 1024**2:,.1f} MB）。途中で止まった書き込みの跡で、害はありません"))
    unknown = unknown_folders(store=store)
    if unknown:
        lines.append(Line(WARN, "保存先", f"この版の voc が知らないもの: {'、'.join(unknown[:5])}。別の版の表か、手で置いたものです"))
    return lines


def _table(one: TableHealth, store: str) -> Line:
    place, told = f"{store.rstrip('/')}/{one.name}", f"表 {one.name} を読めません（{one.fault}）。"
    if one.name in _OF_PEOPLE:
        return Line(FAULT, "保存先", f"{told}取り込み元から作り直せない内容（人が決めたこと、消した印、実行の記録）なので、{place} をバックアップから戻してください")
    return Line(FAULT, "保存先", f"{told}バックアップから戻すか、フォルダー {place} を保存先の外へ移してから voc run --full で作り直してください"
                "（取り込み元に残っていない声は戻りません）")  # fmt: skip


def _sources(config: Config, base: Path) -> list[Line]:
    findings = check_up(config, base=base, environ=os.environ)
    return [Line(FINE if one.is_fine else FAULT, one.place, one.told) for one in findings]


def _channels(config: Config) -> list[Line]:
    alerts, lines = config.alerts, []
    named = [("メール", alerts.mail and alerts.mail.password_env), ("Webhook", alerts.webhook and alerts.webhook.url_env)]
    for title, variable in named:
        if variable and not os.environ.get(variable, "").strip():
            lines.append(Line(FAULT, "お知らせ", f"{title}: 環境変数 {variable} が設定されていません"))
    used = [title for title, place in (("メール", alerts.mail), ("Webhook", alerts.webhook), ("ファイル", alerts.file)) if place]
    if not lines:
        told = f"{'、'.join(used)}で送ります（ここでは送信を試しません）" if used else "送り先がありません（設定 [alerts]）。表 alerts と voc status で見られます"
        lines.append(Line(FINE, "お知らせ", told))
    return lines
