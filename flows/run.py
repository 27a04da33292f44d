"""The whole main job as one Prefect flow: `voc run` and `voc demo` are this flow.

Its only parameter is a path: Prefect keeps parameters in its database, tables and configuration with them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from prefect import flow

from flows.alert import alert
from flows.analyze import analyze, as_of_day, tables_for_reports
from flows.ingest import ingest
from flows.record import RunRecord
from flows.report import report
from flows.settings import store_of
from flows.tasks import edge_task
from flows.telling import reached, start_progress, tell_prefect
from voc.config import load_config
from voc.removal import expire
from voc.reports.content import headline, ranking
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
    store, progress = store_of(config, base), start_progress()
    record.log("run_started", pid=os.getpid())
    ingest(config, base=base, store=store, record=record, is_full=is_full)
    if config.privacy.retention_months is not None:
        last_day = as_of_day(config, read_table(CONTACTS, store=store))
        record.counts["expired"] = expire_task(store=store, months=config.privacy.retention_months, as_of_on=last_day)
    reached(progress, "取り込み", 30.0)
    as_of_on = analyze(config, store=store, base=base, record=record)
    reached(progress, "分析", 80.0)
    tables = tables_for_reports(store)
    tables["runs"] = _with(tables["runs"], record.row(as_of_on=as_of_on, status="reporting"))
    written = report(config, tables, folder=base / config.reports.path, record=record)
    alert(config, tables, base=base, store=store, record=record, as_of_on=as_of_on)
    append_rows(record.row(as_of_on=as_of_on, status="completed", tables=versions(store=store)), RUNS, store=store)
    record.log("run_completed", seconds=sum(record.seconds.values()), counts=record.counts)
    sentences = headline(tables)
    reached(progress, "レポート作成", 100.0)
    tell_prefect(sentences, ranking(tables), written, n_notices=len(set(record.notices)))
    return RunResult(written, sentences, record.counts, record.seconds, list(dict.fromkeys(record.notices)))


def _with(runs: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([runs, row], ignore_index=True) if len(runs) else row

