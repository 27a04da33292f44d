"""Raw files of one source -> contacts and turns, by the source's format."""

from collections.abc import Sequence

import pandas as pd

from voc.config import Source
from voc.errors import SourceError
from voc.parsing.chat import parse_chat
from voc.parsing.mail import parse_mails
from voc.parsing.records import Parsed, assemble, refuse_all, reject
from voc.parsing.survey import parse_survey
from voc.parsing.transcript import parse_transcript
from voc.raw import RawFile

_PARSERS = {"transcript": parse_transcript, "chat": parse_chat, "survey": parse_survey}


def parse_contacts(files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo") -> Parsed:
    """Contacts, turns and rejects of all `files` of a source of customers' voices.

    A file that cannot be used becomes a reject and the others go on. Raises SourceError with every fault where
    none of the files can be used, and for the formats customers, usage and faq (see voc.parsing.company).
    """
    if source.format == "email":
        return parse_mails(files, source, timezone=timezone)
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
    return joined(parsed, refused)


def joined(parsed: Sequence[Parsed], refused: Sequence[dict]) -> Parsed:
    """One Parsed of many: contacts that two files repeat are taken from the first file."""
    contacts = [row for part in parsed for row in part.contacts.to_dict("records")]
    turns = pd.concat([_with_origin(part) for part in parsed]).to_dict("records") if parsed else []
    faults = [*refused, *(row for part in parsed for row in part.rejects.to_dict("records"))]
    return assemble(contacts, turns, faults)


def _with_origin(part: Parsed) -> pd.DataFrame:
    origin = part.contacts.set_index("contact_id")["source_row"]
    return part.turns.assign(source_row=part.turns["contact_id"].map(origin))
