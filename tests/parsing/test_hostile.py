"""Mutated files of every format: rejects or a VocError that explains itself, never another exception."""

import json
import random

import pytest

from voc.cleaning import clean_turns
from voc.config import Source
from voc.errors import VocError
from voc.parsing import parse_contacts, parse_customers
from voc.privacy import mask_contacts
from voc.raw import RawFile

MAIL = (
    b"From: =?utf-8?B?55Sw5Lit?= <a@example.com>\r\nDate: Tue, 1 Apr 2025 10:00:00 +0900\r\nSubject: =?utf-8?B?6YGF44GE?=\r\n"
    b"Message-ID: <1@x>\r\nReferences: <0@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B-!%F%9%H\x1b(B\r\n--b\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+eDwvcD4=\r\n--b--\r\n"
)
CALL = json.dumps([{"contact_id": 1, "started_at": "2025-04-01T10:00:00+09:00", "handle_seconds": 3, "turns": [
    {"speaker": "agent", "text": "田中様、090-1234-5678"}, {"speaker": "customer", "text": "はい"}]}]).encode()  # fmt: skip
SURVEY = "started_at,nps,t\n2025/4/1,9,\"遅い\"\n令和7年4月2日,３,東京都港区芝1-2-3\n".encode("cp932")
CRM = b"customer_id,started_on,ended_on,monthly_price_yen,email\n1,2024/1/1,,1980,a@example.com\n"
SEEDS = {"email": (MAIL, "a.eml"), "transcript": (CALL, "a.json"), "survey": (SURVEY, "a.csv"), "customers": (CRM, "c.csv")}
PIECES = [b"\x00", b"\xff\xfe", b"\x1b$B", b"\x1b(I", b'"', b"[", b"{", b"\r\n", b"=?", b"?=", b"NaN", b"1e999", b"\\ud800",
          b"9999999999999999999999", b"null", b"-", b",", b"\xe2\x80\xae", b"Content-Type: a/b; charset=idna\r\n", b"--b"]  # fmt: skip


def mutated(data, random_source):
    for _ in range(random_source.randint(1, 6)):
        start = random_source.randrange(len(data) + 1)
        end = start + random_source.choice([0, 0, 1, 2, 8, 60])
        data = data[:start] + random_source.choice([*PIECES, random_source.randbytes(3)]) + data[end:]
    return data


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed >= 20 else []) for seed in range(75)])
def test_mutated_files_never_crash(kind, seed):
    data, name = SEEDS[kind]
    file = RawFile("s", name, mutated(data, random.Random(f"{kind}{seed}")), "")
    texts = {"t": "質問"} if kind == "survey" else {}
    source = Source(name="s", format=kind, path="x", texts=texts)
    try:
        if kind == "customers":
            customers, keys, _ = parse_customers([file], source)
            assert set(keys["customer_id"]) <= set(customers["customer_id"])
            return
        parsed = parse_contacts([file], source)
    except VocError as error:
        assert name in str(error)
        return
    turns, _ = clean_turns(parsed.turns, parsed.contacts)
    contacts, turns, _ = mask_contacts(parsed.contacts, turns, key=b"k" * 16, names=lambda texts: [[] for _ in texts])
    assert len(contacts) == len(parsed.contacts)
    assert turns["text"].str.encode("utf-8").str.len().gt(0).all()
