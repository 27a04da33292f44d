"""Orders and price changes."""

import pandas as pd
import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.parsing import parse_orders, parse_price_changes
from voc.raw import RawFile


def raw(name, text):
    return RawFile("s", name, text.encode(), "")


def source(kind, **columns):
    return Source(name="s", format=kind, path="x", columns=columns)


NAMES = {"order_id": "注文番号", "customer_id": "会員番号", "ordered_at": "注文日時", "amount_yen": "金額"}


def test_orders():
    text = ("注文番号,会員番号,注文日時,金額\n1,A,2025/4/1 23:30,\"1,980円\"\n2,A,2025-05-01,0\n2,A,2025-05-01,500\n"
            "3,,2025-05-01,10\n4,B,きのう,10\n5,B,2025-05-02,\n6,B,2025-05-02,-300\n")
    orders, rejects = parse_orders([raw("o.csv", text)], source("orders", **NAMES))
    assert orders.values.tolist() == [["1", "A", pd.Timestamp("2025-04-01"), 1980.0], ["2", "A", pd.Timestamp("2025-05-01"), 0.0]]
    told = rejects.set_index("source_row")["reason"]
    assert "前の行と同じ" in told["o.csv:4"] and "customer_id が空" in told["o.csv:5"] and "きのう" in told["o.csv:6"]
    assert "amount_yen が空" in told["o.csv:7"] and "-300" in told["o.csv:8"] and len(rejects) == 5


def test_orders_without_a_number_are_not_doubled_by_exports_that_overlap():
    head = "customer_id,ordered_at,amount_yen\n"
    files = [raw("1.csv", head + "A,2025-04-01,100\nA,2025-04-01,100\n"), raw("2.csv", head + "A,2025-04-01,100\nA,2025-04-01,100\nA,2025-05-01,100\n")]
    orders, _ = parse_orders(files, source("orders"))
    assert len(orders) == 3


def test_price_changes():
    text = "customer_id,changed_on,price_yen,price_before_yen\nA,2025/4/1,980,1980\nA,2025/4/1,500,980\nA,2025/5/1,1980,\nB,2025/5/1,x,\n"
    changes, rejects = parse_price_changes([raw("p.csv", text)], source("price_changes"))
    assert changes["price_yen"].tolist() == [980, 1980] and changes["price_before_yen"].fillna(-1).tolist() == [1980, -1]
    assert len(rejects) == 2


@pytest.mark.parametrize("parse, kind, missing", [(parse_orders, "orders", "amount_yen"), (parse_price_changes, "price_changes", "changed_on")])
def test_missing_columns_are_told(parse, kind, missing):
    with pytest.raises(SourceError, match=missing):
        parse([raw("x.csv", "customer_id\nA\n")], source(kind))
