"""Ingest from real places, as a nightly run does it: nothing twice, nothing lost, whatever breaks in between."""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from voc.config import Config
from voc.store import read_table
from voc.tables import CONTACTS, CUSTOMERS, ORDERS, PRICE_CHANGES, REJECTS, TABLES, TURNS, WATERMARKS, content_sha

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def flows(tmp_path_factory):
    """The modules of the flow, with Prefect's home in a folder of the test."""
    from flows import settings

    settings.prepare(tmp_path_factory.mktemp("prefect"))
    os.environ.setdefault("PREFECT_TASKS_DEFAULT_RETRIES", "0")
    import flows.ingest as module

    return module


@pytest.fixture
def company(flows, tmp_path, monkeypatch):
    """A company's folder: `ingest()` runs the flow, `shas()` are the hashes of what it stored."""
    from flows.record import RunRecord

    monkeypatch.setattr(flows, "pull_task", flows.unsaid_task(flows.pull, name="読み込み"))  # a fault is told at once, not after 11 seconds
    for name in ("read_table_task", "replace_table_task", "link_duplicates_task", "link_episodes_task"):
        monkeypatch.setattr(flows, name, getattr(flows, name).fn)  # some hundred of them in a test; the server would cost minutes

    class Company:
        folder, store, sources, options = tmp_path, str(tmp_path / "store"), [], {}

        def put(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")

        def ingest(self, **options):
            record = RunRecord(Config(sources=self.sources, **self.options), is_quiet=True)
            flows.ingest(record.config, base=tmp_path, store=self.store, record=record, **options)
            return record

        def table(self, table):
            return read_table(table, store=self.store)

        def shas(self, store=None):
            stored = {name: read_table(table, store=store or self.store) for name, table in TABLES.items()}
            return {name: content_sha(frame.drop(columns="at", errors="ignore")) for name, frame in stored.items()}

        def versions(self):
            return {path.name: len(list((path / "_delta_log").glob("*.json"))) for path in Path(self.store).iterdir()}

    return Company()


def call(number, text, *, customer="C1", day=1):
    turns = [{"speaker": "customer", "text": text}, {"speaker": "operator", "text": "田中様ですね、確認します"}]
    return json.dumps({"contact_id": number, "customer_id": customer, "started_at": f"2026-04-{day:02d}T10:00:00+09:00",
                       "turns": turns}, ensure_ascii=False)  # fmt: skip


CALLS = {"name": "calls", "format": "transcript", "path": "calls/*.jsonl"}
MAIL = "From: {sender}\r\nDate: Wed, {day} Apr 2026 10:00:00 +0900\r\nMessage-ID: <{number}@x>\r\nSubject: {number}\r\n\r\n{body}\r\n"


def folder(company, request):
    company.sources = [CALLS]
    return lambda number: company.put(f"calls/{number}.jsonl", call(str(number), f"{number}番の画面が開きません"))


def s3(company, request):
    server = request.getfixturevalue("s3_server")
    os.environ |= {"T_URL": server.endpoint, "T_KEY": server.key, "T_SECRET": server.secret}
    company.sources = [CALLS | {"path": "s3://voices/*.jsonl", "s3": {
        "endpoint_env": "T_URL", "key_env": "T_KEY", "secret_env": "T_SECRET", "region": "ap-northeast-1"}}]  # fmt: skip
    return lambda number: server.client.put_object(
        Bucket="voices", Key=f"{number}.jsonl", Body=call(str(number), f"{number}番の画面が開きません").encode()
    )


def imap(company, request):
    from imap_tools import MailBoxUnencrypted

    server, user = request.getfixturevalue("mail_server"), "flow" + request.node.name[-3:].strip("[]")
    os.environ["T_PW"] = server.password
    place = {"host": "127.0.0.1", "port": server.port, "user": user, "password_env": "T_PW", "tls": "none"}
    company.sources = [{"name": "mails", "format": "email", "imap": place}]

    def add(number):
        body = MAIL.format(sender=f"c{number}@example.com", day=number, number=number, body=f"{number}番の画面が開きません")
        with MailBoxUnencrypted(server.host, server.port).login(user, server.password) as box:
            box.append(body.encode(), "INBOX")

    return add


def sql(company, request):
    import sqlalchemy

    server = request.getfixturevalue("postgres")
    os.environ["T_DB"] = server.url
    engine = sqlalchemy.create_engine(server.url)
    request.addfinalizer(lambda: run("drop table voices"))
    query = "select id as contact_id, said_at as started_at, body, changed from voices where changed >= :since order by changed"
    company.sources = [{"name": "db", "format": "survey", "texts": {"body": "ご意見"}, "sql": {
        "url_env": "T_DB", "query": query, "watermark_column": "changed", "start": 0}}]  # fmt: skip

    def run(statement, **values):
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement), values)

    run("create table voices (id text, said_at text, body text, changed integer)")
    return lambda number: run("insert into voices values (:id, :at, :body, :changed)", id=str(number), at=f"2026-04-{number:02d}",
                              body=f"{number}番の画面が開きません", changed=number)  # fmt: skip


PLACES = [folder, *(pytest.param(place, marks=pytest.mark.servers) for place in (s3, imap, sql))]


@pytest.mark.parametrize("place", PLACES)
def test_the_second_ingest_adds_nothing_and_a_new_record_is_added_once(company, request, place):
    add = place(company, request)
    add(1), add(2)
    first = company.ingest()
    assert (first.counts["new"], first.counts["parse"], first.notices) == (2, 2, [])
    shas, versions = company.shas(), company.versions()
    second = company.ingest()
    assert (second.counts.get("new", 0), second.counts["parse"], second.notices) == (0, 2, [])
    assert company.shas() == shas and company.versions() == versions
    add(3)
    assert company.ingest().counts["new"] == 1
    assert sorted(text[0] for text in company.table(TURNS)["text"] if "番" in text) == ["1", "2", "3"]


@pytest.mark.parametrize("place", PLACES)
def test_cut_off_at_any_write_the_next_ingest_ends_with_the_same_tables(company, request, place, flows, monkeypatch):
    add = place(company, request)
    for number in range(1, 5):
        add(number)
    monkeypatch.setattr(flows, "pull_task", partial(flows.pull_task, pull_bytes=1))  # one record a pull, where a place allows it
    company.ingest()
    whole = company.shas()
    write, n_writes, store = flows.replace_table_task, 0, company.store
    for cut in range(1, 40, 3):
        company.store = f"{store}-{cut}"
        n_writes = 0

        def cut_off(*arguments, cut=cut, **options):
            nonlocal n_writes
            n_writes += 1
            if n_writes == cut:
                raise KeyboardInterrupt
            return write(*arguments, **options)

        monkeypatch.setattr(flows, "replace_table_task", cut_off)
        try:
            company.ingest()
            break
        except KeyboardInterrupt:
            pass
        finally:
            monkeypatch.setattr(flows, "replace_table_task", write)
        company.ingest()
        assert company.shas() == whole, f"cut off at write {cut}"
    assert cut > 4


def test_a_changed_record_takes_the_place_of_the_old_one(company):
    company.sources = [CALLS]
    company.put("calls/a.jsonl", call("1", "画面が開きません") + "\n" + call("2", "遅いです"))
    company.ingest()
    company.put("calls/a.jsonl", call("1", "印刷ができません") + "\n" + call("2", "遅いです"))
    record = company.ingest()
    said = company.table(TURNS)
    assert sorted(said.loc[said["speaker"] == "customer", "text"]) == ["印刷ができません", "遅いです"]
    assert (record.counts["parse"], record.counts["new"], record.counts["replaced"]) == (2, 0, 1)
    assert company.ingest(is_full=True).counts["replaced"] == 0
    (company.folder / "calls" / "a.jsonl").unlink()
    company.put("calls/b.jsonl", call("3", "暗いです"))
    record = company.ingest()
    assert record.counts["parse"] == 3 and "取り込み済みの声は残しています" in record.notices[0]


def test_a_source_that_fails_is_told_and_the_others_go_on(company):
    company.sources = [CALLS, {"name": "more", "format": "chat", "path": "chats/*.json"}]
    company.put("calls/a.jsonl", call("1", "画面が開きません"))
    record = company.ingest()
    assert record.counts["parse"] == 1 and "ソース more" in record.notices[0]
    assert company.table(REJECTS)["source"].tolist() == ["more"]
    company.put("chats/a.json", "[{\"started_at\": \"2026-04-02\", \"messages\": [{\"author\": \"customer\", \"text\": \"遅い\"}]}]")
    record = company.ingest()
    assert (record.notices, record.counts["parse"], len(company.table(REJECTS))) == ([], 2, 0)


@pytest.fixture
def failing_midway(company, flows, monkeypatch):
    """Two files in two pulls, the first of which tells a fault of the source; the pulls that follow tell none."""
    from voc.sources.pull import pull

    faults = [{"source": "calls", "source_row": "", "stage": "read", "reason": "接続が切れました（担当の山田太郎様 090-1234-5678）。"}]

    def pull_with_fault(source, **options):
        told, faults[:] = tuple(faults), []
        return replace(pull(source, **options, pull_bytes=1), faults=told)

    monkeypatch.setattr(flows, "pull_task", flows.unsaid_task(pull_with_fault, name="読み込み"))
    company.sources = [CALLS]
    company.put("calls/1.jsonl", call("1", "画面が開きません"))
    company.put("calls/2.jsonl", call("2", "遅いです"))
    return company


def test_what_a_source_tells_of_itself_is_masked_in_rejects_and_notices(failing_midway):
    record = failing_midway.ingest()
    [stored], [told] = failing_midway.table(REJECTS)["reason"], record.notices
    assert stored == told and told.startswith("接続が切れました") and "[電話番号1]" in told
    assert "山田" not in told and "090" not in told


def test_a_fault_of_the_first_pull_outlives_the_second_and_goes_with_the_next_run(failing_midway):
    assert failing_midway.ingest().counts["parse"] == 2
    assert failing_midway.table(REJECTS)["stage"].tolist() == ["read"]
    failing_midway.ingest()
    assert failing_midway.table(REJECTS).empty


def test_masks_in_a_late_reply_are_counted(company):
    company.sources = [{"name": "mails", "format": "email", "path": "mails/*.eml", "own_domains": ["company.example"]}]
    subject = "Subject: 090-1111-2222 へ"
    mail = MAIL.format(sender="c@example.com", day="01", number="1", body="画面が開きません").replace("Subject: 1", subject)
    company.put("mails/1.eml", mail)
    assert company.ingest().counts["mask"]["PHONE"] == 1
    reply = MAIL.format(sender="op@company.example", day="02", number="2", body="折り返しは 090-1234-5678 です。")
    company.put("mails/2.eml", reply.replace("Subject: 2", f"In-Reply-To: <1@x>\r\n{subject}"))
    record = company.ingest()
    assert (record.counts["parse"], len(company.table(TURNS))) == (1, 2)
    assert (record.counts["mask"]["PHONE"], record.counts["mask"]["n_texts"]) == (1, 1)


def test_what_an_erased_customer_says_later_is_not_stored_and_a_reply_to_a_known_mail_is(company):
    from voc.removal import erase

    company.sources = [CALLS, {"name": "mails", "format": "email", "path": "mails/*.eml", "own_domains": ["company.example"]}]
    company.put("calls/a.jsonl", call("1", "紫色の象が動きません", customer="C1") + "\n" + call("2", "遅いです", customer="C2"))
    company.put("mails/1.eml", MAIL.format(sender="c@example.com", day="01", number="1", body="画面が開きません"))
    company.ingest()
    key = (company.folder / Config(sources=company.sources).privacy.pseudonym_key_file).read_bytes().strip()
    erase("C1", store=company.store, map_folder=company.folder / "identity", key=key, erased_at="2026-05-01T00:00Z")
    company.put("calls/b.jsonl", call("3", "緑色の亀が動きません", customer="C1", day=2))
    reply = MAIL.format(sender="op@company.example", day="02", number="2", body="再起動してください。")
    company.put("mails/2.eml", reply.replace("Subject: 2", "In-Reply-To: <1@x>\r\nSubject: 2"))
    company.ingest()
    said = company.table(TURNS)
    assert set(said["contact_id"]) == set(company.table(CONTACTS)["contact_id"])
    assert "亀" not in said["text"].str.cat() and "再起動" in said["text"].str.cat()


def test_what_is_too_old_goes_before_the_links_and_a_date_far_ahead_takes_nothing_away(company):
    text = "請求書の画面を開くと真っ白になってしまい、先月分の明細を印刷することができません。至急確認してください。"
    company.sources, company.options = [CALLS], {"privacy": {"retention_months": 12}}
    old, ahead = (call(number, text).replace("2026-04", f"{year}-04") for number, year in (("1", 2024), ("2", 2062)))
    company.put("calls/a.jsonl", "\n".join([old, ahead, call("3", text), call("4", "遅いです", day=2)]))
    record = company.ingest()
    contacts = company.table(CONTACTS)
    assert sorted(contacts["started_at"].dt.year) == [2026, 2026, 2062] and record.counts["parse"] == 3
    assert set(company.table(TURNS)["contact_id"]) == set(contacts["contact_id"])
    assert record.counts["expired"]["contacts"] == 1 and "1 件" in record.notices[0] and "2062-04-01" in record.notices[0]
    shas = company.shas()
    assert company.ingest().counts["expired"] == {} and company.shas() | {"runs": ""} == shas | {"runs": ""}


def test_customers_who_come_later_find_their_contacts_and_their_map(company):
    company.sources = [CALLS, {"name": "crm", "format": "customers", "path": "crm*.csv"}]
    company.put("calls/a.jsonl", call("1", "画面が開きません", customer="a@example.com"))
    company.put("crm.csv", "customer_id,started_on,email\nX9,2025-01-01,other@example.com\n")
    assert company.ingest().counts["unmatched_customers"] == 1
    company.put("crm2.csv", "customer_id,started_on,email\nX1,2025-01-01,a@example.com\n")
    assert company.ingest().counts["unmatched_customers"] == 0
    customers, contacts = company.table(CUSTOMERS), company.table(CONTACTS)
    assert contacts["customer_id"].isin(customers["customer_id"]).all()
    pseudonyms = (company.folder / "identity" / "pseudonyms.csv").read_text()
    assert f"{contacts['customer_id'].iloc[0]},X1" in pseudonyms and "example.com" not in pseudonyms


def test_two_exports_of_one_call_are_one_voice(company):
    text = "請求書の画面を開くと真っ白になってしまい、先月分の明細を印刷することができません。至急確認してください。"
    company.sources = [CALLS, CALLS | {"name": "cti", "path": "cti/*.jsonl"}]
    company.put("calls/a.jsonl", call("1", text))
    company.put("cti/a.jsonl", call("900", text))
    record = company.ingest()
    assert (record.counts["parse"], record.counts["duplicates"]) == (2, 1)


def test_other_masking_reads_all_again_and_another_key_is_refused(company):
    from voc.errors import ConfigError

    company.sources = [CALLS]
    company.put("calls/a.jsonl", call("1", "会員番号はM-1234です"))
    company.ingest()
    assert "M-1234" in company.table(TURNS)["text"].iloc[0]
    company.options = {"privacy": {"id_patterns": {"会員番号": "M-[0-9]{4}"}}}
    record = company.ingest()
    assert "M-1234" not in company.table(TURNS)["text"].iloc[0] and "始めから読み直しました" in record.notices[0]
    key_file = Config(sources=company.sources).privacy.pseudonym_key_file
    (company.folder / key_file).write_text("another key of thirty-two bytes!")
    with pytest.raises(ConfigError, match="仮名の鍵が.*違います"):
        company.ingest()


def test_another_key_is_refused_also_by_a_version_whose_sources_have_more_settings(company, monkeypatch):
    from voc.errors import ConfigError

    company.sources = [CALLS]
    company.put("calls/a.jsonl", call("1", "画面が開きません"))
    company.ingest()
    monkeypatch.setattr("voc.sources.watermarks.settings_sha", lambda source: f"of a later version: {source.name}")
    (company.folder / Config(sources=company.sources).privacy.pseudonym_key_file).write_text("another key of thirty-two bytes!")
    with pytest.raises(ConfigError, match="仮名の鍵が.*違います"):
        company.ingest()


def test_a_survey_whose_header_changed_is_a_loud_line(company):
    company.sources = [{"name": "s", "format": "survey", "path": "s/*.csv", "columns": {"started_at": "回答日"},
                        "texts": {"意見": "ご意見", "要望": "ご要望"}}]  # fmt: skip
    company.put("s/1.csv", "回答日,意見,要望\n2026-04-01,画面が開きません,早くして\n")
    assert company.ingest().notices == []
    company.put("s/2.csv", "回答日,ご意見欄,要望\n2026-04-02,遅いです,早くして\n")
    record = company.ingest()
    assert "増えた列: ご意見欄" in record.notices[0] and "意見 を含みます" in record.notices[0]
    assert "回答日" not in "".join(company.table(WATERMARKS)["name"])


def test_an_empty_store_without_any_voice_is_an_error_that_names_every_fault(company):
    from voc.errors import VocError

    company.sources = [CALLS]
    with pytest.raises(VocError, match="一件も読み込めませんでした(?s:.*)calls"):
        company.ingest()


def test_rows_that_two_sources_give_are_told(company):
    company.sources = [CALLS, *({"name": name, "format": "customers", "path": f"{name}.csv"} for name in ("crm", "billing"))]
    company.put("calls/a.jsonl", call("1", "画面が開きません"))
    company.put("crm.csv", "customer_id,started_on,plan\nA,2025-01-01,x\nB,2025-01-01,x\n")
    company.put("billing.csv", "customer_id,started_on,plan\nB,2025-01-01,y\nC,2025-01-01,y\n")
    record = company.ingest()
    assert record.notices[0].startswith("ソース billing: 1 行は") and sorted(company.table(CUSTOMERS)["plan"]) == ["x", "y", "y"]


def test_a_run_keeps_nothing_but_a_path_in_prefects_database(flows):
    import inspect

    from flows.run import run

    kinds = {name: parameter.annotation for name, parameter in inspect.signature(run.fn).parameters.items()}
    assert kinds == {"config_path": str, "is_quiet": bool, "is_full": bool}


def test_orders_and_price_changes_are_stored_under_pseudonyms(company):
    company.sources = [CALLS, {"name": "orders", "format": "orders", "path": "orders.csv"},
                       {"name": "prices", "format": "price_changes", "path": "prices.csv"},
                       {"name": "customers", "format": "customers", "path": "customers.csv"}]
    company.put("calls/1.jsonl", call("1", "画面が開きません"))
    company.put("customers.csv", "customer_id,started_on\nC1,2024-01-01\n")
    company.put("orders.csv", "order_id,customer_id,ordered_at,amount_yen\nO-77,C1,2026-04-01,1980\nO-78,C1,x,1\n")
    company.put("prices.csv", "customer_id,changed_on,price_yen\nC1,2026-04-01,980\n")
    company.ingest()
    owner = company.table(CUSTOMERS)["customer_id"].item()
    assert company.table(ORDERS)["customer_id"].tolist() == company.table(PRICE_CHANGES)["customer_id"].tolist() == [owner]
    assert company.table(ORDERS)["order_id"].item() != "O-77" and "ordered_at" in company.table(REJECTS)["reason"].str.cat()
    shas = company.shas()
    company.ingest(is_full=True)
    assert company.shas() == shas
