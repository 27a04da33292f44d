"""What calls and chats share: JSON records with turns -> rows of contacts and turns."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.parsing.dates import ALLOWED, parse_instant
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
    speaker_words,
    turn_id,
    yes_or_no,
)
from voc.parsing.tabular import NO_OBJECT, NO_RECORDS, TableFileError, json_records
from voc.raw import RawFile


@dataclass(frozen=True)
class Spelling:
    """Names under which a format keeps its turns; `[sources.columns]` overrules each of them."""

    turns: str
    speaker: str
    text: str = "text"
    said_at: str = "at"


def parse_conversations(file: RawFile, source: Source, *, spelling: Spelling, timezone: str) -> Rows:
    """Contacts and turns of one file. Raises SourceError where the file holds no usable record at all."""
    if file.fault:
        raise TableFileError(file.fault)
    records, broken = json_records(decode(file.data, encoding=source.encoding))
    contacts, turns = [], []
    faults = [reject(source.name, f"{file.name}:{row}", NO_OBJECT) for row in broken]
    if not records:
        raise TableFileError(NO_RECORDS)
    names = {name: source.columns.get(name, name) for name in (
        "contact_id", "customer_id", "started_at", "queue", "handle_seconds", "n_transfers", "is_resolved",
        "csat", "nps", "rating", "subject", "start_seconds", "note", "wrapup",
    )} | {
        "turns": source.columns.get("turns") or source.columns.get("messages") or spelling.turns,
        "speaker": source.columns.get("speaker") or source.columns.get("author") or spelling.speaker,
        "text": source.columns.get("text", spelling.text),
        "at": source.columns.get("at", spelling.said_at),
    }
    _refuse_other_layout([record for _, record in records], names)
    for row, record in records:
        source_row = f"{file.name}:{row}"
        contact, spoken, reasons = _read_record(record, names, source=source, source_row=source_row, timezone=timezone)
        faults += [reject(source.name, source_row, reason) for reason in reasons]
        if contact is not None:
            contacts.append(contact)
            turns += spoken
    return Rows(contacts, turns, faults)


def _refuse_other_layout(records: Sequence[dict], names: dict[str, str]) -> None:
    """A file in which no record at all has a start or turns is another format: said once, not per record."""
    found = sorted({str(key) for record in records[:100] for key in record})
    missing = [ours for ours in ("started_at", "turns") if not any(names[ours] in record for record in records)]
    if missing:
        listed = "、".join(f"{ours}（ファイルでは「{names[ours]}」のはず）" for ours in missing)
        raise SourceError(
            f"必要な項目がありません: {listed}。ある項目: {found[:30]}。"
            f"設定に [sources.columns] {missing[0]} = \"{found[0] if found else '項目名'}\" のように書いてください。"
        )


def _read_record(
    record: dict, names: dict[str, str], *, source: Source, source_row: str, timezone: str
) -> tuple[dict | None, list[dict], list[str]]:
    """(contact or None, its turns, reasons for what was left out)."""
    ours = {name: record.get(theirs) for name, theirs in names.items()}
    written = cell(ours["started_at"])
    started_at = parse_instant(written, timezone=timezone)
    if started_at is None:
        reason = f"開始日時 {names['started_at']} の値「{written[:30]}」を読めないため使いませんでした"
        return None, [], [f"{reason}（書き方: {ALLOWED}）。"]
    if not isinstance(ours["turns"], list):
        return None, [], [f"発話の一覧 {names['turns']} がないため使いませんでした。"]
    reasons: list[str] = []
    native = cell(ours["contact_id"])
    contact = {
        "contact_id": contact_id(source, native, source_row),
        "customer_id": identifier(cell(ours["customer_id"])) or None,
        "channel": source.channel or CHANNELS[source.format],
        "started_at": started_at,
        "queue": cell(ours["queue"]) or None,
        "wrapup": cell(ours["wrapup"]) or None,
        "handle_seconds": measure(ours, "handle_seconds", reasons),
        "n_transfers": measure(ours, "n_transfers", reasons),
        "is_resolved": yes_or_no(cell(ours["is_resolved"])),
        "csat": measure(ours, "csat", reasons),
        "nps": measure(ours, "nps", reasons, high=10),
        "rating": measure(ours, "rating", reasons),
        "subject": cell(ours["subject"]) or None,
        "source": source.name,
        "source_row": source_row,
    }
    turns = _read_turns(ours["turns"], names, source=source, contact=contact, timezone=timezone, reasons=reasons)
    if cell(ours["note"]):
        position, own_id = len(ours["turns"]), contact["contact_id"]
        turns.append({
            "turn_id": turn_id(own_id, position), "contact_id": own_id, "position": position, "speaker": "operator",
            "question": NOTE, "text": cell(ours["note"]), "source_row": source_row,
        })  # fmt: skip
    return contact, turns, reasons


def _read_turns(
    items: Sequence[object], names: dict[str, str], *, source: Source, contact: dict, timezone: str, reasons: list[str]
) -> list[dict]:
    turns, unknown, n_broken = [], Counter(), 0
    for position, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get(names["text"]), str):
            n_broken += 1
            continue
        who = cell(item.get(names["speaker"]))
        role = speaker(who, source)
        if role is None:
            unknown[who[:20]] += 1
            continue
        text = item[names["text"]].encode("utf-8", "ignore").decode()
        turns.append({
            "turn_id": turn_id(contact["contact_id"], position), "contact_id": contact["contact_id"],
            "position": position, "speaker": role, "text": text, "source_row": contact["source_row"],
            "start_seconds": _start_seconds(item, names, started_at=contact["started_at"], timezone=timezone),
        })  # fmt: skip
    if n_broken:
        reasons.append(f"本文 {names['text']} のない発話 {n_broken} 件を除きました。")
    if unknown:
        listed = "、".join(f"「{who}」{count} 件" for who, count in sorted(unknown.items()))
        reasons.append(f"話者が分からない発話を除きました: {listed}（使える値: {speaker_words()}。"
                       "ほかの言葉は [sources.speakers] に書けます）。")
    return turns


def _start_seconds(item: dict, names: dict[str, str], *, started_at, timezone: str) -> float | None:
    """Seconds from the start: as written, else from the time of the message."""
    written = duration(cell(item.get(names["start_seconds"])))
    if written is not None:
        return written if written >= 0 else None
    said_at = parse_instant(cell(item.get(names["at"])), timezone=timezone)
    seconds = (said_at - started_at).total_seconds() if said_at else math.nan
    return seconds if seconds >= 0 else None
