"""Customers without a subscription (EC): price, frequency and churn from their orders."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.errors import VocError
from voc.impact.periods import DAYS_PER_MONTH, LONG_AGO, as_of_day, day_of_date, timestamp
from voc.tables import CUSTOMERS, ORDERS, check

SILENT_INTERVALS = 3
MIN_INTERVALS = 30  # gaps between orders from which their median is trusted


@dataclass(frozen=True)
class OrderChurn:
    """`customers`: CUSTOMERS with started_on, ended_on and monthly_price_yen from the orders; `rates`: customer_id,
    order_yen (mean of one order), orders_per_month; `median_days`: of the intervals between orders; `known_until_on`:
    every churn before that day is known, so estimates are made as of that day; `note`: the rule in Japanese;
    `left_out`: counts of orders not used, by why: from `as_of` on, without a finite amount, of no or a negative amount; `n_without_order`: customers who have not ordered yet."""

    customers: pd.DataFrame
    rates: pd.DataFrame
    median_days: float
    known_until_on: pd.Timestamp
    note: str
    left_out: dict[str, int]
    n_without_order: int


def customers_from_orders(
    orders: pd.DataFrame, customers: pd.DataFrame, *, as_of: object, silent_intervals: float = SILENT_INTERVALS
) -> OrderChurn:
    """Contract dates from ORDERS: who has not bought for `silent_intervals` x the median interval has left.

    started_on: first order. ended_on: the day on which the next order was due (last order + median interval), where
    by `as_of` `silent_intervals` x the median has passed since the last order; later churns are not known yet, so
    the last (silent_intervals - 1) x median days before `as_of` must not be used (`known_until_on`). Who came back
    after a longer pause never left. The median is over all customers' intervals between days with an order.
    monthly_price_yen = order_yen x orders_per_month (単価 x 購買頻度), orders counted by months from the first order to
    ended_on or `as_of`, at least one median interval. Plan and segment come from `customers` (CUSTOMERS, may be
    empty); who has not ordered before `as_of` is no customer yet and is left out and counted. Nothing from
    `as_of` on is looked at, so an earlier `as_of` gives what was known then. Raises VocError where there are fewer than
    30 intervals.
    """
    end_day = as_of_day(as_of)
    frame, left_out = _usable(check(orders, ORDERS), end_day)
    days = frame.drop_duplicates(["customer_id", "day"]).sort_values(["customer_id", "day"])
    gaps = days["day"].diff()[days["customer_id"] == days["customer_id"].shift()]
    if len(gaps) < MIN_INTERVALS:
        raise VocError(
            f"注文の間隔が {len(gaps)} 件しかないため、解約（購入の途絶え）を決められません（必要: {MIN_INTERVALS} 件以上）。"
            "同じ顧客の 2 回目以降の注文を含む、より長い期間の注文を orders に加えてください。"
        )
    median = float(gaps.median())
    people = frame.groupby("customer_id", sort=True).agg(
        first=("day", "min"), last=("day", "max"), n=("day", "size"), order_yen=("amount_yen", "mean"))
    silent = (end_day - people["last"]).to_numpy() >= silent_intervals * median
    due = people["last"] + round(median)
    followed = np.where(silent, due, end_day) - people["first"]
    people["orders_per_month"] = people["n"] / (np.maximum(followed, median) / DAYS_PER_MONTH)
    known = pd.DataFrame({
        "customer_id": people.index, "started_on": _dates(people["first"]),
        "ended_on": _dates(due).where(silent), "monthly_price_yen": (people["order_yen"] * people["orders_per_month"]).to_numpy(),
    })
    named = customers[["customer_id", "plan", "segment"]].drop_duplicates("customer_id")
    result = known.merge(named, on="customer_id", how="left", validate="one_to_one") if len(named) else known
    note = (
        f"解約日がないため、購入間隔の中央値 {median:.0f} 日の {silent_intervals:g} 倍（{silent_intervals * median:.0f} 日）購入がない顧客を"
        "解約とみなし、次の購入が見込まれた日を解約日としています。"
    )
    return OrderChurn(
        check(result, CUSTOMERS), people[["order_yen", "orders_per_month"]].reset_index(), median,
        timestamp(end_day - round((silent_intervals - 1) * median)), note, left_out,
        int((~named["customer_id"].isin(known["customer_id"])).sum()),
    )


def _usable(orders: pd.DataFrame, end_day: int) -> tuple[pd.DataFrame, dict[str, int]]:
    day = day_of_date(orders["ordered_on"], empty=LONG_AGO)
    late = day >= end_day
    amount = orders["amount_yen"].to_numpy(dtype="float64")
    unknown = ~late & ~np.isfinite(amount)
    refund = ~late & ~unknown & (amount <= 0)
    left_out = {"orders_after_as_of": int(late.sum()), "orders_without_amount": int(unknown.sum()), "orders_refunded": int(refund.sum())}
    return orders.assign(day=day)[~late & ~unknown & ~refund], left_out


def _dates(days: pd.Series) -> pd.Series:
    return pd.Series(days.to_numpy(dtype="datetime64[D]").astype("datetime64[us]"))
