"""Personal data planted in every place of a company's files: none of it may be found in what a run writes or says."""

import csv
import email.message
import io
import json
import re
import shutil
import subprocess
import unicodedata
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from voc.store import read_table
from voc.tables import CONTACTS, FAQ_LOGS, REJECTS, TURNS

pytestmark = pytest.mark.slow

PLANTED = {
    "call: customer name": "鬼頭", "call: operator repeats the name": "綾小路", "call: phone": "090-5512-7788",
    "call: kanji phone": "〇八〇六六一二九九四五", "call: card": "4111-1111-1111-1111", "call: My Number": "123456789018",
    "call: address": "東京都港区芝公園4-7-35 ミナトハイツ302号室", "call: note": "薬師寺", "call: note phone": "03-4477-9921",
    "call: wrap-up": "二階堂", "call: customer number": "CUST-774411", "call: file name": "070-3398-1177",
    "mail: From address": "kotone.arima@planted.example", "mail: From name": "有馬琴音", "mail: subject": "宇都宮健太郎",
    "mail: body": "平八重", "mail: signature phone": "06-6312-4455", "mail: signature address": "大阪府大阪市北区梅田3-1-3",
    "mail: quoted name": "長曽我部", "mail: attachment file name": "桜庭瑞希", "mail: file name": "080-2211-9043",
    "mail: link with a token": "f00dbabe77aa", "survey: free text": "榎本", "survey: mail": "planted-answer@example.jp",
    "survey: postal code": "530-0001", "survey: bad date": "090-8844-3321", "survey: bad score": "080-9911-2276",
    "survey: customer number": "SV-99120034", "survey: file name": "竹之内", "search: name": "神宮寺", "search: phone": "0120-774-551",
    "search: bad instant": "050-5511-2093", "chat: nick": "toyotomi_hide@example.com", "chat: words": "立花",
    "chat: account": "7654321", "chat: birth date": "昭和55年3月9日", "ticket: requester": "ticket.person@planted.example",
    "ticket: signature": "早乙女", "ticket: private note": "090-7123-6650", "customers: number": "KOKYAKU-55120",
    "customers: mail": "hoshino.aoi@planted.example", "customers: phone": "045-221-7788", "customers: bad start": "044-812-3391",
    "no header: name": "西園寺", "no header: phone": "03-5566-1290", "no header: mail": "no.header@planted.example",
    "no header: file name": "090-3141-5926", "nothing found: file name": "050-2718-2818", "nothing found: folder": "080-1618-0339",
}  # fmt: skip
P = PLANTED


def calls() -> list[dict]:
    turns = [
        ("operator", f"お電話ありがとうございます。{P['call: operator repeats the name']}様ですね、お待たせしました。"),
        ("customer", f"{P['call: customer name']}と申します。電話番号は{P['call: phone']}です。アプリが何度も落ちて困っています。"),
        ("operator", f"{P['call: customer name']}様、携帯は{P['call: kanji phone']}でもよろしいですか。"),
        ("customer", f"カードは{P['call: card']}、マイナンバーは{P['call: My Number']}、住所は{P['call: address']}です。"),
    ]
    return [{
        "contact_id": "C1", "customer_id": P["call: customer number"], "started_at": "2026-08-01T10:00:00+09:00", "queue": "技術",
        "handle_seconds": 300, "turns": [{"speaker": who, "text": said} for who, said in turns],
        "note": f"{P['call: note']}様より。折り返し先 {P['call: note phone']}", "wrapup": f"{P['call: wrap-up']}様へ折り返し",
    }]  # fmt: skip


def mail() -> bytes:
    message = email.message.EmailMessage()
    message["From"] = f"\"{P['mail: From name']}\" <{P['mail: From address']}>"
    message["To"], message["Date"] = "support@company.example", "Mon, 03 Aug 2026 10:00:00 +0900"
    message["Message-ID"], message["Subject"] = "<planted-1@planted.example>", f"{P['mail: subject']}様の請求書について"
    message.set_content(
        f"お世話になっております。{P['mail: body']}と申します。\n請求書が届かないので再発行してほしいです。\n"
        f"https://example.com/reset?token={P['mail: link with a token']} も開けません。\n\n"
        f"----------\n株式会社例 総務部\nTEL {P['mail: signature phone']}\n{P['mail: signature address']}\n----------\n\n"
        f"2026年8月2日(日) 10:00 サポート <support@company.example>:\n> {P['mail: quoted name']}様\n> お問い合わせありがとうございます。\n"
    )
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename=f"{P['mail: attachment file name']}様_請求書.pdf")
    return bytes(message)


def chats() -> list[dict]:
    said = (f"{P['chat: words']}です。口座番号は{P['chat: account']}、{P['chat: birth date']}生まれです。ログインできません。")
    return [{"contact_id": "T1", "customer_id": P["chat: nick"], "started_at": "2026-08-02T11:00:00+09:00",
             "messages": [{"author": P["chat: nick"], "text": "はじめまして"}, {"author": "customer", "text": said},
                          {"author": "operator", "text": f"{P['chat: words']}様、確認いたします。"}]}]  # fmt: skip


def tickets() -> dict:
    body = f"<p>解約の手順が分かりません。</p><p>--<br>{P['ticket: signature']} 花子<br>TEL 03-0000-1111</p>"
    comments = [{"author_id": 1, "public": True, "html_body": body, "created_at": "2026-08-04T09:00:00Z"},
                {"author_id": 2, "public": False, "body": f"{P['ticket: private note']} に電話済み", "created_at": "2026-08-04T10:00:00Z"}]
    return {"tickets": [{"id": 91, "created_at": "2026-08-04T09:00:00Z", "subject": "解約", "requester_id": 1, "via": {"channel": "email"},
                         "comments": comments}],
            "users": [{"id": 1, "email": P["ticket: requester"], "name": "早乙女花子", "role": "end-user"},
                      {"id": 2, "email": "op@company.example", "role": "agent"}]}  # fmt: skip


SURVEY = [
    ["回答番号", "顧客番号", "日時", "おすすめ度", "感想"],
    ["1", P["survey: customer number"], "2026-08-01 10:00", "3",
     f"受付の{P['survey: free text']}さんに聞いても分かりませんでした。{P['survey: mail']}か{P['survey: postal code']}まで連絡ください。"],
    ["2", "SV-2", P["survey: bad date"], "5", "便利です。"],
    ["3", "SV-3", "2026-08-01 12:00", P["survey: bad score"], "料金が高いです。"],
]  # fmt: skip
SEARCHES = [["at", "query"], ["2026-08-01 09:00", f"{P['search: name']}様 請求書 {P['search: phone']}"], [P["search: bad instant"], "解約"]]
CUSTOMERS = [
    ["番号", "メール", "電話", "開始日"],
    [P["customers: number"], P["customers: mail"], P["customers: phone"], "2025-01-05"], ["K-2", "", "", P["customers: bad start"]],
]
CONFIG = """
[[sources]]
name = "calls"
format = "transcript"
path = "raw/calls-*.json"
[[sources]]
name = "mails"
format = "email"
path = "raw/mails/*.eml"
own_domains = ["company.example"]
[[sources]]
name = "chats"
format = "chat"
path = "raw/chats.json"
[[sources]]
name = "tickets"
format = "ticket"
path = "raw/tickets.json"
own_domains = ["company.example"]
[[sources]]
name = "form"
format = "survey"
path = "raw/form-*.csv"
[sources.columns]
contact_id = "回答番号"
customer_id = "顧客番号"
started_at = "日時"
nps = "おすすめ度"
[sources.texts]
"感想" = "ご感想"
[[sources]]
name = "searches"
format = "faq_logs"
path = "raw/searches.csv"
[sources.columns]
at = "at"
query = "query"
[[sources]]
name = "kiosk"
format = "survey"
path = "raw/kiosk-*.csv"
[sources.columns]
started_at = "日時"
[sources.texts]
"感想" = "ご感想"
[[sources]]
name = "recordings"
format = "transcript"
path = "raw/recordings/*.json"
[[sources]]
name = "customers"
format = "customers"
path = "raw/customers.csv"
[sources.columns]
customer_id = "番号"
email = "メール"
phone = "電話"
started_on = "開始日"
"""


# a survey without a header fails as a whole, and its fault quotes the first line
NO_HEADER = [["2026-08-01 10:00", f"{P['no header: name']}と申します。{P['no header: phone']}か{P['no header: mail']}へお願いします。"]]


def rows(table: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(table)
    return file.getvalue()


@pytest.fixture(scope="module")
def company(tmp_path_factory, voc) -> tuple[Path, subprocess.CompletedProcess]:
    """The folder of a company after a run, and the run. The survey of the other flow tests gives enough voices for issues."""
    folder = tmp_path_factory.mktemp("planted") / "company"
    shutil.copytree(Path(__file__).parent / "survey", folder)
    config = folder / "voc.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("# --- 課題のまとめ方", CONFIG + "\n# --- 課題", 1), encoding="utf-8")
    files = {
        f"calls-{P['call: file name']}.json": json.dumps(calls(), ensure_ascii=False).encode(),
        f"mails/{P['mail: file name']}様より.eml": mail(), "chats.json": json.dumps(chats()).encode(),
        "tickets.json": json.dumps(tickets(), ensure_ascii=False).encode(), "searches.csv": rows(SEARCHES).encode("cp932"),
        f"form-{P['survey: file name']}様.csv": rows(SURVEY).encode("cp932"), "customers.csv": rows(CUSTOMERS).encode(),
        f"kiosk-{P['no header: file name']}.csv": rows(NO_HEADER).encode(),
        # nothing to read there, and the fault tells what is there
        f"recordings/{P['nothing found: file name']}.wav": b"RIFF", f"recordings/{P['nothing found: folder']}/a.wav": b"RIFF",
    }  # fmt: skip
    for name, data in files.items():
        (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "raw" / name).write_bytes(data)
    return folder, voc("run", str(config), cwd=folder.parent, home=folder.parent / "home")


def spellings(value: str) -> set[str]:
    """`value` as it stands, without hyphens, blanks and case, and both in full width; of a file name also escaped."""
    bare = re.sub(r"[-\s]", "", value) if re.search(r"\d", value) else value
    wide = {text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}) for text in (value, bare)}
    digits = unicodedata.normalize("NFKC", bare).translate(str.maketrans("〇一二三四五六七八九", "0123456789"))
    return {value, bare, digits, value.lower(), json.dumps(value)[1:-1], *wide}


def leaks(texts: dict[str, str]) -> list[str]:
    return sorted(
        f"{place} ({value}) in {where}: …{text[max(0, text.find(found) - 60) : text.find(found) + 60]!r}…"
        for place, value in PLANTED.items() for where, text in texts.items()
        for found in sorted(spellings(value)) if found in text
    )  # fmt: skip


def written(folder: Path) -> dict[str, str]:
    """Everything that the run wrote but what it was given: bytes of every file, and the cells of parquet and Office files.

    Without long decimals: a computed 0.0353000015 holds the digits of a postal code by chance.
    """
    texts = {}
    given = {folder / "raw", folder / "voc.toml", folder / "answers.jsonl", folder / "identity"}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and given.isdisjoint({p, *p.parents})):
        name, data = str(path.relative_to(folder)), path.read_bytes()
        texts[name] = name + "\n" + data.decode("utf-8", "replace")
        if path.suffix == ".parquet" and path.stat().st_size:
            texts[name + " (cells)"] = pq.read_table(path).to_pandas().to_csv()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                texts[name + " (parts)"] = "\n".join(archive.read(part).decode("utf-8", "replace") for part in archive.namelist())
    return {name: re.sub(r"\d+\.\d{5,}", " ", text) for name, text in texts.items()}


def test_the_run_ends_well_and_every_planted_place_was_read(company):
    folder, done = company
    assert done.returncode == 0, done.stderr[-3000:]
    turns, rejects = (read_table(table, store=str(folder / "store")) for table in (TURNS, REJECTS))
    said = "\n".join(turns["text"])
    assert all(mask in said for mask in ("[氏名1]様ですね", "[電話番号1]", "[カード番号1]", "[住所1]", "[口座番号1]", "[生年月日1]"))
    assert {"form", "searches", "customers", "kiosk", "recordings"} <= set(rejects["source"])
    faults = rejects.loc[rejects["source"].isin(["kiosk", "recordings"]), ["source", "stage"]]
    assert set(faults.itertuples(index=False, name=None)) == {("kiosk", "parse"), ("recordings", "read")}
    assert {"call", "email", "chat", "survey"} <= set(read_table(CONTACTS, store=str(folder / "store"))["channel"])
    assert len(read_table(FAQ_LOGS, store=str(folder / "store"))) == 1


def of_file_names(found: list[str]) -> list[str]:
    return [leak for leak in found if leak.startswith(("call: file name", "mail: file name", "survey: file name", "no header: file name", "nothing found"))]


def in_store(folder: Path) -> list[str]:
    return leaks({name: text for name, text in written(folder).items() if name.startswith("store/")})


def test_no_planted_value_stands_in_the_store(company):
    folder, _ = company
    texts = written(folder)
    assert {name.split("/")[1] for name in texts if name.startswith("store/")} >= {"turns", "contacts", "rejects", "runs", "watermarks"}
    found = in_store(folder)
    assert sorted(set(found) - set(of_file_names(found))) == []


def test_no_name_of_a_file_stands_in_the_store_with_personal_data(company):
    assert of_file_names(in_store(company[0])) == []


def test_no_planted_value_stands_in_reports_or_anything_else_written(company):
    folder, _ = company
    texts = {name: text for name, text in written(folder).items() if not name.startswith("store/")}
    assert any(name.startswith("reports/") for name in texts) and any("prefect.db" in name for name in texts)
    assert leaks(texts) == []


def test_no_planted_value_is_said_or_left_elsewhere(company):
    folder, done = company
    home = {str(p): p.read_bytes().decode("utf-8", "replace") for p in (folder.parent / "home").rglob("*") if p.is_file()}
    assert leaks({"stdout": done.stdout, "stderr": done.stderr, **home}) == []


def test_the_search_itself_finds_every_spelling():
    for value in PLANTED.values():
        assert all(leaks({"x": f"前{found}後"}) for found in spellings(value))
