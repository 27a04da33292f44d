"""product.xlsx as sheets: the figures of product.html with the rows that they rest on. Tables -> sheets, no files."""

from collections.abc import Mapping

import pandas as pd

from voc import tables as contract
from voc.impact.lifetime import TIER_NAMES
from voc.reports.askers import askers_sheet
from voc.reports.content import product_report
from voc.reports.facts import complete_months, issue_facts
from voc.reports.formats import NONE, SMALL_GROUP, is_missing
from voc.reports.sheets import Chart, Column, Sheet, hidden, sources_sheet, table
from voc.reports.staying import staying_sheet
from voc.reports.wording import WITH_NUMBERS, attribute_name, channel_name, group_name, verdict

EVIDENCE_ROWS = 200_000
"""Excel holds a million rows, but a desk does not open a file of that size."""
MONTHS = 24
_PLANS_SHOWN = 3
_SILENT = ("申し出ない顧客を含めた下限", "申し出ない顧客を含めた上限")
_CASH = "うち現金で減る分"
_ISSUE = (("課題番号", "issue_id"),)
_USED = ("issues", "mentions", "sentences", "contacts", "opinions", "customers", "impact", "issue_months", "issue_segments",
         "company_months", "ranking", "requests", "customer_health", "silent", "retention", "cost_parts")  # fmt: skip
_ABOUT = {
    "順位": "直す課題の順位。防げる解約、LTV換算、問い合わせコスト、件数。",
    "要望": "同じ内容の要望を一つにまとめ、求めている顧客の数とLTVを並べたもの。",
    "根拠": "各課題の数値の元になった文（個人情報は伏せ字）。課題番号で絞り込めます。",
    "声を寄せた顧客": "課題ごとの、声を寄せた顧客（仮名）とプラン、LTV区分、日付、問い合わせ番号。",
    "誰が求めているか": "課題ごとの顧客層（プラン、顧客区分、LTV区分）。",
    "推移": "課題ごとの月別件数とグラフ。",
    "継続率": "課題ごとの、最初の問い合わせの後に契約を続けている割合（記述統計）。",
    "数値の出典": "各シートの数値が、保存先のどの表のどの行と列から来ているか。",
    "前提と計算方法": "数値の求め方、限界、分析に含めなかったもの、作成条件。",
}


def product_sheets(tables: dict[str, pd.DataFrame], *, config, run: Mapping, n_evidence: int = EVIDENCE_ROWS) -> list[Sheet]:
    """概要, 順位, 要望, 根拠, 声を寄せた顧客, 誰が求めているか, 推移, 継続率, 数値の出典, 前提と計算方法 of voc.tables' frames; absent ones count as empty.

    The sentences and ranks are those of `product_report`; figures keep their full precision. `run`: the row of `runs`.
    `n_evidence`: rows of 根拠 at most; above, every issue keeps its most probable ones, and the sheet says how many are left out.
    """
    report = product_report(tables, config=config, run=run)
    tables = {name: tables[name] if name in tables else contract.empty(contract.TABLES[name]) for name in _USED}
    as_of_on = dict(run).get("as_of_on")
    facts = {issue["issue_id"]: issue for issue in issue_facts(tables, audience="product", as_of_on=as_of_on)}
    order = [row["issue_id"] for row in [*report["ranked"], *report["reverse"], *report["praise"]]]
    issues = pd.DataFrame({"issue_id": order, "課題": [facts[one]["label"] for one in order], "種類": [facts[one]["kind"] for one in order]},
                          dtype=object).astype("str")
    told = [one for one in order if report["has_churn"] and verdict(facts[one]) in WITH_NUMBERS]
    cash = tables["cost_parts"][tables["cost_parts"]["scope"] == "issue"].set_index("issue_id")["cash_yen"]
    sheets = [
        _ranking(report, facts, cash), _requests(tables, issues), _evidence(tables, issues, n_rows=n_evidence, timezone=config.company.timezone),
        askers_sheet(tables, issues, timezone=config.company.timezone), _groups(tables, issues, facts), _months(tables, issues, as_of_on=as_of_on),
        staying_sheet(tables["retention"], issues[issues["issue_id"].isin(told)]),
    ]  # fmt: skip
    first = overview(report, _ABOUT, title="お客様の声 プロダクト向け", others=(
        "課題の名前、状態、担当、期限は、同じフォルダの issues.xlsx で書き換えられます。", "読み物としてのレポートは product.html です。"))
    return [first, *sheets, sources_sheet(sheets), method(report)]


def overview(report: dict, about: Mapping[str, str], *, title: str, others: tuple[str, ...]) -> Sheet:
    """概要: the sentences on top of `report`, what it cannot say, key figures, meaning of the tiers, the other sheets."""
    told = [f"{item['kicker']}： {item['sentence']}" + (f"（{item['basis']}）" if item["basis"] else "") for item in report["headlines"]]
    figures = report["figures"]
    tiles = [f"{tile['name']} {tile['value']}（{tile['why'] or '、'.join(map(_change, tile['changes']))}）" for tile in figures["tiles"]]
    blocks = [
        ("要点", told), ("取り込みの注意", report["notices"]), ("今回示せないこと", report["missing"]), ("読むときの注意", report["remarks"]),
        (f"主な指標（{figures['month']}）", tiles),
        ("判定の意味", [f"{tier['chip']}： {tier['meaning']}" for tier in report["tiers"]] if report["has_churn"] else []),
        ("シートの内容", [f"{name}： {text}" for name, text in about.items()]), ("関連する資料", others),
    ]
    when = [f"対象 {report['period']}"] if report["period"] else []
    lines = "　".join([report["company"], *when, f"分析基準日 {report['as_of']}"])
    return Sheet("概要", title, lines=(lines,), blocks=tuple((name, tuple(lines)) for name, lines in blocks if lines))


def _change(change: dict) -> str:
    told = [change["word"]] if change["text"] == NONE else [change["text"], change["word"]]
    return " ".join([change["label"], *filter(None, told)])


def method(report: dict) -> Sheet:
    """前提と計算方法: how figures were reached, what was left out, with what they were made."""
    left = report["left_out"]
    refused = [f"{row['reason']}（{row['stage']}）: {row['n']}" if row["stage"] else f"{row['reason']}: {row['n']}" for row in left["rows"]]
    made = [f"{name}: {text}" for name, text in report["provenance"]["rows"]]
    made += [f"{block['title']}　{name}: {text}" for block in report["provenance"]["blocks"] for name, text in block["pairs"]]
    blocks = [(block["title"], tuple(block["lines"])) for block in report["assumptions"]]
    blocks += [(block["title"], (*block["lines"], *(_row_text(block["columns"], row) for row in block["rows"]))) for block in report["evidence"]]
    blocks += [("分析に含めなかったもの", (*left["lines"], *refused)), ("このレポートの作成条件", tuple(made))]
    return Sheet("前提と計算方法", "前提と計算方法", blocks=tuple(blocks))


def _row_text(columns: list[str], row: list[str]) -> str:
    """One row of a block of evidence as a line: the first cell names it."""
    return f"{row[0]}： " + "、".join(f"{name} {text}" for name, text in zip(columns[1:], row[1:], strict=True))


def _ranking(report: dict, facts: dict[str, dict], cash: pd.Series) -> Sheet:
    """`cash`: issue_id -> yen a month that are cash; shown where any is, else all of the cost is time that becomes free."""
    has_cash = bool((cash > 0).any())
    has_silent = report["has_churn"] and any(not is_missing(issue["silent_churns_low"]) for issue in facts.values())
    columns = [Column("順位", "rank", 8, source="表 ranking の rank から、順位に入れない課題（称賛、解約後の問い合わせ）を除いて数え直した順"), Column("順位の幅", "text", 11), Column("課題番号", "id", 11), Column("課題", "text", 36),
               Column("種類", "text", 9), Column("判定", "text", 21)]  # fmt: skip
    if report["has_churn"]:
        columns += [Column("防げる解約／月", "people", 13, bar=True, source="impact|churns_prevented"), Column("90%区間の下限", "people", 12, source="impact|churns_low"), Column("90%区間の上限", "people", 12, source="impact|churns_high"),
                    Column("慎重に見た値", "people", 12, source="impact|churns_shrunken"), Column("LTV換算／月", "yen", 15, bar=True, source="impact|ltv_yen"), Column("LTV換算の下限", "yen", 15, source="impact|ltv_low_yen"),
                    Column("LTV換算の上限", "yen", 15, source="impact|ltv_high_yen")]  # fmt: skip
    if has_silent:
        columns += [Column(_SILENT[0], "people", 16, source="silent|churns_low"), Column(_SILENT[1], "people", 16, source="silent|churns_high")]
    columns += [Column("問い合わせコスト／月", "yen", 15, bar=True, source="impact|contact_cost_yen"), Column("うち再問い合わせ", "yen", 13, source="impact|repeat_cost_yen"),
                *([Column(_CASH, "yen", 13, source="cost_parts|cash_yen")] if has_cash else []), Column("自己解決に移せる額の下限", "yen", 15, source="impact|deflectable_low_yen"),
                Column("自己解決に移せる額の上限", "yen", 15, source="impact|deflectable_high_yen"), Column("件数／月", "contacts", 11, bar=True, source="impact|n_contacts"), Column("顧客数", "customers", 10, source="impact|n_customers"),
                Column("直近3か月の増減", "text", 18), Column("目立つ顧客層", "text", 26), Column("説明", "long", 60)]  # fmt: skip
    records = [_ranked(facts[row["issue_id"]], row["churn"], row["value"], rank=row["rank"], span=row["rank_span"], told=row["sentence"])
               for row in report["ranked"]]
    empty_value = {"figure": "", "detail": ""}
    for section in (*report["reverse"], *report["praise"]):
        records.append(_ranked(facts[section["issue_id"]], section["chip"], empty_value, rank=None, span="順位外", told=section["sentence"]))
    provisional = "で、いずれも暫定" if report["is_provisional"] else ""
    lines = [f"防げる解約は、問い合わせた顧客だけで少なくとも見込める人数（月）{provisional}です。課題ごとの人数は重なるため合計できません。"
             if report["has_churn"] else "防げる解約数とLTVは、今回は算出していません（理由は「概要」）。",
             "コストと件数は、分析期間の月平均です。自己解決に移せる額の幅は想定によるもので、統計の区間ではありません。"]
    if has_silent:
        lines.append("申し出ない顧客を含めた人数は、困った顧客のうち申し出る割合の設定（reporting_rate）から求めた参考の幅です。"
                     "申し出ない顧客にも同じ影響があると仮定しています。")
    for record in records:
        record[_CASH] = cash.get(record["課題番号"])
    return Sheet("順位", "課題の順位", tuple(lines), tuple(columns), table(records, columns), when_empty="順位を付けられる課題はまだありません。", keys=_ISSUE)


def _ranked(issue: dict, churn: dict, value: dict, *, rank: int | None, span: str, told: str) -> dict:
    """One row; each number stands only where the page shows it (`churn`, `value`: cells of voc.reports.wording)."""
    point, low = bool(churn["figure"]), bool(churn["detail"])
    known = issue["n_customers"] or 0
    return {
        "順位": rank, "順位の幅": span or NONE, "課題番号": issue["issue_id"], "課題": issue["label"], "種類": issue["kind"], "判定": churn["chip"],
        "防げる解約／月": issue["churns_prevented"] if point else None, "90%区間の下限": issue["churns_low"] if low else None,
        "90%区間の上限": issue["churns_high"] if low else None, "慎重に見た値": issue["churns_shrunken"] if point else None,
        "LTV換算／月": issue["ltv_yen"] if value["figure"] else None, "LTV換算の下限": issue["ltv_low_yen"] if value["detail"] else None,
        "LTV換算の上限": issue["ltv_high_yen"] if value["detail"] else None, "問い合わせコスト／月": issue["contact_cost_yen"],
        "うち再問い合わせ": issue["repeat_cost_yen"], "自己解決に移せる額の下限": issue["deflectable_low_yen"],
        "自己解決に移せる額の上限": issue["deflectable_high_yen"], "件数／月": issue["n_contacts"],
        _SILENT[0]: issue["silent_churns_low"] if point else None, _SILENT[1]: issue["silent_churns_high"] if point else None,
        "顧客数": known if known >= SMALL_GROUP else issue["n_customers_shown"], "直近3か月の増減": issue["change"],
        "目立つ顧客層": issue["top_segment"], "説明": told,
    }  # fmt: skip


def _requests(tables: dict[str, pd.DataFrame], issues: pd.DataFrame) -> Sheet:
    """Requests of one thing and one change are one, whatever their form; the form said most often names it."""
    columns = [Column("要望", "text", 38), Column("顧客数", "customers", 10, bar=True, source="表 requests の同じ対象・変更の文を述べた顧客の数（contacts の customer_id）"), Column("声の数", "count", 9, source="表 requests の同じ対象・変更の文の数"),
               Column("求める顧客のLTV合計", "yen", 18, bar=True, source="その顧客の表 customer_health の ltv_yen の合計"), Column("プラン", "text", 40), Column("課題番号", "id", 11),
               Column("課題", "text", 34), Column("声の例", "long", 70)]  # fmt: skip
    rows = tables["requests"].merge(tables["sentences"][["sentence_id", "contact_id", "text"]], on="sentence_id")
    rows = rows.merge(tables["contacts"][["contact_id", "customer_id"]], on="contact_id", how="left")
    thing = rows["object"].fillna(rows["phrase"]).str.normalize("NFKC").str.replace(r"\s", "", regex=True).str.lower()
    rows = rows.assign(key=thing + "／" + rows["change"].where(rows["object"].notna(), ""))
    own = tables["mentions"].merge(issues, on="issue_id").sort_values(["probability", "issue_id"], ascending=[False, True], kind="stable")
    rows = rows.merge(own.drop_duplicates("sentence_id")[["sentence_id", "issue_id", "課題"]], on="sentence_id", how="left")
    asked = rows.dropna(subset=["customer_id"]).drop_duplicates(["key", "customer_id"])
    asked = asked.merge(tables["customers"][["customer_id", "plan"]], on="customer_id", how="left")
    asked = asked.merge(tables["customer_health"][["customer_id", "ltv_yen"]], on="customer_id", how="left")
    by_key = asked.groupby("key")
    found = pd.DataFrame({
        "声の数": rows.groupby("key").size(), "要望": _most(rows, "phrase"), "課題番号": _most(rows, "issue_id"), "課題": _most(rows, "課題"),
        "声の例": rows.sort_values("sentence_id").groupby("key")["text"].first(),
    })
    found["n"] = by_key.size().reindex(found.index).fillna(0)
    found["求める顧客のLTV合計"] = by_key["ltv_yen"].sum(min_count=SMALL_GROUP).reindex(found.index)
    found["プラン"] = _plans(asked).reindex(found.index).where(found["n"] >= SMALL_GROUP)
    # A survey without names knows no customers: 匿名, and every voice counts.
    found["顧客数"] = hidden(found["n"]).where((found["n"] > 0) | (found["声の数"] < SMALL_GROUP), "匿名")
    found = found.rename_axis("key").reset_index().sort_values(["n", "声の数", "key"], ascending=[False, False, True], kind="stable")
    lines = ("同じ対象・同じ変更を求める声を一つにまとめました。LTVは、契約中の顧客の見込みの合計です。大口の顧客が求める順に並べ替えられます。",
             "5名に満たない要望では、LTVとプランを示しません。")
    return Sheet("要望", "要望（同じ内容をまとめたもの）", lines, tuple(columns), table(found, columns), when_empty="要望は見つかりませんでした。")


def _most(rows: pd.DataFrame, column: str) -> pd.Series:
    """Per key the value that is found most often, of equals the first in order."""
    counts = rows.dropna(subset=[column]).groupby(["key", column]).size().reset_index(name="n")
    return counts.sort_values(["n", column], ascending=[False, True], kind="stable").drop_duplicates("key").set_index("key")[column]


def _plans(asked: pd.DataFrame) -> pd.Series:
    """Per key the plans of at least five customers, as one text."""
    counts = asked.dropna(subset=["plan"]).groupby(["key", "plan"]).size().reset_index(name="n")
    counts = counts[counts["n"] >= SMALL_GROUP].sort_values(["key", "n", "plan"], ascending=[True, False, True], kind="stable")
    counts = counts.groupby("key").head(_PLANS_SHOWN)
    told = pd.Series([f"{plan} {n:,}名" for plan, n in zip(counts["plan"], counts["n"], strict=True)], index=counts.index, dtype=object)
    return told.groupby(counts["key"]).agg("、".join)


def _evidence(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, n_rows: int, timezone: str) -> Sheet:
    columns = [Column("課題番号", "id", 11), Column("課題", "text", 34), Column("日付", "day", 12, source="mentions|mentioned_at"), Column("窓口", "text", 11), Column("プラン", "text", 16),
               Column("LTV区分", "text", 14), Column("文（伏せ字済み）", "long", 90), Column("確からしさ", "probability", 11, source="mentions|probability"),
               Column("問い合わせ番号", "id", 20), Column("文の番号", "id", 27)]  # fmt: skip
    found = tables["mentions"].merge(issues.assign(place=range(len(issues))), on="issue_id")
    n_all = len(found)
    found = found.sort_values(["place", "probability", "sentence_id"], ascending=[True, False, True], kind="stable", ignore_index=True)
    if n_all > n_rows:
        # The same number of every issue, so that no figure loses all its rows.
        nth = found.groupby("place").cumcount()
        found = found.loc[nth.sort_values(kind="stable").index[:n_rows].sort_values()]
    found = found.merge(tables["sentences"][["sentence_id", "text"]], on="sentence_id", how="left")
    found = found.merge(tables["contacts"][["contact_id", "channel"]], on="contact_id", how="left")
    found = found.merge(tables["customers"][["customer_id", "plan"]], on="customer_id", how="left")
    found = found.merge(tables["customer_health"][["customer_id", "tier"]], on="customer_id", how="left")
    frame = pd.DataFrame({
        "課題番号": found["issue_id"], "課題": found["課題"], "日付": found["mentioned_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize(),
        "窓口": found["channel"].map(channel_name, na_action="ignore"), "プラン": found["plan"], "LTV区分": found["tier"].map(TIER_NAMES),
        "文（伏せ字済み）": found["text"], "確からしさ": found["probability"], "問い合わせ番号": found["contact_id"], "文の番号": found["sentence_id"],
    })  # fmt: skip
    told = (f"全{n_all:,}行を載せています。" if n_all <= n_rows else
            f"全{n_all:,}行のうち{n_rows:,}行を載せています（課題ごとに確からしさの高い順。残り{n_all - n_rows:,}行は保存先の表 mentions にあります）。")
    lines = (f"各課題の数値の元になった文です。{told}確からしさは、その文がその課題を指す確率で、件数はこの確率で重み付けしています。",)
    return Sheet("根拠", "数値の根拠となる文", lines, tuple(columns), table(frame, columns), when_empty="根拠となる文はありません。",
                 keys=(*_ISSUE, ("文の番号", "sentence_id")))


def _groups(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, facts: dict[str, dict]) -> Sheet:
    columns = [Column("課題番号", "id", 11), Column("課題", "text", 36), Column("種類", "text", 9), Column("区分", "text", 12), Column("顧客層", "text", 22),
               Column("顧客数", "customers", 10, bar=True, source="issue_segments|n_customers"), Column("この課題の顧客での割合", "percent", 14, bar=True, source="issue_segments|share"),
               Column("全顧客での割合", "percent", 12, source="issue_segments|base_share"), Column("倍率", "times", 10, source="この課題の顧客での割合 ÷ 全顧客での割合")]  # fmt: skip
    # of an issue of fewer than five customers no group is told
    large = issues[issues["issue_id"].isin([one for one, issue in facts.items() if issue["segments"]])]
    rows = tables["issue_segments"].merge(large.assign(place=range(len(large))), on="issue_id")
    shown = rows["n_customers"] >= SMALL_GROUP
    lift = (rows["share"] / rows["base_share"]).where(shown & (rows["base_share"] > 0))
    rows = rows.assign(
        課題番号=rows["issue_id"], 区分=rows["attribute"].map(attribute_name), 顧客層=list(map(group_name, rows["attribute"], rows["value"])),
        顧客数=hidden(rows["n_customers"]), この課題の顧客での割合=rows["share"].where(shown), 全顧客での割合=rows["base_share"], 倍率=lift,
    ).sort_values(["place", "attribute", "倍率", "value"], ascending=[True, True, False, True], kind="stable")
    lines = ("倍率は、課題を寄せた顧客での割合を全顧客での割合で割った値です。5名に満たない顧客層は値を示しません。",)
    return Sheet("誰が求めているか", "誰が求めているか", lines, tuple(columns), table(rows, columns),
                 when_empty="顧客層を示せる課題はありません（顧客の属性がないか、5名未満です）。",
                 keys=(*_ISSUE, ("区分", "attribute"), ("顧客層", "value")))


def _months(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, as_of_on: object) -> Sheet:
    known = tables["issue_months"]["month_on"] if tables["company_months"].empty else tables["company_months"]["month_on"]
    axis = complete_months(known, as_of_on)[-MONTHS:]
    names = [f"{at.year}/{at.month:02d}" for at in axis]
    columns = [Column("課題番号", "id", 11), Column("課題", "text", 36), *(Column(name, "contacts", 10, source="issue_months|n_contacts") for name in names)]
    rows = tables["issue_months"].merge(issues, on="issue_id")
    wide = rows.pivot(index="issue_id", columns="month_on", values="n_contacts").reindex(index=issues["issue_id"], columns=axis).fillna(0.0)
    frame = pd.DataFrame(wide.to_numpy(), columns=names).assign(課題番号=issues["issue_id"], 課題=issues["課題"])
    chart = Chart("上位5課題の件数（月）", "課題", tuple(names)) if len(names) > 1 else None
    lines = ("月ごとの件数です。複数の課題に触れた問い合わせは、確からしさで重み付けしています。",)
    return Sheet("推移", "課題ごとの推移", lines, tuple(columns), table(frame if names else [], columns), chart=chart, keys=_ISSUE, across="month_on")


