"""Mailbox files, the company's own mails, and mails that no person wrote."""

from dataclasses import replace

import pandas as pd
import pytest

from voc.config import Source
from voc.parsing import parse_contacts
from voc.parsing.mail import read_mail
from voc.parsing.mails import known_mails
from voc.raw import RawFile


def mail(own_id, *, sender="a@example.com", minute=0, body="x", **headers):
    lines = [f"From: {sender}", f"Date: Tue, 1 Apr 2025 10:{minute:02d}:00 +0900", f"Message-ID: <{own_id}@x>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body + "\r\n").encode()


def parsed_mails(*mails, known=None, **options):
    files = [RawFile("m", f"{number}.eml", data, "") for number, data in enumerate(mails, start=1)]
    return parse_contacts(files, Source(**({"name": "m", "format": "email", "path": "x"} | options)), known=known)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_mbox(end):
    stored = (
        b"From a@example.com Tue Apr  1 10:00:00 2025\n" + mail(1, body="one\n\nFrom here on\n>From there").replace(b"\r\n", b"\n")
        + b"\nFrom 12@xxx Tue Apr 01 10:00:00 +0000 2025\n" + mail(2, body="two", References="<1@x>").replace(b"\r\n", b"\n")
        + b"\nFrom x Tue Apr  1 10:00:00 2025\nSubject: no date\n\nthree\n"
    ).replace(b"\n", end)  # fmt: skip
    file = RawFile("m", "in.mbox", stored, "")
    parsed = parse_contacts([file], Source(name="m", format="email", path="x"))
    assert parsed.contacts.sort_values("source_row")["source_row"].tolist() == ["in.mbox:1", "in.mbox:2"]
    assert parsed.contacts["thread_id"].nunique() == 1
    assert sorted(parsed.turns["text"]) == ["one\n\nFrom here on\nFrom there", "two"]
    assert parsed.rejects["source_row"].tolist() == ["in.mbox:3"] and "Date" in parsed.rejects["reason"].iloc[0]


def test_a_mail_in_a_mailbox_is_the_same_contact_as_alone():
    alone = parsed_mails(mail(1)).contacts
    boxed = parsed_mails(b"From a@x Tue Apr  1 10:00:00 2025\n" + mail(1)).contacts
    assert alone["contact_id"].tolist() == boxed["contact_id"].tolist()


def test_the_companys_replies_are_operators_turns():
    parsed = parsed_mails(
        mail(1, body="遅い"),
        mail(2, sender="support@help.own.jp", minute=5, body="確認します", In_Reply_To="<1@x>"),
        mail(3, minute=10, body="まだですか", References="<1@x> <2@x>"),
        mail(4, sender="Support <support@own.jp>", minute=20, body="済みました", References="<1@x> <2@x> <3@x>"),
        mail(4, sender="support@own.jp", minute=20, body="済みました", References="<1@x> <2@x> <3@x>"),
        mail(5, sender="news@own.jp", body="お知らせ"),
        mail(6, sender="x@notown.jp", body="別"),
        own_domains=["own.jp"],
    )
    contacts = parsed.contacts.set_index("contact_id")
    turns = parsed.turns.assign(row=parsed.turns["contact_id"].map(contacts["source_row"])).sort_values(["row", "position"])
    assert turns[["row", "position", "speaker", "text"]].values.tolist() == [
        ["1.eml", 0, "customer", "遅い"], ["1.eml", 1, "operator", "確認します"], ["3.eml", 0, "customer", "まだですか"],
        ["3.eml", 1, "operator", "済みました"], ["7.eml", 0, "customer", "別"],
    ]  # fmt: skip
    assert turns["start_seconds"].fillna(-1).tolist() == [-1, 300, -1, 600, -1]
    told = parsed.rejects.set_index("source_row")["reason"]
    assert "重複" in told["5.eml"] and "自社のメール" in told["6.eml"] and len(told) == 2


def test_a_reply_to_a_mail_that_was_not_read_goes_to_the_threads_last_one():
    parsed = parsed_mails(
        mail(1, body="遅い"), mail(3, sender="s@own.jp", minute=9, body="はい", References="<1@x> <2@x>"), own_domains=["own.jp"]
    )
    assert parsed.turns["speaker"].tolist() == ["customer", "operator"]


def test_mails_of_a_form_are_the_customers():
    form = mail(1, sender="form@own.jp", Reply_To="Hanako <H@Example.com>", Auto_Submitted="auto-generated", body="遅い")
    parsed = parsed_mails(form, own_domains=["own.jp"])
    assert parsed.contacts["customer_id"].tolist() == ["h@example.com"] and parsed.turns["speaker"].tolist() == ["customer"]
    parsed = parsed_mails(form)
    assert parsed.contacts.empty and "own_domains" in parsed.rejects["reason"].iloc[0]


@pytest.mark.parametrize(("headers", "told"), [
    ({"Auto_Submitted": "auto-replied"}, "auto-replied"), ({"Precedence": "auto_reply"}, "自動応答"),
    ({"X_Autoreply": "yes"}, "自動応答"), ({"Return_Path": "<>"}, "返送先"),
    ({"sender": "MAILER-DAEMON@mx.example.com (Mail Delivery System)"}, "配送エラー"),
    ({"X_Failed_Recipients": "b@example.com"}, "配送エラー"),
    ({"Subject": "=?utf-8?B?6Ieq5YuV5b+c562UOiDkuI3lnKg=?="}, "自動応答"),
    ({"Content_Type": "multipart/report; report-type=disposition-notification; boundary=b"}, "開封通知"),
])  # fmt: skip
def test_mails_that_no_person_wrote(headers, told):
    parsed = parsed_mails(mail(1, **headers), mail(2, Auto_Submitted="no", Return_Path="<a@example.com>"))
    assert parsed.contacts["source_row"].tolist() == ["2.eml"]
    assert parsed.rejects["source_row"].tolist() == ["1.eml"] and told in parsed.rejects["reason"].iloc[0]


def test_enclosed_mails_are_in_the_body_but_not_the_writers_words():
    parts = (
        "--b\r\nContent-Type: text/plain\r\n\r\nwhat I say\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: old\r\n\r\nwhat they said\r\n--b--"
    )
    read = read_mail(mail(1, Content_Type="multipart/mixed; boundary=b", body=parts))
    assert (read.words, read.body) == ("what I say", "what I say\nwhat they said")
    only = read_mail(mail(1, Content_Type="multipart/mixed; boundary=b", body=parts.replace("what I say", "")))
    assert only.words == only.body == "what they said"
    report = mail(1, Content_Type="multipart/report; report-type=delivery-status; boundary=b", body=(
        "--b\r\n\r\nnot delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; b@x\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: old\r\n\r\nreturned\r\n--b--"))  # fmt: skip
    assert read_mail(report).body == "not delivered\n\n\nreturned"


OWN = {"own_domains": ["own.jp"]}
FIRST = mail(1, body="遅い")
REPLY = mail(2, sender="support@own.jp", minute=5, body="確認します", In_Reply_To="<1@x>")
AGAIN = mail(3, minute=10, body="まだですか", In_Reply_To="<1@x>")


def known_after(parsed):
    source = Source(**({"name": "m", "format": "email", "path": "x"} | OWN))
    return known_mails(parsed.contacts, parsed.turns, source)


def test_mails_of_several_pulls_are_one_thread_and_a_late_reply_finds_its_mail():
    whole = parsed_mails(FIRST, REPLY, AGAIN, **OWN)
    first = parsed_mails(FIRST, **OWN)
    second = parsed_mails(REPLY, AGAIN, known=known_after(first), **OWN)
    assert second.rejects.empty and second.contacts["thread_id"].tolist() == first.contacts["thread_id"].tolist()
    columns = ["turn_id", "contact_id", "position", "speaker", "text", "start_seconds"]
    parts = pd.concat([first.turns, second.turns, second.late]).sort_values("turn_id")[columns].values.tolist()
    assert str(parts) == str(whole.turns.sort_values("turn_id")[columns].values.tolist())


def test_a_late_reply_that_is_read_twice_is_one_turn():
    first = parsed_mails(FIRST, **OWN)
    late = parsed_mails(REPLY, known=known_after(first), **OWN).late
    stored = replace(first, turns=pd.concat([first.turns, late]))
    again = parsed_mails(REPLY, known=known_after(stored), **OWN).late
    assert again["turn_id"].tolist() == late["turn_id"].tolist() and again["position"].tolist() == [1]
