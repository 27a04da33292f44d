import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import customers
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import usable_customers
from voc.impact.value import company_months, customer_counts, monthly_churn_of_plan, net_promoter_score, usable_changes


def window(start: str, end: str):
    return window_of(np.array([as_of_day(start)]), end_day=as_of_day(end))


def test_full_months_only():
    assert window("2025-01-15", "2025-04-10").n_months == 2
    assert window("2025-01-02", "2025-04-01").n_months == 3


def test_period_is_last_twelve_full_months():
    period = window("2024-01-01", "2025-07-01")
    assert (period.n_months, period.period_months) == (18, 12)
    assert period.period_start == as_of_day("2024-07-01")


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


def changed(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "changed_on", "price_before_yen", "price_yen"])
    return frame.assign(changed_on=pd.to_datetime(frame["changed_on"]))


def test_revenue_churn_counts_downgrades_of_those_who_stay():
    people = customers(("a", "A", 600, "2024-06-01", None), ("b", "A", 3000, "2024-06-01", None),
                       ("c", "A", 2000, "2024-06-01", "2025-02-10"), ("d", "A", 500, "2025-02-03", "2025-02-20"))
    end = as_of_day("2025-04-01")
    frame, _ = usable_customers(people, end_day=end)
    changes, left = usable_changes(changed(
        ("a", "2025-02-01", 1000, 600),  # 400 less from February on, a change of February
        ("b", "2025-03-15", 2000, 3000),  # an upgrade takes nothing off
        ("c", "2025-02-05", 2500, 2000),  # leaves in February: all of January's 2,500 are lost, once
        ("nobody", "2025-02-05", 1, 2), ("a", "2025-02-06", 1, -5), ("a", "2025-05-01", 600, 1)), frame, end_day=end)
    assert left == {"price_changes_unknown_customer": 1, "price_changes_refused": 2}
    counts = customer_counts(frame, window("2025-01-01", "2025-04-01"), changes)
    assert counts["mrr_yen"].tolist() == [5500, 5500, 2600]  # 1000 + 2000 + 2500; the same; 600 + 2000
    assert counts["mrr_lost_yen"].tolist() == [0, 3400, 0]  # c 2,500, d 500, a 400
    assert counts["mrr_downgraded_yen"].tolist() == [0, 400, 0]
    assert counts["n_churned"].tolist() == [0, 2, 0]


def test_without_history_downgrades_are_not_known():
    frame, _ = usable_customers(customers(("a", "A", 600, "2024-06-01", None)), end_day=as_of_day("2025-04-01"))
    assert customer_counts(frame, window("2025-01-01", "2025-04-01"))["mrr_downgraded_yen"].isna().all()
    changes, _ = usable_changes(changed(("a", "2025-02-10", None, 600)), frame, end_day=as_of_day("2025-04-01"))
    counts = customer_counts(frame, window("2025-01-01", "2025-04-01"), changes)
    assert counts["mrr_yen"].tolist() == [600, 600, 600] and counts["mrr_downgraded_yen"].tolist() == [0, 0, 0]


def test_company_months_rates_worked_by_hand():
    rows = [(f"c{n}", "A", 1000, "2024-06-01", None) for n in range(8)]
    rows += [("x", "A", 4000, "2024-06-01", "2025-02-10"), ("new", "A", 1000, "2025-02-05", None)]
    frame, _ = usable_customers(customers(*rows), end_day=as_of_day("2025-04-01"))
    spoken = pd.DataFrame({"day": [as_of_day("2025-02-03")], "cost_yen": [500.0], "nps": [9.0]})
    table = company_months(frame, spoken, window("2025-01-01", "2025-04-01")).iloc[1]
    assert table["churn_share"] == pytest.approx(1 / 9)  # 1 of the 9 contracts at the end of January
    assert table["mrr_churn_share"] == pytest.approx(4000 / 12000)
    assert (table["n_contacts"], table["contact_cost_yen"], table["nps"]) == (1, 500, 100)


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
