"""After a run that never finished: what it left is told, and the ledger is what it was before that run.

The tables up to the calls prove row by row whether they hold (voc/increment.py), and all later ones are made anew. The
ledger alone grows from itself: a run that wrote it and was cut off then would be counted twice.
"""

import json

import pandas as pd

from voc.issues.categories import BY as CATEGORIES
from voc.issues.events import VOC
from voc.runs import COMPLETED, FAILED, INTERRUPTED, in_order
from voc.store import append_rows, read_table, read_version, table_version, write_table
from voc.tables import ISSUE_EVENTS, ISSUE_LABELS, ISSUES, MENTIONS, RUNS

_LEDGER = (ISSUE_EVENTS, MENTIONS, ISSUES)
VERSIONS, EXPIRING = "ledger_versions", "is_expiring"
"""In `settings` of RUNS: the ledger that a run began from; that it was removing contacts by their age."""
_BY_RUNS = {VOC, CATEGORIES}  # the list of categories is read anew by each run


def close_unfinished(*, store: str) -> int:
    """Mark runs that were cut off as interrupted. Returns how many there were."""
    runs = read_table(RUNS, store=store)
    cut = runs[~runs["status"].isin({COMPLETED, FAILED, INTERRUPTED})]
    if len(cut):
        append_rows(cut.assign(status=INTERRUPTED), RUNS, store=store)
    return len(cut)


def ledger_versions(*, store: str) -> dict[str, int | None]:
    """The versions of the ledger's tables to begin from, by name (None: not written yet), for `settings` of RUNS.

    Those of now; or, where the last run did not come to its end and no person edited the ledger since, those that it
    began from. A run that was cut off while it removed contacts had not come to the ledger: what it took away stays away.
    """
    now, runs = current_versions(store=store), in_order(read_table(RUNS, store=store))
    if runs.empty or runs["status"].iloc[-1] == COMPLETED or is_expiring(store=store):
        return now
    last = runs.iloc[-1]
    before = json.loads(last["settings"]).get(VERSIONS)
    is_ours = before is not None and before != now and _is_of_runs_alone(before, since=last["started_at"], store=store)
    return before if is_ours else now


def current_versions(*, store: str) -> dict[str, int | None]:
    """The newest versions of the ledger's tables, by name."""
    return {table.name: table_version(table, store=store) for table in _LEDGER}


def is_expiring(*, store: str) -> bool:
    """Whether the last run was cut off while it removed contacts by their age, so that this has to be done again."""
    runs = in_order(read_table(RUNS, store=store))
    return bool(len(runs)) and bool(json.loads(runs["settings"].iloc[-1]).get(EXPIRING))


def restore_ledger(versions: dict[str, int | None], *, store: str) -> bool:
    """Make the ledger what it was at `versions`. Returns whether it was another one."""
    if versions == current_versions(store=store):
        return False
    for table in _LEDGER:
        write_table(read_version(table, versions[table.name], store=store), table, store=store)
    return True


def _is_of_runs_alone(versions: dict[str, int | None], *, since: pd.Timestamp, store: str) -> bool:
    """Whether the tables of `versions` can still be read, nobody but a run added to ISSUE_EVENTS after them, and nobody
    said of a sentence `since` then whether it belongs to its issue: such an answer names issues of the ledger of now."""
    if (read_table(ISSUE_LABELS, store=store)["labelled_at"] >= since).any():
        return False
    before = {table.name: read_version(table, versions[table.name], store=store) for table in _LEDGER}
    if any(frame is None for frame in before.values()):
        return False
    known, events = before[ISSUE_EVENTS.name], read_table(ISSUE_EVENTS, store=store)
    since = events[~events["event_id"].isin(known["event_id"])]
    return bool(since["by"].isin(_BY_RUNS).all()) and bool(known["event_id"].isin(events["event_id"]).all())
