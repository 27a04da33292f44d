from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.impact.labelled import ISSUES, PARAMS, company
from voc.config import Impact
from voc.errors import TableError
from voc.impact.labelled import OUT, LabelledEstimate, _result, estimate_labelled

FAST = Impact(draws=100)


def run(tables: dict, **options) -> LabelledEstimate:
    return sane(estimate_labelled(**{"params": PARAMS, "impact": FAST, **tables, **options}))


def sane(found: LabelledEstimate) -> LabelledEstimate:
    """The contract of the result, whatever came in."""
    table = found.table
    assert list(table.columns) == list(OUT)
    assert set(table["tier"]) <= {"推定値", "参考値", "データ不足"}
    assert set(table["flag"]) <= {"", "reverse", "protective", "insufficient"}
    silent = (table["tier"] == "データ不足") | (table["flag"] == "reverse")
    churns = table[["churns_prevented_per_month", "lo", "hi"]]
    assert (churns.isna().all(axis=1) == silent).all() and churns[~silent].notna().all(axis=None)
    money = table[["yen_per_month", "contact_cost_per_month"]].to_numpy()
    assert np.isfinite(money).all() and (table["contact_cost_per_month"] >= 0).all()
    assert table.loc[silent, "yen_per_month"].tolist() == table.loc[silent, "contact_cost_per_month"].tolist()
    assert (table["lo"].fillna(0) <= table["hi"].fillna(0)).all()
    real = found.estimate.totals.set_index("scope").loc["company", "churns_prevented"]
    assert not (table["hi"] > real * 1.0001).any() or np.isnan(real)
    return found


def reasons(found: LabelledEstimate) -> str:
    return "\n".join(found.rejects["reason"])


def silent(found: LabelledEstimate) -> bool:
    return bool((found.table["tier"] == "データ不足").all())


@pytest.fixture(scope="module")
def whole():
    return run(company())


def test_a_small_company_has_no_estimate_only_reference(whole):
    table = whole.table.set_index("issue_id")
    assert set(table["tier"]) == {"参考値", "データ不足"} and any("300 件以上" in line for line in whole.notices)
    assert table.loc["bug", "lo"] > 0 and table.loc["leaving", "flag"] == "reverse"
    assert whole.table["issue_id"].iloc[0] == "bug" and set(whole.table["issue_id"]) == set(ISSUES)
    assert whole.rejects.empty


def test_contact_cost_by_hand(whole):
    """600 s at 3,600 or 1,800 yen an hour and one transfer: 1,100 and 800 yen; split 0.9 : 0.1; over 18 months."""
    tables = company()
    asked = tables["contacts"][tables["contacts"]["contact_id"].str.startswith("C")]
    cost = np.where(asked["channel"] == "call", 1100.0, 800.0)
    for issue in ("bug", "howto"):
        share = asked["issues"].str.extract(rf"{issue}:([0-9.]+)")[0].fillna("0").astype(float)
        assert whole.table.set_index("issue_id").loc[issue, "contact_cost_per_month"] == pytest.approx((cost * share).sum() / 18)


@pytest.mark.slow
def test_ltv_uses_margin_and_the_stated_churn(whole):
    """1,000 yen x 0.5 / 2 % = 25,000 and / 4 % = 12,500 yen a customer; a third of the churn rate is three times the LTV."""
    value = whole.table.set_index("issue_id").loc["bug"]
    stated = run(company(), params={**PARAMS, "plan_monthly_churn": 0.04}).table.set_index("issue_id").loc["bug"]
    ltv = [row["yen_per_month"] - row["contact_cost_per_month"] for row in (value, stated)]
    assert 1.0 < ltv[0] / ltv[1] < 2.0
    double = run(company(), params={**PARAMS, "gross_margin": 1.0}).table.set_index("issue_id").loc["bug"]
    assert double["yen_per_month"] - double["contact_cost_per_month"] == pytest.approx(2 * ltv[0])


@pytest.mark.slow
def test_a_big_enough_company_has_estimates():
    enough = Impact(draws=100, min_churns=50, min_contacts=100)
    table = run(company(), impact=enough).table.set_index("issue_id")
    assert table.loc["bug", "tier"] == "推定値"


def test_same_tables_in_any_order_give_the_same_result(whole):
    mixed = {name: frame.sample(frac=1, random_state=1) for name, frame in company().items()}
    pd.testing.assert_frame_equal(run(mixed).table, whole.table)


def test_typed_columns_give_the_same_as_text(whole):
    tables = company()
    tables["contacts"] = tables["contacts"].assign(
        time=pd.to_datetime(tables["contacts"]["time"], format="ISO8601"), handle_seconds=tables["contacts"]["handle_seconds"].astype(int),
        sentiment=tables["contacts"]["sentiment"].astype(float))
    tables["customers"] = tables["customers"].assign(
        churn_date=pd.to_datetime(tables["customers"]["churn_date"]), mrr=tables["customers"]["mrr"].astype(float))
    tables["issues"] = tables["issues"].assign(negative_control=[0, 0, 1, 1, 0], cancel_procedure=[False] * 4 + [True])
    pd.testing.assert_frame_equal(run(tables).table, whole.table)


def test_without_params_the_window_is_the_full_months_of_the_contacts():
    found = run({name: frame for name, frame in company().items() if name not in ("usage", "nps")}, params=None)
    assert "2024-01-01 から" in found.notices[0]


@pytest.mark.slow
def test_the_names_words_do_not_make_an_issue_reverse():
    tables = company()
    tables["issues"] = tables["issues"].assign(name=["解約手続きが分かりにくい", *ISSUES[1:]])
    assert run(tables).table.set_index("issue_id").loc["bug", "flag"] == ""


@pytest.mark.slow
def test_the_day_after_the_cancellation_request_blames_nothing():
    """Everybody who leaves asks how to the day before and asks nothing else: no issue may be blamed."""
    tables = company()
    customers = tables["customers"].assign(churn_date=[f"2024-{3 + k % 9:02d}-15" if k % 3 == 0 else "" for k in range(400)])
    gone = customers[customers["churn_date"] != ""]
    tables["customers"] = customers
    tables["contacts"] = pd.DataFrame({
        "contact_id": [f"C{k}" for k in range(len(gone))], "customer_id": gone["customer_id"].to_numpy(),
        "time": (pd.to_datetime(gone["churn_date"]) - pd.Timedelta(days=1)).dt.strftime("%Y-%m-%d").to_numpy(), "channel": "call",
        "handle_seconds": "60", "transfers": "0", "sentiment": "", "issues": "leaving:1"})
    table = run(tables).table.set_index("issue_id")
    assert table.loc["leaving", "flag"] == "reverse" and table["churns_prevented_per_month"].isna().all()
    unnamed = run({**tables, "issues": tables["issues"].assign(cancel_procedure="0")}).table.set_index("issue_id")
    assert unnamed.loc["leaving", "flag"] == "reverse"  # found by its timing


@pytest.mark.slow
def test_a_person_can_overrule_the_timing():
    tables = company()
    tables["issues"] = tables["issues"].assign(cancel_procedure="0")
    found = run(tables)
    assert any("--not-reverse leaving" in line for line in found.notices)
    kept = run(tables, impact=Impact(draws=100, not_reverse=["leaving", "other"]))
    # all its contacts stand in the days that nothing is learned from: no reason to call it a cause either
    assert kept.table.set_index("issue_id").loc["leaving", "flag"] == "insufficient"
    assert any("issues の表にありません: other" in line for line in kept.notices)


def changed(name: str, **columns) -> dict:
    tables = company()
    return {**tables, name: tables[name].assign(**columns)}


def test_churn_before_start_is_refused_and_told():
    early = company()["customers"]["contract_start"].where(np.arange(400) % 20 > 0, "2026-01-01")
    found = run(changed("customers", contract_start=early))
    assert "契約日（contract_start）より前" in reasons(found) and "費用にだけ数え" in reasons(found)


@pytest.mark.slow
def test_most_customers_refused_gives_no_number():
    found = run(changed("customers", contract_start="9999-01-01"))
    assert silent(found) or any("参考値にとどめます" in line for line in found.notices)
    found = run(changed("customers", contract_start="いつか"))
    assert silent(found) and "contract_start の値「いつか」が正しくありません" in reasons(found)


@pytest.mark.slow
def test_duplicate_customers(whole):
    tables = company()
    same = run({**tables, "customers": pd.concat([tables["customers"], tables["customers"].iloc[:30]])})
    assert len(same.rejects) == 30 and "繰り返し" in reasons(same)
    assert same.table["yen_per_month"].tolist() == pytest.approx(whole.table["yen_per_month"].tolist())
    other = tables["customers"].iloc[:30].assign(plan="Z")
    differs = run({**tables, "customers": pd.concat([tables["customers"], other])})
    assert "どれが正しいか分からない" in reasons(differs)


@pytest.mark.parametrize("mrr", ["", pytest.param("-5", marks=pytest.mark.slow), pytest.param("無料", marks=pytest.mark.slow)])
def test_prices_that_are_none_leave_the_contact_cost_alone(mrr):
    found = run(changed("customers", mrr=mrr))
    assert (found.table["yen_per_month"] == found.table["contact_cost_per_month"]).all()
    assert any("月額（mrr）がない" in line for line in found.notices) and (mrr == "" or "mrr の値" in reasons(found))


@pytest.mark.slow
def test_some_prices_missing_are_filled_and_told():
    found = run(changed("customers", mrr=["" if k % 4 else "1000" for k in range(400)]))
    assert any("月額（mrr）のない顧客 300 名" in line for line in found.notices)
    assert found.table.set_index("issue_id").loc["bug", "yen_per_month"] > found.table.set_index("issue_id").loc["bug", "contact_cost_per_month"]


@pytest.mark.slow
def test_customers_of_later_are_told():
    found = run(changed("customers", contract_start=["2025-08-01" if k % 10 == 0 else "2023-01-01" for k in range(400)], churn_date=[
        "" if k % 10 == 0 else day for k, day in enumerate(company()["customers"]["churn_date"])]))
    assert any("後に契約した顧客 40 名" in line for line in found.notices)


def test_all_churned():
    found = run(changed("customers", churn_date="2025-02-03"))
    assert silent(found) and any("契約中の顧客が 0 名" in line for line in found.notices)


def test_none_churned():
    found = run(changed("customers", churn_date=""))
    assert silent(found) and any("解約した顧客がいません" in line for line in found.notices)


@pytest.mark.parametrize("spoil", [
    {"name": "customers", "plan": "A", "segment": ""}, *(pytest.param(spoil, marks=pytest.mark.slow) for spoil in (
    {"name": "usage", "logins": "5"}, {"name": "usage", "logins": "-1"},
    {"name": "nps", "score": "77"}, {"name": "nps", "customer_id": "nobody"}, {"name": "contacts", "sentiment": "NaN"},
    {"name": "contacts", "sentiment": "3"},
    {"name": "contacts", "handle_seconds": "-9", "transfers": "x"}, {"name": "contacts", "channel": "手紙"},
    ))])
def test_columns_that_say_nothing_change_little(spoil):
    found = run(changed(spoil.pop("name"), **spoil))
    assert found.table.set_index("issue_id").loc["bug", "lo"] > 0


def test_one_row_of_each_table():
    found = run({name: frame.iloc[:1] for name, frame in company().items()})
    assert silent(found) and len(found.table) == 1


@pytest.mark.parametrize("name", ["contacts", "customers", "issues", "usage", "nps"])
@pytest.mark.parametrize("params", [PARAMS, pytest.param(None, marks=pytest.mark.slow)])
def test_an_empty_table(name, params):
    tables = company()
    found = run({**tables, name: tables[name].iloc[:0]}, params=params)
    assert silent(found) or name in ("usage", "nps")


@pytest.mark.slow
def test_months_of_the_window_from_which_no_contact_came_are_left_out(whole):
    wide = run(company(), params={**PARAMS, "window_start": "2010-01-01", "window_end": "2040-01-01"})
    months = wide.estimate.diagnostics["n_months"]  # of those with contacts, never the 360 of the window
    assert 14 <= months <= 18 and any("のうち、問い合わせのある 2024-01-0" in line for line in wide.notices)
    ratio = wide.table.set_index("issue_id")["contact_cost_per_month"]["howto"] / whole.table.set_index("issue_id")["contact_cost_per_month"]["howto"]
    assert ratio == pytest.approx(18 / months, rel=0.03)


def test_one_stray_date_makes_no_window():
    tables = company()
    stray = tables["contacts"].head(1).assign(contact_id="X", time="1999-01-01")
    found = run({**tables, "contacts": pd.concat([tables["contacts"], stray])}, params={})
    assert found.estimate.diagnostics["n_months"] <= 18


def test_a_window_without_any_contact_gives_no_number_and_says_where_they_are():
    found = run(company(), params={**PARAMS, "window_start": "2030-01-01", "window_end": "2031-01-01"})
    assert silent(found) and any("window_start" in line and "2024-01-0" in line for line in found.notices)


def test_probabilities_that_nobody_compared_widen_intervals_and_leave_the_order(whole):
    found = run(company(), params={**PARAMS, "labels_calibrated": False})
    wide, usual = (table.set_index("issue_id") for table in (found.table, whole.table))
    assert wide.loc["bug", "hi"] - wide.loc["bug", "lo"] > usual.loc["bug", "hi"] - usual.loc["bug", "lo"]
    assert found.table["issue_id"].iloc[0] == "bug" and any("labels_calibrated" in line for line in found.notices)
    careful = [run.estimate.impact.set_index("issue_id").loc["bug", "churns_shrunken"] for run in (found, whole)]
    assert careful[0] > 0.8 * careful[1]  # an effect is not taken for none because its labels may be wrong


def test_labels_that_the_issues_lack_are_named():
    tables = company()
    found = run({**tables, "issues": tables["issues"][tables["issues"]["issue_id"] != "bug"]})
    assert any("issues の表にない課題" in line and "bug（" in line for line in found.notices)
    assert set(found.table["tier"]) <= {"参考値", "データ不足"}


def test_the_ranking_value_is_never_below_the_contact_cost():
    impact = pd.DataFrame({
        "issue_id": ["stay", "leave", ""], "churns_prevented": [-2.0, 3.0, np.nan], "churns_low": -4.0, "churns_high": 5.0, "tier": "推定値",
        "ltv_shrunken_yen": [-70_000.0, 50_000.0, np.nan], "contact_cost_yen": [900.0, 800.0, 700.0], "n_contacts": 3.0, "flag": ""})
    case = SimpleNamespace(issues=pd.DataFrame({"issue_id": ["stay", "leave"], "kind": ""}))

    def yen(*confirmed):
        controls = pd.DataFrame({"issue_id": ["leave"], "is_confirmed": ["leave" in confirmed]})
        return _result(SimpleNamespace(impact=impact, controls=controls, case=case)).set_index("issue_id")["yen_per_month"]

    assert list(yen().items()) == [("leave", 50_800.0), ("stay", 900.0)]
    assert list(yen("leave").items()) == [("stay", 900.0), ("leave", 800.0)]  # a control cannot cost customers


@pytest.mark.slow
def test_issues_that_nobody_mentions():
    tables = company()
    more = pd.DataFrame({"issue_id": ["ghost"], "name": ["x"], "negative_control": ["0"], "cancel_procedure": ["0"]})
    row = run({**tables, "issues": pd.concat([tables["issues"], more])}).table.set_index("issue_id").loc["ghost"]
    assert (row["tier"], row["flag"], row["yen_per_month"]) == ("データ不足", "insufficient", 0.0)


@pytest.mark.slow
def test_one_issue_only():
    found = run({**company(), "issues": company()["issues"].iloc[:1]})
    assert "issues の表にありません" in reasons(found)
    tables = company()
    alone = {**tables, "contacts": tables["contacts"].assign(issues="bug:1"), "issues": tables["issues"].iloc[:1]}
    run(alone)


@pytest.mark.slow
def test_everybody_exposed_all_the_time_has_nothing_to_compare_with():
    tables = company()
    days = pd.date_range("2023-10-01", "2025-06-15", freq="MS").strftime("%Y-%m-%d")
    contacts = tables["customers"][["customer_id"]].merge(pd.DataFrame({"time": days}), how="cross")
    contacts = contacts.assign(contact_id=[f"C{k}" for k in range(len(contacts))], channel="call", handle_seconds="60",
                               transfers="0", sentiment="", issues="bug:1")
    found = run({**tables, "contacts": contacts})
    row = found.estimate.impact.set_index("issue_id").loc["bug"]
    assert row["tier"] == "データ不足" and "比べられる解約が足りない" in row["notes"] and row["contact_cost_yen"] > 0


def test_broken_labels_are_refused_one_by_one():
    tables = company(n=60)
    broken = ["bug", "bug:", "bug:abc", "bug:1.7", "bug:-0.1", "bug:nan", ":0.5", "nothing:0.9", "bug=0.9"]
    spoiled = tables["contacts"]["issues"].tolist()
    spoiled[: len(broken)] = [f"{label}|howto:0.5" for label in broken]
    found = run({**tables, "contacts": tables["contacts"].assign(issues=spoiled)})
    assert sorted(found.rejects["source_row"], key=int) == [str(n) for n, _ in enumerate(broken, start=1)]
    assert found.rejects["reason"].str.contains("issues の").all()


def test_labels_that_are_mostly_broken_give_no_number():
    assert silent(run(changed("contacts", issues="bug")))


def test_numbers_of_other_customers_give_no_number():
    found = run(changed("contacts", customer_id=[f"X{k}" for k in range(len(company()["contacts"]))]))
    assert silent(found) and found.table["contact_cost_per_month"].sum() > 0


@pytest.mark.parametrize("spelling, expected", [
    ("2024-03-05", "2024-03-05"), ("2024/3/5 13:00", "2024-03-05"), ("2024年3月5日", "2024-03-05"), ("令和6年3月5日", "2024-03-05"),
    ("2024-03-05T20:00:00Z", "2024-03-06"), ("2024-03-05T10:00:00+09:00", "2024-03-05"), ("20240305", "2024-03-05"),
])
def test_days_are_those_of_tokyo(spelling, expected):
    from voc.impact.labelled_tables import read_dates

    found, unread = read_dates(pd.Series([spelling, "", "5/3/2024", "2024-13-45", "45000"]))
    assert str(found[0].date()) == expected and unread.tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("params, words", [
    ({"window_start": "2024-01-01"}, "両方"), ({"window_start": "2025-01-01", "window_end": "2024-01-01"}, "後の日"),
    ({"window_start": "x", "window_end": "y"}, "window_start"), ({"gross_margin": 70}, "gross_margin（現在の値: 70）"),
    ({"yen_per_hour": {"call": -1}}, "yen_per_hour"), ({"plan_monthly_churn": {"A": 2}}, "plan_monthly_churn"),
])
def test_wrong_params_are_told(params, words):
    with pytest.raises(TableError, match=words):
        run(company(n=20), params=params)


def test_a_missing_column_is_told_with_those_that_are_there():
    tables = company(n=20)
    with pytest.raises(TableError, match=r"time。見つかった列: .*contact_id.*--column contacts.time="):
        run({**tables, "contacts": tables["contacts"].drop(columns="time")})


def test_the_door_of_the_package():
    import voc.impact

    assert voc.impact.estimate is voc.impact.estimate_labelled is estimate_labelled
