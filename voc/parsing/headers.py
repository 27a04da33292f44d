"""Mail headers: folded, encoded or raw Japanese bytes -> text. Never fails."""

import base64
import binascii
import quopri
import re
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

import pandas as pd

from voc.parsing.charset import decode_declared

_WORD = re.compile(rb"=\?([\w.:+-]{1,40})(?:\*[\w-]{1,20})?\?([bBqQ])\?([^?]{0,2000})(?:\?=|(?=\s|$))")
_BETWEEN = re.compile(rb"(\?=)[ \t\r\n]+(?==\?)")
_AUTOMATIC = re.compile(r"^(?:自動返信|自動応答|不在通知|automatic reply|auto[- ]?reply|out of office)\s*[:：\]】]", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


def header_text(message: Message, name: str) -> str:
    """The first header `name` as text; empty where there is none."""
    # raw_items keeps raw bytes as surrogates; get() would replace them
    value = next((value for key, value in message.raw_items() if key.lower() == name.lower()), None)
    if value is None:
        return ""
    raw = _FOLD.sub(b"", str(value).encode("utf-8", "surrogateescape"))
    return re.sub(r"[\t\r\n]+", " ", _decoded_words(_BETWEEN.sub(rb"\1", raw))).strip()


def _decoded_words(raw: bytes) -> str:
    """Encoded words read by charset; neighbours of one charset are joined first, for a character may be cut."""
    parts: list[tuple[str | None, bytes]] = []
    position = 0
    for word in _WORD.finditer(raw):
        if word.start() > position:
            parts.append((None, raw[position : word.start()]))
        charset, data = word[1].decode("ascii", "replace").lower(), _word_bytes(word[2], word[3])
        if parts and parts[-1][0] == charset and word.start() == position:
            parts[-1] = (charset, parts[-1][1] + data)
        else:
            parts.append((charset, data))
        position = word.end()
    if position < len(raw):
        parts.append((None, raw[position:]))
    return "".join(decode_declared(data, charset) for charset, data in parts)


def _word_bytes(coding: bytes, data: bytes) -> bytes:
    if coding in b"qQ":
        return quopri.decodestring(data.replace(b"_", b" "))
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return data


def address_of(message: Message, name: str) -> str:
    """The bare address of From or Reply-To in lower case; empty where there is none."""
    address = parseaddr(header_text(message, name))[1].strip().lower()
    return address if "@" in address and len(address) <= 254 else ""


def automatic_kind(message: Message) -> str:
    """Which machine wrote a mail, in Japanese; empty for a person's.

    RFC 3834 (Auto-Submitted, empty Return-Path), RFC 3464 (delivery reports), and what mail programs write besides.
    """
    kind, report = message.get_content_type(), str(message.get_param("report-type") or "").lower()
    writer = parseaddr(header_text(message, "From"))[1].strip().lower().partition("@")[0]
    if kind == "multipart/report" and report == "disposition-notification":
        return "開封通知"
    if kind == "multipart/report" or writer == "mailer-daemon" or header_text(message, "X-Failed-Recipients"):
        return "配送エラーの通知"
    submitted = header_text(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return f"自動送信のメール（Auto-Submitted: {submitted[:40]}）"
    said = {name: header_text(message, name).lower() for name in ("Precedence", "X-Autoreply", "X-Autorespond")}
    is_answer = said["Precedence"] == "auto_reply" or said["X-Autoreply"] == "yes" or said["X-Autorespond"] != ""
    if is_answer or _AUTOMATIC.match(header_text(message, "Subject")):
        return "自動応答"
    return "自動送信のメール（差出人への返送先がない）" if header_text(message, "Return-Path") == "<>" else ""


def sent_at(message: Message, *, timezone: str) -> pd.Timestamp | None:
    """The instant of Date; of the newest Received line where Date is missing or broken; else None."""
    received = [str(value).rpartition(";")[2].strip() for value in message.get_all("Received", [])]
    for written in [header_text(message, "Date"), *received]:
        try:
            moment = parsedate_to_datetime(written)
            stamp = pd.Timestamp(moment) if moment.tzinfo else pd.Timestamp(moment).tz_localize(timezone)
            return stamp.tz_convert("UTC")
        except (TypeError, ValueError, IndexError, OverflowError):
            continue  # the next header may hold a date that can be read
    return None


def message_ids(message: Message, name: str) -> list[str]:
    """The ids between < and > in header `name`."""
    return re.findall(r"<([^<>\s]{1,500})>", header_text(message, name))
