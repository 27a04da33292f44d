"""Mutated files of every format (1,000 each with VOC_FUZZ_FILES=1000), half of them still valid containers: rejects or a SourceError, nothing else."""

import copy
import csv
import io
import json
import os
import random
from email import message_from_bytes

import openpyxl
import pytest

from voc.cleaning import clean_turns
from voc.config import Source
from voc.errors import SourceError
from voc.parsing import (
    parse_catalogue,
    parse_contacts,
    parse_counts,
    parse_customers,
    parse_faq,
    parse_faq_logs,
    parse_orders,
    parse_price_changes,
    parse_usage,
)
from voc.raw import RawFile

pytestmark = pytest.mark.slow
N_FILES = int(os.environ.get("VOC_FUZZ_FILES", "150"))  # 1,000 in the long form
CALL = {"contact_id": 1, "customer_id": "A", "started_at": "2025-04-01T10:00:00+09:00", "handle_seconds": 3, "turns": [
    {"speaker": "agent", "text": "田中様", "start_seconds": 0.5}, {"speaker": "customer", "text": "はい", "at": "2025-04-01T10:00:05+09:00"}]}  # fmt: skip
LENS = {"Channel": "VOICE", "CustomerMetadata": {"ContactId": "c", "InputS3Uri": "s3://b/c_20250401T01:00_UTC.wav"},
        "Participants": [{"ParticipantId": "g", "ParticipantRole": "CUSTOMER"}],
        "ConversationCharacteristics": {"TotalConversationDurationMillis": 900},
        "Transcript": [{"Id": "1", "ParticipantId": "g", "Content": "遅い", "BeginOffsetMillis": 0},
                       {"Type": "MESSAGE", "ParticipantId": "AGENT", "Content": "はい", "AbsoluteTime": "2025-04-01T01:00:00Z"}]}  # fmt: skip
JOB = {"JobName": "j", "ConversationCharacteristics": {"TotalConversationDurationMillis": 5000}, "Transcript": [
    {"ParticipantRole": "AGENT", "BeginOffsetMillis": 440, "Content": "はい"}, {"ParticipantRole": "CUSTOMER", "Content": "遅い"}]}  # fmt: skip
WHISPER = {"text": "はい", "segments": [{"start": 0.5, "end": 1.0, "text": "はい", "speaker": "S0"}]}
TICKETS = {"users": [{"id": 7, "role": "end-user", "email": "t@example.com"}], "tickets": [
    {"id": 1, "created_at": "2025-04-01T01:00:00Z", "status": "solved", "requester_id": 7, "via": {"channel": "email"},
     "comments": [{"author_id": 7, "public": True, "body": "遅い"}, {"author_id": 8, "html_body": "<p>はい</p>"}]}]}  # fmt: skip
VTT = "WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.000\n<v Agent>はい</v>\n\n01:00:03.250 --> 01:00:04.500\n<v お客様>遅い &amp; 高い\n"
MAIL = (
    b"From: =?utf-8?B?55Sw5Lit?= <a@example.com>\r\nReply-To: b@example.com\r\nDate: Tue, 1 Apr 2025 10:00:00 +0900\r\n"
    b"Subject: =?utf-8?B?6YGF44GE?=\r\nMessage-ID: <1@x>\r\nReferences: <0@x>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    b"\x1b$B-!%F%9%H\x1b(B\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"PHA+eDwvcD4=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: o\r\n\r\nold\r\n--b--\r\n"
)
MBOX = b"From a@x Tue Apr  1 10:00:00 2025\n" + MAIL + b"\r\n\r\nFrom a@x Tue Apr  1 10:00:00 2025\n" + MAIL.replace(b"<1@x>", b"<2@x>")
PAGE = "<html><title>題</title>\n<body>\n<nav>メニュー</nav>\n<h1>請求日</h1>\n<p>毎月&nbsp;1日</p>\n</body></html>"
NOTE = "---\ntitle: 題\nid: F1\n---\n# 見出し\n[設定](x)から**解約**\n"
TABLES = {
    "turns": [["contact_id", "started_at", "speaker", "text", "note", "handle_seconds", "wrapup"],
              ["1", "2025/4/1 10:00", "OP", "はい", "確認", "30", "請求"], ["1", "2025/4/1 10:00", "CU", "遅い", "", "30", ""]],
    "review": [["started_at", "rating", "text", "subject"], ["2025/4/1", "★★☆", "遅い", "題"], ["令和7年4月2日", "４", "良い", ""]],
    "survey": [["started_at", "csat", "nps", "t"], ["2025/4/1", "とても満足", "9", "遅い"], ["令和7年4月2日", "不満", "３", "x"]],
    "customers": [["customer_id", "started_on", "ended_on", "monthly_price_yen", "email", "phone"],
                  ["1", "2024/1/1", "", "1980", "a@example.com", "03-1234-5678"]],
    "usage": [["customer_id", "month_on", "n_logins"], ["1", "2025-04", "3"], ["1", "2025年5月", "9"]],
    "counts": [["date_on", "hour", "queue", "n_offered", "n_answered", "n_abandoned"], ["2025/4/1", "9:00-9:30", "請求", "10", "8", "2"]],
    "faq": [["article_id", "title", "body", "url"], ["1", "題", "文", "https://example.com"]],
    "faq_logs": [["at", "query", "article_id", "is_found"], ["2025/4/1 10:00", "解約", "", "0"], ["2025/4/1 10:00", "", "F1", ""]],
    "catalogue": [["option_id", "name", "plans", "price_yen"], ["1", "バックアップ", "ライト、プロ", "1,000円"]],
    "orders": [["order_id", "customer_id", "ordered_at", "amount_yen"], ["1", "A", "2025/4/1 10:00", "1,980円"], ["", "A", "2025/4/1", "0"]],
    "price_changes": [["customer_id", "changed_on", "price_yen", "price_before_yen"], ["1", "2025/4/1", "980", "1980"]],
}  # fmt: skip
JSONS = {"transcript": CALL, "chat": {**CALL, "messages": CALL["turns"]}, "contact_lens": LENS, "transcribe": JOB, "whisper": WHISPER, "ticket": TICKETS}
COMPANY = {"customers": parse_customers, "usage": parse_usage, "counts": parse_counts, "faq": parse_faq,
           "faq_logs": parse_faq_logs, "catalogue": parse_catalogue, "orders": parse_orders, "price_changes": parse_price_changes}  # fmt: skip
PIECES = [b"\x00", b"\xff\xfe", b"\x1b$B", b"\x1b(I", b'"', b"[", b"{", b"\r\n", b"=?", b"?=", b"NaN", b"1e999", b"\\ud800",
          b"9999999999999999999999", b"null", b"-", b",", b"\xe2\x80\xae", b"Content-Type: a/b; charset=idna\r\n", b"--b",
          b"<v >", b"-->", b"From ", b"<!DOCTYPE x [", b"&#xD800;", b"\n\n"]  # fmt: skip
VALUES = [None, True, False, 0, -1, 1e308, 10**30, 2**63, float("nan"), float("inf"), "", " ", "NaN", "\ud800", "\x00", "\u202e", "[]", [], {}, [[]],
          [None], {"a": {"b": []}}, "9999-12-31", "0001-01-01T00:00:00-14:00", "令和99年1月1日", "2025-02-30", "９" * 50, "x" * 5000, "'; --", "=1+1",
          "1,2", "<b>", "&#xD800;", "①", "名" * 300, "-0", "1e999", "ﾃｽﾄ", "👩‍👩‍👧", "2025-04-01T10:00:00+99:99"]  # fmt: skip
HEADERS = ["From", "Reply-To", "Date", "Subject", "Message-ID", "References", "In-Reply-To", "Content-Type", "Content-Transfer-Encoding",
           "Content-Disposition", "Auto-Submitted", "Return-Path", "Received", "Precedence"]  # fmt: skip
WORDS = ["", "<>", "@", "a@", "=?utf-8?B?////?=", "=?x?Q?=E3?=", "multipart/report; report-type=delivery-status; boundary=b", "text/html; charset=cp50220",
         "message/rfc822", "message/delivery-status", "multipart/alternative", "text/plain; charset*=''x", "text/plain; charset=base64", "base64", "quoted-printable",
         "x-uuencode", "attachment; filename*0*=x''%", "Tue, 99 Foo 9999 99:99:99 +9999", "1 Jan 0001 00:00:00 +1400", "<1@x> <1@x>", "no", "\udce3\udc81", "x" * 3000]  # fmt: skip


def broken(data, seeded):
    """Bytes replaced anywhere: most are no valid container any more."""
    for _ in range(seeded.randint(1, 6)):
        start = seeded.randrange(len(data) + 1)
        end = start + seeded.choice([0, 0, 1, 2, 8, 60])
        data = data[:start] + seeded.choice([*PIECES, seeded.randbytes(3)]) + data[end:]
    return data


def changed(value, seeded):
    """A copy of a JSON value in which some inner value or key is another one."""
    value = copy.deepcopy(value)
    for _ in range(seeded.randint(1, 4)):
        holder, place = [value], 0
        while isinstance(holder[place], (dict, list)) and holder[place] and (holder == [value] or seeded.random() < 0.75):
            holder, place = holder[place], None
            place = seeded.choice(list(holder)) if isinstance(holder, dict) else seeded.randrange(len(holder))
        action = seeded.randrange(4)
        if action == 0 and isinstance(holder, dict):
            del holder[place]
        elif action == 1 and isinstance(holder, list) and holder is not value:
            holder.append(copy.deepcopy(holder[place]))
        elif action == 2 and isinstance(holder, dict):
            holder[str(seeded.choice(VALUES))[:40]] = holder.pop(place)
        else:
            holder[place] = seeded.choice(VALUES)
    return value


def changed_rows(rows, seeded):
    rows = copy.deepcopy(rows)
    for _ in range(seeded.randint(1, 4)):
        action = seeded.randrange(8)
        row = seeded.choice(rows) if action == 0 else seeded.choice(rows[1:] or rows)
        if action == 1:
            rows.append(list(row))
        elif action == 2:
            row.append("x")
        elif row:
            row[seeded.randrange(len(row))] = str(seeded.choice(VALUES))
    return rows


def as_csv(rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode("utf-8", "ignore")


def as_excel(rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell).encode("utf-8", "ignore").decode()[:30000] for cell in row])
    book.save(stream)
    return stream.getvalue()


def changed_mail(data, seeded):
    message = message_from_bytes(data)
    for part in [message, *seeded.sample(list(message.walk()), 2)]:
        name = seeded.choice(HEADERS)
        if seeded.random() < 0.7:
            del part[name]
        if seeded.random() < 0.7:
            part._headers.append((name, seeded.choice(WORDS)))
    return message.as_bytes().replace(b"old", seeded.choice(PIECES)) if seeded.random() < 0.5 else message.as_bytes()


def changed_words(text, seeded):
    lines = text.split("\n")
    for _ in range(seeded.randint(1, 4)):
        lines[seeded.randrange(1, len(lines))] = seeded.choice([*map(str, VALUES), "00:00:01.000 --> 00:00:00.000", "<v><v a><v", *lines])
    return "\n".join(lines).encode("utf-8", "ignore")


def valid(kind, name, seeded):
    """A container of `kind` that its reader can open, with strange content."""
    if kind in JSONS:
        records = [changed(JSONS[kind], seeded)] + ([JSONS[kind]] if seeded.random() < 0.3 else [])
        return ("\n".join(map(json.dumps, records)) if seeded.random() < 0.5 else json.dumps(records)).encode()
    if name.endswith((".eml", ".mbox")):
        try:
            mails = [changed_mail(MAIL, seeded) for _ in range(2)]
        except (ValueError, LookupError, TypeError, AttributeError):
            mails = [MAIL, MAIL]  # the writer of the test's mails refuses some charsets
        return mails[0] if name.endswith(".eml") else b"".join(b"From a@x Tue Apr  1 10:00:00 2025\n" + part + b"\n\n" for part in mails)
    if name.endswith((".vtt", ".html", ".md")):
        return changed_words(SEEDS[kind, name].decode(), seeded)
    rows = changed_rows(TABLES[kind], seeded)
    if name.endswith(".jsonl"):
        return "\n".join(json.dumps(dict(zip(rows[0], row, strict=False))) for row in rows[1:]).encode()
    return as_excel(rows) if name.endswith(".xlsx") else as_csv(rows)


SEEDS = {
    **{(kind, "20250401_1000.json"): json.dumps(record).encode() for kind, record in JSONS.items()},
    **{(kind, "a.csv"): as_csv(rows) for kind, rows in TABLES.items()},
    ("survey", "a.xlsx"): as_excel(TABLES["survey"]), ("survey", "a.jsonl"): b'{"started_at":"2025/4/1","csat":5,"nps":"9","t":"x"}\n{"t":1}',
    ("vtt", "20250401_1000.vtt"): VTT.encode(), ("email", "a.eml"): MAIL, ("email", "a.mbox"): MBOX,
    ("faq", "a.html"): PAGE.encode(), ("faq", "a.md"): NOTE.encode(),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), SEEDS)
def test_mutated_files_give_rejects(kind, name):
    source = Source(name="s", format=kind, path="x", texts={"t": "質問"} if kind == "survey" else {}, own_domains=["example.com"],
                    columns={"queue": "queue"} if kind == "contact_lens" else {})  # fmt: skip
    used, told = 0, 0
    for number in range(N_FILES):
        seeded = random.Random(f"{kind}{name}{number}")
        data = broken(SEEDS[kind, name], seeded) if number % 2 else valid(kind, name, seeded)
        try:
            used, told = _judge(RawFile("s", name, data, ""), source, used, told)
        except SourceError as error:
            assert name in str(error) or source.name in str(error), (number, str(error))
            told += 1
        except Exception as error:
            raise AssertionError(f"{kind} {name} number {number}: {error!r}\n{data[:2000]!r}") from error
    assert used > N_FILES // 20 and told > N_FILES // 20


def _judge(file, source, used, told):
    if source.format in COMPANY:
        frame, *_, rejects = COMPANY[source.format]([file], source)
        return used + (len(frame) > 0), told + (len(rejects) > 0)
    parsed = parse_contacts([file], source)
    turns, _ = clean_turns(parsed.turns, parsed.contacts)
    assert set(turns["contact_id"]) <= set(parsed.contacts["contact_id"])
    assert all(text.encode() for text in turns["text"])
    return used + (len(parsed.contacts) > 0), told + (len(parsed.rejects) > 0)
