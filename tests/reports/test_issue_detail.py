import pytest

from voc.reports.content import executive_report, product_report
from voc.reports.issue_detail import advice, existing


@pytest.fixture(scope="module")
def sections(make):
    report = product_report(make.decided(), config=make.config(), run=make.run())
    return {section["issue_id"]: section for section in report["sections"]}


def test_an_estimate_stands_beside_the_same_under_other_choices(sections):
    assert [(line["name"], line["figure"], line["interval"]) for line in sections["VOC-0001"]["sensitivity"]] == [
        ("このレポートの値", "8.6名", "6.1〜11.3名"), ("影響期間を3か月とした場合", "7.9名", "5.5〜10.4名"), ("影響期間を6か月とした場合", "8.8名", "6.0〜11.9名"),
        ("初回の問い合わせだけで見た場合", "6.1名", "3.9〜8.4名"), ("利用状況をそろえない場合", "—", "推定できません")]


@pytest.mark.parametrize("issue_id", ["VOC-0004", "VOC-0005"])
def test_where_no_single_number_is_allowed_no_line_has_one(sections, issue_id):
    lines = sections[issue_id]["sensitivity"]
    assert len(lines) == 5 and {line["figure"] for line in lines} == {"—"}


def test_the_board_is_spared_the_choices_but_told_what_to_do(make):
    report = executive_report(make.decided(), config=make.config(), run=make.run())
    assert all(section["sensitivity"] == [] for section in report["sections"])
    assert report["sections"][0]["advice"]["stance"] == "守り"


def test_a_recommendation_says_who_what_and_until_when(make):
    found = advice("VOC-0001", make.decided()["recommendations"])
    assert found["action"] == "再現条件を確かめて原因を直します。"
    assert found["pairs"] == [("担当", "開発（案）"), ("目標", "問い合わせ 月96件 → 48件"), ("期限", "2027年1月1日")]


def test_the_unhedged_churns_behind_a_recommendation_are_not_printed(sections):
    assert "慎重に見て毎月 6.9" not in str(sections)


def test_a_target_that_holds_and_one_that_lacks(make):
    rows = make.decided()["recommendations"]
    assert ("目標", "問い合わせ 月96件を保つ") in advice("VOC-0001", rows.assign(target_to=96.0))["pairs"]
    assert [name for name, _ in advice("VOC-0001", rows.assign(target_from=float("nan")))["pairs"]] == ["担当", "期限"]


@pytest.mark.parametrize(("n_customers", "n_on_plan", "is_counted"), [(40, 28, True), (30, 30, True), (30, 27, False), (8, 3, False)])
def test_an_option_counts_customers_only_where_no_part_is_small(make, n_customers, n_on_plan, is_counted):
    tables = make.decided()
    options = tables["option_matches"].assign(n_customers=n_customers, n_on_plan=n_on_plan)
    (name, text), = existing("VOC-0002", options=options, triage=tables["faq_triage"])
    assert name == "すでにある機能" and text.startswith("「一括ダウンロード」で解決できる可能性があります（プレミアムプランで利用可）。")
    assert (f"{n_customers}名のうち{n_on_plan}名" in text) == is_counted


def test_the_state_of_the_faq_is_told(sections):
    assert sections["VOC-0006"]["existing"] == [("FAQの状態", "記事がない。答えになる FAQ 記事がありません。")]
