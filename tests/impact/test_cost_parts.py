import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.impact.tables import contacts, customers, issues, mentions
from voc.config import Costs
from voc.impact.cost import COST_PARTS_YEN, contact_cost, contact_cost_parts, cost_table
from voc.impact.cost_parts import cost_channels, cost_parts
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import link, usable_contacts, usable_customers
from voc.tables import COST_CHANNELS, COST_PARTS, check

KINDS = {"a": "使い方", "b": "不具合", "c": "使い方", "解約手続き": "手続き"}


def prepared(rows, said, *, as_of="2025-02-01", first="2025-01-01", channels=None):
    end = as_of_day(as_of)
    people, _ = usable_customers(customers(("k1", "A", 1, "2024-01-01", None)), end_day=end)
    table, _ = usable_contacts(contacts(*rows), people, end_day=end)
    if channels:
        table["channel"] = channels
    named = issues(**KINDS)
    links, _ = link(mentions(*said), table, list(named["issue_id"]))
    return table, links, named, window_of(np.array([as_of_day(first)]), end_day=end)


def parts(rows, said, costs, **rest):
    table, links, named, window = prepared(rows, said, **rest)
    result = check(cost_parts(table, links, named, window, costs=costs, n_draws=4000, seed=1), COST_PARTS)
    return result.set_index(["scope", "issue_id"])


def test_every_part_by_hand():
    costs = Costs(yen_per_hour={"call": 3600, "chat": 1800, "outsourced": 9999}, concurrency={"chat": 2},
                  after_call_seconds={"call": 60, "chat": 120}, transfer_yen=400, reexplain_seconds=90,
                  yen_per_contact={"outsourced": 700}, default_handle_seconds={"call": 480})
    table, *_ = prepared(
        [("c1", "k1", "2025-01-05", 600, 2), ("c2", "k1", "2025-01-06", 600, 1), ("c3", "k1", "2025-01-07", 600, 1),
         ("c4", "k1", "2025-01-08", None, 0)], [], channels=["call", "chat", "outsourced", "call"])
    assert contact_cost_parts(table, costs=costs)[list(COST_PARTS_YEN)].to_numpy().tolist() == [
        [600, 60, 2 * (400 + 90), 0],
        [150, 30, 400 + 22.5, 0],  # 1,800 yen an hour, two chats at once: 0.25 yen a second
        [0, 0, 0, 700],
        [480, 0, 0, 0],  # the default of a contact holds its after-call work
    ]
    assert contact_cost(table, costs=costs).tolist() == pytest.approx([1640, 602.5, 700, 480])


def test_cash_and_capacity():
    result = parts([("c1", "k1", "2025-01-05", 600, 0), ("c2", "k1", "2025-01-06", 600, 0)],
                   [("a", "c1", 1.0), ("a", "c2", 1.0)], Costs(cash_share={"chat": 0.5}), channels=["call", "chat"])
    row = result.loc["issue", "a"]  # 600 yen of calls are capacity, half of the 300 of the chat is cash
    assert (row["contact_cost_yen"], row["cash_yen"], row["capacity_yen"]) == (900, 150, 750)
    assert row["saving_yen"] == pytest.approx(900 * 0.65) and row["saving_cash_yen"] == pytest.approx(150 * 0.65)
    whole = result.loc["company", ""]
    assert whole["cash_yen"] == 150 and "件数課金" in whole["note"]


def test_without_cash_shares_all_is_capacity_and_told():
    whole = parts([("c1", "k1", "2025-01-05", 600, 0)], [("a", "c1", 1.0)], Costs()).loc["company", ""]
    assert (whole["cash_yen"], whole["capacity_yen"]) == (0, 600) and "固定人件費" in whole["note"]


def test_savings_are_drawn_uniformly_in_the_companys_range():
    costs = Costs(deflectable={"使い方": (0.2, 0.4)}, deflection_success=(1.0, 1.0), faq_yen_per_month=100)
    result = parts([("c1", "k1", "2025-01-05", 1000, 0), ("c2", "k1", "2025-01-06", 1000, 0), ("c3", "k1", "2025-01-07", 1000, 0)],
                   [("a", "c1", 1.0), ("c", "c2", 1.0), ("解約手続き", "c3", 1.0)], costs)
    row = result.loc["issue", "a"]
    assert row["saving_yen"] == pytest.approx(300)
    assert [row["saving_low_yen"], row["saving_high_yen"]] == pytest.approx([210, 390], abs=5)  # 5 and 95 % of U(200, 400)
    assert result.loc[("issue", "解約手続き"), "saving_high_yen"] == 0
    whole = result.loc["company", ""]  # two issues of a kind are wrong together: the interval adds up
    assert [whole["saving_low_yen"], whole["saving_high_yen"]] == pytest.approx([420, 780], abs=10)
    assert (row["faq_yen"], whole["faq_yen"]) == (50, 100)


def test_ranges_of_the_cost_table_follow_the_configuration():
    table, links, named, window = prepared([("c1", "k1", "2025-01-05", 1000, 0)], [("b", "c1", 1.0)])
    costs = Costs(deflectable={"不具合": (0.0, 0.6)}, deflection_success=(0.5, 0.9))
    table["cost_yen"] = contact_cost(table, costs=costs)
    row = cost_table(table, links, named, window, costs=costs).set_index("issue_id").loc["b"]
    assert [row["deflectable_low_yen"], row["deflectable_high_yen"]] == pytest.approx([0, 1000 * 0.6 * 0.9])


def test_a_known_total_is_spread_by_handling_time():
    costs = Costs(total_yen_per_month=9000)
    table, links, named, window = prepared(
        [("c0", "k1", "2024-12-30", 500, 0), ("c1", "k1", "2025-01-05", 600, 0), ("c2", "k1", "2025-01-06", 1200, 0),
         ("c3", "k1", "2025-02-06", 100, 0), ("c4", "k1", "2025-03-02", 50, 0)],
        [("a", "c1", 1.0)], as_of="2025-03-05")
    cost = contact_cost(table, costs=costs, window=window)
    assert cost[1:4].tolist() == pytest.approx([3000, 6000, 9000])  # every month costs 9,000
    assert cost[4] == pytest.approx(50 * 18000 / 1900)  # a month that is not over: as the full ones on average
    result = cost_parts(table, links, named, window, costs=costs, n_draws=10, seed=1)
    assert result.loc[result["scope"] == "company", "contact_cost_yen"].item() == pytest.approx(9000)


def test_channels():
    table, _, _, window = prepared(
        [("c1", "k1", "2025-01-05", 3600, 0), ("c2", "k1", "2025-01-06", None, 0), ("c3", None, "2025-01-07", 7200, 0)], [],
        channels=["call", "call", "chat"])
    result = check(cost_channels(table, window, costs=Costs(cash_share={"chat": 1.0})), COST_CHANNELS).set_index("channel")
    assert result.loc["call"].tolist() == pytest.approx([2, 1 + 480 / 3600, 1, 4080, 2040, 3600, 1, 0])
    assert result.loc["chat"].tolist() == pytest.approx([1, 2, 0, 3600, 3600, 3600, 2, 1])


SAID = st.lists(st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 7), st.floats(0.01, 1.0)), max_size=20)


@given(said=SAID, seconds=st.lists(st.one_of(st.none(), st.floats(-10, 5000)), min_size=8, max_size=8),
       transfers=st.integers(0, 3), total=st.sampled_from([None, 50_000.0]))
def test_issue_costs_sum_to_the_real_cost(said, seconds, transfers, total):
    rows = [(f"c{n}", "k1" if n % 3 else None, f"2025-01-{n + 1:02d}", seconds[n], transfers) for n in range(8)]
    costs = Costs(total_yen_per_month=total, cash_share={"call": 0.3}, after_call_seconds={"call": 45}, reexplain_seconds=30)
    table, links, named, window = prepared(rows, [(issue, f"c{n}", p) for issue, n, p in said])
    result = cost_parts(table, links, named, window, costs=costs, n_draws=5, seed=1)
    of_issues, whole = result[result["scope"] == "issue"], result[result["scope"] == "company"].iloc[0]
    real = contact_cost(table, costs=costs, window=window).sum()
    assert of_issues["contact_cost_yen"].sum() == pytest.approx(real) == pytest.approx(whole["contact_cost_yen"])
    assert result[list(COST_PARTS_YEN)].sum(axis=1).tolist() == pytest.approx(result["contact_cost_yen"].tolist())
    assert whole["cash_yen"] + whole["capacity_yen"] == pytest.approx(real)
    assert (result["saving_high_yen"] <= result["contact_cost_yen"] + 1e-6).all()
    if total and real:
        assert real == pytest.approx(total)
