import pandas as pd
import pytest

from voc.errors import VocError
from voc.impact.orders import customers_from_orders
from voc.impact.periods import DAYS_PER_MONTH
from voc.tables import CUSTOMERS, empty

FIRST = pd.Timestamp("2024-01-01")


def orders(*rows):
    """Rows (customer_id, days after the first, yen)."""
    return pd.DataFrame([
        {"order_id": f"o{n}", "customer_id": who, "ordered_on": FIRST + pd.Timedelta(days=day), "amount_yen": float(yen)}
        for n, (who, day, yen) in enumerate(rows)])


def monthly(who, n, *, gap=20, yen=3000, first=0):
    return [(who, first + gap * k, yen) for k in range(n)]


ROWS = [*monthly("stays", 20), *monthly("leaves", 6), *monthly("waits", 18), *monthly("pauses", 3), *monthly("pauses", 4, first=280)]
AS_OF = FIRST + pd.Timedelta(days=400)


def judged(rows=ROWS, people=None, **options):
    return customers_from_orders(orders(*rows), empty(CUSTOMERS) if people is None else people, as_of=AS_OF, **options)


def test_three_intervals_without_an_order_is_churn():
    result = judged()
    ended = result.customers.set_index("customer_id")["ended_on"]
    assert result.median_days == 20
    # leaves: last order on day 100, the next was due on day 120; waits: day 340, exactly 60 days before day 400
    assert ended["leaves"] == FIRST + pd.Timedelta(days=120) and ended["waits"] == FIRST + pd.Timedelta(days=360)
    assert pd.isna(ended["stays"])
    assert result.known_until_on == AS_OF - pd.Timedelta(days=40)
    assert "60 日" in result.note and "解約とみなし" in result.note


def test_who_comes_back_never_left():
    assert pd.isna(judged([*ROWS, ("pauses", 399, 1)]).customers.set_index("customer_id").loc["pauses", "ended_on"])


def test_price_is_order_value_times_frequency():
    result = judged()
    price = result.customers.set_index("customer_id")["monthly_price_yen"]
    assert price["leaves"] == pytest.approx(3000 * 6 / (120 / DAYS_PER_MONTH))
    assert price["stays"] == pytest.approx(3000 * 20 / (400 / DAYS_PER_MONTH))
    rate = result.rates.set_index("customer_id").loc["leaves"]
    assert rate["order_yen"] * rate["orders_per_month"] == pytest.approx(price["leaves"])


def test_plan_is_kept_and_refunds_and_later_orders_are_counted():
    people = pd.DataFrame({"customer_id": ["stays", "never"], "plan": ["会員", "会員"], "segment": [None, None]})
    result = judged([*ROWS, ("stays", 500, 9), ("stays", 5, -3000), ("stays", 7, float("inf")), ("stays", 8, float("-inf"))], people)
    frame = result.customers.set_index("customer_id")
    assert frame.loc["stays", "plan"] == "会員" and "never" not in frame.index and result.n_without_order == 1
    assert result.left_out == {"orders_after_as_of": 1, "orders_without_amount": 2, "orders_refunded": 1}


def test_too_few_orders_are_told():
    with pytest.raises(VocError, match="30 件以上"):
        judged(monthly("a", 5))


def test_an_earlier_day_gives_what_was_known_then():
    """On day 150 nobody knew that `pauses` would pause or `leaves` had left for good: 50 days since day 100 are no 60."""
    rows = [*ROWS, *monthly("b", 20), *monthly("c", 20)]
    then = customers_from_orders(orders(*rows), empty(CUSTOMERS), as_of=FIRST + pd.Timedelta(days=150))
    frame = then.customers.set_index("customer_id")
    assert pd.isna(frame.loc["leaves", "ended_on"])
    assert frame.loc["pauses", "ended_on"] == FIRST + pd.Timedelta(days=60)  # three orders, and silent since day 40
    assert frame.loc["stays", "monthly_price_yen"] == pytest.approx(3000 * 8 / (150 / DAYS_PER_MONTH))
    assert then.left_out["orders_after_as_of"] == 3 * 12 + 10 + 4
    assert then.known_until_on == FIRST + pd.Timedelta(days=110)
