"""What moves NPS: the adjusted effect beside the leave-one-out number, by hand and where the truth is known."""

import numpy as np
import pandas as pd
import pytest

from tests.impact import tables
from voc.config import Impact
from voc.impact.case import case_of
from voc.impact.drivers import adjusted_effects, answers_of, drivers, leave_one_out, met_before
from voc.tables import DRIVERS, check

IMPACT = Impact()


def case(contacts, mentions, issues, *, customers=None, nps=None):
    ids = sorted(contacts["customer_id"].dropna().unique())
    people = tables.customers(*((c, "ライト", 1000.0, "2020-01-01", None) for c in ids)) if customers is None else customers
    return case_of(contacts, mentions, people, tables.usage(), issues, impact=IMPACT, as_of="2026-01-01", nps=nps)


def test_leave_one_out_by_hand():
    # NPS of all: (100 - 100 + 0 + 100) / 4 = 25; without the second and third: 100, so the issue "costs" 75
    points, having = np.array([100.0, -100, 0, 100]), np.array([[0, 1], [1, 1], [1, 1], [0, 1]], dtype=bool)
    found = leave_one_out(points, having)
    assert found[0] == 75 and np.isnan(found[1])  # nobody is left without the second issue


def test_one_issue_by_hand():
    # least squares: 1 - 5 = -4; noise = 4 / (4 - 2) = 2, var(points) = 5, so the ridge adds 0.4 to Sxx = 1: -4 / 1.4
    points, met = np.array([4.0, 6, 0, 2]), np.array([[0.0], [0], [1], [1]])
    effect, low, high = adjusted_effects(points, met, np.ones((4, 1)), groups=np.arange(4))
    assert effect[0] == pytest.approx(-4 / 1.4)
    assert low[0] < effect[0] < high[0] and high[0] - effect[0] == pytest.approx(effect[0] - low[0])


def test_agrees_with_statsmodels_where_the_prior_says_little():
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(4)
    groups, met = np.repeat(np.arange(1500), 2), (rng.random((3000, 3)) < 0.3).astype(float)
    points = 20 + met @ [-40.0, 0, 15] + np.repeat(rng.normal(0, 40, 1500), 2) + rng.normal(0, 30, 3000)
    effect, low, high = adjusted_effects(points, met, np.ones((3000, 1)), groups=groups)
    fit = OLS(points, np.column_stack([np.ones(3000), met])).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert effect == pytest.approx(fit.params[1:], abs=0.1)
    # the larger of two variances is taken, so never less than the robust one
    assert ((high - low) / 2 >= 0.99 * 1.645 * fit.bse[1:]).all()
    assert ((high - low) / 2 <= 1.15 * 1.645 * fit.bse[1:]).all()


def _two_issues(rng, n=900):
    """Issue A takes 60 points of NPS, B none; but who meets A mostly meets B too."""
    has_a = rng.random(n) < 0.3
    has_b = rng.random(n) < np.where(has_a, 0.7, 0.1)
    level = rng.normal(np.where(has_a, -30.0, 30.0), 1.0)
    p_promoter = (level + 100) / 200
    return has_a, has_b, np.where(rng.random(n) < p_promoter, 10.0, 3.0)


def test_a_harmless_issue_is_not_blamed_for_its_neighbour():
    has_a, has_b, nps = _two_issues(np.random.default_rng(2))
    n = len(nps)
    said = [(f"A{i}", f"c{i:04d}", "2025-10-01", 300, 0) for i in np.flatnonzero(has_a)]
    said += [(f"B{i}", f"c{i:04d}", "2025-10-20", 300, 0) for i in np.flatnonzero(has_b)]
    contacts = tables.contacts(*said, *((f"N{i}", f"c{i:04d}", "2025-11-10", 0, 0) for i in range(n)))
    place = contacts["contact_id"].str.startswith("N")
    contacts.loc[place, "nps"] = nps[contacts.loc[place, "contact_id"].str[1:].astype(int)]
    mentions = tables.mentions(*((name[0], name, 0.95) for name, *_ in said))
    found = check(drivers(case(contacts, mentions, tables.issues(A="不具合", B="使い方")), impact=IMPACT), DRIVERS).set_index("issue_id")
    assert found.loc["A", "high"] < 0 and found.loc["A", "low"] < -60 < found.loc["A", "high"]
    assert found.loc["B", "low"] < 0 < found.loc["B", "high"]
    assert found.loc["B", "leave_one_out"] > 4  # what other tools would blame on it
    assert found.loc["B", "gain_low"] < 0 < found.loc["B", "gain_high"] < 8
    assert found.loc["A", "gain"] == pytest.approx(-found.loc["A", "effect"] * 0.95 * has_a.mean(), rel=1e-6)
    assert found.loc["A", "n_customers"] == has_a.sum() and found.loc["A", "n_scores"] == has_a.sum()


def test_ninety_percent_intervals_hold_the_truth():
    covered = []
    for seed in range(40):
        has_a, has_b, nps = _two_issues(np.random.default_rng(100 + seed), n=300)
        points = np.where(nps >= 9, 100.0, -100.0)
        _, low, high = adjusted_effects(points, np.column_stack([has_a, has_b]) * 1.0, np.ones((300, 1)), groups=np.arange(300))
        covered += [low[0] <= -60 <= high[0], low[1] <= 0 <= high[1]]
    assert 0.83 <= np.mean(covered) <= 0.97


def test_only_contacts_of_the_window_before_the_answer_count():
    contacts = tables.contacts(
        ("old", "c", "2025-01-01", 1, 0), ("near", "c", "2025-09-01", 1, 0), ("answer", "c", "2025-10-01", 0, 0),
        ("later", "c", "2025-11-01", 1, 0), ("stranger", None, "2025-10-01", 0, 0))  # fmt: skip
    contacts["nps"] = contacts["contact_id"].map({"answer": 5.0, "stranger": 9.0})
    mentions = tables.mentions(("A", "old", 0.9), ("B", "near", 0.8), ("C", "later", 0.9), ("D", "answer", 0.7), ("E", "stranger", 0.6))
    built = case(contacts, mentions, tables.issues(A="x", B="x", C="x", D="x", E="x"))
    answers = answers_of(built, "nps")
    met = met_before(built, answers, window_months=4)
    assert dict(zip(answers.customer.tolist(), answers.points.tolist(), strict=True)) == {0: -100.0, -1: 100.0}
    by_owner = {int(c): row.tolist() for c, row in zip(answers.customer, met, strict=True)}
    assert by_owner[0] == [0, 0.8, 0, 0.7, 0] and by_owner[-1] == [0, 0, 0, 0, 0.6]


def test_answers_beside_the_contacts_and_impossible_ones():
    contacts = tables.contacts(("1", "a", "2025-10-01", 1, 0), ("2", "b", "2025-10-02", 1, 0))
    contacts["nps"] = [11.0, 7.0]
    nps = pd.DataFrame({"customer_id": ["b", "zz"], "day": [20_000, 20_001], "score": [9.0, 2.0]})
    found = answers_of(case(contacts, tables.mentions(), tables.issues(A="x"), nps=nps), "nps")
    assert found.points.tolist() == [0.0, 100.0, -100.0] and found.customer.tolist() == [1, 1, -1]
    assert len(set(found.group)) == 2


def test_no_answers_few_customers_and_one_value_give_no_effect():
    contacts = tables.contacts(*((f"{i}", f"c{i}", "2025-10-01", 1, 0) for i in range(40)))
    mentions = tables.mentions(*(("A", f"{i}", 1.0) for i in range(8)), *(("B", f"{i}", 1.0) for i in range(4)))
    issues = tables.issues(A="不具合", B="不具合")
    assert drivers(case(contacts, mentions, issues), impact=IMPACT).empty
    contacts["csat"] = 4.0
    found = check(drivers(case(contacts, mentions, issues), impact=IMPACT), DRIVERS)
    assert found["issue_id"].tolist() == ["A"] and found["effect"].isna().all() and found["leave_one_out"].tolist() == [0.0]
    few = contacts.assign(csat=[float(i % 2) if i < 20 else None for i in range(40)])
    assert drivers(case(few, mentions, issues), impact=IMPACT)["effect"].isna().all()
