"""Tables -> report files. No analysis happens here."""

from pathlib import Path

import pandas as pd

from flows.record import RunRecord
from flows.report_files import BOOKS, printed_pdf
from flows.tasks import edge_task
from voc.config import Config
from voc.reports.html import write_cs_report, write_reports
from voc.reports.issues_sheet import write_issues_sheet
from voc.reports.powerpoint import write_deck
from voc.reports.workbook import write_workbook

write_reports_task = edge_task(write_reports, name="レポート作成")
write_issues_sheet_task = edge_task(write_issues_sheet, name="課題の表の作成")
write_cs_report_task = edge_task(write_cs_report, name="CS向け資料の作成")
write_workbook_task = edge_task(write_workbook, name="Excelの作成")
write_deck_task = edge_task(write_deck, name="経営向けスライドの作成")
print_task = edge_task(printed_pdf, name="経営向けPDFの作成")


def report(config: Config, tables: dict[str, pd.DataFrame], *, folder: Path, record: RunRecord) -> list[Path]:
    """Write every report of one run into `folder` and return the files."""
    row = tables["runs"].sort_values("started_at").iloc[-1]
    with record.stage("reports"):
        run = row.to_dict()
        written = write_reports_task(tables, folder, config=config, run=run)
        written.append(write_deck_task(tables, folder, config=config, run=run))
        printed, notices = print_task(folder / "executive.html", folder)
        written += printed
        record.notices += notices
        written.append(write_cs_report_task(tables, folder, config=config, run=run))
        for name, title, make in BOOKS:
            sheets = make(tables, config=config, run=run)
            written.append(write_workbook_task(sheets, folder / f"{name}.xlsx", title=title, as_of_on=row["as_of_on"]))
        return [*written, write_issues_sheet_task(
            tables, folder, run_id=row["run_id"], as_of_on=row["as_of_on"], timezone=config.company.timezone,
        )]  # fmt: skip
