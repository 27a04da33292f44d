from types import SimpleNamespace

import pandas as pd

from flows.payers import known_on, read_payers
from voc.store import write_table
from voc.tables import CUSTOMERS, ORDERS, check

AS_OF = pd.Timestamp("2025-01-01")


def read(tmp_path, *, ended=None, n_orders=40):
    people = pd.DataFrame({"customer_id": ["a", "b"], "plan": "会員", "started_on": pd.Timestamp("2024-01-01"), "ended_on": [ended, pd.NaT]})
    orders = pd.DataFrame({"order_id": [f"o{n:02d}" for n in range(n_orders)], "customer_id": "a", "amount_yen": 1000.0,
                           "ordered_on": pd.Timestamp("2024-01-01") + pd.to_timedelta([5 * n for n in range(n_orders)], unit="D")})
    write_table(check(people, CUSTOMERS), CUSTOMERS, store=str(tmp_path))
    write_table(check(orders, ORDERS), ORDERS, store=str(tmp_path))
    record = SimpleNamespace(notices=[], counts={})
    return read_payers(store=str(tmp_path), as_of_on=AS_OF, record=record), record


def test_orders_make_contracts_where_there_are_none(tmp_path):
    payers, record = read(tmp_path)
    customers = payers.customers.set_index("customer_id")
    assert customers.loc["a", "ended_on"] == pd.Timestamp("2024-01-01") + pd.Timedelta(days=5 * 39 + 5)
    assert payers.as_of_on == AS_OF - pd.Timedelta(days=10) and payers.orders_per_month["a"] > 0
    assert "解約とみなし" in record.notices[0]


def test_what_was_known_on_an_earlier_day(tmp_path):
    payers, record = read(tmp_path)
    assert record.counts["customers_without_order"] == 1 and "一度も注文のない顧客 1 名" in record.notices[0]
    then = known_on(payers, pd.Timestamp("2024-06-29"))  # 36 orders so far, the last four days ago
    assert then.as_of_on == pd.Timestamp("2024-06-19") and pd.isna(then.customers["ended_on"]).all()
    assert known_on(payers, pd.Timestamp("2024-03-01")) is None  # 11 intervals are too few to promise anything


def test_contracts_are_known_up_to_the_day(tmp_path):
    payers, _ = read(tmp_path, ended=pd.Timestamp("2024-06-01"))
    then = known_on(payers, pd.Timestamp("2024-05-01"))
    assert then.as_of_on == pd.Timestamp("2024-05-01") and then.customers is payers.customers
    assert known_on(payers, pd.Timestamp("2026-01-01")).as_of_on == AS_OF


def test_contracts_win_over_orders(tmp_path):
    payers, record = read(tmp_path, ended=pd.Timestamp("2024-06-01"))
    assert payers.orders_per_month is None and payers.as_of_on == AS_OF and not record.notices


def test_too_few_orders_are_told_and_the_run_goes_on(tmp_path):
    payers, record = read(tmp_path, n_orders=5)
    assert payers.orders_per_month is None and "30 件以上" in record.notices[0]
