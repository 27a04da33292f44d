import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import contacts, customers, issues, mentions
from voc.config import Health, Value
from voc.customers.backtest import auc, health_history, health_test, share_interval
from voc.customers.health import DANGER, GOOD, NO_DATA, POINTS, customer_health, judge_rules, score
from voc.customers.signals import contact_moods, on_day, signals_of
from voc.impact.lifetime import valued_customers
from voc.impact.periods import as_of_day, window_of
from voc.impact.records import link, usable_contacts, usable_customers
from voc.tables import CUSTOMER_HEALTH, HEALTH_TEST, USAGE, check, empty

END = as_of_day("2025-07-01")
NO_MOODS = pd.DataFrame({"contact_id": pd.Series([], dtype="object"), "strength": [], "is_effort": [], "is_urgent": [], "is_cancel": []})
KINDS = {"a": "不具合", "praise": "称賛", "解約手続き": "手続き"}


def usage(**logins):
    """Logins by month from January 2025 on, per customer."""
    rows = [(who, pd.Timestamp(2025, 1, 1) + pd.DateOffset(months=n), value)
            for who, values in logins.items() for n, value in enumerate(values) if value is not None]
    return check(pd.DataFrame(rows, columns=["customer_id", "month_on", "n_logins"]), USAGE)


def prepared(people, calls=(), said=(), *, logins=None, moods=NO_MOODS, nps=None, resolved=None):
    frame, _ = usable_customers(customers(*people), end_day=END)
    table, _ = usable_contacts(contacts(*calls), frame, end_day=END)
    if nps:
        table["nps"] = table["contact_id"].map(nps).astype("float64")
    if resolved:
        table["is_resolved"] = table["contact_id"].map(resolved).astype("boolean")
    named = issues(**KINDS)
    links, _ = link(mentions(*said), table, list(named["issue_id"]))
    window = window_of(np.array([as_of_day("2024-01-01")]), end_day=END)
    valued = valued_customers(frame, window, value=Value())
    logins = empty(USAGE) if logins is None else logins
    return valued, signals_of(table, links, valued, logins, named, moods=moods, repeat_days=7), named, window


def rules_of(*args, day="2025-07-01", **rest):
    valued, signals, *_ = prepared(*args, **rest)
    known = on_day(signals, valued, as_of_day(day), days=90)
    rules = judge_rules(known)
    return {valued["customer_id"].iloc[who]: {name for name in rules if rules[name].iloc[row]} for row, who in enumerate(known["customer"])}


ONE = [("k", "A", 1000, "2024-01-01", None)]


@pytest.mark.parametrize("months, expected", [
    ([10, 10, 10, 5, 5, 5], {"usage_drop"}), ([10, 10, 10, 7, 7, 7], {"usage_fall"}), ([10, 10, 10, 10, 10, 0], {"usage_none"}),
    ([2, 2, 2, 1, 1, 1], set()), ([10, 10, 10, 9, 9, 9], set()), ([None, None, None, 5, 5, 5], set()),
])
def test_usage_rules(months, expected):
    assert rules_of(ONE, logins=usage(k=months))["k"] == expected


def test_little_usage_is_against_the_others():
    people = [(f"k{n}", "A", 1000, "2024-01-01", None) for n in range(10)]
    found = rules_of(people, logins=usage(**{f"k{n}": [n + 3] * 6 for n in range(10)}))
    assert [who for who, rules in found.items() if "usage_very_low" in rules] == ["k0"]
    assert [who for who, rules in found.items() if "usage_low" in rules] == ["k1", "k2"]
    assert not any(rules_of(people, logins=usage(**{f"k{n}": [5] * 6 for n in range(10)})).values())


CALLS = [("c1", "k", "2025-06-01", 60, 0), ("c2", "k", "2025-06-05", 60, 0), ("c3", "k", "2025-06-20", 60, 0)]


def test_contact_rules():
    found = rules_of(ONE, CALLS, [("a", "c1", 1.0), ("a", "c2", 1.0)], resolved={"c1": True, "c3": False}, nps={"c1": 3})
    assert found["k"] == {"contacts_many", "contact_repeated", "contact_unresolved", "detractor"}
    assert rules_of(ONE, CALLS[:2], resolved={"c1": False, "c2": True})["k"] == {"contacts_two"}
    assert rules_of(ONE, CALLS[:1], resolved={"c1": True})["k"] == set()


def test_mood_rules_from_what_was_said():
    opinions = pd.DataFrame({"sentence_id": ["s1", "s2", "s3"], "strength": [-0.9, -0.1, 0.9], "p_cancel": [0.1, 0.2, 0.9],
                             "flags": [["effort"], ["urgency"], []]})
    moods = contact_moods(opinions, pd.DataFrame({"sentence_id": ["s1", "s2", "s3"], "contact_id": ["c1", "c1", "c2"]}))
    assert moods["strength"].tolist() == [-0.5, 0.9] and moods["is_cancel"].tolist() == [False, True]
    assert rules_of(ONE, CALLS[:1], moods=moods)["k"] == {"effort", "urgency", "sentiment_low"}
    assert rules_of(ONE, CALLS[:1], moods=moods.assign(strength=-0.6))["k"] == {"effort", "urgency", "sentiment_very_low"}
    assert rules_of(ONE, CALLS[1:2], moods=moods)["k"] == {"cancel_asked"}
    assert rules_of(ONE, CALLS[:1], [("解約手続き", "c1", 0.9)])["k"] == {"cancel_asked"}


def test_nothing_from_the_day_itself_or_later_is_seen():
    rest = {"said": [("解約手続き", "c1", 1.0)], "nps": {"c1": 0}, "resolved": {"c1": False}, "logins": usage(k=[10, 10, 10, 10, 10, 0])}
    assert rules_of(ONE, CALLS[:1], day="2025-06-01", **rest)["k"] == set()
    assert "cancel_asked" in rules_of(ONE, CALLS[:1], day="2025-06-02", **rest)["k"]


def test_score_bands_and_reasons():
    people = [("k", "A", 9000, "2024-01-01", None), ("quiet", "A", 9000, "2024-01-01", None), ("low", "B", 10, "2024-01-01", None),
              ("gone", "A", 9000, "2024-01-01", "2025-03-01")]
    said = [("a", "c1", 1.0), ("a", "c2", 1.0), ("praise", "c3", 1.0)]
    valued, signals, named, _ = prepared(people, CALLS, said, logins=usage(k=[10, 10, 10, 4, 4, 4], low=[10] * 6), nps={"c3": 2})
    tested = pd.DataFrame({"scope": "all", "band": [DANGER], "churn_share": [0.25]})
    table = check(customer_health(signals, valued, named, day=END, health=Health(), test=tested), CUSTOMER_HEALTH).set_index("customer_id")
    assert list(table.index) == ["k", "low", "quiet"]
    k = table.loc["k"]
    assert k["score"] == 100 - POINTS["usage_drop"] - POINTS["contacts_many"] - POINTS["contact_repeated"] - POINTS["detractor"] - POINTS["usage_very_low"]
    assert k["band"] == DANGER and k["issue_id"] == "a"
    assert k["reasons"][0].startswith("問い合わせが 90 日間に 3 回") and "-20点" in k["reasons"][0]
    assert any("月平均 10.0 回から 4.0 回に減少" in text and "-5点" in text for text in k["reasons"])
    assert k["loss_yen"] == pytest.approx(k["ltv_yen"] * 0.25)
    assert table.loc["quiet", "band"] == NO_DATA and np.isnan(table.loc["quiet", "score"])
    assert table.loc["low", ["score", "band"]].tolist() == [100, GOOD]


def test_points_can_be_changed():
    valued, signals, *_ = prepared(ONE, CALLS)
    known = on_day(signals, valued, END, days=90)
    value, _ = score(known, judge_rules(known), health=Health(points={"contacts_many": 0}))
    assert value.tolist() == [100]


def history(*rows):
    return pd.DataFrame(rows, columns=["customer", "score", "is_churned"]).assign(day=0, band=GOOD, is_cancel=False)


def test_auc_by_hand():
    # of the 2 x 2 pairs, 50 against 40 is wrong, 50 against 50 is a tie: (1 + 1 + 0.5 + 0) / 4
    rows = history((1, 30.0, True), (2, 50.0, True), (3, 50.0, False), (4, 40.0, False))
    assert auc(rows)[0] == pytest.approx((2 + 0.5 + 0) / 4)
    assert np.isnan(auc(rows[rows["is_churned"]])[0])


def test_the_same_customer_in_many_months_is_one_piece_of_evidence():
    rng = np.random.default_rng(0)
    once = history(*[(n, float(rng.integers(0, 100)), bool(rng.random() < 0.3)) for n in range(100)])
    often = pd.concat([once] * 5, ignore_index=True)
    narrow, wide = (np.ptp(auc(rows)[1:]) for rows in (often.assign(customer=range(500)), often))
    assert wide == pytest.approx(np.ptp(auc(once)[1:]), rel=0.02) and narrow < 0.5 * wide
    low, high = share_interval(often)
    assert high - low == pytest.approx(np.ptp(share_interval(once)), rel=0.02)


def test_backtest_scores_month_starts_and_looks_three_months_ahead():
    people = [("stays", "A", 1, "2023-01-01", None), ("leaves", "A", 1, "2023-01-01", "2024-09-30"), ("later", "A", 1, "2023-01-01", "2024-10-01")]
    valued, signals, _, window = prepared(people, [("c", "stays", "2024-02-01", 60, 0)])
    rows = health_history(signals, valued, window, health=Health())
    july = rows[rows["day"] == as_of_day("2024-07-01")].set_index("customer")["is_churned"]
    assert july.tolist() == [False, True, False]  # later (1 October is not within), leaves, stays
    assert rows["day"].min() == as_of_day("2024-04-01") and rows["day"].max() == as_of_day("2025-04-01")


def test_table_of_the_backtest():
    rng = np.random.default_rng(1)
    parts = []
    for month in pd.date_range("2024-01-01", "2024-12-01", freq="MS"):
        gone = rng.random(400) < np.where(np.arange(400) < 100, 0.3, 0.05)
        parts.append(pd.DataFrame({
            "customer": np.arange(400), "day": as_of_day(month), "score": np.where(np.arange(400) < 100, 50.0, 100.0),
            "band": np.where(np.arange(400) < 100, DANGER, GOOD), "is_cancel": np.arange(400) < 10, "is_churned": gone}))
    table = check(health_test(pd.concat(parts, ignore_index=True)), HEALTH_TEST).set_index(["scope", "band"])
    danger = table.loc[("all", DANGER)]
    assert danger["tested_low_share"] < 0.3 < danger["tested_high_share"] and danger["n_customer_months"] == 1200
    assert danger["predicted_share"] == pytest.approx(0.3, abs=0.07)
    assert 0.6 < table.loc[("all", ""), "auc_low"] < table.loc[("all", ""), "auc"]
    assert table.loc[("no_cancel", DANGER), "n_customer_months"] == 1080


def test_a_history_too_short_is_told():
    valued, signals, _, _ = prepared(ONE)
    short = window_of(np.array([as_of_day("2025-05-01")]), end_day=END)
    table = check(health_test(health_history(signals, valued, short, health=Health())), HEALTH_TEST)
    assert table["auc"].isna().all() and "検証できません" in table.set_index(["scope", "band"]).loc[("all", ""), "note"]
