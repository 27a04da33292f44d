"""The whole main job as one Prefect flow: `voc run` and `voc demo` are this flow.

Its only parameter is a path: Prefect keeps parameters in its database, tables and configuration with them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.alert import alert
from flows.analyze import analyze, as_of_day, tables_for_reports
from flows.ingest import ingest
from flows.record import RunRecord
from flows.report import report
from flows.settings import store_of
from flows.tasks import edge_task
from voc.config import load_config
from voc.removal import expire
from voc.reports.content import headline
from voc.store import append_rows, read_table, versions
from voc.tables import CONTACTS, RUNS

expire_task = edge_task(expire, name="保存期間を過ぎた声の削除")


@dataclass(frozen=True)
class RunResult:
    """What a person wants to know after a run: the report files, the headline sentences, the counts."""

    reports: list[Path]
    headlines: list[str]
    counts: dict
    seconds: dict
    notices: list[str]


@flow(name="voc", validate_parameters=False, persist_result=False)
def run(config_path: str, *, is_quiet: bool = False, is_full: bool = False) -> RunResult:
    """Pull what is new, analyse and report by the configuration file at `config_path`; all is read again where `is_full`.

    Raises VocError (in Japanese) where the configuration is wrong or no source can be read.
    """
    path = Path(config_path).resolve()
    config = load_config(path)
    base, record = path.parent, RunRecord(config, is_quiet=is_quiet, log_folder=path.parent / config.reports.path / "logs")
    store = store_of(config, base)
    record.log("run_started", pid=os.getpid())
    ingest(config, base=base, store=store, record=record, is_full=is_full)
    if config.privacy.retention_months is not None:
        last_day = as_of_day(config, read_table(CONTACTS, store=store))
        record.counts["expired"] = expire_task(store=store, months=config.privacy.retention_months, as_of_on=last_day)
    as_of_on = analyze(config, store=store, base=base, record=record)
    tables = tables_for_reports(store)
    tables["runs"] = _with(tables["runs"], record.row(as_of_on=as_of_on, status="reporting"))
    written = report(config, tables, folder=base / config.reports.path, record=record)
    alert(config, tables, base=base, store=store, record=record, as_of_on=as_of_on)
    append_rows(record.row(as_of_on=as_of_on, status="completed", tables=versions(store=store)), RUNS, store=store)
    record.log("run_completed", seconds=sum(record.seconds.values()), counts=record.counts)
    sentences = headline(tables)
    _tell_prefect(sentences, written)
    return RunResult(written, sentences, record.counts, record.seconds, list(dict.fromkeys(record.notices)))


def _with(runs: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([runs, row], ignore_index=True) if len(runs) else row


def _tell_prefect(sentences: list[str], written: list[Path]) -> None:
    """The headlines in Prefect's own interface; they hold figures and labels, no customer's words."""
    lines = [f"- {sentence}" for sentence in sentences] + [f"- レポート: {path.name}" for path in written]
    create_markdown_artifact(key="voc-headlines", markdown="\n".join(lines), description="主な結果")
    get_run_logger().info("reports written: %d", len(written))
