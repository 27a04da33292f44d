"""Tables -> report files. No analysis happens here."""

from pathlib import Path

import pandas as pd

from flows.record import RunRecord
from flows.tasks import edge_task
from voc.config import Config
from voc.reports.html import write_reports
from voc.reports.issues_sheet import write_issues_sheet

write_reports_task = edge_task(write_reports, name="レポート作成")
write_issues_sheet_task = edge_task(write_issues_sheet, name="課題の表の作成")


def report(config: Config, tables: dict[str, pd.DataFrame], *, folder: Path, record: RunRecord) -> list[Path]:
    """Write every report of one run into `folder` and return the files."""
    row = tables["runs"].sort_values("started_at").iloc[-1]
    with record.stage("reports"):
        written = write_reports_task(tables, folder, config=config, run=row.to_dict())
        return [*written, write_issues_sheet_task(
            tables, folder, run_id=row["run_id"], as_of_on=row["as_of_on"], timezone=config.company.timezone,
        )]  # fmt: skip
