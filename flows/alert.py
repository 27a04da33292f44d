"""After a report: what a person should hear of is stored, and sent where `[alerts]` says so.

No Prefect task here: that a night failed has to be told where Prefect is what failed.
"""

import json
import os
from pathlib import Path

import pandas as pd

from flows.company_tables import COMPANY
from flows.record import RunRecord
from flows.schedule import JOBS
from voc.alerts import GRAVE, RUN_FAILED, merge_alerts, raise_alerts
from voc.config import Config
from voc.delivery import send_alerts
from voc.runs import latest_completed
from voc.store import read_table, write_table
from voc.tables import ALERTS, content_sha

ROWS = "rows_by_source"
"""In the counts of a run: source -> [rows used, rows rejected], all that is stored."""


def alert(
    config: Config, tables: dict[str, pd.DataFrame], *, base: Path, store: str, record: RunRecord, as_of_on: pd.Timestamp
) -> None:
    """Write ALERTS of this run and send what was not sent. A channel that fails is a notice of the run, no fault."""
    with record.stage("alerts"):
        record.counts[ROWS] = rows_by_source(config, tables)
        # a fixed analysis date speaks of its own time; the day after the last contact would never see that all fell silent
        today = pd.Timestamp(config.company.as_of_on) - pd.Timedelta(days=1) if config.company.as_of_on else record.started_on
        before = read_table(ALERTS, store=store)
        raised = raise_alerts(
            {**tables, ALERTS.name: before}, sources=[source.name for source in config.sources],
            rows_before=_rows_before(tables["runs"]), rows_now=record.counts[ROWS], as_of_on=as_of_on, today=today,
            timezone=config.company.timezone,
        )  # fmt: skip
        raised = _closed(raised, job="daily", day=as_of_on)
        _send(raised, before, config, base=base, store=store, record=record, on=as_of_on)


def alert_failure(config: Config, *, base: Path, store: str, record: RunRecord, job: str, error: str) -> None:
    """A scheduled `job` failed with the class of fault `error`: one alert a day."""
    before, day = read_table(ALERTS, store=store), record.started_on
    text = f"{JOBS[job]}が最後まで進みませんでした（{error}）。voc status と voc doctor で確かめてください。"
    found = {"kind": RUN_FAILED, "subject": job, "severity": GRAVE, "text": text, "evidence": ["voc status"], "value_yen": None}
    raised = merge_alerts(before, [{**found, "period": f"{day:%Y-%m-%d}"}], day=day, closing=_failed(before, job))
    _send(raised, before, config, base=base, store=store, record=record, on=day)


def close_failure(*, store: str, job: str, day: pd.Timestamp) -> None:
    """A scheduled `job` came through: its open failure is over."""
    before = read_table(ALERTS, store=store)
    _store(_closed(before, job=job, day=day), before, store=store)


def _failed(alerts: pd.DataFrame, job: str) -> pd.Series:
    return (alerts["kind"] == RUN_FAILED) & (alerts["subject"] == job)


def _closed(alerts: pd.DataFrame, *, job: str, day: pd.Timestamp) -> pd.DataFrame:
    return merge_alerts(alerts, [], day=day, closing=_failed(alerts, job))


def rows_by_source(config: Config, tables: dict[str, pd.DataFrame]) -> dict[str, list[int]]:
    """Source -> [rows stored, rows rejected]. A table of the company's own counts for its source where it has but one."""
    rejects, contacts = tables["rejects"], tables["contacts"]["source"].value_counts()
    rejected = rejects.drop_duplicates(["source", "source_row"])["source"].value_counts()
    formats = [source.format for source in config.sources]
    return {
        source.name: [int(contacts.get(source.name, 0)) if source.format not in COMPANY else len(tables[COMPANY[source.format].name]),
                      int(rejected.get(source.name, 0))]
        for source in config.sources
        if source.format not in COMPANY or formats.count(source.format) == 1
    }  # fmt: skip


def _rows_before(runs: pd.DataFrame) -> dict[str, list[int]]:
    before = latest_completed(runs)
    return json.loads(before["counts"]).get(ROWS, {}) if before else {}


def _send(
    raised: pd.DataFrame, before: pd.DataFrame, config: Config, *, base: Path, store: str, record: RunRecord, on: pd.Timestamp
) -> None:
    known = set(before["alert_id"])
    _store(raised, before, store=store)  # before the first byte leaves: what is sent can be looked up
    sent = send_alerts(raised, config.alerts, company=config.company.name, base=base, environ=os.environ, on=on)
    _store(sent.alerts, raised, store=store)
    record.notices += sent.faults
    record.counts["alerts"] = {
        "open": int(raised["is_open"].sum()), "new": int((~raised["alert_id"].isin(known)).sum()), "sent": sent.counts,
        "failed_channels": len(sent.faults),
    }  # fmt: skip


def _store(frame: pd.DataFrame, stored: pd.DataFrame, *, store: str) -> None:
    if content_sha(frame) != content_sha(stored):
        write_table(frame, ALERTS, store=store)
