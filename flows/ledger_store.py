"""The ledger in the store: events first, for they are the truth; what a person wrote meanwhile is never lost."""

import pandas as pd

from voc.errors import TableError, VocError
from voc.issues.events import append_events, fix_actions, restored
from voc.issues.prototypes import count_sentences, restate_mentions
from voc.store import read_table, replace_table, write_table
from voc.tables import ACTIONS, ISSUE_EVENTS, ISSUES, MENTIONS


def read_ledger(store: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(ISSUES, ISSUE_EVENTS): the issues as the events have them, also where a command was cut off half way."""
    events = read_table(ISSUE_EVENTS, store=store)
    return restored(events, read_table(ISSUES, store=store)), events


def write_ledger(
    issues: pd.DataFrame, events: pd.DataFrame, mentions: pd.DataFrame, *, store: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write issue_events, mentions, issues and actions, with the events that were stored since `events` was read.

    `issues` gives the measured columns, everything else follows from the events. Returns the three as written. Raises
    VocError where an event of this command does not fit what was stored meanwhile; nothing is written then.
    """
    stored = read_table(ISSUE_EVENTS, store=store)
    own = events[~events["event_id"].isin(stored["event_id"])].sort_values("position").drop(columns=["event_id", "position"])
    joined = append_events(stored, own.astype(object).where(own.notna(), None).to_dict("records"))
    try:
        issues = restored(joined, issues)
    except TableError as error:
        raise VocError(f"この処理の間に台帳が別の操作で変わったため、保存しませんでした。もう一度実行してください。（{error}）") from None
    mentions = restate_mentions(mentions, issues)
    issues = count_sentences(issues, mentions)
    replace_table(joined, ISSUE_EVENTS, store=store)
    write_table(mentions, MENTIONS, store=store)
    write_table(issues, ISSUES, store=store)
    write_table(fix_actions(joined, issues), ACTIONS, store=store)
    return issues, joined, mentions
