"""Whisper: recognised calls as JSON with segments; who speaks is not known."""

from voc.config import Source
from voc.parsing.recording import inner, joined, one_call, own_fields, plain_text, recordings, without_text
from voc.parsing.records import Rows, cell, number
from voc.raw import RawFile


def parse_whisper(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one Whisper file: {text, segments: [{start, end, text, speaker?}]}.

    speaker is unknown, but where a diarising recogniser wrote `speaker` and `[sources.speakers]` says who that is.
    handle_seconds is the end of the last segment. The start of the call comes from the file's name or the column
    named started_at. Raises SourceError for other files.
    """
    found, faults = recordings(file, source, "segments", what="Whisper")
    parsed = []
    for source_row, record, segments in found:
        spoken, n_broken, end = [], 0, 0.0
        for segment in segments:
            text = plain_text(segment.get("text")) if isinstance(segment, dict) else ""
            if not text:
                n_broken += 1
                continue
            who = cell(segment.get(source.columns.get("speaker", "speaker")))
            # SPEAKER_00 names a voice, no role: only the configuration can tell whose it is
            who = who if who in source.speakers else None
            spoken.append({"who": who, "text": text, "start_seconds": _second(segment, "start")})
            end = max(end, _second(segment, "end") or 0.0)
        faults += without_text(source, source_row, "text", n=n_broken)
        fields = {"contact_id": cell(inner(record, "contact_id")), "handle_seconds": str(end) if end else ""}
        fields |= own_fields(record, source)
        parsed.append(one_call(file, source, spoken, fields=fields, source_row=source_row, timezone=timezone))
    return joined(parsed, faults)


def _second(segment: dict, name: str) -> float | None:
    value = number(cell(segment.get(name)))
    return value if value is not None and value >= 0 else None
