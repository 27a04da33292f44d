import hashlib
import json
import shutil

import pandas as pd
import pytest

from voc.config import Source
from voc.duplicates import link_duplicates
from voc.episodes import link_episodes
from voc.erasure import (
    gone_by_age,
    gone_with_customer,
    in_writing_order,
    is_changed,
    obey_tombstones,
    tombstones,
    without,
)
from voc.identity import pseudonyms_of
from voc.parsing.contacts import parse_contacts
from voc.privacy import mask_contacts, pseudonymise
from voc.raw import RawFile
from voc.removal import erase
from voc.sources.pseudonym_map import write_pseudonyms
from voc.store import read_table, stored_tables, write_table
from voc.tables import (
    CONTACTS,
    CUSTOMER_KEYS,
    CUSTOMERS,
    ERASED,
    ISSUES,
    MENTIONS,
    REJECTS,
    SENTENCES,
    TABLES,
    TURNS,
    USAGE,
    check,
    empty,
)

KEY = b"0123456789abcdef"
NOW = pd.Timestamp("2026-01-01", tz="UTC")


def tables_of_two():
    """(tables of a store with two customers, by name; the pseudonyms of both)."""
    one, two = pseudonymise(pd.Series(["A-1", "B-2"]), KEY)
    contacts, turns, sentences, mentions = [], [], [], []
    for contact, customer, text in (("Cone", one, "紫色の象の話です"), ("Ctwo", two, "緑色の亀の話です"), ("Cnone", None, "匿名の声"),
                                    ("Cforwarded", None, "転送: 紫色の象の話です")):
        contacts.append({"contact_id": contact, "customer_id": customer, "channel": "email", "source": "mail", "source_row": contact,
                         "started_at": NOW, "content_sha": "x", "duplicate_of": "Cone" if contact == "Cforwarded" else None})  # fmt: skip
        turns.append({"turn_id": contact + "-0", "contact_id": contact, "position": 0, "speaker": "customer", "text": text})
        sentences.append({"sentence_id": contact + "-0-0", "turn_id": contact + "-0", "contact_id": contact, "position": 0,
                          "start": 0, "end": len(text), "text": text, "terms": [text[:2]]})  # fmt: skip
        mentions.append({"issue_id": "VOC-1", "sentence_id": contact + "-0-0", "contact_id": contact, "customer_id": customer,
                         "mentioned_at": NOW, "probability": 1.0})  # fmt: skip
    issue = {"issue_id": "VOC-1", "label": "色", "kind": "complaint", "status": "open", "first_seen_at": NOW, "centroid": [0.5],
             "threshold": 0.5, "exemplar_ids": ["Cone-0-0", "Ctwo-0-0"], "keywords": ["色"], "n_sentences": 3}  # fmt: skip
    rejected = {"source": "mail", "source_row": "Cone", "stage": "parse", "reason": "csat の値「紫色の象」は使えません"}
    frames = {
        CONTACTS.name: contacts, TURNS.name: turns, SENTENCES.name: sentences, MENTIONS.name: mentions, ISSUES.name: [issue], REJECTS.name: [rejected],
        CUSTOMERS.name: [{"customer_id": one, "plan": "p"}, {"customer_id": two, "plan": "p"}],
        USAGE.name: [{"customer_id": one, "month_on": "2025-12-01", "n_logins": 3.0}],
    }  # fmt: skip
    return {name: check(pd.DataFrame(rows), TABLES[name]) for name, rows in frames.items()}, (one, two)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(folder of a store with `tables_of_two`, written three times, so that there is a history; the pseudonyms of both)."""
    folder = tmp_path_factory.mktemp("written")
    tables, pseudonyms = tables_of_two()
    for _ in range(3):
        for name, frame in tables.items():
            write_table(frame, TABLES[name], store=str(folder))
    return folder, pseudonyms


@pytest.fixture
def two_customers(written, tmp_path):
    """The pseudonyms of two customers, whose store is in tmp_path."""
    folder, pseudonyms = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return pseudonyms


def everything(folder):
    """All bytes under `folder`, and all tables as text (a compressed page could hide a word from a byte search)."""
    stored = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    parquet = [pd.read_parquet(path).astype("str").to_csv() for path in sorted(folder.rglob("*.parquet"))]
    return stored.decode("utf-8", "ignore") + "".join(parquet)


@pytest.mark.slow
def test_an_erased_customer_is_in_no_table_file_or_older_version(two_customers, tmp_path):
    one, two = two_customers
    assert "紫色" in everything(tmp_path) and "Cone" in everything(tmp_path)
    counts = erase(one, store=str(tmp_path), map_folder=None, key=KEY, erased_at=NOW)
    assert counts["contacts"] == counts["turns"] == counts["sentences"] == 2  # one of them forwarded by somebody unknown
    assert counts["customers"] == counts["usage"] == 1
    left = everything(tmp_path)
    assert "紫色" not in left and "Cone-0" not in left
    assert "緑色の亀" in left and "匿名の声" in left and two in left
    stones = read_table(ERASED, store=str(tmp_path))
    assert sorted(stones["value"]) == sorted([one, "Cone", "Cforwarded"])
    assert read_table(CONTACTS, store=str(tmp_path))["duplicate_of"].isna().all()
    assert read_table(ISSUES, store=str(tmp_path))["exemplar_ids"].tolist() == [["Ctwo-0-0"]]
    with pytest.raises(Exception, match="log segment|version"):
        read_table(TURNS, store=str(tmp_path), version=0)


@pytest.mark.slow
def test_erasing_twice_changes_nothing_more(two_customers, tmp_path):
    one, _ = two_customers
    erase(one, store=str(tmp_path), map_folder=None, key=KEY, erased_at=NOW)
    before = {table.name: read_table(table, store=str(tmp_path)) for table in stored_tables(store=str(tmp_path))}
    assert erase(one, store=str(tmp_path), map_folder=None, key=KEY, erased_at=NOW) == {}
    for name, frame in before.items():
        pd.testing.assert_frame_equal(read_table(TABLES[name], store=str(tmp_path)), frame)


def taken_out(tables, gone):
    """(name -> table without what is gone, in the order they are written; rows removed), of the tables that change."""
    kept = {name: without(tables[name], name, gone) for name in in_writing_order(tables)}
    kept = {name: frame for name, frame in kept.items() if is_changed(tables[name], frame)}
    return kept, {name: len(tables[name]) - len(frame) for name, frame in kept.items()}


def contact(name, customer=None, **more):
    return {"contact_id": name, "customer_id": customer, "channel": "email", "source": "m", "source_row": name, "started_at": NOW, "content_sha": "", **more}


def test_contacts_under_the_customers_own_addresses_go_and_under_shared_ones_stay():
    contacts = check(pd.DataFrame([
        contact("a", "K1", known_as="Kmail"), contact("b", None, known_as="Kmail"), contact("c", None, known_as="Kshared"),
        contact("d", None, known_as="Kphone"), contact("e", "K2", known_as="Kshared"), contact("f", None, known_as="Kphone", duplicate_of="e"),
        contact("g", None, duplicate_of="a"), contact("h", "K2", duplicate_of="a"), contact("i", None),
    ]), CONTACTS)  # fmt: skip
    rows = [("email", "Kmail", "K1"), ("phone", "Kphone", "K1"), ("email", "Kshared", "K1"), ("email", "Kshared", "K2")]
    keys = check(pd.DataFrame(rows, columns=["kind", "value", "customer_id"]), CUSTOMER_KEYS)
    tables = {CONTACTS.name: contacts, CUSTOMER_KEYS.name: keys, ERASED.name: empty(ERASED)}
    gone = gone_with_customer(tables, "K1")
    changed, counts = taken_out(tables, gone)
    assert changed[CONTACTS.name]["contact_id"].tolist() == ["c", "e", "h", "i"] and changed[CONTACTS.name]["duplicate_of"].isna().all()
    assert changed[CUSTOMER_KEYS.name]["customer_id"].tolist() == ["K2"] and counts == {"contacts": 5, "customer_keys": 3}
    stones = tombstones(tables[ERASED.name], gone, erased_at=NOW)
    assert set(stones.loc[stones["kind"] == "customer", "value"]) == {"K1", "Kmail", "Kphone"}
    assert list(changed) == [CONTACTS.name, CUSTOMER_KEYS.name] and in_writing_order(tables)[0] == ERASED.name
    new = pd.DataFrame({"contact_id": ["x", "y", "z"], "customer_id": [None, None, "K1"], "known_as": ["Kphone", "Kshared", None]})
    assert obey_tombstones(new, stones)["contact_id"].tolist() == ["y"]


def test_what_was_refused_about_the_customers_number_goes():
    reasons = ["customer_id が前の行と同じ（A-1）ため使いませんでした。", "customer_id が前の行と同じ（A-12）ため使いませんでした。", "A-1 行は"]
    rejects = check(pd.DataFrame({"source": "customers", "source_row": "x", "stage": "parse", "reason": reasons}), REJECTS)
    tables = {CONTACTS.name: empty(CONTACTS), ERASED.name: empty(ERASED), REJECTS.name: rejects}
    changed, counts = taken_out(tables, gone_with_customer(tables, "K1", source_customer_ids=["A-1"]))
    assert sorted(changed[REJECTS.name]["reason"]) == sorted(reasons[1:]) and counts == {"rejects": 1}


def test_the_tables_that_tell_who_is_gone_are_written_last():
    assert in_writing_order(TABLES)[0] == ERASED.name
    assert in_writing_order(TABLES)[-4:] == ["sentences", "turns", "contacts", "customer_keys"]


@pytest.mark.slow
def test_ingest_obeys_tombstones_also_where_the_customer_is_no_longer_known(two_customers, tmp_path):
    one, _ = two_customers
    erase(one, store=str(tmp_path), map_folder=None, key=KEY, erased_at=NOW)
    erased = read_table(ERASED, store=str(tmp_path))
    again = pd.DataFrame({"contact_id": ["Cone", "Cnew", "Cother"], "customer_id": [None, one, None]})
    assert obey_tombstones(again, erased)["contact_id"].tolist() == ["Cother"]
    assert obey_tombstones(pd.DataFrame({"contact_id": ["Cone", "Cnew"]}), erased)["contact_id"].tolist() == ["Cnew"]


def test_old_contacts_go_after_the_months_that_are_kept():
    tables, _ = tables_of_two()
    assert taken_out(tables, gone_by_age(tables, months=12, as_of_on=pd.Timestamp("2026-12-31"), timezone="Asia/Tokyo")) == ({}, {})
    changed, counts = taken_out(tables, gone_by_age(tables, months=12, as_of_on=pd.Timestamp("2027-01-02"), timezone="Asia/Tokyo"))
    assert counts["contacts"] == 4 and changed["turns"].empty and "customers" not in changed


@pytest.mark.parametrize(("timezone", "kept"), [("Asia/Tokyo", ["b"]), ("UTC", [])])
def test_the_months_that_are_kept_end_at_the_companys_midnight(timezone, kept):
    eve = check(pd.DataFrame([contact("a") | {"started_at": pd.Timestamp("2024-12-31T14:59Z")},
                              contact("b") | {"started_at": pd.Timestamp("2024-12-31T15:00Z")}]), CONTACTS)  # fmt: skip
    tables = {CONTACTS.name: eve}
    changed, _ = taken_out(tables, gone_by_age(tables, months=12, as_of_on=pd.Timestamp("2026-01-01"), timezone=timezone))
    assert changed[CONTACTS.name]["contact_id"].tolist() == kept


PLANTED = {
    "name": "五十嵐", "phone": "090-1234-5678", "mail": "hanako@example.com", "address": "東京都港区芝公園4-2-8",
    "card": "4111-1111-1111-1111", "my_number": "123456789018", "birth": "昭和55年1月2日", "number": "A-777",
}  # fmt: skip


def test_planted_personal_data_is_in_no_table_and_no_file(tmp_path):
    said = (
        f"{PLANTED['name']}と申します。電話は{PLANTED['phone']}、メールは{PLANTED['mail']}です。住所は{PLANTED['address']}です。"
        f"カードは{PLANTED['card']}、マイナンバーは{PLANTED['my_number']}、生年月日は{PLANTED['birth']}です。請求書が開きません。"
    )
    chats = [{
        "contact_id": str(i), "customer_id": PLANTED["number"], "started_at": f"2025-04-01T10:0{i}:00+09:00",
        "subject": f"{PLANTED['name']}です", "messages": [
            {"author": "customer", "text": said}, {"author": "agent", "text": f"{PLANTED['name']}様、{PLANTED['phone']}ですね"},
        ]} for i in (1, 2)]  # fmt: skip
    file = RawFile("chat", "a.json", json.dumps(chats, ensure_ascii=False).encode(), "")
    parsed = parse_contacts([file], Source(name="chat", format="chat", path="a.json"))
    contacts, turns, counts = mask_contacts(parsed.contacts, parsed.turns, key=KEY, names=lambda texts: [[] for _ in texts])
    contacts = link_episodes(link_duplicates(contacts, turns), turns)
    assert contacts["duplicate_of"].notna().sum() == 1 and contacts["episode_id"].nunique() == 1
    store, identity = tmp_path / "store", tmp_path / "identity"
    for table, frame in ((CONTACTS, contacts), (TURNS, turns), (REJECTS, parsed.rejects)):
        write_table(frame, table, store=str(store))
    write_pseudonyms(pseudonyms_of(parsed.contacts["customer_id"], key=KEY), folder=identity)
    found = everything(store)
    assert {name for name, value in PLANTED.items() if value in found} == set()
    assert hashlib.sha256(PLANTED["number"].encode()).hexdigest() not in found  # keyed, not merely hashed
    assert "請求書が開きません" in found and counts["PERSON"] >= 5
    assert PLANTED["number"] in everything(identity)
