from functools import cache

import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import contacts, customers, issues, mentions, usage
from voc.config import Costs, Impact, Value
from voc.errors import TableError
from voc.impact.case import case_of
from voc.impact.estimation import estimate
from voc.impact.periods import as_of_day, window_of
from voc.impact.person_months import person_months
from voc.impact.records import link, usable_contacts, usable_customers
from voc.impact.sensitivity import is_first, sensitivity
from voc.tables import CUSTOMERS, TABLES, content_sha, empty

LENIENT = Impact(min_churns=20, min_contacts=50, draws=100)
KINDS = {"bug": "不具合", "howto": "使い方", "praise": "称賛", "解約手続き": "手続き"}


def run(people, calls, said, kinds, *, impact=LENIENT, as_of="2025-07-01", logins=None, controls=(), **options):
    return estimate(
        calls, said, people, usage() if logins is None else logins, issues(**kinds), impact=impact, value=Value(),
        costs=Costs(), as_of=as_of, seed=1, controls=controls, **options)


def company(*, n=300, plans=("A", "B"), seed=0, churn=True, effect=2.0):
    """A small firm over 18 months: those with a bug contact leave more often."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2024-01-01")
    start = first - pd.to_timedelta(rng.integers(30, 900, n), unit="D")
    bug = rng.random(n) < 0.4
    leave = (rng.random(n) < np.where(bug, 0.15 * (1 + effect), 0.15)) & churn
    contact_day = rng.integers(0, 400, n)
    end = [first + pd.Timedelta(days=int(d + rng.integers(10, 100))) if gone else None
           for d, gone in zip(contact_day, leave, strict=True)]
    people = customers(*[(f"k{k:03d}", plans[k % len(plans)], 1000.0, start[k], end[k]) for k in range(n)])
    calls = contacts(("c-first", None, "2024-01-01", 60, 0), *[
        (f"c{k:03d}", f"k{k:03d}", first + pd.Timedelta(days=int(contact_day[k])), 300, 0) for k in range(n)])
    said = mentions(*[("bug" if bug[k] else ("howto", "praise")[k % 2], f"c{k:03d}", 1.0) for k in range(n)])
    return people, calls, said


@cache
def usual():
    """The estimate of the company as it is, for reading."""
    return run(*company(), KINDS)


def healthy(result):
    """No crash, no infinite number, tables complete; cost parts sum to the company's."""
    numbers = result.impact.select_dtypes("number").to_numpy(dtype="float64")
    assert not np.isinf(numbers).any()
    total = result.totals.set_index("scope").loc["company", "contact_cost_yen"]
    assert result.impact["contact_cost_yen"].sum() == pytest.approx(total)
    assert set(result.totals["scope"]) == {"company", "all", "top5"}
    return result


def test_whole_estimate_on_a_small_company():
    result = healthy(usual())
    table = result.impact.set_index("issue_id")
    assert result.diagnostics["reasons"] == []
    assert table.loc["bug", "tier"] == "推定値" and table.loc["bug", "churns_prevented"] > 0
    assert table.loc["bug", "churns_low"] <= table.loc["bug", "churns_prevented"] <= table.loc["bug", "churns_high"]
    totals = result.totals.set_index("scope")["churns_prevented"]
    assert totals["all"] <= totals["company"]
    assert table.loc["解約手続き", "flag"] == "reverse" and np.isnan(table.loc["解約手続き", "churns_prevented"])
    assert table.loc["", "n_contacts"] == 0


def test_one_contact_with_a_wrong_date_does_not_lengthen_the_window():
    days = np.array([as_of_day("2019-03-01"), *np.repeat([as_of_day(f"2025-{month:02d}-10") for month in range(1, 7)], 40)])
    assert window_of(days, end_day=as_of_day("2025-07-01")).n_months == 5  # January begins on the 10th
    assert window_of(days[1:], end_day=as_of_day("2025-07-01")).n_months == 5


def test_a_confirmed_control_enters_no_total_and_no_badge_stands_below_an_estimate():
    result = run(*company(), KINDS, controls=["bug"])
    assert result.totals.set_index("scope").loc["all", "n_issues"] == usual().totals.set_index("scope").loc["all", "n_issues"] - 1
    assert not result.impact.loc[result.impact["tier"] != "推定値", "badge"].notna().any()


@pytest.mark.slow
def test_labels_that_nobody_compared_make_wider_intervals():
    sure, unsure = (run(*company(), KINDS, is_calibrated=known) for known in (True, False))
    assert unsure.diagnostics["is_widened"] and not sure.diagnostics["is_widened"]
    told = sure.impact["log_odds_se"].notna()
    assert told.any() and (unsure.impact["log_odds_se"] > sure.impact["log_odds_se"])[told].all()
    # an effect that is nearly all of the risk stays nearly all of it, so the interval of the weakest is looked at
    weakest = sure.impact["log_odds"].idxmin()
    low, high = ([found.impact[name][weakest] for found in (unsure, sure)] for name in ("churns_low", "churns_high"))
    assert low[0] < low[1] and high[0] - low[0] > high[1] - low[1]


@pytest.mark.slow
def test_without_the_companys_rate_nothing_is_raised_and_only_the_far_limit_allows_for_silent_sufferers():
    unknown, everybody, few = (
        run(*company(n=600, effect=0.5), KINDS, impact=LENIENT.model_copy(update={"reporting_rate": rate})).impact.set_index("issue_id").loc["bug"]
        for rate in (None, (1.0, 1.0), (0.2, 0.4)))
    for name in ("churns_prevented", "churns_low", "churns_shrunken", "ltv_yen", "ltv_low_yen"):
        assert unknown[name] == pytest.approx(everybody[name])
    assert unknown["churns_high"] > everybody["churns_high"] and unknown["ltv_high_yen"] > everybody["ltv_high_yen"]
    assert few["churns_prevented"] > everybody["churns_prevented"] and few["churns_shrunken"] > everybody["churns_shrunken"]


@pytest.mark.slow
def test_controls_that_surely_shift_raise_the_alarm_and_keep_every_tier_at_reference():
    people, calls, said = with_twin(company(effect=0.0), share=0.5)
    at_random = calls.assign(started_at=calls["started_at"].sample(frac=1, random_state=4).to_numpy())
    calm = run(people, at_random, said, {**KINDS, "twin": "不具合"}, controls=["bug", "twin"])
    assert calm.diagnostics["controls_low"] < 0.2 and not calm.diagnostics["banner"]
    twice = run(*with_twin(company(), share=0.5), {**KINDS, "twin": "不具合"}, controls=["bug", "twin"])
    assert twice.diagnostics["controls_low"] > 0.2 and "倍（90%区間）" in twice.diagnostics["banner"]
    assert "推定値" not in set(twice.impact["tier"])


def with_twin(tables, *, share):
    """`twin` takes the place of `bug` in this share of its contacts, or stands beside it in all (share 1)."""
    people, calls, said = tables
    bug = said[said["issue_id"] == "bug"]
    if share == 1:
        return people, calls, pd.concat([said, bug.assign(issue_id="twin", sentence_id="t" + bug["sentence_id"])], ignore_index=True)
    moved = bug.index[: round(len(bug) * share)]
    return people, calls, said.assign(issue_id=said["issue_id"].where(~said.index.isin(moved), "twin"))


def test_issues_that_always_come_together_cannot_be_told_apart():
    table = run(*with_twin(company(), share=1), {**KINDS, "twin": "不具合"}).impact.set_index("issue_id")
    for name in ("bug", "twin"):
        assert table.loc[name, "tier"] == "データ不足" and np.isnan(table.loc[name, "churns_prevented"])
        assert table.loc[name, "n_exposed_events"] >= 20 and "いつも一緒" in table.loc[name, "notes"]


def test_same_input_gives_identical_tables_in_any_row_order():
    people, calls, said = company()
    first = usual()
    second = run(people.sample(frac=1, random_state=1), calls.sample(frac=1, random_state=2),
                 said.sample(frac=1, random_state=3), KINDS)
    names = {"impact": "impact", "totals": "impact_totals", "issue_months": "issue_months",
             "issue_segments": "issue_segments", "company_months": "company_months"}
    for name, table in names.items():
        assert content_sha(getattr(first, name)) == content_sha(getattr(second, name))
        assert list(getattr(first, name).columns) == list(TABLES[table].columns)
    assert first.draws.equals(second.draws)


def test_below_the_minimum_every_reason_is_told_and_cost_stays():
    people, calls, said = company()
    result = healthy(run(people.assign(started_on=pd.NaT), calls, said, KINDS, impact=Impact(min_months=36)))
    reasons = "\n".join(result.diagnostics["reasons"])
    for words in ("契約日", "18 か月", "300 件以上", "1500 件以上"):
        assert words in reasons
    assert result.impact["churns_prevented"].isna().all() and result.impact["ltv_yen"].isna().all()
    assert (result.impact["tier"] == "データ不足").all()
    assert result.impact["contact_cost_yen"].sum() > 0 and len(result.issue_months)


def test_no_customers_at_all():
    _, calls, said = company()
    result = healthy(run(empty(CUSTOMERS), calls.assign(customer_id=None), said, KINDS))
    assert "顧客表" in result.diagnostics["reasons"][0]
    assert result.impact.set_index("issue_id").loc["bug", "contact_cost_yen"] > 0


def test_nothing_at_all():
    result = healthy(run(empty(CUSTOMERS), contacts(), mentions(), {}))
    assert result.impact["issue_id"].tolist() == [""]


def test_one_row_of_each():
    people, calls = customers(("k", "A", 1.0, "2024-01-01", "2025-01-05")), contacts(("c", "k", "2025-01-04", 60, 0))
    no_minimum = Impact(min_churns=0, min_contacts=0, min_months=0)
    result = healthy(run(people, calls, mentions(("bug", "c", 1.0)), {"bug": "不具合"}, impact=no_minimum))
    assert result.impact.set_index("issue_id").loc["bug", "tier"] == "データ不足"


def test_fewer_than_five_events_give_no_number():
    people, calls, said = company(n=200)
    rare = said.copy()
    bug = rare.index[rare["issue_id"] == "bug"]
    rare.loc[bug[6:], "issue_id"] = "howto"
    table = run(people, calls, rare, KINDS).impact.set_index("issue_id")
    assert table.loc["bug", "n_exposed_events"] < 5 and table.loc["bug", "flag"] == "insufficient"
    assert np.isnan(table.loc["bug", "churns_prevented"])


def spoil_start(people):
    backwards = people["started_on"] - pd.Timedelta(days=9)
    return people.assign(ended_on=people["ended_on"].where(people.index % 3 > 0, backwards))


@pytest.mark.parametrize("spoil", [
    spoil_start,
    lambda people: people.assign(monthly_price_yen=-1.0),
    lambda people: people.assign(monthly_price_yen=np.inf),
    lambda people: pd.concat([people, people.iloc[:50]]),
    lambda people: people.assign(plan="A", segment=None),
    lambda people: people.assign(started_on=people["started_on"].where(people.index % 10 > 0)),
    lambda people: people.assign(ended_on=people["ended_on"].fillna(pd.Timestamp("2025-05-05"))),
    lambda people: people.assign(ended_on=pd.NaT),
    lambda people: people.drop(columns=["segment", "plan"]),
    lambda people: people.assign(plan=[f"plan {k}" for k in range(len(people))]),
])
def test_hostile_customers(spoil):
    people, calls, said = company()
    result = healthy(run(spoil(people), calls, said, KINDS))
    bug = result.impact.set_index("issue_id").loc["bug"]
    assert result.diagnostics["reasons"] or np.isfinite(bug["churns_prevented"])


@pytest.mark.slow
def test_constant_usage_changes_nothing():
    people, calls, said = company()
    months = pd.date_range("2023-10-01", "2025-06-01", freq="MS")
    logins = people[["customer_id"]].merge(pd.DataFrame({"month_on": months}), how="cross")
    flat = run(people, calls, said, KINDS, logins=logins.assign(n_logins=5.0)).impact
    none = usual().impact
    assert flat["churns_prevented"].tolist() == pytest.approx(none["churns_prevented"].tolist(), nan_ok=True)


def test_missing_required_column_is_told():
    people, calls, said = company(n=20)
    with pytest.raises(TableError, match="started_at"):
        run(people, calls.drop(columns="started_at"), said, KINDS)


def test_cells_below_five_customers_are_left_out():
    people, calls, said = company(plans=("A",) * 99 + ("tiny",))
    cells = run(people, calls, said, KINDS).issue_segments
    assert (cells["n_customers"] >= 5).all() and "tiny" not in set(cells["value"])
    assert cells.loc[(cells["attribute"] == "segment"), "base_share"].tolist() == pytest.approx([1.0] * 3)


def panel_of(people, calls, said, kinds):
    end = as_of_day("2025-07-01")
    who, _ = usable_customers(people, end_day=end)
    table, _ = usable_contacts(calls, who, end_day=end)
    links, _ = link(said, table, list(kinds))
    window = window_of(table["day"].to_numpy(), end_day=end)
    return person_months(table, links, who, usage(), decision_day=who["end"].to_numpy(), window=window,
                         n_issues=len(kinds), impact=Impact(), seed=1)


def test_person_months_start_at_risk_and_stop_at_the_event():
    people = customers(("a", "A", 1, "2020-01-01", "2025-03-20"), ("b", "A", 1, "2025-05-10", None))
    calls = contacts(("c0", None, "2025-01-01", 1, 0), ("c1", "a", "2025-03-01", 1, 0), ("c2", "a", "2025-03-15", 1, 0))
    panel = panel_of(people, calls, mentions(("x", "c1", 0.6), ("y", "c2", 1.0)), {"x": "不具合", "y": "不具合"})
    assert panel.customer.tolist() == [0, 0, 0, 1, 1]
    assert panel.is_event.tolist() == [False, False, True, False, False]
    assert panel.reference_day[2] == as_of_day("2025-03-20") and panel.reference_day[3] >= as_of_day("2025-05-10")
    assert panel.counting[2].toarray()[0].tolist() == [0.6, 1.0]
    assert panel.learning[2].toarray()[0].tolist() == [0.6, 0.0]  # five days before the event: not learned from
    assert panel.counting[:2].nnz == 0


@pytest.mark.slow
def test_sensitivity_shows_every_choice():
    people, calls, said = company()
    month = pd.DataFrame({"customer_id": people["customer_id"], "month_on": pd.Timestamp("2024-05-01")})
    logins = month.assign(n_logins=np.arange(len(month)) % 7.0)
    result = run(people, calls, said, KINDS, logins=logins)
    table = sensitivity(result, impact=LENIENT, value=Value(), seed=1)
    bug = table[table["issue_id"] == "bug"].set_index("line")["churns_prevented"]
    assert len(bug) == 4 and (bug > 0).all()
    assert bug["影響期間 3 か月"] != pytest.approx(bug["影響期間 6 か月"])
    assert set(table["issue_id"]) == set(result.impact.loc[result.impact["churns_prevented"].notna(), "issue_id"])
    without = usual().impact.set_index("issue_id").loc["bug", "churns_prevented"]
    assert bug["利用状況で調整しない"] == pytest.approx(without)


def test_first_contact_only_keeps_the_first_likely_one():
    people = customers(("a", "A", 1, "2024-01-01", None), ("b", "A", 1, "2024-01-01", None))
    calls = contacts(("c1", "a", "2025-01-10", 1, 0), ("c2", "a", "2025-02-10", 1, 0), ("c3", "a", "2025-03-10", 1, 0),
                     ("c4", "b", "2025-03-10", 1, 0), ("c5", None, "2025-03-10", 1, 0))
    said = mentions(("x", "c1", 0.2), ("x", "c2", 0.9), ("x", "c3", 0.9), ("x", "c4", 0.3), ("x", "c5", 0.9))
    case = case_of(calls, said, people, usage(), issues(x="不具合"), impact=Impact(), as_of="2025-07-01")
    assert case.contacts["contact_id"].to_numpy()[case.links.contact[is_first(case)]].tolist() == ["c1", "c2", "c4", "c5"]
