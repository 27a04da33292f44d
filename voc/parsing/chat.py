"""Chats: JSON with the messages of customer, operator and bot."""

from voc.config import Source
from voc.parsing.conversation import Spelling, parse_conversations
from voc.parsing.records import Rows
from voc.raw import RawFile


def parse_chat(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Records {contact_id, customer_id, started_at, handle_seconds, is_resolved,
    messages: [{author, at, text}]} as an array or JSON lines. Raises SourceError for other files."""
    return parse_conversations(file, source, spelling=Spelling(turns="messages", speaker="author"), timezone=timezone)
