"""Amazon Transcribe Call Analytics: analysed calls as JSON, one file per job."""

from voc.config import Source
from voc.parsing.recording import (
    inner,
    joined,
    json_objects,
    one_call,
    own_fields,
    plain_text,
    refuse_layout,
    seconds,
)
from voc.parsing.records import Rows, cell, reject
from voc.raw import RawFile


def parse_transcribe(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one Call Analytics file (also an array or JSON lines of them).

    JobName is the contact's number, handle_seconds the TotalConversationDurationMillis. The file does not hold when
    the call took place: the time comes from the file's name, JobName or the column named started_at. Raises
    SourceError for other files, those of plain Transcribe jobs (which do not tell who speaks) among them.
    """
    records, faults = json_objects(file, source)
    refuse_layout(records, "Transcript", what="Transcribe Call Analytics", source=source)
    parsed = []
    for row, record in records:
        source_row = f"{file.name}:{row}"
        items = record.get("Transcript")
        if not isinstance(items, list):
            faults.append(reject(source.name, source_row, "発話の一覧 Transcript がないため使いませんでした。"))
            continue
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
        if n_broken:
            faults.append(reject(source.name, source_row, f"本文 Content のない発話 {n_broken} 件を除きました。"))
        duration = seconds(inner(record, "ConversationCharacteristics.TotalConversationDurationMillis"))
        native = cell(record.get("JobName"))
        fields = {"contact_id": native, "handle_seconds": "" if duration is None else str(duration)}
        parsed.append(
            one_call(file, source, spoken, fields=fields | own_fields(record, source), source_row=source_row,
                     timezone=timezone, also_named=native)
        )  # fmt: skip
    return joined(parsed, faults)
