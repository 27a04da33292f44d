import numpy as np
import pandas as pd
import pytest

from tests.issues.ledgers import AT
from voc.issues.events import event_row
from voc.issues.trends import FALSE_SHARE, compare, issue_trends
from voc.tables import ACTIONS, ISSUE_EVENTS, check, empty

END = pd.Timestamp("2026-06-01")


def world(rates, *, weeks=52, volume=200, seed=1, waves=()):
    """(mentions, contacts, issues): `rates` issue -> contacts a week (a number or one for each week)."""
    rng, contacts, mentions = np.random.default_rng(seed), [], []
    for week in range(weeks):
        start = END - pd.Timedelta(weeks=weeks - week)
        n = volume * (5 if week in waves else 1)
        ids = [f"c{week}-{i}" for i in range(n)]
        contacts += [(one, "survey" if week in waves and i >= volume else "call", start + pd.Timedelta(days=i % 7, hours=3)) for i, one in enumerate(ids)]
        for issue_id, rate in rates.items():
            mean = rate[week] if np.ndim(rate) else rate
            mentions += [(issue_id, one) for one in rng.choice(ids[:volume], min(rng.poisson(mean), volume), replace=False)]
    contacts = pd.DataFrame(contacts, columns=["contact_id", "channel", "started_at"])
    contacts["started_at"] = contacts["started_at"].dt.tz_localize("Asia/Tokyo").dt.tz_convert("UTC")
    issues = pd.DataFrame({"issue_id": list(rates), "first_seen_at": AT})
    return pd.DataFrame(mentions, columns=["issue_id", "contact_id"]), contacts, issues


def trends(rates, *, events=None, actions=None, **options):
    mentions, contacts, issues = world(rates, **options)
    found = issue_trends(
        mentions, contacts, issues, empty(ISSUE_EVENTS) if events is None else events, empty(ACTIONS) if actions is None else actions,
        as_of_on=END, timezone="Asia/Tokyo",
    )  # fmt: skip
    return found.set_index("issue_id")


def late(base, factor, *, weeks=52, last=4):
    return np.r_[np.full(weeks - last, base), np.full(last, base * factor)]


def fixed(issue_id, day):
    return check(pd.DataFrame([{"action_id": "E1", "issue_id": issue_id, "done_on": pd.Timestamp(day), "note": "一括保存を追加", "by": "佐藤", "recorded_at": AT}]), ACTIONS)


def test_a_surge_and_a_fall_are_found_among_flat_issues():
    found = trends({"up": late(6, 3), "down": late(20, 0.3)} | {f"flat{i}": 6 for i in range(20)})
    assert found.loc["up", "state"] == "emerging" and found.loc["up", "ratio_low"] > 1.5
    assert found.loc["down", "state"] == "fading" and found.loc["down", "ratio_high"] < 0.7
    assert "90%区間" in found.loc["up", "evidence"] and len(found.loc["up", "weeks"]) == 26
    assert (found.drop(["up", "down"])["state"] != "steady").sum() <= 1


@pytest.mark.slow
def test_of_200_flat_issues_hardly_any_is_called():
    found = trends({f"i{i}": rate for i, rate in enumerate(np.random.default_rng(3).uniform(0.5, 15, 200))}, volume=150)
    assert (found["state"] != "steady").mean() <= FALSE_SHARE / 5


def test_bursts_are_no_trend():
    rng = np.random.default_rng(5)
    found = trends({f"i{i}": 8 * rng.gamma(1.5, 1 / 1.5, 52) for i in range(60)})
    assert (found["state"] != "steady").mean() <= 0.05


def test_a_wave_of_surveys_makes_no_issue_fall_or_rise():
    found = trends({f"i{i}": 10 for i in range(30)}, waves=(10, 23, 36, 49))
    assert (found["state"] == "steady").all()


def test_more_contacts_of_all_sorts_are_no_trend_of_one_issue():
    mentions, contacts, issues = world({"a": late(10, 2)})
    doubled = contacts[contacts["started_at"] >= pd.Timestamp("2026-05-04", tz="Asia/Tokyo")]
    contacts = pd.concat([contacts, doubled.assign(contact_id=doubled["contact_id"] + "x")])
    found = issue_trends(mentions, contacts, issues, empty(ISSUE_EVENTS), empty(ACTIONS), as_of_on=END, timezone="Asia/Tokyo")
    assert found["state"].tolist() == ["steady"] and 0.7 < found["ratio"].iloc[0] < 1.4


def test_with_two_years_the_season_is_expected():
    wave = 20 * (1 + 0.6 * np.sin(2 * np.pi * (np.arange(130) - 120) / 52.18))
    found = trends({f"i{i}": wave for i in range(10)}, weeks=130)
    assert (found["state"] == "steady").all()
    assert (trends({f"i{i}": wave[-52:] for i in range(10)})["state"] == "emerging").any()  # one year cannot know it


def test_falling_since_the_fix_needs_eight_weeks_and_says_what_was_done():
    rate = late(12, 0.25, last=12)
    found = trends({"a": rate, "b": 12}, actions=fixed("a", END - pd.Timedelta(weeks=12, days=3)))
    assert found.loc["a", "state"] == "falling_since_fix" and "一括保存を追加" in found.loc["a", "evidence"] and found.loc["a", "ratio"] < 0.5
    assert found.loc["a", "fixed_on"] == END - pd.Timedelta(weeks=12, days=3)
    early = trends({"a": late(12, 0.9, last=6), "b": 12}, actions=fixed("a", END - pd.Timedelta(weeks=6)))
    assert early.loc["a", "state"] == "steady" and pd.isna(early.loc["a", "fixed_on"])


def test_a_fix_without_effect_is_told_as_nothing():
    found = trends({"a": 12}, actions=fixed("a", "2026-02-01")).loc["a"]
    assert found["state"] == "steady" and "減ったとは、まだ言えません" in found["evidence"]


def test_new_and_reopened_issues():
    row = event_row("back", "reopen", at=pd.Timestamp("2026-05-31T15:00Z"), by="voc", old="closed", to="open", note="解決日より後に 4 件の問い合わせがありました。")
    events = check(pd.DataFrame([{"event_id": "E1", "position": 1, **row}]), ISSUE_EVENTS)
    found = trends({"new": late(0, 1) + np.r_[np.zeros(48), np.full(4, 3.0)], "back": 5, "old": 5}, events=events)
    assert found["state"].to_dict() == {"new": "new", "back": "reopened", "old": "steady"}
    assert "4 件" in found.loc["back", "evidence"]


def test_few_contacts_and_short_histories_are_not_tested():
    assert "判断していません" in trends({"a": late(0.2, 1)}).loc["a", "evidence"]
    short = trends({"a": 20}, weeks=9)
    assert short.loc["a", "state"] == "steady" and pd.isna(short.loc["a", "q_value"]) and "期間" in short.loc["a", "evidence"]


def test_order_of_rows_does_not_matter():
    mentions, contacts, issues = world({"a": 5, "b": late(5, 3)})
    args = (empty(ISSUE_EVENTS), empty(ACTIONS))
    one = issue_trends(mentions, contacts, issues, *args, as_of_on=END, timezone="Asia/Tokyo")
    two = issue_trends(mentions[::-1], contacts[::-1], issues[::-1], *args, as_of_on=END, timezone="Asia/Tokyo")
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(("seen", "low", "high"), [(0, 0.0, 0.5), (10, 0.5, 1.8), (40, 2.5, 6.5)])
def test_interval_of_the_ratio_against_ten_expected(seen, low, high):
    volume = np.full((1, 30), 100.0)
    own = np.r_[np.full(26, 2.5), np.full(4, seen / 4)][None, :]
    found = compare(own, volume, np.arange(26, 30))
    assert found.expected == pytest.approx(10) and low <= found.low <= found.ratio <= found.high <= high
