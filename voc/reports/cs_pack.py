"""The pack of the service desk (CS向け): tables -> sections that cs.html and cs.xlsx lay out alike. No files, no markup."""

from collections.abc import Mapping

import pandas as pd

from voc import tables as contract
from voc.customers.health import DANGER
from voc.reports import cs_contacts, cs_customers
from voc.reports.askers import askers_sheet
from voc.reports.content import product_report
from voc.reports.costs import company_cost, costs_sheet
from voc.reports.facts import complete_months, issue_facts
from voc.reports.formats import SMALL_GROUP, SMALL_GROUP_TEXT, count, customers, is_missing, percent, yen, yen_range
from voc.reports.product_sheets import method, overview
from voc.reports.sheets import Sheet, cells, sources_sheet
from voc.reports.sources import address

ROWS_SHOWN = 100
_KEYS = {"FAQ": "faq", "つまずき": "places", "再問い合わせと転送": "repeats", "問い合わせコスト": "costs", "質問と回答": "answers", "解約理由": "reasons", "引き留め": "offers",
         "要注意の顧客": "risk", "お客様の言葉": "thanks"}  # fmt: skip
_ABOUT = {
    "FAQ": "FAQ・チャットボットで減らせる問い合わせと、その額。", "つまずき": "不満と質問が多い画面・操作。",
    "再問い合わせと転送": "一度で解決できなかった問い合わせと、その費用。", "問い合わせコスト": "窓口ごとの費用と、そのうち現金で減る分、空く時間。",
    "質問と回答": "FAQ・ボットの下書きになる質問と回答の組。",
    "解約理由": "解約を申し出た顧客が述べた理由。", "引き留め": "提案ごとの、留まった顧客の割合。",
    "要注意の顧客": "解約のおそれが高い、LTVの大きい顧客と理由。", "お客様の言葉": "応対や窓口への感謝の言葉（現場共有）。",
    "声を寄せた顧客": "課題ごとの、声を寄せた顧客（仮名）。折り返しや改善のお知らせの宛先に使えます。",
    "数値の出典": "各シートの数値が、保存先のどの表のどの行と列から来ているか。",
    "前提と計算方法": "数値の求め方、限界、分析に含めなかったもの、作成条件。",
}  # fmt: skip


def cs_report(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> dict:
    """Content of cs.html: headlines, the month's work of the desk, and one section per sheet.

    `tables`: frames of voc.tables by name, absent ones count as empty; `faq_triage` is shown where it is given. `run`: the row of `runs`.
    Shares the shape of `product_report`; `sections`: id, title, lines, table (voc.reports.sheets.cells), empty.
    """
    return _pack(tables, config=config, run=run)[0]


def cs_sheets(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> list[Sheet]:
    """cs.xlsx: 概要, the sections of `cs_report` as tables with all their rows, 前提と計算方法."""
    report, sheets = _pack(tables, config=config, run=run)
    shared = report["shared"]
    work = tuple(f"{tile['name']} {tile['value']}（{tile['note']}）" for tile in shared["tiles"])
    first = overview(report, _ABOUT, title="お客様の声 CS向け", others=("読み物としての資料は cs.html です。",))
    blocks = [first.blocks[0], *([(f"現場共有（{shared['month']}）", work)] if work else []), *first.blocks[1:]]
    askers = _askers(tables, config=config, run=run)
    return [Sheet(first.name, first.title, first.lines, blocks=tuple(blocks)), *sheets, askers, sources_sheet([*sheets, askers]), method(report)]


def _pack(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> tuple[dict, list[Sheet]]:
    base = product_report(tables, config=config, run=run)
    sheets, shared = _sheets(tables, config=config, run=run)
    sections = [{"id": _KEYS[sheet.name], "title": sheet.title, "lines": list(sheet.lines), "amounts": sheet.amounts, "table": cells(sheet, limit=ROWS_SHOWN),
                 "empty": sheet.when_empty} for sheet in sheets]
    report = {
        **base, "audience": "CS向け", "lead": "問い合わせを減らし、解約のおそれがある顧客に先に手を打つための資料です。",
        "headlines": _headlines(tables, sheets), "shared": shared, "sections": sections[:-1], "thanks": sections[-1], "ranked": [],
        "company_months": base["company_months"].head(0),
        "assumptions": [*base["assumptions"], {"title": "健康度", "lines": _health_lines(config)}],
    }
    return report, sheets


def _askers(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> Sheet:
    """Every customer of every issue: the desk calls them back, so that small groups are not hidden here."""
    given = _given(tables)
    return askers_sheet(given, _issues(given, dict(run).get("as_of_on")), timezone=config.company.timezone, least=1)


def _given(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: tables[name] if name in tables else contract.empty(table) for name, table in contract.TABLES.items() if name != "embeddings"}


def _issues(given: dict[str, pd.DataFrame], as_of_on: object) -> pd.DataFrame:
    return pd.DataFrame(
        [{"issue_id": issue["issue_id"], "課題": issue["label"], "種類": issue["kind"]} for issue in issue_facts(given, audience="product", as_of_on=as_of_on)],
        columns=["issue_id", "課題", "種類"], dtype="str",
    )  # fmt: skip


def _sheets(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> tuple[list[Sheet], dict]:
    """The sheets in the order of _KEYS, and the month's work of the desk."""
    given = _given(tables)
    as_of_on, timezone = dict(run).get("as_of_on"), config.company.timezone
    issues = _issues(given, as_of_on)
    start = _last_month(given, as_of_on, timezone)
    thanks = cs_customers.thanks_sheet(given, issues, start=start, timezone=timezone)
    sheets = [
        cs_contacts.faq_sheet(given, issues), cs_contacts.places_sheet(given, issues),
        cs_contacts.repeats_sheet(given, issues, repeat_days=config.costs.repeat_days),
        costs_sheet(given["cost_parts"], given["cost_channels"]), cs_contacts.answers_sheet(given, issues),
        cs_customers.reasons_sheet(given, issues), cs_customers.offers_sheet(given),
        cs_customers.risk_sheet(given, issues, timezone=timezone), thanks,
    ]  # fmt: skip
    tiles = cs_customers.protected(given, start=start, timezone=timezone, n_thanks=len(thanks.rows)) if len(given["contacts"]) else []
    return sheets, {"month": f"{start.year}年{start.month}月", "tiles": tiles}


def _last_month(tables: dict[str, pd.DataFrame], as_of_on: object, timezone: str) -> pd.Timestamp:
    """First day of the last complete month with contacts; of the first month where none is complete."""
    days = tables["contacts"]["started_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    months = days.dt.to_period("M").dt.to_timestamp()
    if months.empty:
        return pd.Timestamp("2000-01-01") if is_missing(as_of_on) else pd.Timestamp(as_of_on).normalize().replace(day=1)
    complete = complete_months(months, as_of_on)
    return complete[-1] if complete else months.min()


def _headlines(tables: dict[str, pd.DataFrame], sheets: list[Sheet]) -> list[dict]:
    faq, risk = (next(sheet for sheet in sheets if sheet.name == name) for name in ("FAQ", "要注意の顧客"))
    items = [("問い合わせの削減", _faq_headline(faq), _faq_amounts(faq)), ("一度で解決", _repeat_headline(tables), _cost_amounts(tables)),
             ("解約の予防", _risk_headline(tables, risk), {})]
    return [{"kicker": kicker, "sentence": sentence, "basis": basis, "issue_id": None, "amounts": amounts} for kicker, (sentence, basis), amounts in items]


def _faq_headline(sheet: Sheet) -> tuple[str, str]:
    low, high, cost = (float(sheet.rows[name].astype("float64").sum()) for name in ("削減の下限／月", "削減の上限／月", "問い合わせコスト／月"))
    if high <= 0:
        return "FAQ・チャットボットで減らせる問い合わせコストは、今回は見込めません。", ""
    first = sheet.rows.iloc[0]
    return (f"使い方・手続きの問い合わせを顧客が自分で解決できるようになれば、問い合わせコストを毎月{yen_range(low, high)}削減できる見込みです。",
            "／".join([f"現在 月{yen(cost)}（{len(sheet.rows)}課題）", f"最も大きいのは「{first['課題']}」で月{yen_range(first['削減の下限／月'], first['削減の上限／月'])}",
                      "幅は自己解決できる割合の想定によるもので、統計の区間ではありません"]))


def _faq_amounts(sheet: Sheet) -> dict[str, str]:
    """Written figures of `_faq_headline` -> address (voc.reports.sources): sums over the rows of the sheet, and its first row."""
    if sheet.rows.empty:
        return {}
    low, high = ("削減の下限／月", "削減の上限／月")
    table, first = next(column.source.partition("|")[::2] for column in sheet.columns if column.name == low)
    last = next(column.source.partition("|")[2] for column in sheet.columns if column.name == high)
    sums = sheet.rows[[low, high, "問い合わせコスト／月"]].astype("float64").sum()
    top, ids = sheet.rows.iloc[0], "+".join(sheet.rows["課題番号"])
    return {yen_range(sums[low], sums[high]): address(table, ids, f"{first} {last}"),
            yen_range(top[low], top[high]): address(table, top["課題番号"], f"{first} {last}"),
            yen(sums["問い合わせコスト／月"]): address("impact", ids, "contact_cost_yen")}  # fmt: skip


def _cost_amounts(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    whole = company_cost(tables.get("cost_parts", contract.empty(contract.COST_PARTS)))
    names = ("repeat_cost_yen", "contact_cost_yen", "transfer_yen")
    return {yen(whole[name]): address("cost_parts", "company", name) for name in reversed(names)} if whole else {}


def _repeat_headline(tables: dict[str, pd.DataFrame]) -> tuple[str, str]:
    row = company_cost(tables.get("cost_parts", contract.empty(contract.COST_PARTS)))
    if row is None or is_missing(row["repeat_cost_yen"]):
        return "再問い合わせの費用は、今回は算出していません。", ""
    return (f"一度で解決せず再び寄せられた問い合わせに、毎月{yen(row['repeat_cost_yen'])}かかっています。",
            "／".join([f"問い合わせコスト全体（月{yen(row['contact_cost_yen'])}）の{percent(row['repeat_cost_yen'] / row['contact_cost_yen'], places=0)}",
                      f"転送のコスト 月{yen(row['transfer_yen'])}"]))


def _risk_headline(tables: dict[str, pd.DataFrame], sheet: Sheet) -> tuple[str, str]:
    health = tables.get("customer_health")
    if health is None or health.empty:
        return "解約のおそれがある顧客は、今回は示せません。", "顧客・契約のデータが要ります"
    n = len(sheet.rows)
    if not n:
        return "LTVが大きく、解約のおそれが高い顧客は、今回は見つかりませんでした。", ""
    loss = sheet.rows["失うおそれのあるLTV"].astype("float64").sum(min_count=1)
    known = health["score"].notna().sum()
    basis = [f"健康度を付けた{count(int(known), '名')}のうち「{DANGER}」でLTVが上位", "過去に同じ帯の顧客が解約した割合から見込んだ額で、一人ひとりの結果を言い当てるものではありません"]
    money = "" if is_missing(loss) or n < SMALL_GROUP else f"失うおそれのあるLTVは合計{yen(loss)}です。"
    return f"先に声をかけたい顧客は{SMALL_GROUP_TEXT if n < SMALL_GROUP else customers(n)}です。{money}", "／".join(basis)


def _health_lines(config) -> list[str]:
    health = config.health
    return [
        f"100点から、直近{health.days}日の利用の減少、問い合わせの多さ・繰り返し・未解決、手間や至急の訴え、否定的な発言、NPS、解約への言及に応じて減点します。"
        f"{health.danger_below:g}点未満を「危険」、{health.caution_below:g}点未満を「注意」とします。減点の大きさは設定 [health] で変えられます。",
        "点は決まった規則によるもので、解約の原因を示すものではありません。",
    ]
