import stat

import pandas as pd
import pytest

from voc.cleaning.widths import customer_key
from voc.errors import SourceError
from voc.identity import PSEUDONYMS, join_customers, pseudonymous_keys, pseudonyms_of, reveal, without
from voc.privacy import pseudonymise
from voc.sources.pseudonym_map import read_pseudonyms, write_pseudonyms
from voc.tables import TABLES

KEY = b"0123456789abcdef"


def test_the_map_leads_back_and_unknown_pseudonyms_stay():
    known = pseudonyms_of(pd.Series(["A-1", None, "0042", "Ａ－１"], dtype="str"), key=KEY)
    assert known["source_customer_id"].tolist().count("A-1") == 1 and len(known) == 2
    ids = pseudonymise(pd.Series(["0042", "A-1"]), KEY)
    assert reveal(pd.Series([*ids, "Kother"]), known).tolist() == ["0042", "A-1", "Kother"]


def test_new_customers_are_added_and_one_can_be_taken_out():
    first = pseudonyms_of(pd.Series(["A-1"]), key=KEY)
    both = pseudonyms_of(pd.Series(["A-1", "B-2"]), key=KEY, known=first)
    assert set(both["source_customer_id"]) == {"A-1", "B-2"}
    assert without(both, first["customer_id"][0])["source_customer_id"].tolist() == ["B-2"]


def test_the_file_is_for_its_owner_only_and_comes_back_as_it_was(tmp_path):
    frame = pseudonyms_of(pd.Series(["0042", "A,\"1"]), key=KEY)
    folder = tmp_path / "identity"
    path = write_pseudonyms(frame, folder=folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(folder.stat().st_mode) == 0o700
    pd.testing.assert_frame_equal(read_pseudonyms(folder=folder), frame)
    write_pseudonyms(frame.iloc[:1], folder=folder)
    assert [entry.name for entry in folder.iterdir()] == [path.name] and len(read_pseudonyms(folder=folder)) == 1


def test_no_map_is_an_empty_one_and_a_wrong_one_is_told(tmp_path):
    assert read_pseudonyms(folder=tmp_path).empty
    (tmp_path / "pseudonyms.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="列が違います"):
        read_pseudonyms(folder=tmp_path)


def test_the_map_is_no_table_of_the_store():
    assert PSEUDONYMS.name not in TABLES


def test_contacts_find_their_customer_by_number_mail_and_telephone():
    raw = [("001", "id", "001"), ("001", "email", "a@example.com"), ("001", "phone", "0312345678"), ("002", "id", "002"),
           ("003", "id", "003"), ("003", "email", "same@example.com"), ("004", "id", "004"), ("004", "email", "same@example.com")]  # fmt: skip
    keys = pseudonymous_keys(pd.DataFrame(raw, columns=["customer_id", "kind", "value"]), key=KEY)
    assert not keys.isin(["001", "a@example.com", "0312345678"]).any().any()
    written = ["002", "A@example.com", "+81 3-1234-5678", "same@example.com", "999", None]
    known_as = pseudonymise(pd.Series(written, dtype="str").map(customer_key, na_action="ignore"), KEY)
    contacts = pd.DataFrame({
        "contact_id": list("abcdef"), "known_as": known_as, "channel": "call", "started_at": "2026-04-01T00:00Z", "source": "s",
        "source_row": "", "content_sha": "",
    })  # fmt: skip
    hidden = pseudonymise(pd.Series(["001", "002"]), KEY).tolist()
    joined = join_customers(contacts, keys)
    assert joined["customer_id"].fillna("-").tolist() == [hidden[1], hidden[0], hidden[0], "-", "-", "-"]
    assert join_customers(joined, keys).equals(joined)  # what was joined once can be joined again
    alone = join_customers(contacts, keys.iloc[:0])
    assert alone["customer_id"].equals(alone["known_as"])
