import numpy as np
import pytest

from tests.impact.tables import contacts, customers, issues, mentions
from voc.config import Value
from voc.impact.lifetime import valued_customers
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import link, usable_contacts, usable_customers
from voc.impact.retention import EXPOSED, OTHERS, retention, survival
from voc.impact.segments import TIER, issue_segments
from voc.tables import ISSUE_SEGMENTS, RETENTION, check

END = as_of_day("2025-07-01")


def prepared(people, calls, said, **kinds):
    frame, _ = usable_customers(customers(*people), end_day=END)
    table, _ = usable_contacts(contacts(*calls), frame, end_day=END)
    named = issues(**kinds)
    links, _ = link(mentions(*said), table, list(named["issue_id"]))
    return frame, table, links, named, window_of(np.array([as_of_day("2025-01-01")]), end_day=END)


def test_survival_by_hand():
    days, ended = np.array([10, 20, 20, 30, 50]), np.array([True, True, False, True, False])
    share = survival(days, ended, np.ones(5), np.array([0, 10, 19, 20, 30, 60]))
    # 4 of 5 pass day 10, 3 of 4 day 20 (the one lost sight of that day is still at risk), 1 of 2 day 30
    assert share.tolist() == pytest.approx([1, 0.8, 0.8, 0.6, 0.3, 0.3])


def test_weights_count_like_copies():
    days, ended = np.array([10, 20, 30]), np.array([True, False, True])
    doubled = survival(np.repeat(days, 2), np.repeat(ended, 2), np.ones(6), np.array([15, 40]))
    assert survival(days, ended, np.full(3, 2.0), np.array([15, 40])) == pytest.approx(doubled)


def exposed_leave():
    people = [(f"x{n}", "A", 1000, "2024-01-01", "2025-04-01" if n < 4 else None) for n in range(10)]
    people += [(f"y{n}", "A", 1000, "2024-01-01", "2025-04-01" if n < 2 else None) for n in range(20)]
    people += [(f"z{n}", "B", 1000, "2024-01-01", "2025-02-20") for n in range(20)]  # another plan: no match
    calls = [(f"c{n}", f"x{n}", "2025-02-10", 60, 0) for n in range(10)]
    return people, calls, [("a", f"c{n}", 1.0) for n in range(10)]


def test_curves_of_exposed_and_matched():
    people, table, links, named, window = prepared(*exposed_leave(), a="不具合")
    curves = check(retention(table, links, people, named, window=window), RETENTION).set_index(["group", "month"])
    assert curves.loc[(EXPOSED, 1), "survived_share"] == 1.0
    assert curves.loc[(EXPOSED, 2), "survived_share"] == pytest.approx(0.6)  # 4 of 10 leave after 50 days
    assert curves.loc[(EXPOSED, 0), "n_at_risk"] == 10
    # matched: 20 of plan A who never asked; the ten who asked on the 10th stand on the other side
    assert curves.loc[(OTHERS, 0), "n_at_risk"] == 20
    assert curves.loc[(OTHERS, 2), "survived_share"] == pytest.approx(0.9)
    assert curves.loc[EXPOSED].index.max() == 4  # followed until 1 July: 141 days


def test_few_customers_have_no_curve():
    people, calls, said = exposed_leave()
    frame, table, links, named, window = prepared(people, calls[:4], said[:4], a="不具合")
    assert retention(table, links, frame, named, window=window).empty


def test_nobody_to_compare_with():
    people, calls, said = exposed_leave()
    frame, table, links, named, window = prepared(people[:10], calls, said, a="不具合")
    assert check(retention(table, links, frame, named, window=window), RETENTION).empty


def test_tiers_of_who_has_an_issue():
    people, calls, said = exposed_leave()
    people = [(who, "A" if n % 2 else "S", 1000 if n % 2 else 9000, *rest) for n, (who, _, _, *rest) in enumerate(people)]
    frame, table, links, named, window = prepared(people, calls, said, a="不具合")
    valued = valued_customers(frame, window, value=Value(tier_yen=(10_000, 50_000)))
    cells = check(issue_segments(table, links, valued, named, window=window), ISSUE_SEGMENTS)
    tiers = cells[cells["attribute"] == TIER].set_index("value")
    assert tiers["n_customers"].to_dict() == {"high": 5, "low": 5} and tiers["share"].tolist() == [0.5, 0.5]
    assert TIER not in set(issue_segments(table, links, frame, named, window=window)["attribute"])
