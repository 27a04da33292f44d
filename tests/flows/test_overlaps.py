"""Records that several files or sources tell of: what nightly runs end with is what one run over all of it gives."""

# ruff: noqa: F811 - fixtures of another module

import json

import pytest

from tests.flows.test_ingest import CALLS, call, company, flows  # noqa: F401 - fixtures
from voc.tables import CONTACTS, CUSTOMER_KEYS, CUSTOMERS, TURNS, content_sha

pytestmark = pytest.mark.slow
CRM = {"name": "crm", "format": "customers", "path": "crm/*.csv", "columns": {"email": "mail", "phone": "tel"}}
HEADER = "customer_id,started_on,plan,mail,tel\n"


def tables(company):
    return {table.name: content_sha(company.table(table)) for table in (CONTACTS, TURNS, CUSTOMERS, CUSTOMER_KEYS)}


def scratch(company):
    """The tables that a run into an empty store gives."""
    store, company.store = company.store, company.store + "-new"
    company.ingest()
    found, company.store = tables(company), store
    return found


def said(company):
    turns = company.table(TURNS)
    return sorted(turns.loc[turns["speaker"] == "customer", "text"])


@pytest.mark.parametrize("name", ["calls/a.jsonl", "calls/b.jsonl"])
def test_an_older_file_that_is_corrected_or_comes_late_hides_no_later_one(company, name):
    company.sources = [CALLS]
    company.put("calls/a.jsonl", call("1", "画面が開きません") + "\n" + call("2", "遅いです"))
    company.put("calls/c.jsonl", call("1", "訂正：印刷ができません"))
    company.put("calls/d.jsonl", call("4", "暗いです"))
    company.ingest()
    company.put(name, call("1", "画面が開きません") + "\n" + call("2", "とても遅いです"))
    record = company.ingest()
    assert said(company) == ["とても遅いです", "暗いです", "訂正：印刷ができません"]
    assert tables(company) == scratch(company)
    assert record.counts["read"] == 3  # the file and the two after it
    company.put("calls/b.jsonl", call("5", "重いです"))
    if name != "calls/b.jsonl":  # a file between others that tells of nothing known is read alone
        assert company.ingest().counts["read"] == 1


def test_older_customer_lists_hide_no_later_one(company):
    company.sources = [CALLS, CRM]
    company.put("calls/a.jsonl", call("1", "画面が開きません"))
    company.put("crm/2026-01.csv", HEADER + "A,2025-01-01,x,a@example.com,\nB,2025-01-01,x,,\n")
    company.put("crm/2026-02.csv", HEADER + "A,2025-01-01,y,new-a@example.com,\n")
    company.ingest()
    company.put("crm/2026-01.csv", HEADER + "A,2025-01-01,x,a@example.com,\nB,2025-01-01,z,,\n")
    company.ingest()
    assert sorted(company.table(CUSTOMERS)["plan"]) == ["y", "z"] and tables(company) == scratch(company)


def test_a_corrected_address_leads_to_its_new_owner_alone(company):
    mail = "From: taro@example.com\r\nDate: Wed, 1 Apr 2026 10:00:00 +0900\r\nMessage-ID: <1@x>\r\nSubject: x\r\n\r\n画面が開きません\r\n"
    company.sources = [{"name": "mails", "format": "email", "path": "*.eml"}, CRM]
    company.put("1.eml", mail)
    company.put("crm/1.csv", HEADER + "A,2025-01-01,x,taro@example.com,\nB,2025-01-01,y,hanako@example.com,0312345678\n")
    company.ingest()
    company.put("crm/1.csv", HEADER + "A,2025-01-01,x,new@example.com,\nB,2025-01-01,y,taro@example.com,\n")
    company.ingest()
    customers = company.table(CUSTOMERS).set_index("plan")["customer_id"]
    assert company.table(CONTACTS)["customer_id"].tolist() == [customers["y"]] and tables(company) == scratch(company)
    assert company.table(CUSTOMER_KEYS)["kind"].value_counts().to_dict() == {"id": 2, "email": 2}


def test_of_two_sources_the_later_one_holds_though_only_the_earlier_one_changed(company):
    company.sources = [CALLS, {"name": "crm", "format": "customers", "path": "crm.csv", "columns": {"email": "mail"}},
                       {"name": "billing", "format": "customers", "path": "billing.csv", "columns": {"phone": "tel"}}]
    company.put("calls/a.jsonl", call("1", "画面が開きません"))
    company.put("crm.csv", "customer_id,started_on,plan,mail\nA,2025-01-01,x,a@example.com\nB,2025-01-01,x,b@example.com\n")
    company.put("billing.csv", "customer_id,started_on,plan,tel\nB,2025-01-01,y,0312345678\n")
    company.ingest()
    company.put("crm.csv", "customer_id,started_on,plan,mail\nA,2025-01-01,z,a@example.com\nB,2025-01-01,z,b2@example.com\n")
    record = company.ingest()
    assert sorted(company.table(CUSTOMERS)["plan"]) == ["y", "z"] and record.notices[0].startswith("ソース billing: 1 行は")
    assert company.table(CUSTOMER_KEYS)["kind"].value_counts().to_dict() == {"id": 2, "email": 2, "phone": 1}
    assert tables(company) == scratch(company)


def test_cut_off_at_any_write_while_files_are_read_again_nothing_is_hidden(company, flows, monkeypatch):
    company.sources = [CALLS, CRM]
    write, whole = flows.replace_table_task, None
    for cut in range(1, 20):
        company.store = str(company.folder / f"store-{cut}")
        company.put("calls/a.jsonl", call("1", "画面が開きません"))
        company.put("calls/b.jsonl", call("1", "印刷ができません"))
        company.put("crm/1.csv", HEADER + "A,2025-01-01,x,a@example.com,\n")
        company.put("crm/2.csv", HEADER + "A,2025-01-01,y,b@example.com,\n")
        company.ingest()
        company.put("calls/a.jsonl", call("1", "画面が開きません") + "\n" + call("2", "遅いです"))
        company.put("crm/1.csv", HEADER + "A,2025-01-01,z,a@example.com,\nB,2025-01-01,z,,\n")
        whole, n_writes = whole or scratch(company), 0

        def cut_off(*arguments, cut=cut, **options):
            nonlocal n_writes
            n_writes += 1
            if n_writes == cut:
                raise KeyboardInterrupt
            return write(*arguments, **options)

        monkeypatch.setattr(flows, "replace_table_task", cut_off)
        is_cut = False
        try:
            company.ingest()
        except KeyboardInterrupt:
            is_cut = True
        finally:
            monkeypatch.setattr(flows, "replace_table_task", write)
        company.ingest()
        assert tables(company) == whole, json.dumps({"cut off at write": cut})
        if not is_cut:
            break
    assert cut > 6
