"""Who pays what: the company's customers, or, where it has orders and no contracts, customers made from the orders."""

from dataclasses import dataclass, replace

import pandas as pd

from flows.record import RunRecord
from voc.errors import VocError
from voc.impact.orders import OrderChurn, customers_from_orders
from voc.store import read_table
from voc.tables import CUSTOMERS, ORDERS, PRICE_CHANGES

_LEFT_OUT = {"orders_after_as_of": "分析基準日以後", "orders_without_amount": "金額が読めない", "orders_refunded": "返金・0 円以下"}


@dataclass(frozen=True)
class Payers:
    """`as_of_on`: the day up to which every churn is known; `orders_per_month` by customer_id, None without orders.

    `orders` (ORDERS) and `listed` (CUSTOMERS as the company keeps them): what `customers` was made from, None where they
    are the company's own.
    """

    customers: pd.DataFrame
    price_changes: pd.DataFrame
    as_of_on: pd.Timestamp
    orders_per_month: pd.Series | None
    orders: pd.DataFrame | None = None
    listed: pd.DataFrame | None = None


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
    unused, without = sum(found.left_out.values()), found.n_without_order
    record.counts["orders_left_out"], record.counts["customers_without_order"] = unused, without
    record.notices.append(
        f"{found.note}解約がすべて分かる {found.known_until_on:%Y-%m-%d} より前で推定しています。"
        + (f"使えなかった注文は {unused:,} 行です（{'、'.join(f'{_LEFT_OUT[name]} {n:,}' for name, n in found.left_out.items() if n)}）。" if unused else "")
        + (f"一度も注文のない顧客 {without:,} 名は、解約の推定に使いません。" if without else ""))
    return _payers(found, changes, as_of_on, orders=orders, listed=customers)


def known_on(payers: Payers, day: pd.Timestamp) -> Payers | None:
    """What was known of the payers on the morning of `day`; None where orders were then too few to tell who had left.

    Ends of contracts that came later are not used by an estimate as of `day`. Ends by the silence of orders are judged
    anew from the orders before `day`: whoever paused then, and whether a pause was an end, was not known yet.
    """
    if payers.orders is None:
        return replace(payers, as_of_on=min(day, payers.as_of_on))
    try:
        found = customers_from_orders(payers.orders, payers.listed, as_of=day)
    except VocError:  # nothing was known: no promise could be made
        return None
    return _payers(found, payers.price_changes, day, orders=payers.orders, listed=payers.listed)


def _payers(found: OrderChurn, changes: pd.DataFrame, day: pd.Timestamp, *, orders: pd.DataFrame, listed: pd.DataFrame) -> Payers:
    rates = found.rates.set_index("customer_id")["orders_per_month"]
    return Payers(found.customers, changes, min(day, found.known_until_on), rates, orders, listed)
