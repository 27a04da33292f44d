"""Call transcripts: JSON with the turns of operator and customer."""

from voc.config import Source
from voc.parsing.conversation import Spelling, parse_conversations
from voc.parsing.records import Rows
from voc.raw import RawFile


def parse_transcript(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Records {contact_id, customer_id, started_at, queue, handle_seconds, n_transfers, is_resolved, note, wrapup,
    turns: [{speaker, start_seconds, text}]} as an array or JSON lines. Raises SourceError for other files."""
    return parse_conversations(file, source, spelling=Spelling(turns="turns", speaker="speaker"), timezone=timezone)
