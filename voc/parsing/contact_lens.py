"""Amazon Connect Contact Lens: analysed calls and chats as JSON, one file per contact."""

import re
from datetime import datetime

from voc.config import Source
from voc.parsing.dates import parse_instant
from voc.parsing.recording import (
    inner,
    joined,
    one_call,
    own_fields,
    plain_text,
    recordings,
    seconds,
    total_seconds,
    without_text,
)
from voc.parsing.records import Rows, cell
from voc.raw import RawFile

_RECORDED = re.compile(r"_(\d{8})T(\d{2}):?(\d{2})_UTC")
_CHANNELS = {"VOICE": "call", "CHAT": "chat", "EMAIL": "email"}


def parse_contact_lens(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one Contact Lens file (also an array or JSON lines of them).

    ParticipantId may be a role or a GUID and is joined through Participants. The start is the column named
    started_at, else AbsoluteTime of the first chat message, the time in the recording's name (InputS3Uri), else
    the time in the file's name. handle_seconds is TotalConversationDurationMillis. Raises SourceError for other files.
    """
    found, faults = recordings(file, source, "Transcript", what="Contact Lens")
    parsed = []
    for source_row, record, items in found:
        roles = _roles(record)
        started_at = _started_at(record, items, timezone=timezone)
        spoken, n_broken = [], 0
        for item in items:
            text = plain_text(item.get("Content")) if isinstance(item, dict) else ""
            is_message = isinstance(item, dict) and item.get("Type", "MESSAGE") == "MESSAGE"
            if is_message and text:
                start = _start(item, started_at, timezone)
                spoken.append({"who": _role(item, roles), "text": text, "start_seconds": start})
            # joins and leaves (EVENT) and attachments of a chat carry no words
            n_broken += (is_message and not text) or not isinstance(item, dict)
        faults += without_text(source, source_row, "Content", n=n_broken)
        native = cell(inner(record, "CustomerMetadata.ContactId"))
        fields = {"contact_id": native, "handle_seconds": total_seconds(record)} | own_fields(record, source)
        channel = source.channel or _CHANNELS.get(cell(record.get("Channel")).upper())
        parsed.append(
            one_call(file, source.model_copy(update={"channel": channel}), spoken, fields=fields,
                     source_row=source_row, timezone=timezone, started_at=started_at)
        )  # fmt: skip
    return joined(parsed, faults)


def _roles(record: dict) -> dict[str, str]:
    people = record.get("Participants")
    return {
        cell(person.get("ParticipantId")): cell(person.get("ParticipantRole"))
        for person in (people if isinstance(people, list) else [])
        if isinstance(person, dict)
    }


def _role(item: dict, roles: dict[str, str]) -> str:
    own = cell(item.get("ParticipantId"))
    return cell(item.get("ParticipantRole")) or roles.get(own) or own


def _started_at(record: dict, items: list, *, timezone: str) -> datetime | None:
    written = [cell(item.get("AbsoluteTime")) for item in items if isinstance(item, dict)]
    times = [time for text in written if (time := parse_instant(text, timezone=timezone)) is not None]
    if times:
        return min(times)
    recorded = _RECORDED.search(cell(inner(record, "CustomerMetadata.InputS3Uri")))
    if recorded is None:
        return None
    day, hour, minute = recorded.groups()
    return parse_instant(f"{day}T{hour}:{minute}:00Z", timezone=timezone)


def _start(item: dict, started_at: datetime | None, timezone: str) -> float | None:
    begin = seconds(item.get("BeginOffsetMillis"))
    if begin is not None or started_at is None:
        return begin
    said_at = parse_instant(cell(item.get("AbsoluteTime")), timezone=timezone)
    return (said_at - started_at).total_seconds() if said_at else None
