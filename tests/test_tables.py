"""The gate that every table passes."""

import pandas as pd
import pytest

from voc.errors import TableError
from voc.tables import CONTACTS, SENTENCES, TABLES, USAGE, check, content_sha, empty


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_an_empty_table_passes_its_own_check(table):
    assert list(check(empty(table), table).columns) == list(table.columns)


def usage(**columns):
    return pd.DataFrame({"customer_id": ["b", "a"], "month_on": ["2026-01-01", "2026-01-01"], **columns})


def test_rows_are_sorted_by_key_and_empty_columns_added():
    checked = check(usage(), USAGE)
    assert checked["customer_id"].tolist() == ["a", "b"]
    assert checked["n_logins"].isna().all()


def test_all_faults_are_told_at_once():
    with pytest.raises(TableError, match=r"missing: \['month_on'\].*not in the table: \['month'\]"):
        check(pd.DataFrame({"customer_id": ["a"], "month": [1]}), USAGE)


def test_a_repeated_key_is_named():
    with pytest.raises(TableError, match="repeat a key.*'a'"):
        check(pd.DataFrame({"customer_id": ["a", "a"], "month_on": ["2026-01-01"] * 2}), USAGE)


def test_an_empty_value_where_none_may_be_is_refused():
    with pytest.raises(TableError, match="customer_id is empty in 1 rows"):
        check(pd.DataFrame({"customer_id": ["a", None], "month_on": ["2026-01-01"] * 2}), USAGE)


def test_instants_are_kept_in_utc():
    row = {"contact_id": "c", "channel": "call", "started_at": "2026-01-01T09:00+09:00", "source": "s", "source_row": "1", "content_sha": "x"}
    assert str(check(pd.DataFrame([row]), CONTACTS)["started_at"].iloc[0]) == "2026-01-01 00:00:00+00:00"


def test_hash_does_not_depend_on_row_order_but_on_every_value():
    one, other = check(usage(n_logins=[1, 2]), USAGE), check(usage(n_logins=[1, 2]).iloc[::-1], USAGE)
    assert content_sha(one) == content_sha(other) != content_sha(check(usage(n_logins=[1, 3]), USAGE))


def test_hash_sees_the_inside_of_lists():
    row = {"sentence_id": "s", "turn_id": "t", "contact_id": "c", "position": 0, "start": 0, "end": 1, "text": "あ"}
    ab, a_b = (check(pd.DataFrame([{**row, "terms": terms}]), SENTENCES) for terms in (["ab"], ["a", "b"]))
    assert content_sha(ab) != content_sha(a_b)
