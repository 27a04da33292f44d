"""One mail's bytes -> its text and what its headers tell."""

from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

import pandas as pd

from voc.cleaning.markup import html_to_text
from voc.parsing.charset import decode_declared
from voc.parsing.headers import address_of, automatic_kind, header_text, message_ids, sent_at

_DEEPEST = 50
"""Levels of nested parts that are read; deeper ones are no mail that a person wrote."""


@dataclass(frozen=True)
class Mail:
    """One mail. `body` is all its text: quotes, signature, enclosed and returned mails included; `words` only what
    the writer put around enclosed mails (the enclosed text where there is nothing else). `sender` and `reply_to` are
    addresses in lower case. `automatic` says in Japanese which machine wrote it; empty for a person's mail."""

    message_id: str
    parents: tuple[str, ...]
    sender: str
    reply_to: str
    sent_at: pd.Timestamp | None
    subject: str
    body: str
    words: str
    automatic: str


@dataclass(frozen=True)
class _Piece:
    text: str
    is_html: bool
    is_enclosed: bool


def read_mail(data: bytes, *, timezone: str = "Asia/Tokyo") -> Mail:
    """Read one mail's bytes. Broken character sets become U+FFFD; ValueError where there is no mail at all."""
    try:
        message = message_from_bytes(data.lstrip(b"\r\n"))
    except (MessageError, RecursionError, AssertionError, TypeError) as error:
        raise ValueError(str(error)[:80]) from None
    if not message.keys():
        raise ValueError("ヘッダーがない")
    own = message_ids(message, "Message-ID")
    pieces = _pieces(message, depth=0, is_enclosed=False)
    body = _joined(pieces)
    return Mail(
        message_id=own[0] if own else header_text(message, "Message-ID"),
        parents=tuple(message_ids(message, "References") or message_ids(message, "In-Reply-To")),
        sender=address_of(message, "From"),
        reply_to=address_of(message, "Reply-To"),
        sent_at=sent_at(message, timezone=timezone),
        subject=header_text(message, "Subject"),
        body=body,
        words=_joined([piece for piece in pieces if not piece.is_enclosed]) or body,
        automatic=automatic_kind(message),
    )


def _joined(pieces: list[_Piece]) -> str:
    """The plain pieces, one below the other; the HTML as text where there is no plain text."""
    plain = "\n".join(piece.text for piece in pieces if not piece.is_html)
    plain = plain.replace("\r\n", "\n").replace("\r", "\n").strip()
    return plain or html_to_text("\n".join(piece.text for piece in pieces if piece.is_html)).strip()


def _pieces(part: Message, *, depth: int, is_enclosed: bool) -> list[_Piece]:
    """The text parts of `part` in order, without attachments."""
    kind = part.get_content_type()
    if part.is_multipart():
        children = [child for child in part.get_payload() if isinstance(child, Message)] if depth < _DEEPEST else []
        if kind == "multipart/related":
            children = children[:1]
        # the groups of a delivery report (message/delivery-status) are headers only: each gives an empty piece
        is_inside = is_enclosed or kind.startswith("message/")
        found = [piece for child in children for piece in _pieces(child, depth=depth + 1, is_enclosed=is_inside)]
        return _one_of(found) if kind == "multipart/alternative" else found
    is_attached = part.get_content_disposition() == "attachment" or part.get_filename() is not None
    if is_attached or kind not in ("text/plain", "text/html"):
        return []
    return [_Piece(_decoded(part), kind == "text/html", is_enclosed)]


def _one_of(found: list[_Piece]) -> list[_Piece]:
    """Of alternatives that say the same, the first plain and the last HTML one."""
    written = [piece for piece in found if piece.text.strip()]
    plain = [piece for piece in written if not piece.is_html]
    return plain[:1] + [piece for piece in written if piece.is_html][-1:]


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_param("charset")
    name = charset[2] if isinstance(charset, tuple) else charset
    return decode_declared(payload, str(name) if name else None)
