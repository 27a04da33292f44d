"""Report files from a store that holds a finished run: nothing is read from the sources, nothing analysed. No Prefect."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from flows.settings import store_of
from voc.as_of import day_of, up_to_run
from voc.config import Config
from voc.errors import VocError
from voc.reports.cs_pack import cs_sheets
from voc.reports.html import write_cs_report, write_daily, write_reports, write_weekly
from voc.reports.issues_sheet import write_issues_sheet
from voc.reports.pdf import PdfError, write_pdf
from voc.reports.powerpoint import write_deck
from voc.reports.product_sheets import product_sheets
from voc.reports.workbook import write_workbook
from voc.runs import in_order, latest_completed
from voc.store import read_table, read_version
from voc.tables import CONTACTS, EMBEDDINGS, RUNS, TABLES, UNFINISHED, Table

_VECTORS = {EMBEDDINGS.name, UNFINISHED.name}
PERIODS = ("daily", "weekly", "monthly")
_BOOKS = (("product", "お客様の声 プロダクト向け", product_sheets), ("cs", "お客様の声 CS向け", cs_sheets))


def render_period(config: Config, *, base: Path, period: str) -> tuple[list[Path], list[str]]:
    """(files, notices) of the last completed run: daily.html, weekly.html, or the three packs (`monthly`).

    Written to the folder of `config.reports` under `base`. Raises VocError where the store holds no completed run or
    `period` is none of PERIODS.
    """
    if period not in PERIODS:
        raise VocError(f"レポートの種類「{period}」はありません。使えるのは {'、'.join(PERIODS)} です。")
    store = store_of(config, base)
    runs, folder = read_table(RUNS, store=store), base / config.reports.path
    run = latest_completed(runs)
    if run is None:
        raise VocError(f"保存先 {store} に、終わった分析がありません。先に voc run を実行してください。")
    # a later run that failed may have left half of its tables; else what people edited since is to be seen at once
    is_last = in_order(runs)["run_id"].iloc[-1] == run["run_id"]
    left = None if is_last or not isinstance(run["tables"], str) else json.loads(run["tables"])
    tables = tables_for_reports(config, store=store, started_at=run["started_at"], versions=left)
    if period == "daily":
        return [write_daily(tables, folder, config=config, run=run)], []
    if period == "weekly":
        return [write_weekly(tables, folder, config=config, run=run)], []
    return write_packs(tables, folder, config=config, run=run)


def tables_for_reports(
    config: Config, *, store: str, started_at: datetime, versions: Mapping[str, int] | None = None
) -> dict[str, pd.DataFrame]:
    """Every table of the store by name but the vectors, which no report shows; contacts as a run begun at `started_at` saw
    them.

    `versions`: those that the run left (runs.tables), so that a run which failed after it does not get among its figures;
    without them, and where a version is gone (an erasure, its age), the table of now. RUNS is always that of now.
    """
    def read(table: Table) -> pd.DataFrame:
        found = None if versions is None or table.name == RUNS.name else read_version(table, versions.get(table.name), store=store)
        return read_table(table, store=store) if found is None else found

    tables = {name: read(table) for name, table in TABLES.items() if name not in _VECTORS}
    company = config.company
    days = {"given": company.as_of_on, "run_on": day_of(started_at, company.timezone), "timezone": company.timezone}
    return tables | {CONTACTS.name: up_to_run(tables[CONTACTS.name], **days)}


def write_packs(tables: dict[str, pd.DataFrame], folder: Path, *, config: Config, run: Mapping) -> tuple[list[Path], list[str]]:
    """(files, notices) of the three packs and the sheet of issues; `run` is the row of RUNS that they tell of."""
    written = [*write_reports(tables, folder, config=config, run=run), write_deck(tables, folder, config=config, run=run)]
    printed, notices = _printed(folder / "executive.html", folder)
    written += [*printed, write_cs_report(tables, folder, config=config, run=run)]
    for name, title, make in _BOOKS:
        written.append(write_workbook(make(tables, config=config, run=run), folder / f"{name}.xlsx", title=title, as_of_on=run["as_of_on"]))
    written.append(write_issues_sheet(tables, folder, run_id=run["run_id"], as_of_on=run["as_of_on"], timezone=config.company.timezone))
    return written, notices


def _printed(page: Path, folder: Path) -> tuple[list[Path], list[str]]:
    """(files, notices): a machine that cannot print is told so, and the run goes on without the PDF."""
    try:
        return [write_pdf(page, folder)], []
    except PdfError as error:
        return [], [str(error)]
