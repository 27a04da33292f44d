"""Tables -> report files, as a stage of a run. No analysis happens here."""

from pathlib import Path

import pandas as pd

from flows.record import RunRecord
from flows.report_files import write_packs
from flows.tasks import edge_task
from voc.config import Config

write_packs_task = edge_task(write_packs, name="レポート作成")


def report(config: Config, tables: dict[str, pd.DataFrame], *, folder: Path, record: RunRecord) -> list[Path]:
    """Write every report of one run into `folder` and return the files."""
    with record.stage("reports"):
        run = tables["runs"].sort_values("started_at").iloc[-1].to_dict()
        written, notices = write_packs_task(tables, folder, config=config, run=run)
        record.notices += notices
    return written
