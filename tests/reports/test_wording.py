import pytest

from voc.reports import wording

BASE = {"label": "口座連携", "kind": "不具合", "flag": "", "n_contacts": 96.0, "contact_cost_yen": 64_000.0}
ESTIMATE = {**BASE, "tier": "推定値", "churns_prevented": 8.62, "churns_low": 6.1, "churns_high": 11.3, "churns_shrunken": 6.9,
            "ltv_yen": 2_230_000.0, "n_exposed_events": 58.0}
UNCLEAR = {**ESTIMATE, "churns_prevented": 0.2, "churns_low": -0.8, "churns_high": 1.1}
REFERENCE = {**ESTIMATE, "tier": "参考値", "churns_prevented": 1.4, "churns_low": 0.2, "churns_high": 3.1, "n_exposed_events": 9.0}
FEW = {**BASE, "tier": "データ不足", "n_exposed_events": 2.0, "months_to_answer": 14.2}
REVERSE = {**BASE, "tier": "データ不足", "flag": "reverse"}
PROTECTIVE = {**ESTIMATE, "flag": "protective", "churns_prevented": -2.0, "churns_low": -3.4, "churns_high": -0.7}
NONE = {**BASE, "tier": None}


@pytest.mark.parametrize(("issue", "sentence"), [
    (ESTIMATE, "この課題を解消すれば、問い合わせた顧客だけで少なくとも毎月8.6名（90%区間 6.1〜11.3名、推定値・暫定）の解約を防げる見込みです。"
               "LTV換算で月223万円。慎重に見ると6.9名です。"),
    (UNCLEAR, "解約への影響は確認できません（90%区間 毎月−0.8〜+1.1名、推定値・暫定）。問い合わせは月96件、コストは月6.4万円です。"),
    (REFERENCE, "解消すれば解約が減る方向です（90%区間 毎月0.2〜3.1名、参考値・暫定）。この課題を経験した解約が9件と少ないため、"
                "一つの数値では示しません。問い合わせは月96件、コストは月6.4万円です。"),
    ({**REFERENCE, "n_exposed_events": 58.0}, "解消すれば解約が減る方向です（90%区間 毎月0.2〜3.1名、参考値・暫定）。記録にない要因の影響が強いため、"
                "一つの数値では示しません。問い合わせは月96件、コストは月6.4万円です。"),
    (FEW, "この課題を経験した解約は5件未満です。解約数は推定できません。今の頻度なら、あと約14か月で推定できるようになります。"
          "問い合わせは月96件、コストは月6.4万円です。"),
    (REVERSE, "解約を決めた後の問い合わせです。解約の原因ではないため、解約数は計上しません。問い合わせは月96件、コストは月6.4万円です。"),
    (PROTECTIVE, "この問い合わせをした顧客は、解約しにくい傾向があります（90%区間 毎月−3.4〜−0.7名、暫定）。減らさず、この窓口への導線を残してください。"),
    (NONE, "解約数は算出していません。問い合わせは月96件、コストは月6.4万円です。"),
])
def test_sentence_of_each_tier(issue, sentence):
    assert wording.issue_sentence(issue) == sentence


@pytest.mark.parametrize("issue", [UNCLEAR, REFERENCE, FEW, REVERSE, PROTECTIVE, NONE])
def test_only_an_estimate_shows_a_single_number(issue):
    assert wording.churn_cell(issue)["figure"] == ""
    assert wording.value_cell(issue)["figure"] == ""


@pytest.mark.parametrize("issue", [ESTIMATE, UNCLEAR, REFERENCE, PROTECTIVE])
def test_every_churn_number_is_provisional(issue):
    cell = wording.churn_cell(issue)
    assert cell["detail"]
    assert "暫定" in cell["chip"]
    assert "暫定" in wording.issue_sentence(issue)
    assert "暫定" in " ".join(wording.request_headline(issue))


@pytest.mark.parametrize("issue", [ESTIMATE, UNCLEAR, REFERENCE, PROTECTIVE])
def test_with_confirmed_controls_no_number_is_provisional(issue):
    issue = {**issue, "is_provisional": False}
    texts = [wording.churn_cell(issue)["chip"], wording.issue_sentence(issue), *wording.request_headline(issue), str(wording.grounds(issue))]
    assert "暫定" not in "".join(texts)
    assert not any(mark in text for text in texts for mark in ("、）", "・）", "／／")) and not texts[3].endswith("／")


@pytest.mark.parametrize(("issue", "start"), [
    (ESTIMATE, "「口座連携」の要望が実現すれば、問い合わせた顧客だけで少なくとも毎月8.6名の解約を防げる見込みです。"),
    (REFERENCE, "「口座連携」の要望は、解消すれば解約が減る方向ですが、人数はまだ一つの値で示せません。"),
    ({**REFERENCE, "churns_low": -0.2}, "「口座連携」の要望は、解約が減るかどうかも、その人数も、まだ示せません。"),
    (UNCLEAR, "「口座連携」の要望が実現しても、解約が減るとは確認できません。"),
    (FEW, "「口座連携」の要望で防げる解約数は、まだ推定できません。"),
    (NONE, "最も多い機能要望は「口座連携」で、月96件です。"),
    (None, "機能要望に当たる課題は、今回は見つかりませんでした。"),
])
def test_request_headline_claims_no_more_than_the_tier_allows(issue, start):
    assert wording.request_headline(issue)[0] == start


def test_saving_is_a_range_of_assumptions_and_says_so():
    sentence, basis = wording.saving_headline({**UNCLEAR, "deflectable_low_yen": 194_000.0, "deflectable_high_yen": 310_000.0,
                                               "contact_cost_yen": 388_000.0})
    assert sentence == "「口座連携」の導線を直せば、問い合わせコストを毎月19.4万円〜31万円削減できる見込みです。"
    assert "統計の区間ではありません" in basis
    assert "90%区間 毎月−0.8〜+1.1名、影響を確認できず（暫定）" in basis


def test_joint_removal_crossing_zero_claims_nothing():
    total = {"n_issues": 5, "churns_prevented": 1.0, "churns_low": -0.5, "churns_high": 2.4, "ltv_yen": 1e6}
    sentence, basis = wording.joint_headline(total, n_top=5, cost_yen=1e6, contact_share=0.4)
    assert sentence == "上位5課題をまとめて解消しても、解約が減るとは確認できません。"
    assert "−0.5〜+2.4名" in basis


def test_a_total_without_a_first_rank_says_which_issues_it_holds():
    total = {"n_issues": 2, "churns_prevented": 3.0, "churns_low": 1.2, "churns_high": 4.4, "ltv_yen": 1e6}
    sentence, _ = wording.joint_headline(total, n_top=2, cost_yen=1e6, contact_share=0.4, is_first=False)
    assert sentence.startswith("推定値が出ている上位2課題をまとめて解消すれば、")
