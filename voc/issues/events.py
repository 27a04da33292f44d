"""The history of the ledger: every change is an event, and the ledger is what its events say.

kind          issue_id       from -> to                    definition (JSON)
birth         the new issue  parent issue of a split? -> label   kind, status, label_by, parent, first_seen_at, centroid, threshold
rename        -              old label -> new label
merge         the one that goes   -> the survivor
split         the original   -> ids of the new parts       centroid and threshold of what stays; moved prototypes
recentre      -                                            centroid, threshold
accept lock unlock exclude include close reopen death     old status -> new status    close: on (date)
assign_owner set_effort set_due set_parent                old value -> new value (empty: none)
fix           -              -> date of the action; `note` says what was done

`replay(events)` gives the columns of table ISSUES but MEASURED (exemplar_ids, keywords, n_sentences): these
are measured by each run on the sentences that there are, so that an erased sentence is in no event.
"""

import hashlib
import json
from collections.abc import Iterable

import numpy as np
import pandas as pd

from voc.errors import TableError
from voc.tables import ACTIONS, ISSUE_EVENTS, ISSUES, check, empty

VOC = "voc"  # `by` of what a run decides; any other name is a person's
MEASURED = ("exemplar_ids", "keywords", "n_sentences")
"""Columns of ISSUES that no event has."""
STATUS_KINDS = frozenset("accept lock unlock exclude include close reopen death".split())
VALUE_KINDS = {"assign_owner": "owner", "set_effort": "effort", "set_due": "due_on", "set_parent": "parent"}
EVENT_KINDS = STATUS_KINDS | set(VALUE_KINDS) | {"birth", "rename", "merge", "split", "recentre", "fix"}
DRIFTING = ("candidate", "open")
"""Only issues of these statuses may be moved by a run; all others keep centroid and label."""
UNREPORTED = ("excluded", "merged", "dead")
"""Issues of these statuses take their sentences but stand in no report and no ranking."""


def event_row(issue_id: str, kind: str, *, at: pd.Timestamp, by: str, **values: object) -> dict:
    """One event as a dict. `values`: old (column from), to, note, definition (a dict, written as JSON)."""
    if kind not in EVENT_KINDS:
        raise ValueError(f"kind is {kind!r}; allowed are {sorted(EVENT_KINDS)}")
    definition = values.get("definition")
    return {
        "issue_id": issue_id, "kind": kind, "at": pd.Timestamp(at), "by": by, "from": _text(values.get("old")),
        "to": _text(values.get("to")), "note": _text(values.get("note")),
        "definition": None if definition is None else json.dumps(definition, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    }  # fmt: skip


def birth_rows(born: pd.DataFrame, *, at: pd.Timestamp, by: str = VOC, old: str | None = None, note: str | None = None, **more) -> list[dict]:
    """Birth events of rows of ISSUES. `old`: the issue that they were split from; `more` goes into the definition."""
    return [
        event_row(
            row["issue_id"], "birth", at=at, by=by, old=old, to=row["label"], note=note,
            definition={
                "kind": row["kind"], "status": row["status"], "label_by": _text(row.get("label_by")) or by,
                "parent": _text(row.get("parent")), "first_seen_at": pd.Timestamp(row["first_seen_at"]).isoformat(),
                **place_of(row["centroid"], row["threshold"]), **more,
            },
        )
        for row in born.to_dict("records")
    ]  # fmt: skip


def place_of(centroid: Iterable[float], threshold: float) -> dict:
    """Centroid and threshold as a definition keeps them: rounded to 4 decimals."""
    return {"centroid": np.round(np.asarray(centroid, dtype=np.float64), 4).tolist(), "threshold": round(float(threshold), 4)}


def append_events(history: pd.DataFrame, rows: Iterable[dict]) -> pd.DataFrame:
    """ISSUE_EVENTS with `rows` (of `event_row`) behind `history`, numbered on. An event that is there already is left out."""
    known = set(history["event_id"])
    position = int(history["position"].max()) if len(history) else 0
    added = []
    for row in rows:
        event_id = _event_id(row)
        if event_id not in known:
            position += 1
            known.add(event_id)
            added.append({"event_id": event_id, "position": position, **row})
    parts = [part for part in (history, pd.DataFrame(added)) if len(part)]
    return check(pd.concat(parts, ignore_index=True), ISSUE_EVENTS) if parts else empty(ISSUE_EVENTS)


def replay(events: pd.DataFrame) -> pd.DataFrame:
    """ISSUES from ISSUE_EVENTS alone, in the order of `position`; measured columns are empty.

    Raises TableError where an event does not fit the ledger before it.
    """
    state: dict[str, dict] = {}
    for event in _in_order(events):
        state = apply_event(state, event)
    if not state:
        return empty(ISSUES)
    rows = pd.DataFrame(list(state.values())).assign(n_sentences=0)
    return check(rows.assign(**{name: [[] for _ in range(len(rows))] for name in ("exemplar_ids", "keywords")}), ISSUES)


def restored(events: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """ISSUES as the events have it, with the measured columns of the stored `issues`.

    The events are the truth: a command that was cut off between two tables is completed by this.
    """
    ledger = replay(events)
    if ledger.empty or issues.empty:
        return ledger
    for name in MEASURED:
        known = dict(zip(issues["issue_id"], issues[name], strict=True))
        ledger[name] = [known.get(issue_id, value) for issue_id, value in zip(ledger["issue_id"], ledger[name], strict=True)]
    return check(ledger, ISSUES)


def apply_event(state: dict[str, dict], event: dict) -> dict[str, dict]:
    """The ledger after one event: `state` maps an issue_id to its columns but MEASURED and is not changed itself."""
    issue_id, kind = event["issue_id"], event["kind"]
    definition = json.loads(event["definition"]) if event["definition"] else {}
    if kind == "birth":
        if issue_id in state:
            raise _misfit(event, "この番号は使用済みです")
        return {**state, issue_id: _born(event, definition)}
    if issue_id not in state:
        raise _misfit(event, "この番号は台帳にありません")
    row = state[issue_id]
    if event["by"] == VOC:
        _refuse_drift(row, event)
    if kind == "merge":
        return _merged(state, event)
    if kind == "split":
        return _split(state, event, definition)
    return {**state, issue_id: {**row, **_change(row, event, definition)}}


def _change(row: dict, event: dict, definition: dict) -> dict:
    kind, to = event["kind"], event["to"]
    if kind == "rename":
        return {"label": to, "label_by": event["by"]}
    if kind == "recentre":
        return {"centroid": definition["centroid"], "threshold": definition["threshold"]}
    if kind in VALUE_KINDS:
        return {VALUE_KINDS[kind]: _value(kind, to)}
    if kind == "fix":
        return {}
    if kind not in STATUS_KINDS:
        raise _misfit(event, f"種類は {sorted(EVENT_KINDS)} のどれかです")
    if row["status"] == "merged":
        raise _misfit(event, "統合済みの課題です")
    return {"status": to, "closed_on": pd.Timestamp(definition["on"]) if kind == "close" else None}


def advance(issues: pd.DataFrame, history: pd.DataFrame, rows: Iterable[dict]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(ISSUES, ISSUE_EVENTS) after `rows` of `event_row` came behind `history`."""
    history = append_events(history, rows)
    return restored(history, issues), history


def survivors(issues: pd.DataFrame) -> dict[str, str]:
    """issue_id -> the issue that it belongs to now: itself, or the end of its chain of merges."""
    links = dict(zip(issues["issue_id"], issues["merged_into"], strict=True))
    return {issue_id: _root(links, issue_id) for issue_id in links}


def fix_actions(events: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """ACTIONS: what was done about an issue and when, from its fix events; a merged issue's actions are its survivor's."""
    fixes = events[events["kind"] == "fix"].sort_values("position")
    if fixes.empty:
        return empty(ACTIONS)
    home = survivors(issues)
    return check(
        pd.DataFrame({
            "action_id": fixes["event_id"], "issue_id": fixes["issue_id"].map(home), "done_on": pd.to_datetime(fixes["to"]),
            "note": fixes["note"], "by": fixes["by"], "recorded_at": fixes["at"],
        }), ACTIONS,
    )  # fmt: skip


def next_number(issue_ids: Iterable[str]) -> int:
    """The number of the next issue: one above all that were ever given."""
    return max((int(issue_id.rsplit("-", 1)[1]) for issue_id in issue_ids), default=0) + 1


def issue_id_of(number: int) -> str:
    return f"VOC-{number:04d}"


def _in_order(events: pd.DataFrame) -> list[dict]:
    rows = events.sort_values("position", kind="stable").astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def _born(event: dict, definition: dict) -> dict:
    if "centroid" not in definition:
        raise _misfit(event, "古い版の voc が書いた履歴です。台帳（issues と issue_events）を別の場所へ移し、voc run で作り直してください")
    return {
        "issue_id": event["issue_id"], "parent": definition["parent"], "label": event["to"], "label_by": definition["label_by"],
        "kind": definition["kind"], "status": definition["status"], "merged_into": None, "owner": None,
        "first_seen_at": pd.Timestamp(definition["first_seen_at"]), "closed_on": None, "centroid": definition["centroid"],
        "threshold": definition["threshold"], "effort": None, "due_on": None,
    }  # fmt: skip


def _merged(state: dict[str, dict], event: dict) -> dict[str, dict]:
    issue_id, target = event["issue_id"], event["to"]
    if target not in state:
        raise _misfit(event, f"統合先 {target} は台帳にありません")
    root = _root({name: row["merged_into"] for name, row in state.items()}, target)
    row = state[issue_id]
    if root == issue_id or row["merged_into"]:
        raise _misfit(event, "自分自身への統合、または統合済みの課題の統合です")
    first = min(row["first_seen_at"], state[root]["first_seen_at"])
    return {
        **state,
        issue_id: {**row, "status": "merged", "merged_into": root, "closed_on": None},
        root: {**state[root], "first_seen_at": first},
    }


def _split(state: dict[str, dict], event: dict, definition: dict) -> dict[str, dict]:
    """The original gets the place of what stays; prototypes of issues merged into it go where most of theirs went."""
    new = {**state, event["issue_id"]: {**state[event["issue_id"]], "centroid": definition["centroid"], "threshold": definition["threshold"]}}
    for issue_id, place in definition["moved"].items():
        # the part is born by one of the next events
        new[issue_id] = {**new[issue_id], "merged_into": place["into"], "centroid": place["centroid"], "threshold": place["threshold"]}
    return new


def _refuse_drift(row: dict, event: dict) -> None:
    if event["kind"] == "recentre" and row["status"] not in DRIFTING:
        raise _misfit(event, f"状態が {row['status']} の課題は自動では動きません")
    if event["kind"] == "rename" and (row["label_by"] != VOC or row["status"] not in DRIFTING):
        raise _misfit(event, "人が付けた名前と固定した課題の名前は自動では変わりません")


def _root(links: dict[str, str | None], issue_id: str) -> str:
    seen = []
    while isinstance(links.get(issue_id), str):
        seen.append(issue_id)
        issue_id = links[issue_id]
        if issue_id in seen:
            raise TableError(f"table issues: merged_into goes in a circle: {seen}")
    return issue_id


def _value(kind: str, to: str | None) -> object:
    if to is None:
        return None
    return float(to) if kind == "set_effort" else pd.Timestamp(to) if kind == "set_due" else to


def _misfit(event: dict, reason: str) -> TableError:
    return TableError(f"課題台帳の履歴 {event.get('event_id', '')}（{event['issue_id']} の {event['kind']}）を再現できません: {reason}。")


def _text(value: object) -> str | None:
    """A cell as text; empty, missing and blank are None."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT or value is pd.NA:
        return None
    return str(value) or None


def _event_id(row: dict) -> str:
    content = [row["issue_id"], row["kind"], row["at"].isoformat(), row["by"], row["from"], row["to"], row["note"], row["definition"]]
    return "E" + hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]
