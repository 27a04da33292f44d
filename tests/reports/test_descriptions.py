"""What stands beside the estimate: who stays, customers who do not tell, cost as cash and as time. Shown only where it may be."""

import re

import pytest

from tests.reports.test_cs_pack import desk_tables
from voc.impact.retention import EXPOSED, NOTE, OTHERS
from voc.reports.charts import staying_lines
from voc.reports.content import executive_report, product_report
from voc.reports.cs_pack import cs_sheets
from voc.reports.product_sheets import product_sheets


@pytest.fixture(scope="module")
def tables(make):
    return make.decided() | desk_tables(make)


@pytest.fixture(scope="module")
def sections(make, tables):
    return {one["issue_id"]: one for one in product_report(tables, config=make.config(), run=make.run())["sections"]}


def test_who_stays_stands_with_its_note_where_a_churn_figure_may_stand(sections):
    shown = sections["VOC-0001"]["staying"]
    assert shown["note"] == NOTE and shown["customers"]["text"] == "310名"
    assert [[cell["text"] for cell in row["cells"]] for row in shown["rows"]] == [["90.1%", "93.8%"], ["81.3%", "88.0%"], ["66.0%", "77.5%"]]
    assert shown["rows"][0]["cells"][1]["source"] == f"retention|VOC-0001/{OTHERS}/3|survived_share"
    assert sections["VOC-0007"]["staying"] is None  # データ不足, though the table holds its curve
    assert sections["VOC-0003"]["staying"] is None  # no curve


def test_who_stays_is_not_shown_where_no_churn_is(make, tables):
    plain = {**make.tables(with_churn=False), "retention": tables["retention"]}
    options = {"config": make.config(), "run": make.run(reasons=["契約データがありません。"])}
    assert all(one["staying"] is None for one in product_report(plain, **options)["sections"])
    assert next(sheet for sheet in product_sheets(plain, **options) if sheet.name == "継続率").rows.empty


def test_the_sheet_of_who_stays_holds_the_issues_of_the_page(make, tables):
    sheet = next(sheet for sheet in product_sheets(tables, config=make.config(), run=make.run()) if sheet.name == "継続率")
    assert set(sheet.rows["課題番号"]) == {"VOC-0001", "VOC-0002"} and NOTE in sheet.lines[0]  # neither reverse nor データ不足


def test_customers_who_do_not_tell_are_a_range_under_a_stated_rate(make, tables, sections):
    told = dict(sections["VOC-0001"]["grounds"])["申し出ない顧客を含めた幅"]
    assert told.startswith("毎月10〜38名（LTV換算 月223万円〜1,115万円、参考・暫定）。")  # 6.1 / 0.6, 11.3 / 0.3 by hand
    assert "30%〜60%" in told and "仮定" in told
    assert "申し出ない顧客を含めた幅" not in dict(sections["VOC-0005"]["grounds"])  # 参考値 carries no such number
    unknown = {name: frame for name, frame in tables.items() if name != "silent"}
    report = product_report(unknown, config=make.config(), run=make.run())
    assert all("申し出ない顧客を含めた幅" not in dict(one["grounds"]) for one in report["sections"])
    ranking = product_sheets(unknown, config=make.config(), run=make.run())[1]
    assert not [name for name in ranking.rows.columns if "申し出ない" in name]


def test_cost_is_told_as_cash_and_as_time(make, tables, sections):
    cost = executive_report(tables, config=make.config(), run=make.run())["costs"]
    assert cost["lines"][0] == "問い合わせコスト月100万円のうち、問い合わせが減れば現金で減る分は月19万円、空く時間（固定の人件費）は月81万円です。"
    assert [row["channel"] for row in cost["rows"]] == ["電話", "メール", "アンケート"]
    pairs = dict(sections["VOC-0006"]["cost"])
    assert (pairs["うち現金で減る分"], pairs["うち空く時間（固定の人件費）"]) == ("月7.8万円", "月31万円")
    assert "うち現金で減る分" not in dict(sections["VOC-0001"]["cost"])  # no row of COST_PARTS
    sheet = next(sheet for sheet in cs_sheets(tables, config=make.config(), run=make.run()) if sheet.name == "問い合わせコスト")
    assert sheet.rows["現金で減る分／月"].tolist() == [190_000.0, 0.0, 0.0] and sheet.rows["コスト／月"].sum() == 1e6
    assert executive_report({**tables, "cost_parts": tables["cost_parts"].head(0)}, config=make.config(), run=make.run())["costs"] == {}


def test_the_lines_keep_apart_and_read_aloud():
    close = {EXPOSED: [(0, 1.0), (6, 0.951)], OTHERS: [(0, 1.0), (6, 0.952)]}
    drawn = staying_lines(close, "k", "題<b>")
    heights = [float(y) for y in re.findall(r'y="([\d.]+)" style', drawn)]
    assert abs(heights[0] - heights[1]) >= 12
    assert "6か月 95.1%" in drawn and "題&lt;b&gt;" in drawn and "90%</text>" in drawn  # the axis says where it begins
    everyone = staying_lines({name: [(0, 1.0), (3, 1.0)] for name in (EXPOSED, OTHERS)}, "k", "題")
    assert "nan" not in everyone and "inf" not in everyone
