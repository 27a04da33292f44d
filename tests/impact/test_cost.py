import numpy as np
import pytest

from tests.impact.tables import contacts, customers, issues, mentions
from voc.config import Costs
from voc.impact.cost import contact_cost, cost_table, issue_months, repeats
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import link, usable_contacts, usable_customers


def prepared(rows, said, kinds):
    end = as_of_day("2025-02-01")
    people, _ = usable_customers(customers(("k1", "A", 1, "2024-01-01", None)), end_day=end)
    table, _ = usable_contacts(contacts(*rows), people, end_day=end)
    table["cost_yen"] = contact_cost(table, costs=Costs())
    named = issues(**kinds)
    links, _ = link(mentions(*said), table, list(named["issue_id"]))
    return table, links, named, window_of(np.array([as_of_day("2025-01-01")]), end_day=end)


def test_cost_of_a_call():
    table, *_ = prepared([("c1", "k1", "2025-01-05", 600, 1), ("c2", "k1", "2025-01-05", None, None),
                          ("c3", "k1", "2025-01-05", -9, 0)], [], {})
    assert table["cost_yen"].tolist() == [1000, 480, 480]  # 600 s + one transfer; the default of 480 s twice


def test_split_sums_to_the_whole_with_unassigned_row():
    table, links, named, window = prepared(
        [("c1", "k1", "2025-01-05", 600, 0), ("c2", None, "2025-01-06", 300, 0), ("c3", "k1", "2025-01-20", 900, 0)],
        [("a", "c1", 0.9), ("a", "c1", 0.4), ("b", "c1", 0.3), ("a", "c3", 1.0)], {"a": "使い方", "b": "不具合"})
    result = cost_table(table, links, named, window, costs=Costs()).set_index("issue_id")
    assert result["contact_cost_yen"].to_dict() == pytest.approx({"a": 450 + 900, "b": 150, "": 300})
    assert result["contact_cost_yen"].sum() == pytest.approx(table["cost_yen"].sum())
    assert result["n_contacts"].to_dict() == pytest.approx({"a": 1.9, "b": 0.3, "": 1.0})
    assert result["n_customers"].to_dict() == {"a": 1, "b": 0, "": 0}
    assert result.loc["a", ["deflectable_low_yen", "deflectable_high_yen"]].tolist() == pytest.approx([675, 1080])
    assert result.loc["b", ["deflectable_low_yen", "deflectable_high_yen"]].tolist() == pytest.approx([15, 45])
    months = issue_months(table, links, named, window)
    assert months["contact_cost_yen"].sum() == pytest.approx(table["cost_yen"].sum())


def test_repeat_is_same_customer_and_issue_within_days():
    table, links, named, window = prepared(
        [("c1", "k1", "2025-01-05", 600, 0), ("c2", "k1", "2025-01-12", 300, 0), ("c3", "k1", "2025-01-20", 900, 0),
         ("c4", None, "2025-01-05", 60, 0), ("c5", None, "2025-01-06", 60, 0)],
        [(issue, contact, 1.0) for issue, contact in [("a", f"c{n}") for n in range(1, 6)]], {"a": "使い方"})
    assert repeats(table, links, repeat_days=7).tolist() == [False, True, False, False, False]
    result = cost_table(table, links, named, window, costs=Costs())
    assert result["repeat_cost_yen"].tolist() == [300, 0]


def test_no_self_service_saving_for_leaving():
    table, links, named, window = prepared(
        [("c1", "k1", "2025-01-05", 600, 0)], [("解約手続き", "c1", 1.0)], {"解約手続き": "手続き"})
    result = cost_table(table, links, named, window, costs=Costs()).set_index("issue_id").loc["解約手続き"]
    assert (result["contact_cost_yen"], result["deflectable_high_yen"]) == (600, 0)
