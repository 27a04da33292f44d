"""product.xlsx reopened: its figures are those of the tables, hostile text stays text, and it opens as it was meant."""

import re
import zipfile
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from voc import tables as contract
from voc.reports.content import product_report
from voc.reports.product_sheets import product_sheets
from voc.reports.sheets import Column, Sheet, table
from voc.reports.workbook import write_workbook

HOSTILE = [
    "=CMD|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1:A9)", "\t=HYPERLINK(\"http://x.invalid\")", "http://x.invalid/?a=1",
    "\u202eすまりあが行逆\u202c\u2066\u200b", "\x00\x08\x1b[31m赤い字", "<script>alert(1)</script>", "_x0041_ あ", "ftp://x.invalid", "あ" * 1_000_000,
    "{=SUM(A1)}", "internal:'順位'!A1", "\ud800",
]  # fmt: skip
_FORMULA = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f"
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported")


def saved(sheets, path):
    return openpyxl.load_workbook(write_workbook(sheets, path, title="題", as_of_on=pd.Timestamp("2026-10-01")))


def tab(sheets, name, path):
    """One tab of a book, written and opened alone."""
    return saved([sheet for sheet in sheets if sheet.name == name], path)[name]


def rows_of(page) -> pd.DataFrame:
    """The native table of a tab."""
    (native,) = page.tables.values()
    head, *body = [[cell.value for cell in row] for row in page[native.ref]]
    return pd.DataFrame(body, columns=head, dtype=object)


def with_customers(tables):
    """The fixture's voices with plans and LTV of their customers: u0..u9 x 0..6."""
    ids = sorted(tables["mentions"]["customer_id"].dropna().unique())
    customers = pd.DataFrame({"customer_id": ids, "plan": ["ライト" if one[-1] < "6" else "プロ" for one in ids], "monthly_price_yen": 1000.0})
    health = pd.DataFrame({"customer_id": ids, "as_of_on": pd.Timestamp("2026-10-01"), "tier": "high", "ltv_yen": 50_000.0, "score": 80.0, "band": "注意",
                           "reasons": [[]] * len(ids), "is_at_risk": False})
    return {**tables, "customers": contract.check(customers, contract.CUSTOMERS), "customer_health": contract.check(health, contract.CUSTOMER_HEALTH)}


@pytest.fixture(scope="module")
def tables(make):
    return with_customers(make.tables())


@pytest.fixture(scope="module")
def book(make, tables, tmp_path_factory):
    sheets = product_sheets(tables, config=make.config(), run=make.run())
    return saved(sheets, tmp_path_factory.mktemp("book") / "product.xlsx")


def test_the_tabs_are_the_promised_ones(book):
    assert book.sheetnames == ["概要", "順位", "要望", "根拠", "声を寄せた顧客", "誰が求めているか", "推移", "継続率", "数値の出典", "前提と計算方法"]
    assert "issues.xlsx" in "".join(str(cell.value) for row in book["概要"].rows for cell in row)


@pytest.mark.parametrize("name", ["順位", "要望", "根拠", "声を寄せた顧客", "誰が求めているか", "推移", "数値の出典"])
def test_every_table_can_be_filtered_and_keeps_its_head(book, name):
    page = book[name]
    (native,) = page.tables.values()
    first = native.ref.split(":")[0]
    assert native.autoFilter is not None
    assert page.freeze_panes == f"C{int(first[1:]) + 1}"


def test_the_ranking_is_that_of_the_page_and_its_figures_are_the_tables(make, tables, book):
    found = rows_of(book["順位"]).set_index("課題番号")
    ranked = product_report(tables, config=make.config(), run=make.run())["ranked"]
    assert found.index[: len(ranked)].tolist() == [row["issue_id"] for row in ranked]
    impact = tables["impact"].set_index("issue_id").loc[found.index]
    for name, column in (("問い合わせコスト／月", "contact_cost_yen"), ("うち再問い合わせ", "repeat_cost_yen"), ("件数／月", "n_contacts"),
                         ("自己解決に移せる額の上限", "deflectable_high_yen")):
        assert found[name].astype(float).tolist() == pytest.approx(impact[column].tolist())
    first = found.loc["VOC-0001"]
    assert first[["防げる解約／月", "90%区間の下限", "90%区間の上限", "LTV換算／月"]].tolist() == pytest.approx([8.62, 6.1, 11.3, 2.23e6])
    assert first["顧客数"] == 310


def test_a_number_stands_only_where_its_tier_allows_one(book):
    found = rows_of(book["順位"]).set_index("課題番号")
    churn = ["防げる解約／月", "90%区間の下限", "90%区間の上限", "LTV換算／月", "LTV換算の上限"]
    assert found.loc["VOC-0005", churn].isna().tolist() == [True, False, False, True, False]  # 参考値: interval alone
    assert found.loc["VOC-0004", churn].isna().tolist() == [True, False, False, True, True]  # crosses zero
    for silent in ("VOC-0007", "VOC-0008"):  # データ不足, after the decision to cancel
        assert found.loc[silent, churn].isna().all()
    assert found.loc["VOC-0007", "顧客数"] == "5名未満"
    assert found.loc["VOC-0008", "順位の幅"] == "順位外"


def test_without_churn_there_are_no_columns_for_it(make, tmp_path):
    book = saved(product_sheets(make.tables(with_churn=False), config=make.config(), run=make.run()), tmp_path / "p.xlsx")
    assert not [name for name in rows_of(book["順位"]).columns if "解約" in name or "LTV" in name]


def test_equal_requests_are_one_and_small_groups_hide_their_money(make, tables, tmp_path):
    asked = tables["requests"].assign(object="請求書PDF", change="一括出力")
    asked["phrase"] = ["請求書PDFの一括出力"] * 5 + ["請求書 PDF を一括出力"] * (len(asked) - 5)
    asked["object"] = ["請求書PDF"] * 5 + ["請求書 PDF"] * (len(asked) - 5)
    lonely = asked.head(1).assign(sentence_id="s02-00", phrase="別の要望", object="別", change="変更")
    changed = {**tables, "requests": contract.check(pd.concat([asked, lonely]), contract.REQUESTS)}
    found = rows_of(tab(product_sheets(changed, config=make.config(), run=make.run()), "要望", tmp_path / "p.xlsx")).set_index("要望")
    one = found.loc["請求書PDFの一括出力"]
    assert one[["顧客数", "声の数", "求める顧客のLTV合計", "プラン", "課題番号"]].tolist() == [7, 8, 350_000, "ライト 6名", "VOC-0002"]
    assert found.loc["別の要望", ["顧客数", "求める顧客のLTV合計", "プラン"]].tolist() == ["5名未満", None, None]


def test_evidence_leads_back_to_every_mention(tables, book):
    found = rows_of(book["根拠"])
    assert len(found) == len(tables["mentions"])
    texts = tables["sentences"].set_index("sentence_id")["text"]
    assert found["文（伏せ字済み）"].tolist() == texts.loc[found["文の番号"]].tolist()
    assert set(found["LTV区分"]) == {"ハイタッチ"}
    assert not [name for name in found.columns if "顧客番号" in name]


def test_a_cap_is_told_and_no_issue_loses_all_its_rows(make, tables, tmp_path):
    page = tab(product_sheets(tables, config=make.config(), run=make.run(), n_evidence=25), "根拠", tmp_path / "p.xlsx")
    found = rows_of(page)
    n_all = len(tables["mentions"])
    assert len(found) == 25
    assert set(found["課題番号"]) == set(tables["mentions"]["issue_id"])
    assert f"全{n_all}行のうち25行" in page["A2"].value


def test_who_asked_is_told_of_issues_with_five_customers_or_more(make, tables, book):
    found = rows_of(book["声を寄せた顧客"])
    mentions = tables["mentions"]
    n_customers = mentions.groupby("issue_id")["customer_id"].nunique()
    assert found.groupby("課題番号").size().to_dict() == n_customers[n_customers >= 5].to_dict()
    own = mentions[(mentions["issue_id"] == "VOC-0001") & (mentions["customer_id"] == "u01")].merge(tables["contacts"], on="contact_id")
    row = found[(found["課題番号"] == "VOC-0001") & (found["仮名"] == "u01")].iloc[0]
    days = own["started_at"].dt.tz_convert("Asia/Tokyo").dt.date
    assert (row["最初の日"].date(), row["最後の日"].date(), row["問い合わせ"]) == (days.min(), days.max(), own["contact_id"].nunique())
    assert row[["プラン", "LTV区分", "LTV"]].tolist() == ["ライト", "ハイタッチ", 50_000]
    few = tables | {"mentions": mentions[(mentions["issue_id"] != "VOC-0001") | mentions["customer_id"].isin(["u00", "u01"])]}
    sheet = next(one for one in product_sheets(few, config=make.config(), run=make.run()) if one.name == "声を寄せた顧客")
    assert "VOC-0001" not in set(sheet.rows["課題番号"])
    assert any("5名に満たない1課題は載せていません" in line for line in sheet.lines)


def test_groups_under_five_have_no_figures(tables, book):
    found = rows_of(book["誰が求めているか"])
    small = found[found["顧客数"] == "5名未満"]
    assert len(small)
    assert small[["この課題の顧客での割合", "倍率"]].isna().all(axis=None)
    assert "VOC-0007" not in set(found["課題番号"])  # three customers in all
    row = found[(found["課題番号"] == "VOC-0001") & (found["顧客層"] == "個人事業")].iloc[0]
    truth = tables["issue_segments"].set_index(["issue_id", "value"]).loc[("VOC-0001", "個人事業")]
    assert row["倍率"] == pytest.approx(truth["share"] / truth["base_share"])


def test_months_are_those_of_the_table_with_a_native_chart(tables, book):
    found = rows_of(book["推移"]).set_index("課題番号")
    months = tables["issue_months"].pivot(index="issue_id", columns="month_on", values="n_contacts")
    shown = found.drop(columns="課題").astype(float)
    assert shown.columns[-1] == "2026/09"
    assert shown.to_numpy().tolist() == months.loc[shown.index].to_numpy()[:, -shown.shape[1]:].tolist()
    assert len(book["推移"]._charts) == 1


def test_hostile_text_is_text_in_every_tab(make, tables, tmp_path):
    changed = dict(tables)
    n = len(tables["sentences"])
    changed["sentences"] = tables["sentences"].assign(text=pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(n)], dtype=object))
    changed["issues"] = tables["issues"].assign(label=[HOSTILE[i % len(HOSTILE)] for i in range(len(tables["issues"]))])
    changed["requests"] = tables["requests"].assign(phrase=[HOSTILE[i % len(HOSTILE)] for i in range(len(tables["requests"]))])
    changed["customers"] = tables["customers"].assign(plan=HOSTILE[0])
    changed["issue_segments"] = tables["issue_segments"].assign(value=HOSTILE[0] + tables["issue_segments"]["value"])
    changed["rejects"] = tables["rejects"].assign(reason=HOSTILE[0] + tables["rejects"]["reason"] + tables["rejects"]["source_row"])
    path = tmp_path / "p.xlsx"
    config = make.config(company={"name": HOSTILE[0]})
    book = saved(product_sheets(changed, config=config, run=make.run()), path)
    texts = [cell for page in book for row in page.rows for cell in row if isinstance(cell.value, str)]
    assert any(cell.value.startswith("=CMD") for cell in texts)
    assert {cell.data_type for cell in texts} == {"s"}
    assert not [cell for cell in texts if cell.hyperlink]
    assert not [cell for cell in texts if re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]", cell.value)]
    assert max(len(cell.value) for cell in texts) <= 1000
    assert {cell.quotePrefix for cell in texts if cell.value[0] in "=+-@"} == {True}
    with zipfile.ZipFile(path) as parts:
        assert not [name for name in parts.namelist() if "external" in name or "vba" in name or "connections" in name]
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")):
                root = ElementTree.fromstring(parts.read(name))  # noqa: S314 - our own file
                assert not [e for e in root.iter() if e.get("TargetMode") == "External"]
                if "worksheets/sheet" in name:
                    assert not [e for e in root.iter() if e.tag == _FORMULA]


@pytest.mark.slow
def test_the_same_tables_give_the_same_bytes(make, tables, tmp_path):
    first, second = (write_workbook(product_sheets(tables, config=make.config(), run=make.run()), tmp_path / name, title="題", as_of_on=None)
                     for name in ("a.xlsx", "b.xlsx"))
    assert first.read_bytes() == second.read_bytes()


def test_a_book_of_nothing_says_so(make, tmp_path):
    book = saved(product_sheets({}, config=make.config(), run=make.run()), tmp_path / "p.xlsx")
    assert "順位を付けられる課題はまだありません。" in [cell.value for cell in book["順位"]["A"]]
    assert "要望は見つかりませんでした。" in [cell.value for cell in book["要望"]["A"]]


def test_a_table_too_long_for_excel_is_cut_aloud(tmp_path):
    columns = (Column("文", "long", 40), Column("額", "yen", 12))
    sheet = Sheet("表", "題", ("説明",), columns, table([{"文": str(i), "額": i} for i in range(30)], columns))
    path = write_workbook([sheet], tmp_path / "p.xlsx", title="題", as_of_on=None, max_rows=20)
    page = openpyxl.load_workbook(path)["表"]
    assert len(rows_of(page)) == 20
    assert page["A3"].value == "Excelに収まる20行までを載せています（全30行。残り10行は載せていません）。"
