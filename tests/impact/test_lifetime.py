import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import customers
from voc.config import Value
from voc.impact.lifetime import formula_text, lifetime_value, ltv_factors, ltv_tiers, valued_customers
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import usable_customers

END = as_of_day("2025-04-01")
WINDOW = window_of(np.array([as_of_day("2025-01-01")]), end_day=END)


def people(*rows):
    return usable_customers(customers(*rows), end_day=END)[0]


def ltv(price, churn, duration=None, **options):
    stays = None if duration is None else np.array([duration], dtype="float64")
    return lifetime_value(np.array([float(price)]), np.array([churn]), value=Value(**options), duration_months=stays)[0]


@pytest.mark.parametrize("formula, expected", [
    ("price_over_churn", 1000 / 0.02),  # 50,000: revenue, no margin; months given by the company are not used
    ("price_frequency_duration", 1000 * 30), ("price_frequency_duration_margin", 1000 * 30 * 0.7),
])
def test_three_formulas(formula, expected):
    assert ltv(1000, 0.02, 30, formula=formula) == pytest.approx(expected)


@pytest.mark.parametrize("churn, months", [(0.02, 50), (0.0, 60), (0.1, 10), (0.004, 60)])
def test_months_are_one_over_churn_within_floor_and_cap(churn, months):
    assert ltv(1000, churn) == pytest.approx(1000 * 0.7 * months)


def test_floor_without_cap_and_cap_on_a_given_duration():
    assert ltv(1000, 0.001, cap_months=500) == pytest.approx(1000 * 0.7 * 200)  # floor 0.5 %: 200 months
    assert ltv(1000, 0.02, 90) == pytest.approx(1000 * 0.7 * 60)


def test_discount_is_the_present_value_of_every_month():
    rate = 1.1 ** (1 / 12) - 1
    by_hand = sum(1000 * 0.7 * 0.95 ** (t - 1) / (1 + rate) ** t for t in range(1, 3000))
    assert ltv(1000, 0.05, discount_per_year=0.1) == pytest.approx(by_hand)
    assert ltv(1000, 0.05, discount_per_year=0.1) < ltv(1000, 0.05)


ROWS = [("a", "A", 1000, "2024-06-01", None), ("b", "A", 1000, "2024-06-01", "2025-02-10"),
        ("c", "B", 4000, "2024-06-01", None), ("d", "B", 4000, "2024-06-01", None)]


def test_factors_multiply_to_the_ltv():
    value = Value(plan_monthly_churn={"B": 0.05}, frequency_per_month={"A": 2.0})
    table = ltv_factors(valued_customers(people(*ROWS), WINDOW, value=value), WINDOW, value=value).set_index("plan")
    a, b = table.loc["A"], table.loc["B"]
    # A: 1 of 2 + 2 + 1 contracts left: 20 %; 1,000 yen twice a month x 0.7 x 5 months
    assert (a["churn_share"], a["price_yen"], a["frequency"], a["ltv_yen"]) == pytest.approx((0.2, 1000, 2, 7000))
    assert (b["churn_share"], b["churn_used_share"], b["months"], b["ltv_yen"]) == pytest.approx((0, 0.05, 20, 56_000))
    assert b["is_churn_given"] and not a["is_churn_given"]
    whole = table.loc[""]
    assert whole["churn_share"] == pytest.approx(1 / 11) and whole["n_customers"] == 3
    for row in (a, b):
        assert row["price_ratio"] * row["frequency_ratio"] * row["months_ratio"] == pytest.approx(row["ltv_yen"] / whole["ltv_yen"])
    assert a["ltv_less_churn_yen"] == pytest.approx(7000 / 0.9)


def test_limits_are_named():
    table = ltv_factors(valued_customers(people(*ROWS), WINDOW, value=Value()), WINDOW, value=Value()).set_index("plan")
    assert table.loc["B", "limit"] == "cap" and pd.isna(table.loc["A", "limit"])
    wide = Value(cap_months=500)
    table = ltv_factors(valued_customers(people(*ROWS), WINDOW, value=wide), WINDOW, value=wide).set_index("plan")
    assert table.loc["B", "limit"] == "floor" and table.loc["B", "months"] == pytest.approx(200)


def test_a_plan_that_nobody_has_is_told():
    value = Value(plan_monthly_churn={"Aプラン": 0.02})
    table = ltv_factors(valued_customers(people(*ROWS), WINDOW, value=value), WINDOW, value=value).set_index("plan")
    assert "綴り" in table.loc["Aプラン", "note"] and table.loc["A", "churn_used_share"] == pytest.approx(0.2)


@pytest.mark.parametrize("yen, options, expected", [
    ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], {}, "low " * 5 + "mid " * 3 + "high " * 2),
    ([5, 5, 5, 5], {}, "mid mid mid mid"),
    ([1, 1, 1, 1, 9], {}, "low low low low high"),
    ([100, 500, 1000], {"tier_yen": (500, 1000)}, "low mid high"),
])
def test_tiers(yen, options, expected):
    tiers = ltv_tiers(np.array(yen, dtype="float64"), np.ones(len(yen), dtype=bool), value=Value(**options))
    assert tiers.tolist() == expected.split()


def test_no_price_no_tier():
    frame = valued_customers(people(*[(who, plan, None, *rest) for who, plan, _, *rest in ROWS]), WINDOW, value=Value())
    assert frame["tier"].isna().all() and frame["ltv"].isna().all()


@pytest.mark.parametrize("formula, word", [
    ("price_over_churn", "月額料金 ÷ 月次解約率"), ("price_frequency_duration", "購買頻度"), ("price_frequency_duration_margin", "粗利率70%")])
def test_the_formula_is_told(formula, word):
    assert word in formula_text(Value(formula=formula)) and "60か月" in formula_text(Value(formula=formula))
