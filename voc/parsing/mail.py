"""E-mails: `.eml` files -> one contact with one turn each, in threads."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

import pandas as pd

from voc.cleaning.markup import html_to_text
from voc.cleaning.widths import identifier
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.charset import decode_declared
from voc.parsing.headers import header_text, message_ids, sender_address, sent_at
from voc.parsing.records import CHANNELS, Parsed, assemble, contact_id, reject, turn_id
from voc.raw import RawFile

_DEEPEST = 50
"""Levels of nested parts that are read; deeper ones are no mail that a person wrote."""


@dataclass(frozen=True)
class Mail:
    """One mail. `body` is its text, quotes and signature included; `sender` the address in lower case."""

    message_id: str
    parents: tuple[str, ...]
    sender: str
    sent_at: pd.Timestamp | None
    subject: str
    body: str


def read_mail(data: bytes, *, timezone: str = "Asia/Tokyo") -> Mail:
    """Read one mail's bytes. Broken character sets become U+FFFD; ValueError where there is no mail at all."""
    try:
        message = message_from_bytes(data.lstrip(b"\r\n"))
    except (MessageError, RecursionError, AssertionError, TypeError) as error:
        raise ValueError(str(error)[:80]) from None
    if not message.keys():
        raise ValueError("ヘッダーがない")
    own = message_ids(message, "Message-ID")
    return Mail(
        message_id=own[0] if own else header_text(message, "Message-ID"),
        parents=tuple(message_ids(message, "References") or message_ids(message, "In-Reply-To")),
        sender=sender_address(message),
        sent_at=sent_at(message, timezone=timezone),
        subject=header_text(message, "Subject"),
        body=_body(message).replace("\r\n", "\n").strip("\n"),
    )


def _body(message: Message) -> str:
    plain, markup = _texts(message, depth=0)
    return plain if plain.strip() or not markup else html_to_text(markup)


def _texts(part: Message, *, depth: int) -> tuple[str, str]:
    """(plain text, HTML) of `part`: attachments and enclosed mails are no words of the writer."""
    kind = part.get_content_type()
    if part.is_multipart() and kind.startswith("multipart/"):
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if kind in ("multipart/report", "multipart/related"):
            children = children[:1]
        read = [_texts(child, depth=depth + 1) for child in children] if depth < _DEEPEST else []
        plain = [text for text, _ in read if text.strip()]
        markup = [text for _, text in read if text.strip()]
        if kind == "multipart/alternative":
            return (plain[:1] or [""])[0], (markup[-1:] or [""])[0]
        return "\n".join(plain), "\n".join(markup)
    is_attached = part.get_content_disposition() == "attachment" or part.get_filename() is not None
    if is_attached or kind not in ("text/plain", "text/html"):
        return "", ""
    text = _decoded(part)
    return (text, "") if kind == "text/plain" else ("", text)


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_param("charset")
    name = charset[2] if isinstance(charset, tuple) else charset
    return decode_declared(payload, str(name) if name else None)


def parse_mails(files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo") -> Parsed:
    """Contacts (customer_id = the address of From), turns and rejects of `.eml` files.

    thread_id is one for all mails that answer one another. A mail without a date becomes a reject; one without
    sender has no customer_id.
    """
    mails, faults = [], []
    for file in files:
        if file.fault:
            faults.append(reject(source.name, file.name, file.fault, stage="read"))
            continue
        try:
            mail = read_mail(file.data, timezone=timezone)
        except (ValueError, SourceError) as error:
            reason = f"メールとして読めません（{error}）。.eml で書き出してください。"
            faults.append(reject(source.name, file.name, reason))
            continue
        if mail.sent_at is None:
            reason = "送信日時（Date）を読めないメールのため使いませんでした。"
            faults.append(reject(source.name, file.name, reason))
        else:
            mails.append((file, mail))
    roots = _thread_roots({mail.message_id: mail.parents for _, mail in mails if mail.message_id})
    contacts, turns = [], []
    for file, mail in mails:
        contact, turn = _rows(file, mail, source, root=roots.get(mail.message_id, file.name))
        contacts.append(contact)
        turns += [turn] if turn["text"].strip() else []
        if not turn["text"].strip():
            faults.append(reject(source.name, file.name, "本文のないメールです。件数にだけ数えます。"))
        if "\ufffd" in turn["text"]:
            count = turn["text"].count("\ufffd")
            faults.append(reject(source.name, file.name, f"本文の {count} 文字を読めませんでした。残りは使います。"))
    return assemble(contacts, turns, faults)


def _rows(file: RawFile, mail: Mail, source: Source, *, root: str) -> tuple[dict, dict]:
    own_id = contact_id(source, mail.message_id, file.name)
    contact = {
        "contact_id": own_id,
        "customer_id": identifier(mail.sender) or None,
        "channel": source.channel or CHANNELS["email"],
        "started_at": mail.sent_at,
        "thread_id": "T" + hashlib.sha256(f"{source.name}|{root}".encode("utf-8", "replace")).hexdigest()[:16],
        "subject": mail.subject or None,
        "source": source.name,
        "source_row": file.name,
    }
    turn = {"turn_id": turn_id(own_id, 0), "contact_id": own_id, "position": 0, "speaker": "customer",
            "text": mail.body, "source_row": file.name}  # fmt: skip
    return contact, turn


def _thread_roots(parents: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The first mail of each mail's thread: References start with it; In-Reply-To is followed up through the mails."""
    roots = {}
    for message_id in parents:
        root, seen = message_id, {message_id}
        while parents.get(root):
            above = parents[root][0]
            if above in seen:
                root = min(seen)  # mails that answer each other in a circle: any fixed one will do
                break
            seen.add(above)
            root = above
        roots[message_id] = root
    return roots
