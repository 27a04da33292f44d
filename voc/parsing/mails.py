"""Mails: `.eml` and `.mbox` files -> one contact per customer's mail, in threads; the company's replies as turns."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.mail import Mail, read_mail
from voc.parsing.records import CHANNELS, Parsed, assemble, contact_id, reject, turn_id
from voc.raw import RawFile

_MBOX_LINE = re.compile(
    rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]{0,300}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"[A-Z][a-z]{2} [ \d]\d [^\r\n]{0,80}\r?\n"
)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def parse_mails(files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo") -> Parsed:
    """Contacts (customer_id = the address of From), turns and rejects of `.eml` and `.mbox` files.

    thread_id is one for all mails that answer one another. A mail from `own_domains` is an operator's turn of the
    customer's mail that it answers; where it is a form's (Reply-To names a customer outside) it is that customer's
    mail. Delivery errors, automatic answers, mails without a date and the company's mails that answer none of the
    mails read become rejects. A mail without sender has no customer_id.
    """
    mails, replies, faults = [], [], []
    for file in [message for stored in files for message in _messages(stored)]:
        mail, reason = _read(file, timezone=timezone)
        if mail is None:
            faults.append(reject(source.name, file.name, reason, stage="read" if file.fault else "parse"))
            continue
        is_own = _is_own(mail.sender, source)
        if is_own and not mail.parents and mail.reply_to and not _is_own(mail.reply_to, source):
            mails.append((file, replace(mail, sender=mail.reply_to)))
        elif mail.automatic:
            reason = f"{mail.automatic}で、お客様が書いたメールではないため使いませんでした。"
            if not source.own_domains and mail.reply_to not in ("", mail.sender):
                reason += "お問い合わせフォームのメールなら、設定 own_domains に自社のドメインを書くと返信先の方の声として使います。"
            faults.append(reject(source.name, file.name, reason))
        else:
            (replies if is_own else mails).append((file, mail))
    roots = _thread_roots({mail.message_id: mail.parents for _, mail in [*mails, *replies] if mail.message_id})
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
    answers, unanswered = _answers(replies, mails, contacts, source, roots=roots)
    return assemble(contacts, turns + answers, faults + unanswered)


def _messages(file: RawFile) -> list[RawFile]:
    """The mails of a mailbox file, numbered from 1; the file itself where it is one mail."""
    starts = list(_MBOX_LINE.finditer(file.data)) if file.data.startswith(b"From ") else []
    if not starts:
        return [file]
    ends = [match.start() for match in starts[1:]] + [len(file.data)]
    return [
        replace(file, name=f"{file.name}:{number}", data=_ESCAPED.sub(rb"\1", file.data[match.end() : end]))
        for number, (match, end) in enumerate(zip(starts, ends, strict=True), start=1)
    ]


def _read(file: RawFile, *, timezone: str) -> tuple[Mail | None, str]:
    """(mail, "") or (None, why it cannot be used)."""
    if file.fault:
        return None, file.fault
    try:
        mail = read_mail(file.data, timezone=timezone)
    except (ValueError, SourceError) as error:
        return None, f"メールとして読めません（{error}）。.eml か .mbox で書き出してください。"
    if mail.sent_at is None:
        return None, "送信日時（Date）を読めないメールのため使いませんでした。"
    return mail, ""


def _is_own(address: str, source: Source) -> bool:
    domain = address.rpartition("@")[2]
    own = [name.lower().lstrip("@") for name in source.own_domains]
    return bool(domain) and any(domain == name or domain.endswith(f".{name}") for name in own)


def _answers(
    replies: Sequence[tuple[RawFile, Mail]], mails: Sequence[tuple[RawFile, Mail]], contacts: Sequence[dict],
    source: Source, *, roots: Mapping[str, str],
) -> tuple[list[dict], list[dict]]:  # fmt: skip
    """(turns of operators, rejects): each reply under the mail it answers, else under the thread's last mail before."""
    by_id, by_thread = {}, {}
    for (file, mail), contact in zip(mails, contacts, strict=True):
        by_id.setdefault(mail.message_id, contact)
        by_thread.setdefault(roots.get(mail.message_id, file.name), []).append(contact)
    turns, faults, seen, next_position = [], [], {}, {}
    for file, mail in sorted(replies, key=lambda reply: (reply[1].sent_at, reply[0].name)):
        first = seen.setdefault(mail.message_id or file.name, file.name)
        thread = by_thread.get(roots.get(mail.message_id), [])
        earlier = [contact for contact in thread if contact["started_at"] <= mail.sent_at]
        contact = next((by_id[parent] for parent in reversed(mail.parents) if parent in by_id), None)
        contact = contact or max(earlier, key=lambda row: (row["started_at"], row["source_row"]), default=None)
        if first != file.name or contact is None or not mail.words:
            reason = (
                f"{first} と同じメールのため使いませんでした（重複）。" if first != file.name
                else "自社のメールですが、返信先のお客様のメールが読み込んだ中にないため使いませんでした。" if contact is None
                else "本文のない自社の返信のため使いませんでした。"
            )  # fmt: skip
            faults.append(reject(source.name, file.name, reason))
            continue
        position = next_position.get(contact["contact_id"], 1)
        next_position[contact["contact_id"]] = position + 1
        waited = (mail.sent_at - contact["started_at"]).total_seconds()
        turns.append({
            "turn_id": turn_id(contact["contact_id"], position), "contact_id": contact["contact_id"],
            "position": position, "speaker": "operator", "text": mail.words, "source_row": contact["source_row"],
            "start_seconds": waited if waited >= 0 else None,
        })  # fmt: skip
    return turns, faults


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
            "text": mail.words, "source_row": file.name}  # fmt: skip
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
