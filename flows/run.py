"""The whole main job as one Prefect flow: `voc run` and `voc demo` are this flow.

Its only parameter is a path: Prefect keeps parameters in its database, tables and configuration with them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from prefect import flow
from threadpoolctl import threadpool_limits

from flows.alert import alert
from flows.analyze import analyze, read_voices
from flows.compute import chunk_runner
from flows.ingest import ingest
from flows.leftover import end_servers_with_this_process
from flows.record import RunRecord
from flows.recovery import EXPIRING, VERSIONS, close_unfinished, is_expiring, ledger_versions, restore_ledger
from flows.report import report
from flows.report_files import tables_for_reports
from flows.settings import store_of
from flows.store_lock import store_lock
from flows.telling import reached, start_progress, tell_prefect
from voc.as_of import as_of_day
from voc.config import Config, load_config
from voc.errors import StoreError
from voc.parts import check_configured, configured_parts
from voc.reports.content import headline, ranking
from voc.runs import COMPLETED, FAILED, RUNNING
from voc.store import append_rows, drop_old_versions, versions
from voc.tables import RUNS


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
    end_servers_with_this_process()
    path = Path(config_path).resolve()
    config = load_config(path)
    for part in configured_parts(config.parts, config.value):
        check_configured(*part)
    base, record = path.parent, RunRecord(config, is_quiet=is_quiet, log_folder=path.parent / config.reports.path / "logs")
    store = store_of(config, base)
    with store_lock(store, base=base):
        record.log("run_started", pid=os.getpid())
        _begin(record, store=store)
        try:
            return _run(config, base=base, store=store, record=record, is_full=is_full)
        except Exception:
            _fail(record, store=store)
            raise


def _run(config: Config, *, base: Path, store: str, record: RunRecord, is_full: bool) -> RunResult:
    progress = start_progress()
    with chunk_runner(config.compute) as run_chunks:  # what follows needs the memory of its processes
        ingest(config, base=base, store=store, record=record, is_full=is_full, run_chunks=run_chunks)
        reached(progress, "取り込み", 30.0)
        contacts, said = read_voices(config, base=base, store=store, record=record, run_chunks=run_chunks)
    as_of_on = as_of_day(contacts, **record.days)
    with threadpool_limits(1):  # small matrices: two threads took four times the processor seconds of one beside other work
        analyze(contacts, said, config, as_of_on=as_of_on, base=base, store=store, record=record)
    del contacts, said
    reached(progress, "分析", 80.0)
    tables = tables_for_reports(config, store=store, started_at=record.started_at)
    tables["runs"] = _with(tables["runs"], record.row(as_of_on=as_of_on, status=RUNNING))
    written = report(config, tables, folder=base / config.reports.path, record=record)
    alert(config, tables, base=base, store=store, record=record, as_of_on=as_of_on)
    append_rows(record.row(as_of_on=as_of_on, status=COMPLETED, tables=versions(store=store)), RUNS, store=store)
    drop_old_versions(store=store)
    record.log("run_completed", seconds=sum(record.seconds.values()), counts=record.counts)
    sentences = headline(tables)
    reached(progress, "レポート作成", 100.0)
    tell_prefect(sentences, ranking(tables), written, n_notices=len(set(record.notices)))
    return RunResult(written, sentences, record.counts, record.seconds, list(dict.fromkeys(record.notices)))


def _begin(record: RunRecord, *, store: str) -> None:
    """What a run that was cut off left is put right, and this one is told to be running."""
    if close_unfinished(store=store):
        record.tell("前回の実行は途中で終わっています。その続きから実行します。")
    versions = ledger_versions(store=store)
    record.settings[VERSIONS] = versions
    if is_expiring(store=store):
        record.settings[EXPIRING] = True  # until it is done
    append_rows(record.row(as_of_on=None, status=RUNNING), RUNS, store=store)
    restore_ledger(versions, store=store)


def _fail(record: RunRecord, *, store: str) -> None:
    """The fault itself is told by the caller; where not even this row can be written the next run finds it cut off."""
    try:
        append_rows(record.row(as_of_on=None, status=FAILED), RUNS, store=store)
    except StoreError as error:
        record.tell(f"  {error}")


def _with(runs: pd.DataFrame, row: pd.DataFrame) -> pd.DataFrame:
    others = runs[~runs["run_id"].isin(row["run_id"])]
    return pd.concat([others, row], ignore_index=True) if len(others) else row

