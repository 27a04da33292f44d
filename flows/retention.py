"""Contacts that the company keeps no longer, out of the store before anything is made of them."""

from functools import partial
from pathlib import Path

import pandas as pd

from flows.chunks import OPINION_MODEL
from flows.fingerprints import fingerprints, marks_by
from flows.record import RunRecord
from flows.recovery import EXPIRING, VERSIONS, current_versions
from flows.tasks import edge_task
from voc.as_of import as_of_day
from voc.config import Config
from voc.erasure import is_too_old
from voc.increment import text_marks
from voc.issue_space import models_of
from voc.removal import expire
from voc.runs import RUNNING
from voc.store import append_rows
from voc.tables import RUNS

expire_task = edge_task(expire, name="保存期間を過ぎた声の削除")


def expire_contacts(config: Config, contacts: pd.DataFrame, *, base: Path, store: str, record: RunRecord) -> bool:
    """Remove the `contacts` of `store` that are older than retention_months. Returns whether anything was to be removed.

    Months are counted from the analysis date, or from the day after the run's where that is earlier: a wrong date far
    ahead takes nothing away. The run tells in RUNS that it removes and, after it, from which versions of the ledger it
    goes on, so that a run that is cut off here is put right by the next one (flows/recovery.py).
    """
    months, zone = config.privacy.retention_months, config.company.timezone
    as_of_on = as_of_day(contacts, **record.days)
    as_of_on = min(as_of_on, record.started_on + pd.Timedelta(days=1))
    if months is not None:
        record.counts["expired"] = {}
    is_any = months is not None and is_too_old(contacts, months=months, as_of_on=as_of_on, timezone=zone).any()
    if not is_any and not record.settings.get(EXPIRING):
        return False
    record.settings[EXPIRING] = True
    append_rows(record.row(as_of_on=None, status=RUNNING), RUNS, store=store)
    kept = partial(_vector_marks, config=config, base=base)
    record.counts["expired"] = expire_task(store=store, months=months, as_of_on=as_of_on, timezone=zone, marks_of=kept)
    del record.settings[EXPIRING]
    record.settings[VERSIONS] = current_versions(store=store)
    append_rows(record.row(as_of_on=None, status=RUNNING), RUNS, store=store)
    return True


def _vector_marks(texts: pd.Series, *, config: Config, base: Path) -> set[str]:
    """What the vectors of `texts` bear as `made_from`, of all models of a run."""
    terms = base / config.japanese.terms if config.japanese.terms else None
    by = marks_by(fingerprints(terms=terms, parts=config.parts))
    stages = {*models_of(config.parts.embedder), "use", f"{OPINION_MODEL}_vectors"}
    return {mark for stage in stages for mark in text_marks(texts.drop_duplicates(), by=by[stage])}
