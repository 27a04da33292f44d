"""What to do about each issue: every rule once, with its target worked by hand."""

import pandas as pd
import pytest

from tests.impact import tables
from voc.config import Costs, Planning
from voc.faq_triage import COLUMNS as TRIAGE_COLUMNS
from voc.option_matches import COLUMNS as OPTION_COLUMNS
from voc.recommendations import recommendations
from voc.tables import IMPACT, RECOMMENDATIONS, check

AS_OF = pd.Timestamp("2026-01-01")
NO_TRIAGE, NO_OPTIONS = pd.DataFrame(columns=TRIAGE_COLUMNS), pd.DataFrame(columns=OPTION_COLUMNS)


def impact(*issue_ids, tier="データ不足", flag="", ltv=None, churns=None):
    return check(pd.DataFrame({
        "issue_id": list(issue_ids), "period_start_on": AS_OF, "period_end_on": AS_OF, "n_exposed_events": 0.0, "tier": tier, "flag": flag,
        "n_contacts": 40.0, "n_customers": 30, "contact_cost_yen": 20_000.0, "repeat_cost_yen": 0.0, "deflectable_low_yen": 10_000.0,
        "deflectable_high_yen": 16_000.0, "ltv_shrunken_yen": ltv, "churns_shrunken": churns,
        "churns_low": None if churns is None else churns / 2}), IMPACT)  # fmt: skip


def triage(**states):
    rows = [{"issue_id": name, "state": state, "article_title": "再設定の手順"} for name, state in states.items()]
    return pd.DataFrame(rows).reindex(columns=TRIAGE_COLUMNS)


COSTS, PLANNING = Costs(), Planning()


def advise(issues, told, *, faq=NO_TRIAGE, options=NO_OPTIONS, costs=COSTS, planning=PLANNING, controls=()):
    found = recommendations(issues, told, faq, options, as_of_on=AS_OF, costs=costs, planning=planning, controls=controls)
    return check(found, RECOMMENDATIONS).set_index("issue_id")


@pytest.mark.parametrize(("state", "left", "words"), [
    ("no_article", 20, "新しく作り"), ("not_found", 20, "顧客が使う言葉"), ("unclear", 20, "書き直し"), ("has_article", 30, "直接開ける"),
])
def test_how_to_follows_the_state_of_the_faq(state, left, words):
    row = advise(tables.issues(A="使い方"), impact("A"), faq=triage(A=state)).loc["A"]
    assert (row["target_from"], row["target_to"], row["target_unit"]) == (40, left, "問い合わせ（月・件）")
    assert words in row["action"] and row["stance"] == "守り" and row["owner"] == "カスタマーサポート（FAQ）"
    assert row["value_yen"] == 20_000 * (1 - left / 40) and row["due_on"] == pd.Timestamp("2026-02-01")


def test_the_low_end_times_success_is_the_target():
    costs = Costs(deflectable={"使い方": (0.4, 0.6)}, deflection_success=(0.5, 0.9))
    assert advise(tables.issues(A="使い方"), impact("A"), costs=costs).loc["A", "target_to"] == pytest.approx(32)  # 40 x (1 - 0.4 x 0.5)


def test_below_an_estimate_no_number_of_churns_and_no_payback_from_it():
    issues = tables.issues(A="不具合").assign(effort=10.0)
    row = advise(issues, impact("A", tier="参考値", ltv=480_000.0, churns=3.2), planning=Planning(yen_per_person_day=50_000)).loc["A"]
    assert row["value_yen"] == 20_000 and "3.2" not in row["basis"] and "確認できません（参考値）" in row["basis"]


def test_a_fix_and_what_pays_it_back():
    issues = tables.issues(A="不具合").assign(effort=10.0)
    row = advise(issues, impact("A", tier="推定値", ltv=480_000.0, churns=3.2), planning=Planning(yen_per_person_day=50_000)).loc["A"]
    assert (row["target_to"], row["value_yen"], row["payback_months"]) == (20, 500_000, 1.0)  # 10 x 50,000 / 500,000
    assert row["due_on"] == pd.Timestamp("2026-04-01") and not row["is_due_given"] and row["owner"] == "開発"
    assert "慎重に見て毎月 3.2 名（推定値）" in row["basis"] and "推定ではありません" in row["basis"]
    unknown = advise(issues, impact("A", tier="データ不足", ltv=480_000.0)).loc["A"]
    assert unknown["value_yen"] == 20_000 and pd.isna(unknown["payback_months"]) and "データ不足" in unknown["basis"]


def test_the_ledger_comes_first():
    issues = tables.issues(A="不具合", B="不具合")
    issues.loc[0, ["owner", "due_on"]] = ["品質保証", pd.Timestamp("2026-07-07")]
    found = advise(issues, impact("A", "B"), planning=Planning(departments={"不具合": "技術部"}))
    assert found["owner"].tolist() == ["品質保証", "技術部"] and found["is_owner_given"].tolist() == [True, False]
    assert found["due_on"].tolist() == [pd.Timestamp("2026-07-07"), pd.Timestamp("2026-04-01")]
    assert found["is_due_given"].tolist() == [True, False]


@pytest.mark.parametrize(("kind", "flag"), [("解約", ""), ("使い方", "reverse")])
def test_who_has_decided_to_leave_is_no_target(kind, flag):
    row = advise(tables.issues(A=kind), impact("A", flag=flag), faq=triage(A="no_article")).loc["A"]
    assert pd.isna(row["target_to"]) and pd.isna(row["value_yen"]) and pd.isna(row["target_unit"])
    assert "理由を聞き取って" in row["action"] and row["stance"] == "守り"


@pytest.mark.parametrize(("kind", "flag"), [("称賛", ""), ("使い方", "protective")])
def test_what_keeps_customers_is_kept(kind, flag):
    row = advise(tables.issues(A=kind), impact("A", flag=flag, tier="推定値")).loc["A"]
    assert row["target_to"] == row["target_from"] == 40 and row["stance"] == "攻め" and pd.isna(row["value_yen"])


def test_an_option_that_is_there_already():
    options = pd.DataFrame([{"issue_id": "A", "option_id": "O", "option_name": "電子印鑑", "similarity": 0.7, "n_customers": 10,
                             "n_on_plan": 6, "n_other_plan": 2, "plans": [], "words": ""}])  # fmt: skip
    row = advise(tables.issues(A="要望"), impact("A"), options=options).loc["A"]
    assert row["target_to"] == pytest.approx(40 * (1 - 0.75 * 0.5)) and "「電子印鑑」がすでにあります" in row["action"]
    assert (row["stance"], row["owner"]) == ("攻め", "カスタマーサポート（FAQ）")
    other = advise(tables.issues(A="要望"), impact("A"), options=options.assign(n_on_plan=1, n_other_plan=7)).loc["A"]
    assert "要件" in other["action"] and other["target_to"] == 20  # most would have to pay more: no answer for them


def test_issues_without_figures_and_no_issues():
    row = advise(tables.issues(A="不具合"), impact()).loc["A"]
    assert pd.isna(row["target_from"]) and row["basis"] == "この期間の問い合わせの集計がありません。"
    assert recommendations(tables.issues(), impact(), NO_TRIAGE, NO_OPTIONS, as_of_on=AS_OF, costs=COSTS, planning=PLANNING).empty


def test_the_ltv_of_a_confirmed_control_is_no_value():
    told = impact("A", tier="推定値", ltv=50_000.0, churns=2.0)
    assert advise(tables.issues(A="不具合"), told).loc["A", "value_yen"] == 70_000
    row = advise(tables.issues(A="不具合"), told, controls=["A"]).loc["A"]
    assert row["value_yen"] == 20_000 and "解約への影響は確認できません" in row["basis"]
