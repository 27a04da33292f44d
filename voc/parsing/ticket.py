"""Tickets: help-desk exports as JSON (Zendesk's spelling), with comments or flat."""

import json
from datetime import datetime

from voc.cleaning.markup import html_to_text
from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.charset import decode
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.recording import inner, plain_text
from voc.parsing.records import CHANNELS, Rows, cell, contact_id, number, reject, speaker, turn_id
from voc.parsing.tabular import NO_OBJECT, NO_RECORDS, TableFileError, json_records
from voc.raw import RawFile

NOTE = "社内メモ"
_CHANNELS = {"email": "email", "mail": "email", "chat": "chat", "messaging": "chat", "native_messaging": "chat",
             "line": "chat", "voice": "call", "phone": "call"}  # fmt: skip
_DONE = frozenset({"solved", "closed", "解決", "解決済み", "完了", "クローズ"})
_NAMES = {"contact_id": "id", "started_at": "created_at", "subject": "subject", "text": "description",
          "customer_id": "", "queue": "", "rating": "", "csat": "", "is_resolved": "status"}  # fmt: skip


def parse_ticket(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one JSON export: {tickets: [...], users: [...]}, an array, or one ticket per line.

    A ticket is a contact; each of its comments {author_id, public, body or html_body, created_at} a turn, without
    comments its description. Who wrote it tell the comment's own role, the user's role, own_domains, else whether
    the author is the requester. Comments that are not public are operators' turns with the question 社内メモ.
    customer_id is the requester's external_id, else mail address, else id. The channel is that of `via` (email,
    chat, voice), else ticket. `[sources.columns]` overrules where contact_id, started_at, subject, text,
    customer_id, queue, is_resolved are found (dots lead inwards). Raises SourceError for other files.
    """
    tickets, users, faults = _tickets(file, source)
    names = _NAMES | {name: path for name, path in source.columns.items() if name in _NAMES}
    if not any(inner(record, names["started_at"]) is not None for _, record in tickets):
        found = sorted({str(key)[:30] for _, record in tickets[:100] for key in record})[:30]
        raise TableFileError(
            f"作成日時の項目「{names['started_at']}」がどのチケットにもありません。ある項目: {found}。"
            f"設定に [sources.columns] started_at = \"{found[0] if found else '項目名'}\" のように書いてください。"
        )
    contacts, turns = [], []
    for row, record in tickets:
        source_row = f"{file.name}:{row}"
        contact, spoken, reasons = _read_ticket(record, users, names, source, source_row=source_row, timezone=timezone)
        faults += [reject(source.name, source_row, reason) for reason in reasons]
        if contact is not None:
            contacts.append(contact)
            turns += spoken
    return Rows(contacts, turns, faults)


def _tickets(file: RawFile, source: Source) -> tuple[list[tuple[int, dict]], dict[str, dict], list[dict]]:
    if file.fault:
        raise TableFileError(file.fault)
    text = decode(file.data, encoding=source.encoding)
    users: list = []
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None  # perhaps JSON lines
    if isinstance(whole, dict) and isinstance(whole.get("tickets"), list):
        users = whole["users"] if isinstance(whole.get("users"), list) else []
        items = list(enumerate(whole["tickets"], start=1))
        records = [(row, item) for row, item in items if isinstance(item, dict)]
        broken = [row for row, item in items if not isinstance(item, dict)]
    else:
        records, broken = json_records(text)
    # one line per ticket is often wrapped as {"ticket": {...}}
    records = [(row, item["ticket"] if isinstance(item.get("ticket"), dict) else item) for row, item in records]
    if not records:
        raise TableFileError(NO_RECORDS)
    known = {cell(user.get("id")): user for user in users if isinstance(user, dict)}
    return records, known, [reject(source.name, f"{file.name}:{row}", NO_OBJECT) for row in broken]


def _read_ticket(
    record: dict, users: dict[str, dict], names: dict[str, str], source: Source, *, source_row: str, timezone: str
) -> tuple[dict | None, list[dict], list[str]]:
    ours = {name: inner(record, path) if path else None for name, path in names.items()}
    written = cell(ours["started_at"])
    started_at = parse_instant(written, timezone=timezone)
    if started_at is None:
        return None, [], [f"作成日時「{written[:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。"]
    requester = record.get("requester") if isinstance(record.get("requester"), dict) else {}
    requester_id = cell(record.get("requester_id")) or cell(requester.get("id"))
    requester = users.get(requester_id, {}) | requester
    users = users | {requester_id: {"role": "end-user"} | requester} if requester_id else users
    customer = cell(ours["customer_id"]) or next(
        (value for key in ("external_id", "email") if (value := cell(requester.get(key)))), requester_id
    )
    via = cell(inner(record, "via.channel")).lower()
    done = cell(ours["is_resolved"]).lower()
    contact = {
        "contact_id": contact_id(source, cell(ours["contact_id"]), source_row),
        "customer_id": identifier(customer) or None,
        "channel": source.channel or _CHANNELS.get(via, CHANNELS["ticket"]),
        "started_at": started_at,
        "queue": cell(ours["queue"]) or cell(inner(record, "group.name")) or cell(record.get("group_id")) or None,
        # an open ticket may still be solved: only the end is known
        "is_resolved": True if done in _DONE else None,
        "subject": cell(ours["subject"]) or None,
        "rating": number(cell(ours["rating"])),
        "csat": number(cell(ours["csat"])),
        "source": source.name,
        "source_row": source_row,
    }
    reasons: list[str] = []
    comments = record.get("comments")
    if not isinstance(comments, list) or not comments:
        role = "" if requester_id else "customer"
        comments = [{"author_id": requester_id, "role": role, "body": ours["text"]}] if plain_text(ours["text"]) else []
    if not comments:
        reasons.append("本文もコメントもないチケットです。件数にだけ数えます。")
    turns = _turns(comments, users, contact, source, requester_id=requester_id, timezone=timezone, reasons=reasons)
    return contact, turns, reasons


def _turns(
    comments: list, users: dict[str, dict], contact: dict, source: Source, *, requester_id: str, timezone: str,
    reasons: list[str],
) -> list[dict]:  # fmt: skip
    turns, n_broken = [], 0
    for position, comment in enumerate(comments):
        text = _text(comment) if isinstance(comment, dict) else ""
        if not text:
            n_broken += 1
            continue
        is_internal = comment.get("public") is False
        turns.append({
            "turn_id": turn_id(contact["contact_id"], position), "contact_id": contact["contact_id"],
            "position": position, "question": NOTE if is_internal else None, "text": text,
            "speaker": "operator" if is_internal else _role(comment, users, source, requester_id=requester_id),
            "start_seconds": _start(comment, contact["started_at"], timezone), "source_row": contact["source_row"],
        })  # fmt: skip
    if n_broken:
        reasons.append(f"本文（body か html_body）のないコメント {n_broken} 件を除きました。")
    return turns


def _text(comment: dict) -> str:
    plain = plain_text(comment.get("body")) or plain_text(comment.get("plain_body"))
    return plain or html_to_text(plain_text(comment.get("html_body")))


def _role(comment: dict, users: dict[str, dict], source: Source, *, requester_id: str) -> str:
    author_id = cell(comment.get("author_id"))
    author = comment.get("author") if isinstance(comment.get("author"), dict) else users.get(author_id, {})
    for word in (comment.get("role"), comment.get("author_role"), author.get("role")):
        role = speaker(cell(word), source)
        if role is not None:
            return role
    domain = cell(author.get("email")).lower().rpartition("@")[2]
    if domain and source.own_domains:
        return "operator" if domain in source.own_domains else "customer"
    if not author_id:
        return "unknown"
    return "customer" if author_id == requester_id else "operator"


def _start(comment: dict, started_at: datetime, timezone: str) -> float | None:
    said_at = parse_instant(cell(comment.get("created_at")), timezone=timezone)
    seconds = (said_at - started_at).total_seconds() if said_at else -1.0
    return seconds if seconds >= 0 else None
