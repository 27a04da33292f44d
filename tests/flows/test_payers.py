from types import SimpleNamespace

import pandas as pd

from flows.payers import read_payers
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


def test_contracts_win_over_orders(tmp_path):
    payers, record = read(tmp_path, ended=pd.Timestamp("2024-06-01"))
    assert payers.orders_per_month is None and payers.as_of_on == AS_OF and not record.notices


def test_too_few_orders_are_told_and_the_run_goes_on(tmp_path):
    payers, record = read(tmp_path, n_orders=5)
    assert payers.orders_per_month is None and "30 件以上" in record.notices[0]
