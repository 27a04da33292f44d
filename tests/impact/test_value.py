import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import customers
from voc.config import Value
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import usable_customers
from voc.impact.value import customer_counts, lifetime_value, monthly_churn_of_plan, net_promoter_score


def window(start: str, end: str):
    return window_of(np.array([as_of_day(start)]), end_day=as_of_day(end))


def test_full_months_only():
    assert window("2025-01-15", "2025-04-10").n_months == 2
    assert window("2025-01-02", "2025-04-01").n_months == 3


def test_period_is_last_twelve_full_months():
    period = window("2024-01-01", "2025-07-01")
    assert (period.n_months, period.period_months) == (18, 12)
    assert period.period_start == as_of_day("2024-07-01")


@pytest.mark.parametrize("price, churn, expected", [
    (1000, 0.02, 1000 * 0.7 * 50),
    (1000, 0.0, 1000 * 0.7 * 60),  # floor 0.5 % is 200 months, capped at 60
    (1000, 0.1, 1000 * 0.7 * 10),
])
def test_lifetime_value(price, churn, expected):
    assert lifetime_value(np.array([price]), np.array([churn]), value=Value())[0] == pytest.approx(expected)


def test_churn_rate_divides_by_contracts_at_end_of_previous_month():
    rows = [(f"c{n}", "A", 1000, "2024-06-01", None) for n in range(8)]
    rows += [("x", "A", 3000, "2024-06-01", "2025-02-10"), ("y", "A", 1000, "2025-02-05", "2025-02-20"),
             ("z", "A", 1000, "2025-01-31", "2025-03-01")]
    frame, _ = usable_customers(customers(*rows), end_day=as_of_day("2025-04-01"))
    counts = customer_counts(frame, window("2025-01-01", "2025-04-01"))
    assert counts["n_customers"].tolist() == [9, 10, 9]  # z joins on 31 January, x ends in February
    assert counts["n_churned"].tolist() == [0, 2, 1]  # x and y; z
    assert counts["mrr_yen"].tolist() == [11000, 12000, 9000]
    assert counts["mrr_lost_yen"].tolist() == [0, 4000, 1000]
    rate = monthly_churn_of_plan(frame, window("2025-01-01", "2025-04-01"))
    assert rate["A"] == pytest.approx(3 / 28)


def test_nps():
    assert net_promoter_score(np.array([10, 9, 8, 6, 0, np.nan, 11])) == pytest.approx(0.0)
    assert net_promoter_score(np.array([9.0, 10, 3, 8])) == pytest.approx(25.0)
    assert np.isnan(net_promoter_score(np.array([])))


def test_unusable_customers_are_counted_not_used():
    frame, counts = usable_customers(customers(
        ("a", "A", -5, "2025-01-01", None), ("a", "A", 100, "2025-01-01", None),
        ("b", "A", 100, "2025-02-01", "2025-01-01"),
        ("c", "A", 300, None, None), ("d", "A", 100, "2025-09-01", None)), end_day=as_of_day("2025-04-01"))
    assert frame["customer_id"].tolist() == ["a", "c"]
    assert frame["price"].tolist() == [300, 300]
    assert counts["customers_repeated"] == counts["customers_ended_before_start"] == counts["prices_refused"] == 1
    assert counts["customers_start_after_as_of"] == counts["customers_without_start"] == 1


def test_end_on_or_after_as_of_has_not_happened():
    rows = customers(("a", "A", 1, "2025-01-01", "2025-04-01"))
    frame, counts = usable_customers(rows, end_day=as_of_day(pd.Timestamp("2025-04-01")))
    assert counts["customers_end_in_future"] == 1 and frame["end"].iloc[0] > as_of_day("2100-01-01")
