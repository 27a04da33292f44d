from email.message import EmailMessage

import pytest

from voc.config import Source
from voc.parsing import parse_contacts
from voc.parsing.mail import read_mail
from voc.raw import RawFile

SOURCE = Source(name="mail", format="email", path="*.eml")
HEAD = b"From: =?iso-2022-jp?B?GyRCRURDZhsoQg==?= <Taro@Example.com>\r\nDate: Tue, 1 Apr 2025 10:00:00 +0900\r\n"


def raw(name, data):
    return RawFile("mail", name, data, "")


def test_subject_and_body_in_japanese_sets():
    subject = "請求書が①届きません"
    for name in ("utf-8", "cp932"):
        message = EmailMessage()
        message["From"], message["Date"] = "a@example.com", "Tue, 1 Apr 2025 10:00:00 +0900"
        message["Subject"] = subject
        message.set_content("困っています。\n", charset=name)
        mail = read_mail(message.as_bytes())
        assert (mail.subject, mail.body) == (subject, "困っています。")


@pytest.mark.parametrize(("header", "subject"), [
    (b"=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=\r\n =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テストテスト"),
    (b"=?utf-8?Q?=E3=83=86?= x", "テ x"),
    ("①テスト".encode("cp932"), "①テスト"),
    (b"\x1b$B-!%F%9%H\x1b(B", "①テスト"),
    (b"=?no-such?B?!!!?=", None),
])  # fmt: skip
def test_encoded_and_raw_subjects(header, subject):
    mail = read_mail(HEAD + b"Subject: " + header + b"\r\n\r\nx")
    assert isinstance(mail.subject, str)
    assert subject is None or mail.subject == subject
    assert mail.sender == "taro@example.com"


def test_html_only_and_attachments():
    message = EmailMessage()
    message["From"], message["Date"] = "a@example.com", "Tue, 1 Apr 2025 10:00:00 +0900"
    message.set_content("<p>困って<b>います</b></p>", subtype="html")
    message.add_attachment("秘密", filename="a.txt")
    assert read_mail(message.as_bytes()).body == "困っています"


def test_contacts_turns_and_threads():
    files = [
        raw("1.eml", HEAD + b"Message-ID: <1@x>\r\n\r\none"),
        raw("2.eml", HEAD + b"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\ntwo"),
        raw("3.eml", HEAD + b"Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\n\r\nthree"),
        raw("4.eml", HEAD + b"Message-ID: <4@x>\r\n\r\nfour"),
        raw("5.eml", HEAD + b"Message-ID: <5@x>\r\nIn-Reply-To: <5@x>\r\n\r\nfive"),
    ]
    parsed = parse_contacts(files, SOURCE)
    threads = parsed.contacts.set_index("source_row")["thread_id"]
    assert threads["1.eml"] == threads["2.eml"] == threads["3.eml"]
    assert threads.nunique() == 3
    assert set(parsed.contacts["customer_id"]) == {"taro@example.com"}
    assert sorted(parsed.turns["text"]) == ["five", "four", "one", "three", "two"]


def test_rejects():
    files = [
        raw("date.eml", b"From: a@example.com\r\n\r\nx"),
        raw("empty.eml", b""),
        raw("blank.eml", HEAD + b"\r\n\r\n"),
        raw("nobody.eml", b"Date: Tue, 1 Apr 2025 10:00:00 +0900\r\n\r\nx"),
        RawFile("mail", "closed.eml", b"", "", fault="開けません"),
    ]
    parsed = parse_contacts(files, SOURCE)
    assert parsed.contacts["source_row"].sort_values().tolist() == ["blank.eml", "nobody.eml"]
    assert parsed.contacts["customer_id"].notna().sum() == 1
    told = parsed.rejects.set_index("source_row")["reason"]
    assert set(told.index) == {"date.eml", "empty.eml", "blank.eml", "closed.eml"}
    assert "Date" in told["date.eml"] and "本文のない" in told["blank.eml"]
