import numpy as np
import pytest
from pydantic import ValidationError

from tests.impact.tables import contacts, customers, issues, mentions
from voc.config import Impact
from voc.impact.periods import NOT_ENDED, as_of_day
from voc.impact.records import link, usable_contacts, usable_customers
from voc.impact.reverse import cancel_intent, decide


def decisions(people, rows, said, kinds, **options):
    end = as_of_day("2026-01-01")
    who, _ = usable_customers(customers(*people), end_day=end)
    table, _ = usable_contacts(contacts(*rows), who, end_day=end)
    named = issues(**kinds)
    links, _ = link(mentions(*said), table, list(named["issue_id"]))
    return named, decide(table, links, who, named, impact=Impact(**options), end_day=end)


def test_cancel_intent_by_kind_or_words():
    named = issues(解約手続き="手続き", 住所変更="手続き", x="解約", 退会="手続き")
    assert dict(zip(named["issue_id"], cancel_intent(named), strict=True)) == {
        "解約手続き": True, "住所変更": False, "x": True, "退会": True}


def test_decision_is_the_cancellation_contact_the_day_before_the_end():
    people = [("k1", "A", 1, "2024-01-01", "2025-06-11"), ("k2", "A", 1, "2024-01-01", None),
              ("k3", "A", 1, "2024-01-01", "2025-06-11")]
    rows = [("c1", "k1", "2025-06-10", 60, 0), ("c2", "k2", "2025-06-10", 60, 0), ("c3", "k3", "2025-03-01", 60, 0)]
    said = [("解約手続き", f"c{n}", 1.0) for n in (1, 2, 3)]
    _, found = decisions(people, rows, said, {"解約手続き": "手続き"})
    assert found.day.tolist() == [as_of_day("2025-06-10"), NOT_ENDED, as_of_day("2025-06-11")]
    assert found.reverse == (0,) and found.n_moved == 1


def timing():
    """Twenty customers ask for an export ten days before the end, a hundred ask how to log in and stay."""
    people = [(f"e{n}", "A", 1, "2024-01-01", "2025-06-11") for n in range(20)]
    people += [(f"s{n}", "A", 1, "2024-01-01", None) for n in range(100)]
    rows = [(f"x{n}", f"e{n}", "2025-06-01", 60, 0) for n in range(20)]
    rows += [(f"y{n}", f"s{n}", "2025-06-01", 60, 0) for n in range(100)]
    said = [("export", f"x{n}", 1.0) for n in range(20)] + [("login", f"y{n}", 1.0) for n in range(100)]
    return people, rows, said, {"export": "使い方", "login": "使い方"}


def test_export_before_the_end_is_found_by_timing():
    named, found = decisions(*timing())
    assert [named["issue_id"].iloc[k] for k in found.reverse] == ["export"]
    assert (found.day[:20] == as_of_day("2025-06-01")).all()


def test_a_person_can_overrule():
    _, found = decisions(*timing(), not_reverse=["export"])
    assert found.reverse == () and found.n_moved == 0
    assert (found.day[:20] == as_of_day("2025-06-11")).all()


def test_a_person_can_force():
    people = [("k1", "A", 1, "2024-01-01", "2025-06-11"), ("k2", "A", 1, "2024-01-01", None)]
    rows = [("c1", "k1", "2025-06-01", 60, 0)]
    _, alone = decisions(people, rows, [("export", "c1", 1.0)], {"export": "使い方"})
    _, forced = decisions(people, rows, [("export", "c1", 1.0)], {"export": "使い方"}, reverse=["export"])
    assert alone.reverse == () and forced.reverse == (0,)
    assert forced.day.tolist() == [as_of_day("2025-06-01"), NOT_ENDED]


def test_evidence_by_hand():
    """20 of the 20 export contacts end 10 days later; of 100 login contacts none ever."""
    _, found = decisions(*timing())
    assert found.evidence.to_dict("records") == [{
        "issue": 0, "basis": "時期", "is_overruled": False, "churn_share": 1.0, "n_churns": 20.0, "later_churn_share": 0.0}]
    _, kept = decisions(*timing(), not_reverse=["export"])
    assert kept.evidence[["basis", "is_overruled"]].to_numpy().tolist() == [["時期", True]]
    _, stated = decisions(*timing(), reverse=["login", "export"])
    assert stated.evidence["basis"].tolist() == ["設定", "設定"] and stated.reverse == (0, 1)


def test_the_later_rate_is_over_those_who_are_still_there():
    """12 of 20 leave after 10 days, 4 of the other 8 after 72: those 8 stayed 4 x 72 + 4 x 36 days of days 37 to 108, twelve
    times 36. Its rate of 4 / 12 per 36 days is a share of 1 - exp(-1/3); of all 20 it would have been 0.1, and 0.6 > 4 x
    0.1 would have passed."""
    people = [(f"e{n}", "A", 1, "2024-01-01", "2025-06-11") for n in range(12)]
    people += [(f"l{n}", "A", 1, "2024-01-01", "2025-08-12") for n in range(4)]
    people += [(f"s{n}", "A", 1, "2024-01-01", None) for n in range(4)]
    rows = [(f"c{n}", who[0], "2025-06-01", 60, 0) for n, who in enumerate(people)]
    said = [("bug", f"c{n}", 1.0) for n in range(20)]
    _, found = decisions(people, rows, said, {"bug": "不具合"}, not_reverse=["bug"])
    assert found.reverse == () and found.evidence.empty  # not even for a person to overrule
    _, stated = decisions(people, rows, said, {"bug": "不具合"}, reverse=["bug"])
    row = stated.evidence.iloc[0]
    assert (row["churn_share"], row["n_churns"]) == (0.6, 12.0)
    assert row["later_churn_share"] == pytest.approx(1 - np.exp(-1 / 3))


def test_an_issue_cannot_be_both_reverse_and_not():
    for other in ("not_reverse", "controls"):
        with pytest.raises(ValidationError, match=f"reverse と {other}"):
            Impact(**{"reverse": ["a"], other: ["a"]})


def test_no_contacts():
    _, found = decisions([("k1", "A", 1, "2024-01-01", "2025-06-11")], [], [], {})
    assert found.reverse == () and np.array_equal(found.day, [as_of_day("2025-06-11")])
