"""Calls as a table of turns, as call-centre systems and Japanese recognisers export them: one row per turn."""

from collections import Counter
from datetime import datetime

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.recording import unknown_speakers
from voc.parsing.records import (
    CHANNELS,
    NOTE,
    Rows,
    cell,
    contact_id,
    duration,
    measure,
    reject,
    speaker,
    turn_id,
    yes_or_no,
)
from voc.parsing.tabular import read_table
from voc.raw import RawFile

_MEASURES = ("handle_seconds", "n_transfers", "csat", "nps", "rating")
_HIGHEST = {"nps": 10.0}


def parse_turns(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one table (CSV, Excel, JSON lines) with one row per turn.

    `[sources.columns]`: contact_id, started_at, speaker, text and, where there are any, customer_id, start_seconds,
    handle_seconds, queue, n_transfers, is_resolved, csat, subject, note (the operator's note, kept as an operator's
    turn with the question 応対メモ) and wrapup (the wrap-up code). Rows of one contact_id are one contact in their
    order; its values are the first that are filled. started_at may be the start of the call or of each turn.
    Raises SourceError where needed columns are missing.
    """
    frame, faults = read_table(file, source)
    calls: dict[str, list[dict]] = {}
    for record in frame.to_dict("records"):
        native = cell(record["contact_id"])
        if native:
            calls.setdefault(identifier(native), []).append(record)
        else:
            faults.append(reject(source.name, record["source_row"], "contact_id が空の行のため使いませんでした。"))
    contacts, turns = [], []
    for native, records in calls.items():
        contact, spoken, reasons = _read_call(native, records, source, timezone=timezone)
        faults += [reject(source.name, records[0]["source_row"], reason) for reason in reasons]
        if contact is not None:
            contacts.append(contact)
            turns += spoken
    return Rows(contacts, turns, faults)


def _read_call(
    native: str, records: list[dict], source: Source, *, timezone: str
) -> tuple[dict | None, list[dict], list[str]]:
    times = [parse_instant(record["started_at"], timezone=timezone) for record in records]
    known = [time for time in times if time is not None]
    if not known:
        written = next((record["started_at"] for record in records if record["started_at"]), "")
        reason = f"通話 {native[:40]} の開始日時「{written[:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。"
        return None, [], [reason]
    first = {column: _first(records, column) for column in (
        "customer_id", "queue", "wrapup", "subject", "is_resolved", *_MEASURES)}  # fmt: skip
    reasons: list[str] = []
    source_row = records[0]["source_row"]
    contact = {
        "contact_id": contact_id(source, native, source_row),
        "customer_id": identifier(first["customer_id"]) or None,
        "channel": source.channel or CHANNELS["turns"],
        "started_at": min(known),
        "queue": first["queue"] or None,
        "wrapup": first["wrapup"] or None,
        "subject": first["subject"] or None,
        "is_resolved": yes_or_no(first["is_resolved"]),
        "source": source.name,
        "source_row": source_row,
    } | {column: measure(first, column, reasons, high=_HIGHEST.get(column, float("inf"))) for column in _MEASURES}
    return contact, _read_turns(records, times, contact, source, reasons), reasons


def _read_turns(
    records: list[dict], times: list[datetime | None], contact: dict, source: Source, reasons: list[str]
) -> list[dict]:
    # one time for all rows is the start of the call and says nothing of the turns
    are_timed = len({time for time in times if time is not None}) > 1
    said, unknown, n_empty, notes = [], Counter(), 0, {}
    for record, time in zip(records, times, strict=True):
        note, text = record.get("note", ""), record["text"]
        if note:
            notes.setdefault(note, None)
        if not text:
            n_empty += not note
            continue
        role = speaker(record["speaker"], source) if record["speaker"] else "unknown"
        if role is None:
            unknown[record["speaker"][:20]] += 1
        start = duration(cell(record.get("start_seconds")))
        if start is None and are_timed and time is not None:
            start = (time - contact["started_at"]).total_seconds()
        start = start if start is None or start >= 0 else None
        said.append({"speaker": role or "unknown", "text": text, "start_seconds": start})
    if unknown:
        reasons.append(unknown_speakers(unknown))
    if n_empty:
        reasons.append(f"本文のない発話 {n_empty} 件を除きました。")
    said += [{"speaker": "operator", "question": NOTE, "text": note} for note in notes]
    own = {"contact_id": contact["contact_id"], "source_row": contact["source_row"]}
    return [
        turn | own | {"turn_id": turn_id(contact["contact_id"], position), "position": position}
        for position, turn in enumerate(said)
    ]


def _first(records: list[dict], column: str) -> str:
    return next((value for record in records if (value := cell(record.get(column)))), "")
