import json
import re

import pandas as pd
import pytest

from voc import tables as contract
from voc.reports import appendix
from voc.reports.content import executive_report, headline, product_report


def texts(value) -> str:
    """All text of a report, tables of numbers left out."""
    if isinstance(value, dict):
        return "\n".join(texts(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return "\n".join(texts(item) for item in value)
    return value if isinstance(value, str) else ""


def test_three_headlines(make):
    assert headline(make.tables()) == [
        "「請求書PDFをまとめてダウンロードしたい」の要望が実現すれば、問い合わせた顧客だけで少なくとも毎月4.2名の解約を防げる見込みです。"
        "（90%区間 1.9〜6.7名／推定値・暫定／LTV換算 月96.4万円／慎重に見て3.1名）",
        "「適格請求書の登録番号をどこに入力するか」の導線を直せば、問い合わせコストを毎月19.4万円〜31万円削減できる見込みです。"
        "（現在 月38.8万円／幅は自己解決できる割合の想定によるもので、統計の区間ではありません／"
        "解約への影響: 90%区間 毎月−1.2〜+0.9名、影響を確認できず（暫定））",
        "上位5課題をまとめて解消すれば、問い合わせた顧客だけで少なくとも毎月17.3名の解約を防げる見込みです。"
        "（90%区間 12.4〜22.9名／推定値・暫定／同時に解消した場合を計算した値で、課題ごとの合計ではありません／"
        "LTV換算 月431万円／課題に分類された声の71%／問い合わせコスト 月127万円）",
    ]


def test_the_whole_is_never_the_sum_of_single_issues(make):
    tables = make.tables()
    tables["impact_totals"] = contract.empty(contract.IMPACT_TOTALS)
    assert headline(tables)[2].startswith("上位5課題をまとめて解消したときに防げる解約数は、まだ示せません。")


def test_the_company_row_is_not_taken_for_the_top_five(make):
    tables = make.tables()
    tables["impact_totals"] = tables["impact_totals"].assign(scope="company", n_issues=3)
    assert "17.3" not in headline(tables)[2]


def test_reverse_and_praise_stand_apart(make):
    report = product_report(make.tables(), config=make.config(), run=make.run())
    assert [row["issue_id"] for row in report["ranked"]] == [
        "VOC-0001", "VOC-0003", "VOC-0002", "VOC-0006", "VOC-0004", "VOC-0005", "VOC-0010", "VOC-0007"]
    assert [section["issue_id"] for section in report["reverse"]] == ["VOC-0008"]
    assert [section["issue_id"] for section in report["praise"]] == ["VOC-0009"]
    assert "解約数は計上しません" in report["reverse"][0]["sentence"]


def test_ranks_are_counted_again_without_the_issues_shown_apart(make):
    tables = make.tables()
    praise = pd.DataFrame([{"issue_id": "VOC-0009", "audience": "product", "rank": 2, "rank_low": 1, "rank_high": 3,
                            "top5_share": 1.0, "score_yen": 1.0, "reason": "称賛"}])
    moved = tables["ranking"].assign(rank=lambda t: t["rank"] + (t["rank"] >= 2), rank_low=lambda t: t["rank_low"],
                                     rank_high=lambda t: t["rank_high"] + 1)
    tables["ranking"] = contract.check(pd.concat([moved, praise]), contract.RANKING)
    ranked = product_report(tables, config=make.config(), run=make.run())["ranked"]
    assert [row["rank"] for row in ranked] == list(range(1, 9))
    assert ranked[0]["rank_span"] == "1〜2位"


def test_small_groups_are_hidden_everywhere(make):
    report = product_report(make.tables(), config=make.config(), run=make.run())
    rare = next(section for section in report["sections"] if section["issue_id"] == "VOC-0007")
    assert ("顧客", "5名未満") in rare["pairs"]
    assert rare["segments"] == []
    assert not {"NPS", "否定的な文"} & {name for name, _ in rare["pairs"]}
    cells = [cell for row in report["heat"]["rows"] for cell in row["cells"] if cell["text"] == "5名未満"]
    assert cells
    assert all(cell["times"] == "" and cell["level"] == 0 for cell in cells)


def test_an_anonymous_survey_keeps_its_figures(make):
    tables = make.tables(with_churn=False)
    tables["mentions"]["customer_id"] = pd.Series([None] * len(tables["mentions"]), dtype="str")
    tables["impact"]["n_customers"] = 0
    section = product_report(tables, config=make.config(), run=make.run(reasons=["顧客番号がありません。"]))["sections"][0]
    pairs = dict(section["pairs"])
    assert pairs["顧客"] == "匿名"
    assert pairs["NPS"] == "+100（回答10件）"
    assert pairs["否定的な文"] == "70%"


def test_key_figures_are_those_of_the_last_complete_month(make):
    report = executive_report(make.tables(), config=make.config(), run={**make.run(), "as_of_on": pd.Timestamp("2026-09-15")})
    assert report["figures"]["month"] == "2026年8月"
    tiles = {tile["name"]: tile for tile in report["figures"]["tiles"]}
    assert tiles["顧客数"]["value"] == "10,152名"
    assert [change["label"] for change in tiles["顧客解約率"]["changes"]] == ["前月比", "前年同月比"]
    assert tiles["顧客数"]["changes"][1]["text"] == "+2.7%"
    assert tiles["NPS"]["changes"][1] == {"label": "前年同月比", "text": "+6pt", "word": "改善", "source": "company_months|2025-08>2026-08|nps"}


def test_defence_and_attack_share_all_contacts(make):
    sides = executive_report(make.tables(), config=make.config(), run=make.run())["sides"]
    assert [(side["name"], side["n_issues"]) for side in sides] == [("守り", 6), ("攻め", 4)]
    assert sum(side["share"] for side in sides) == 1.0


def test_without_contracts_the_report_says_what_is_missing_and_claims_nothing(make):
    run = make.run(reasons=["契約の開始日と解約日がないため、解約数を推定できません。"])
    for write in (product_report, executive_report):
        report = write(make.tables(with_churn=False), config=make.config(), run=run)
        assert report["missing"] == ["契約の開始日と解約日がないため、解約数を推定できません。"]
        assert {row["verdict"] for row in report["ranked"]} == {"none"}
        assert "名の解約を防げる" not in texts(report["headlines"])
        assert not re.search("90%区間[^）／。]*名", texts([report["headlines"], report["ranked"], report["sections"]]))  # 倍: of contacts
        assert report["sections"][0]["quotes"]
    tiles = {tile["name"]: tile for tile in report["figures"]["tiles"]}
    assert tiles["顧客解約率"]["why"] == "契約データがありません"


def test_no_tables_at_all_still_make_a_report(make):
    report = product_report({}, config=make.config(), run=make.run())
    assert report["ranked"] == []
    assert report["headlines"][0]["sentence"] == "機能要望に当たる課題は、今回は見つかりませんでした。"
    assert headline({})[2] == "順位を付けられる課題は、今回は見つかりませんでした。"


def test_what_was_left_out_is_told(make):
    left = product_report(make.tables(), config=make.config(), run=make.run())["left_out"]
    assert left["rows"][0] == {"stage": "読み取り", "reason": "開始日時を読み取れません（「不明」）。", "n": "14件"}
    assert "分析した30,210文のうち4,230文（14%）は、どの課題にも入りませんでした。少数の声はここに含まれます。" in left["lines"]


def test_assumptions_carry_the_numbers_of_the_configuration(make):
    config = make.config(impact={"window_months": 5}, value={"gross_margin": 0.62}, costs={"transfer_yen": 555})
    text = texts(product_report(make.tables(), config=config, run=make.run())["assumptions"])
    for phrase in ("5か月間", "粗利率62%", "転送1回: 555円", "平均で92%", "20〜100%", "問い合わせずに離れた顧客は数えていません"):
        assert phrase in text


def test_hidden_causes_are_announced(make):
    run = make.run()
    run["settings"] = json.dumps({"reasons": [], "banner": "未観測の要因が強く、解約数の推定は信頼できません。"}, ensure_ascii=False)
    report = product_report(make.tables(), config=make.config(), run=run)
    assert report["remarks"] == ["未観測の要因が強く、解約数の推定は信頼できません。"]


def test_what_the_ingest_has_to_tell_stands_before_the_headlines(make):
    run = make.run() | {"settings": json.dumps({"notices": [f"ソース {name}: 取り込み元が空です（0 件）。" for name in "abcdefg"]})}
    report = product_report(make.tables(), config=make.config(), run=run)
    assert report["notices"][0] == "ソース a: 取り込み元が空です（0 件）。"
    assert len(report["notices"]) == 6 and report["notices"][-1].startswith("ほか 2 件")
    assert product_report(make.tables(), config=make.config(), run=make.run())["notices"] == []


def test_doubled_contacts_and_the_search_for_names_are_told(make):
    tables = make.tables()
    first, second = tables["contacts"]["contact_id"].iloc[:2]
    tables["contacts"] = tables["contacts"].assign(duplicate_of=tables["contacts"]["contact_id"].map({second: first}))
    run = make.run()
    run["counts"] = json.dumps(json.loads(run["counts"]) | {"mask": {"n_texts": 200, "n_texts_for_names": 5}})
    told = "".join(product_report(tables, config=make.config(), run=run)["left_out"]["lines"])
    assert "二重に届いていた1件" in told and "人名の判定を行ったのは2.5%" in told
    assert "重複した問い合わせは見つかりませんでした" in texts(product_report(make.tables(), config=make.config(), run=make.run()))


def test_without_calibration_every_figure_that_rests_on_it_says_so(make):
    tables = make.tables() | {"issue_calibration": contract.empty(contract.ISSUE_CALIBRATION)}
    report = product_report(tables, config=make.config(), run=make.run())
    assert not report["is_calibrated"]
    assert all("未校正" in item["basis"] for item in report["headlines"])
    assert all(any(name == "未校正の理由" for name, _ in section["grounds"]) for section in report["sections"])
    block = report["assumptions"][-1]
    assert "未校正" in block["title"] and "voc issues sample" in " ".join(block["lines"])


def test_with_calibration_nothing_says_uncalibrated(make):
    report = product_report(make.tables(), config=make.config(), run=make.run())
    assert report["is_calibrated"] and "未校正" not in str(report)
    assert "280件" in report["assumptions"][-1]["lines"][0]


def test_answers_that_came_after_the_run_calibrate_nothing_in_it(make):
    run = make.run() | {"settings": json.dumps({"is_calibrated": False})}
    report = product_report(make.tables(), config=make.config(), run=run)
    assert not report["is_calibrated"] and all("未校正" in item["basis"] for item in report["headlines"])
    assert "未校正" in report["assumptions"][-1]["title"]


@pytest.mark.parametrize("is_widened", [True, False])
def test_wider_intervals_are_told_only_where_they_are_wider(make, is_widened):
    run = make.run()
    run["settings"] = json.dumps({"is_widened": is_widened})
    told = appendix.calibration(contract.empty(contract.ISSUE_CALIBRATION), run)["lines"]
    assert any("広めに" in line for line in told) == is_widened


def test_growing_and_shrinking_issues_stand_in_their_lists_with_evidence(make):
    block = product_report(make.tables(), config=make.config(), run=make.run())["trends"]
    assert [(row["issue_id"], row["word"]) for row in block["growing"]] == [("VOC-0001", "増えている")]
    assert [(row["issue_id"], row["word"]) for row in block["shrinking"]] == [("VOC-0002", "対応の後に減少")]
    assert "90%区間" in block["growing"][0]["evidence"] and "3課題" in block["note"]


def test_each_issue_tells_its_last_weeks(make):
    sections = product_report(make.tables(), config=make.config(), run=make.run())["sections"]
    told = {section["issue_id"]: dict(section["grounds"]).get("直近の増減", "") for section in sections}
    assert "2.5倍" in told["VOC-0001"] and not told["VOC-0004"]


def test_without_tested_issues_no_trend_is_told(make):
    tables = make.tables() | {"issue_trends": contract.empty(contract.ISSUE_TRENDS)}
    assert product_report(tables, config=make.config(), run=make.run())["trends"]["note"] == ""


def test_every_issue_shows_its_area(make):
    report = product_report(make.tables(), config=make.config(), run=make.run())
    assert {row["issue_id"]: row["area"] for row in report["ranked"]}["VOC-0001"] == "連携"
    assert "請求書" in report["areas"] and "" not in report["areas"]


def test_a_run_is_told_in_japanese_down_to_its_parts(make):
    report = product_report(make.tables(), config=make.config(), run=make.run())
    blocks = {block["title"]: dict(block["pairs"]) for block in report["provenance"]["blocks"]}
    counts = blocks["件数"]
    assert counts["分析から外した文（あいさつなど）"] == "あいづち 5,120、お礼・定型の言葉 1,000、あいさつ 2,000"
    assert counts["今回伏せ字にした箇所"] == "氏名 2,100、電話番号 1,212"
    assert counts["注意のお知らせ"] == "続いているもの 6、新しいもの 2、送信（送り先ごとの延べ） 4、送れなかった送り先 1"
    assert counts["今回新しく計算したベクトル（e5）"] == "490"
    assert list(blocks["所要時間（秒）"].items()) == [("読み取り", "31.2"), ("個人情報の伏せ字", "88.0"), ("影響額の推定", "63.4")]
    assert blocks["入力"] == {"calls": "3ファイル（SHA-256 9f2c41d07be3）", "mail": "新しいファイルなし"}
    assert blocks["モデル"] == {"e5": "e5-small-q4.bin（SHA-256 1571fc982750）"}
    assert not any("{" in text or "rows_by_source" in text for text in texts(report["provenance"]).splitlines())
    assert "外した文は8,120件です" in "".join(report["left_out"]["lines"])


def test_a_run_that_counted_nothing_in_parts_says_nought(make):
    assert appendix.counts_told({"set_aside": {}, "expired": {}, "counted_by_an_older_version": 3}) == [
        ("今回、保存期間を過ぎたため消した行", "0"), ("分析から外した文（あいさつなど）", "0")]
    assert "外した文は0件です" in "".join(appendix.left_out(make.tables(), {"counts": '{"set_aside": {}}'})["lines"])
