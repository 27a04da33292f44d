"""New rows into stored tables: nothing doubled, nothing lost."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from voc.tables import CONTACTS, CUSTOMERS, REJECTS, TURNS, check, empty
from voc.upsert import n_replaced, replace_rejects, upsert, upsert_contacts


def customers(**plans):
    return check(pd.DataFrame({"customer_id": list(plans), "plan": list(plans.values())}), CUSTOMERS)


def contacts(*ids):
    rows = [{"contact_id": one, "channel": "email", "started_at": "2026-04-01T00:00Z", "source": "m", "source_row": one,
             "content_sha": ""} for one in ids]  # fmt: skip
    return check(pd.DataFrame(rows, columns=list(CONTACTS.columns)), CONTACTS)


def turns(**texts):
    rows = [{"turn_id": own.replace("_", "-"), "contact_id": own.partition("_")[0], "position": place, "speaker": "customer",
             "text": text} for place, (own, text) in enumerate(texts.items())]  # fmt: skip
    return check(pd.DataFrame(rows, columns=list(TURNS.columns)), TURNS)


def test_a_row_that_comes_again_takes_the_place_of_the_old_one():
    after = upsert(customers(a="x", b="x"), customers(b="y", c="y"), CUSTOMERS)
    assert after.set_index("customer_id")["plan"].to_dict() == {"a": "x", "b": "y", "c": "y"}
    assert upsert(after, empty(CUSTOMERS), CUSTOMERS).equals(after)
    assert upsert(empty(CUSTOMERS), after, CUSTOMERS).equals(after)


plans = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz"))


@given(plans, plans)
def test_twice_is_once_and_every_key_is_kept(old, new):
    stored = customers(**old) if old else empty(CUSTOMERS)
    coming = customers(**new) if new else empty(CUSTOMERS)
    once = upsert(stored, coming, CUSTOMERS)
    assert once.equals(upsert(once, coming, CUSTOMERS))
    assert once.set_index("customer_id")["plan"].to_dict() == old | new


def test_a_contact_that_comes_again_has_its_new_turns_and_the_replies_that_came_later():
    stored = turns(C1_000="old", C1_001="gone", C1_r12ab="reply", C2_000="stays")
    _, after = upsert_contacts(contacts("C1", "C2"), stored, contacts("C1"), turns(C1_000="new"))
    assert after.set_index("turn_id")["text"].to_dict() == {"C1-000": "new", "C1-r12ab": "reply", "C2-000": "stays"}


def test_rejects_of_a_file_that_was_read_again_are_those_of_now():
    rows = [("s", "a.csv:3", "parse", "old"), ("s", "a.csv", "parse", "old"), ("s", "", "read", "down"), ("s", "b.csv:1", "parse", "b"),
            ("t", "a.csv:3", "parse", "other source")]  # fmt: skip
    stored = check(pd.DataFrame(rows, columns=list(REJECTS.columns)), REJECTS)
    new = check(pd.DataFrame([("s", "a.csv:9", "parse", "new")], columns=list(REJECTS.columns)), REJECTS)
    after = replace_rejects(stored, new, source="s", files={"a.csv"})
    assert sorted(after["reason"]) == ["b", "down", "new", "other source"]
    cleared = replace_rejects(stored, empty(REJECTS), source="s", files=("",))
    assert sorted(cleared["reason"]) == ["b", "old", "old", "other source"]


def test_replaced_are_stored_contacts_that_come_again_with_other_content():
    stored = contacts("C1", "C2", "C3").assign(content_sha=["a", "b", "c"])
    coming = contacts("C1", "C2", "C9").assign(content_sha=["a", "other", "d"])
    assert n_replaced(stored, coming) == 1
    assert n_replaced(empty(CONTACTS), coming) == 0 and n_replaced(stored, empty(CONTACTS)) == 0
