"""Raw files of one source -> contacts and turns, by the source's format."""

from collections.abc import Sequence

from voc.config import Source
from voc.errors import SourceError
from voc.parsing.chat import parse_chat
from voc.parsing.contact_lens import parse_contact_lens
from voc.parsing.mails import KnownMails, parse_mails
from voc.parsing.records import Parsed, assemble, refuse_all, reject
from voc.parsing.review import parse_review
from voc.parsing.survey import parse_survey
from voc.parsing.ticket import parse_ticket
from voc.parsing.transcribe import parse_transcribe
from voc.parsing.transcript import parse_transcript
from voc.parsing.turns import parse_turns
from voc.parsing.vtt import parse_vtt
from voc.parsing.whisper import parse_whisper
from voc.raw import RawFile

_PARSERS = {
    "transcript": parse_transcript, "contact_lens": parse_contact_lens, "transcribe": parse_transcribe,
    "vtt": parse_vtt, "whisper": parse_whisper, "turns": parse_turns, "chat": parse_chat, "ticket": parse_ticket,
    "review": parse_review, "survey": parse_survey,
}  # fmt: skip


def parse_contacts(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo", known: KnownMails | None = None
) -> Parsed:
    """Contacts, turns and rejects of all `files` of a source of customers' voices.

    A file that cannot be used becomes a reject and the others go on. Raises SourceError with every fault where
    none of the files can be used, and for the formats of the company's own tables, which have functions of their own.
    `known`: mails of earlier pulls, for threads and late replies.
    """
    if source.format == "email":
        return parse_mails(files, source, timezone=timezone, known=known)
    if source.format not in _PARSERS:
        allowed = ["email", *_PARSERS]
        raise SourceError(
            f"ソース {source.name}: format = \"{source.format}\" は顧客の声ではありません。使える値: {allowed}"
        )
    parsed, refused = [], []
    for file in files:
        try:
            parsed.append(_PARSERS[source.format](file, source, timezone=timezone))
        except SourceError as error:
            refused.append(reject(source.name, file.name, str(error), stage="read" if file.fault else "parse"))
    refuse_all(source, refused, len(files))
    return assemble(
        [row for part in parsed for row in part.contacts],
        [row for part in parsed for row in part.turns],
        [*refused, *(row for part in parsed for row in part.rejects)],
    )
