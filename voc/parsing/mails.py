"""Mails: `.eml` and `.mbox` files -> one contact per customer's mail, in threads; the company's replies as turns."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.mail import Mail, read_mail
from voc.parsing.records import CHANNELS, REPLY, Parsed, assemble, contact_id, reject, reply_turn_id, turn_id
from voc.raw import RawFile

_MBOX_LINE = re.compile(
    rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]{0,300}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"[A-Z][a-z]{2} [ \d]\d [^\r\n]{0,80}\r?\n"
)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True)
class KnownMails:
    """Mails of one source that earlier pulls gave: by contact_id their thread, start and last position of a turn; by
    turn_id the position of the company's replies. So a thread goes on, and a late reply finds its mail."""

    threads: Mapping[str, str] = field(default_factory=dict)
    started: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    last: Mapping[str, int] = field(default_factory=dict)
    replies: Mapping[str, int] = field(default_factory=dict)


def known_mails(contacts: pd.DataFrame, turns: pd.DataFrame, source: Source) -> KnownMails:
    """What CONTACTS and TURNS of the store tell about mails of `source`."""
    own = contacts.loc[(contacts["source"] == source.name) & contacts["thread_id"].notna()]
    said = turns.loc[turns["contact_id"].isin(own["contact_id"])]
    replies = said.loc[said["turn_id"].str.contains(REPLY, regex=False)]
    return KnownMails(
        dict(zip(own["contact_id"], own["thread_id"], strict=True)),
        dict(zip(own["contact_id"], own["started_at"], strict=True)),
        said.groupby("contact_id")["position"].max().to_dict(),
        dict(zip(replies["turn_id"], replies["position"], strict=True)),
    )


def parse_mails(
    files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo", known: KnownMails | None = None
) -> Parsed:
    """Contacts (customer_id = the address of From), turns and rejects of `.eml` and `.mbox` files.

    thread_id is one for all mails that answer one another. A mail from `own_domains` is an operator's turn of the
    customer's mail that it answers (`late` where an earlier pull gave that mail, see `known_mails`); where it is a
    form's (Reply-To names a customer outside) it is that customer's mail. Delivery errors, automatic answers, mails without a date and the company's mails that answer none of the
    mails read become rejects. A mail without sender has no customer_id.
    """
    known = known or KnownMails()
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
    threads = {root: _thread(root, source, known) for root in {*roots.values(), *(file.name for file, _ in mails)}}
    contacts, turns = [], []
    for file, mail in mails:
        contact, turn = _rows(file, mail, source, thread=threads[roots.get(mail.message_id, file.name)])
        contacts.append(contact)
        turns += [turn] if turn["text"].strip() else []
        if not turn["text"].strip():
            faults.append(reject(source.name, file.name, "本文のないメールです。件数にだけ数えます。"))
        if "\ufffd" in turn["text"]:
            count = turn["text"].count("\ufffd")
            faults.append(reject(source.name, file.name, f"本文の {count} 文字を読めませんでした。残りは使います。"))
    threads_of = {mail.message_id: threads[roots[mail.message_id]] for _, mail in replies if mail.message_id}
    answers, late, unanswered = _answers(replies, contacts, source, threads=threads_of, known=known)
    return assemble(contacts, turns + answers, faults + unanswered, late=late)


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
    replies: Sequence[tuple[RawFile, Mail]], contacts: Sequence[dict], source: Source, *,
    threads: Mapping[str, str], known: KnownMails,
) -> tuple[list[dict], list[dict], list[dict]]:  # fmt: skip
    """(turns of operators, late ones, rejects): each reply under the mail it answers, else under the last one before it
    in the thread."""
    read = {contact["contact_id"]: contact for contact in contacts}
    started = {**known.started, **{own_id: contact["started_at"] for own_id, contact in read.items()}}
    by_thread: dict[str, list[str]] = {}
    for own_id, thread in [*known.threads.items(), *((own_id, contact["thread_id"]) for own_id, contact in read.items())]:
        by_thread.setdefault(thread, []).append(own_id)
    turns, late, faults, seen = [], [], [], {}
    next_position = {own_id: last + 1 for own_id, last in known.last.items() if own_id not in read}
    for file, mail in sorted(replies, key=lambda reply: (reply[1].sent_at, reply[0].name)):
        first = seen.setdefault(mail.message_id or file.name, file.name)
        parents = (contact_id(source, parent, "") for parent in reversed(mail.parents))
        earlier = [own_id for own_id in dict.fromkeys(by_thread.get(threads.get(mail.message_id), ()))
                   if started[own_id] <= mail.sent_at]  # fmt: skip
        own_id = next((parent for parent in parents if parent in started), None)
        own_id = own_id or max(earlier, key=lambda one: (started[one], one), default=None)
        if first != file.name or own_id is None or not mail.words:
            reason = (
                f"{first} と同じメールのため使いませんでした（重複）。" if first != file.name
                else "自社のメールですが、返信先のお客様のメールが読み込んだ中にないため使いませんでした。" if own_id is None
                else "本文のない自社の返信のため使いませんでした。"
            )  # fmt: skip
            faults.append(reject(source.name, file.name, reason))
            continue
        turn = reply_turn_id(own_id, contact_id(source, mail.message_id, file.name))
        position = known.replies.get(turn)
        if position is None:
            position = next_position.get(own_id, 1)
            next_position[own_id] = position + 1
        waited = (mail.sent_at - started[own_id]).total_seconds()
        row = {
            "turn_id": turn, "contact_id": own_id, "position": position, "speaker": "operator", "text": mail.words,
            "start_seconds": waited if waited >= 0 else None,
        }  # fmt: skip
        if own_id in read:
            turns.append(row | {"source_row": read[own_id]["source_row"]})
        else:
            late.append(row)
    return turns, late, faults


def _thread(root: str, source: Source, known: KnownMails) -> str:
    """The thread of the root's mail where an earlier pull gave it; else one named by the root."""
    own = "T" + hashlib.sha256(f"{source.name}|{root}".encode("utf-8", "replace")).hexdigest()[:16]
    return known.threads.get(contact_id(source, root, ""), own)


def _rows(file: RawFile, mail: Mail, source: Source, *, thread: str) -> tuple[dict, dict]:
    own_id = contact_id(source, mail.message_id, file.name)
    contact = {
        "contact_id": own_id,
        "customer_id": identifier(mail.sender) or None,
        "channel": source.channel or CHANNELS["email"],
        "started_at": mail.sent_at,
        "thread_id": thread,
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
