"""Who pays what: the company's customers, or, where it has orders and no contracts, customers made from the orders."""

from dataclasses import dataclass

import pandas as pd

from flows.record import RunRecord
from voc.errors import VocError
from voc.impact.orders import customers_from_orders
from voc.store import read_table
from voc.tables import CUSTOMERS, ORDERS, PRICE_CHANGES


@dataclass(frozen=True)
class Payers:
    """`as_of_on`: the day up to which every churn is known; `orders_per_month` by customer_id, None without orders."""

    customers: pd.DataFrame
    price_changes: pd.DataFrame
    as_of_on: pd.Timestamp
    orders_per_month: pd.Series | None


def read_payers(*, store: str, as_of_on: pd.Timestamp, record: RunRecord) -> Payers:
    """Orders count only where no customer has an end of contract; the rule is then told in the run and the report."""
    customers, orders, changes = (read_table(table, store=store) for table in (CUSTOMERS, ORDERS, PRICE_CHANGES))
    if orders.empty or customers["ended_on"].notna().any():
        return Payers(customers, changes, as_of_on, None)
    try:
        found = customers_from_orders(orders, customers, as_of=as_of_on)
    except VocError as error:
        record.notices.append(str(error))
        return Payers(customers, changes, as_of_on, None)
    left_out = sum(found.left_out.values())
    record.counts["orders_left_out"] = left_out
    record.notices.append(
        f"{found.note}解約がすべて分かる {found.known_until_on:%Y-%m-%d} より前で推定しています。"
        + (f"使えなかった注文は {left_out:,} 行です。" if left_out else ""))
    rates = found.rates.set_index("customer_id")["orders_per_month"]
    return Payers(found.customers, changes, min(as_of_on, found.known_until_on), rates)
