import json

import pandas as pd
import pytest

from voc import tables as contract
from voc.reports import certainty
from voc.reports.content import executive_report, headline, product_report
from voc.reports.deck import executive_deck
from voc.reports.html import write_reports
from voc.reports.product_sheets import product_sheets

LABELS = {"VOC-0004": "電話がつながらない", "VOC-0006": "登録番号の入力", "VOC-0010": "CSV出力"}
USED = {"n_controls": 3, "shift": 0.12, "spread": 0.18, "window_months": 4}


def told(value) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


@pytest.mark.parametrize(("n_confirmed", "settings", "expected"), [
    (0, {}, True), (1, {}, True), (2, {}, False), (3, {"n_controls": 1}, True), (0, {"n_controls": 2}, False), (2, {"n_controls": None}, False),
])
def test_provisional_until_two_controls_were_used(make, n_confirmed, settings, expected):
    assert certainty.is_provisional(make.decided(n_confirmed=n_confirmed)["impact_controls"], settings) == expected


@pytest.mark.slow
@pytest.mark.parametrize("n_confirmed", [0, 3])
def test_one_flag_says_provisional_in_every_report_or_in_none(make, tmp_path, n_confirmed):
    tables, config, run = make.decided(n_confirmed=n_confirmed), make.config(), make.run(**{**USED, "n_controls": n_confirmed})
    tables["runs"] = contract.check(pd.DataFrame([{
        **run, "started_at": pd.Timestamp("2026-10-01", tz="UTC"), "status": "done"}]), contract.RUNS)
    pages = [path.read_text(encoding="utf-8") for path in write_reports(tables, tmp_path, config=config, run=run)]
    parts = [*pages, told(executive_deck(tables, config=config, run=run)), str(product_sheets(tables, config=config, run=run)), told(headline(tables))]
    assert [("暫定" in part) for part in parts] == [n_confirmed == 0] * len(parts)


def test_how_to_confirm_names_the_candidates_and_the_line(make):
    block = certainty.how_to_confirm(make.decided(n_confirmed=1)["impact_controls"], {"n_controls": 1}, LABELS)
    text = "".join(block["lines"])
    assert "確認済み1件" in text
    assert "「登録番号の入力」（VOC-0006）、「CSV出力」（VOC-0010）" in text and "「電話がつながらない」" not in text
    assert 'controls = ["VOC-0004", "VOC-0006", "VOC-0010"]' in text


def test_without_candidates_the_line_shows_its_form():
    text = "".join(certainty.how_to_confirm(contract.empty(contract.IMPACT_CONTROLS), {}, {})["lines"])
    assert "見つかりませんでした" in text and 'controls = ["VOC-00xx", "VOC-00xx", "VOC-00xx"]' in text


def test_controls_stand_with_interval_share_and_what_was_learned(make):
    block = certainty.placebo_block(make.decided(n_confirmed=2)["impact_controls"], {**USED, "n_controls": 2}, LABELS)
    assert block["rows"] == [
        ["電話がつながらない（VOC-0004）", "確認済み", "1.11倍（0.80〜1.54倍）", "−0.8〜+0.9名"],
        ["登録番号の入力（VOC-0006）", "確認済み", "1.82倍（1.31〜2.53倍）", "−0.8〜+0.9名"],
        ["CSV出力（VOC-0010）", "候補", "0.90倍（0.65〜1.26倍）", "−0.8〜+0.9名"],
    ]
    text = "".join(block["lines"])
    assert "またがない確認済みの対照は、2件中1件（50%）" in text
    assert "偏りは+0.12（対数オッズ。解約のしやすさで1.13倍）、課題ごとのばらつきは0.18" in text


def test_unconfirmed_controls_correct_nothing_and_the_block_says_so(make):
    block = certainty.placebo_block(make.decided()["impact_controls"], {"n_controls": 0, "shift": 0.0, "spread": 0.2}, LABELS)
    assert "偏りは差し引かず、課題ごとのばらつきを0.20" in "".join(block["lines"])
    assert "またがない候補は、3件中1件（33%）" in "".join(block["lines"])


def test_strong_hidden_causes_stand_first(make):
    banner = "未観測の要因が強く、解約数の推定は信頼できません。"
    block = certainty.placebo_block(make.decided(n_confirmed=3)["impact_controls"], {**USED, "banner": banner}, LABELS)
    assert block["lines"][0] == banner


def test_reverse_issues_stand_with_their_evidence_and_the_way_back(make):
    block = certainty.reverse_block(make.decided()["impact_reverse"], {"VOC-0008": "退会の手続き"}, has_churn=True)
    assert block["rows"] == [
        ["退会の手続き（VOC-0008）", "時期（解約の直前に集中）", "74件", "62%", "1.2%", "解約数を計上しない"],
        ["VOC-0003（VOC-0003）", "課題の名前", "5件未満", "—", "—", "原因として推定（人の判断）"],
    ]
    assert 'not_reverse = ["VOC-0008"]' in "".join(block["lines"]) and 'reverse = ["VOC-00xx"]' in "".join(block["lines"])


def test_without_churn_numbers_no_count_of_churns_is_told(make):
    rows = certainty.reverse_block(make.decided()["impact_reverse"], {}, has_churn=False)["rows"]
    assert {tuple(row[2:5]) for row in rows} == {("—", "—", "—")}


@pytest.mark.parametrize(("settings", "given", "text"), [
    ({"window_months": 8}, None, "8か月間（データから選択）"), ({"window_months": 5}, 5, "5か月間（設定）"), ({}, 5, "5か月間（設定）"), ({}, None, ""),
])
def test_the_window_says_where_it_comes_from(settings, given, text):
    assert certainty.window_text(settings, window_months=given) == text


def test_empty_tables_leave_the_blocks_out(make):
    for write in (product_report, executive_report):
        report = write(make.tables(), config=make.config(), run=make.run())
        assert report["evidence"] == []
        assert report["drivers"] is None and report["contrasts"] == []
        assert all(section["advice"] is None and not section["existing"] and not section["sensitivity"] for section in report["sections"])


def test_the_appendix_stands_in_page_and_workbook(make):
    config, run = make.config(), make.run(**USED)
    tables = make.decided(n_confirmed=3)
    report = product_report(tables, config=config, run=run)
    assert [block["key"] for block in report["evidence"]] == ["placebo", "reverse-list"]
    assert "その後4か月間（データから選択）、「課題を経験した顧客」" in told(report["assumptions"])
    assert "解約に影響しないと人が確かめた課題3件" in told(report["assumptions"])
    method = dict(product_sheets(tables, config=config, run=run)[-1].blocks)
    assert "電話がつながらない（VOC-0004）： 確認 確認済み、解約のしやすさ（補正前、90%区間） 1.11倍（0.80〜1.54倍）" in "".join(method["対照の課題で確かめた偏り"])
