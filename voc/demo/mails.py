"""Bytes of `.eml` files as Japanese mail programs write them: UTF-8 or ISO-2022-JP, encoded headers, threads."""

import email.policy
from email.header import Header
from email.message import Message
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr

import pandas as pd

SUPPORT = ("ミナト経理サポート", "support@minato-keiri.example")


def mail_file(mail, who, contact_id: str, at: pd.Timestamp, *, earlier: str | None, old_charset: bool) -> bytes:
    """The customer's mail. earlier: contact_id of the mail before. old_charset: ISO-2022-JP where it can be."""
    charset = "iso-2022-jp" if old_charset and _fits(mail.subject + mail.body + who.name) else "utf-8"
    message = _message(mail.body, mail.subject, who, at, charset)
    message["Message-ID"] = f"<{contact_id}@mail.{who.domain}>"
    if earlier:
        message["In-Reply-To"] = f"<re-{earlier}@minato-keiri.example>"
        message["References"] = f"<{earlier}@mail.{who.domain}> <re-{earlier}@minato-keiri.example>"
    elif mail.is_reply:
        message["In-Reply-To"] = f"<news-{at:%Y%m}@minato-keiri.example>"
        message["References"] = f"<news-{at:%Y%m}@minato-keiri.example>"
    return message.as_bytes(policy=email.policy.compat32)


def auto_reply_file(notice, who, contact_id: str, at: pd.Timestamp) -> bytes:
    """An absence notice of the customer's mail program, which is no contact of anybody."""
    message = _message(notice.body, notice.subject, who, at, "utf-8")
    message["Message-ID"] = f"<auto-{contact_id}@mail.{who.domain}>"
    message["In-Reply-To"] = f"<re-{contact_id}@minato-keiri.example>"
    message["References"] = f"<{contact_id}@mail.{who.domain}> <re-{contact_id}@minato-keiri.example>"
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    return message.as_bytes(policy=email.policy.compat32)


def _message(body: str, subject: str, who, at: pd.Timestamp, charset: str) -> Message:
    message = MIMEText(body, "plain", charset)
    message["Subject"] = Header(subject, charset, header_name="Subject").encode()
    message["From"] = formataddr((str(Header(who.name, charset).encode()), who.email))
    message["To"] = formataddr((str(Header(SUPPORT[0], charset).encode()), SUPPORT[1]))
    message["Date"] = format_datetime(at.to_pydatetime())
    return message


def _fits(text: str) -> bool:
    try:
        text.encode("iso-2022-jp")
    except UnicodeEncodeError:
        return False
    return True
