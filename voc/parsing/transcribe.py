"""Amazon Transcribe Call Analytics: analysed calls as JSON, one file per job."""

from voc.config import Source
from voc.parsing.recording import (
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


def parse_transcribe(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one Call Analytics file (also an array or JSON lines of them).

    JobName is the contact's number, handle_seconds the TotalConversationDurationMillis. The file does not hold when
    the call took place: the time comes from the file's name, JobName or the column named started_at. Raises
    SourceError for other files, those of plain Transcribe jobs (which do not tell who speaks) among them.
    """
    found, faults = recordings(file, source, "Transcript", what="Transcribe Call Analytics")
    parsed = []
    for source_row, record, items in found:
        spoken, n_broken = [], 0
        for item in items:
            text = plain_text(item.get("Content")) if isinstance(item, dict) else ""
            if text:
                spoken.append({
                    "who": cell(item.get("ParticipantRole")), "text": text,
                    "start_seconds": seconds(item.get("BeginOffsetMillis")),
                })  # fmt: skip
            else:
                n_broken += 1
        faults += without_text(source, source_row, "Content", n=n_broken)
        native = cell(record.get("JobName"))
        fields = {"contact_id": native, "handle_seconds": total_seconds(record)}
        parsed.append(
            one_call(file, source, spoken, fields=fields | own_fields(record, source), source_row=source_row,
                     timezone=timezone, also_named=native)
        )  # fmt: skip
    return joined(parsed, faults)
