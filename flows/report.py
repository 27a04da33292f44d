"""Tables -> report files. No analysis happens here."""

from pathlib import Path

import pandas as pd

from flows.record import RunRecord
from flows.tasks import edge_task
from voc.config import Config
from voc.reports.html import write_reports

write_reports_task = edge_task(write_reports, name="レポート作成")


def report(config: Config, tables: dict[str, pd.DataFrame], *, folder: Path, record: RunRecord) -> list[Path]:
    """Write every report of one run into `folder` and return the files."""
    row = tables["runs"].sort_values("started_at").iloc[-1]
    with record.stage("reports"):
        return write_reports_task(tables, folder, config=config, run=row.to_dict())
