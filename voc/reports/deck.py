"""What the board's slides say: tables -> a list of slides, each a dict of finished Japanese text and plain numbers.

The sentences are those of the executive report (voc.reports.content); no slide says what that report does not
know. Each slide has kind, title, lead and `notes`: the sources, formulas and issue numbers behind its figures.
"""

from collections.abc import Mapping

import pandas as pd

from voc import tables as contract
from voc.impact.lifetime import formula_text
from voc.reports import company
from voc.reports.content import executive_report
from voc.reports.deck_changes import trend_lines
from voc.reports.deck_evidence import drivers_slide, placebo_slide
from voc.reports.facts import complete_months
from voc.reports.formats import NONE, SMALL_GROUP, is_missing, month, people, percent, plain, yen

TOP = 5
LABEL, VOICE, LINE = 30, 76, 110
MONTHS = 24
WITH_INTERVAL = ("estimate", "unclear", "reference", "protective")
_ORDER = ("顧客解約率", "売上解約率", "NPS", "LTV", "問い合わせコスト", "問い合わせ件数", "応答率", "顧客数")
_SHORT = {"前月比": "前月", "前年同月比": "前年"}
_INTERVAL_NOTE = ("棒は毎月防げる解約数の90%区間です。濃淡の境目が推定値、一色の棒は一つの値で示せない課題（参考値、影響を確認できず）です。"
                  "0名をまたぐ課題は、解約を減らせるとは言えません。課題ごとの人数は重なるため合計できません。")
_PROVISIONAL = ("すべての解約数は「暫定」です。解約に影響しないと分かっている問い合わせによる補正を、まだ確認していません。")
_UNCALIBRATED = "課題への割り当ては「未校正」です。どの文がどの課題の声かを、人がまだ十分に確かめていません。"


def executive_deck(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> list[dict]:
    """Slides in their order. `tables`: frames of voc.tables by name, absent ones count as empty; `run`: row of `runs`.

    kind: summary, issues, voices, company, changes, fixes (only with rows in `fix_effects`), drivers, placebo, tiers,
    coverage; those that have nothing to tell are left out. `amounts`: written figures -> address (voc.reports.sources); the writer puts
    those that stand on the slide into its notes.
    """
    tables = {name: contract.empty(table) for name, table in contract.TABLES.items()} | dict(tables)
    report, run = executive_report(tables, config=config, run=run), dict(run)
    slides = [
        _summary(report, tables, config=config, run=run),
        _top_issues(report),
        _voices(report),
        _company(report),
        _changes(report),
        _fixes(tables, is_provisional=report["is_provisional"]),
        drivers_slide(report),
        placebo_slide(report),
        _tiers(report, config=config),
        _coverage(report),
    ]
    made = f"作成: 実行番号 {plain(run.get('run_id')) or NONE}、分析基準日 {report['as_of']}、設定 {plain(run.get('config_sha'))[:12] or NONE}"
    foot = f"{report['company']}　お客様の声レポート　分析基準日 {report['as_of']}"
    return [{**slide, "foot": foot, "notes": [*slide["notes"], made]} for slide in slides if slide is not None]


def _merged(items: list[dict]) -> dict[str, str]:
    """The amounts of all items, of equal texts the first."""
    found: dict[str, str] = {}
    for item in items:
        for text, source in item["amounts"].items():
            found.setdefault(text, source)
    return found


def _summary(report: dict, tables: dict[str, pd.DataFrame], *, config, run: dict) -> dict:
    tiles = [
        *report["figures"]["tiles"],
        *ltv_tile(tables["ltv_factors"]),
        *answer_tile(tables["counts_by_hour"], as_of_on=run.get("as_of_on"), timezone=config.company.timezone),
    ]
    tiles = sorted((tile for tile in tiles if tile["name"] in _ORDER), key=lambda tile: _ORDER.index(tile["name"]))
    short = [{**tile, "changes": [{**c, "label": _SHORT.get(c["label"], c["label"])} for c in tile["changes"]]} for tile in tiles]
    told = len(report["notices"]) + len(report["missing"]) + len(report["remarks"])
    ids = [item["issue_id"] for item in report["headlines"] if item["issue_id"]]
    return {
        "kind": "summary", "title": "お客様の声レポート　経営向け",
        "lead": "　".join(filter(None, [report["company"], f"対象 {report['period']}" if report["period"] else "", f"分析基準日 {report['as_of']}"])),
        "headlines": report["headlines"], "month": report["figures"]["month"], "tiles": short, "sides": report["sides"] if report["n_issues"] else [],
        "warning": f"読むときの注意 {told}件（最後の2枚）" if told else "",
        "amounts": _merged(report["headlines"]) | {tile["value"]: tile["source"] for tile in tiles if tile.get("source")},
        "notes": [
            "要点の出典: 表 impact_totals（scope = top5）、impact、ranking。課題番号: " + ("、".join(ids) or "なし"),
            "主な指標の出典: 表 company_months（直近の完了月）、ltv_factors（全顧客の行）、counts_by_hour。",
            "顧客解約率 ＝ 当月解約数 ÷ 前月末契約数。売上解約率 ＝ 当月に失った月額料金 ÷ 前月の月額料金合計。NPS ＝ 9〜10点の割合 − 0〜6点の割合。"
            "応答率 ＝ 応答した件数 ÷ 着信した件数。",
            formula_text(config.value),
            "守り・攻めの出典: 表 issues（種類）、impact（件数、コスト）。コストは課題に分けてあるため合計できます。",
        ],
    }  # fmt: skip


def ltv_tile(ltv_factors: pd.DataFrame) -> list[dict]:
    """The tile of the LTV of all customers (row ''); none without such a row or with fewer than five customers."""
    rows = ltv_factors.loc[ltv_factors["plan"] == ""]
    if rows.empty or is_missing(rows["ltv_yen"].iloc[0]) or rows["n_customers"].iloc[0] < SMALL_GROUP:
        return []
    return [{"name": "LTV", "value": yen(rows["ltv_yen"].iloc[0]), "changes": [], "why": "全期間の解約率による値"}]


def answer_tile(counts_by_hour: pd.DataFrame, *, as_of_on: object, timezone: str) -> list[dict]:
    """The tile 応答率 (answered / offered calls) of the last complete month; none where no call was offered in it."""
    if counts_by_hour.empty:
        return []
    local = counts_by_hour["hour_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    sums = counts_by_hour.groupby(local.dt.to_period("M").dt.to_timestamp())[["n_offered", "n_answered"]].sum()
    axis = complete_months(pd.Series(sums.index), as_of_on)
    rates = (sums["n_answered"] / sums["n_offered"].where(sums["n_offered"] > 0)).reindex(axis)
    if rates.empty or is_missing(float(rates.iloc[-1])):
        return []
    earlier = [("前月比", 2), ("前年同月比", 13)]
    changes = [company.change(label, rates.iloc[-1], rates.iloc[-n] if len(rates) >= n else None, "points", 1) for label, n in earlier]
    return [{"name": "応答率", "value": percent(rates.iloc[-1]), "changes": changes, "why": ""}]


def _top_issues(report: dict) -> dict | None:
    if not report["top"]:
        return None
    rows = [{
        "rank": f"{row['rank']}位", "span": row["rank_span"], "label": plain(row["label"], limit=LABEL), "kind": row["kind"],
        "churn": row["churn"], "value": row["value"]["figure"] or row["value"]["detail"] or NONE,
        "cost": row["cost"], "contacts": row["contacts"], "trend": row["trend"],
    } for row in report["top"]]  # fmt: skip
    bars = [{
        "name": f"{row['rank']}位", "verdict": row["verdict"], "n_contacts": row["sort"]["contacts"],
        **interval_parts(row["low"], row["high"], row["point"] if row["verdict"] == "estimate" else None, shown=row["verdict"] in WITH_INTERVAL),
    } for row in report["top"]]  # fmt: skip
    has_churn = report["has_churn"]
    reasons = [f"{row['issue_id']}: {plain(row['label'], limit=LABEL)}。{row['sentence']}{row['reason']}" for row in report["top"]]
    return {
        "kind": "issues", "title": f"上位{len(rows)}課題", "rows": rows, "bars": bars, "has_churn": has_churn,
        "lead": "どの課題を解消すると、解約と問い合わせコストがどれだけ減るか。" if has_churn else "問い合わせの件数とコストが大きい課題。",
        "caption": "防げる解約数（名／月）" if has_churn else "問い合わせ件数（件／月）",
        "amounts": _merged(report["top"]), "note": _INTERVAL_NOTE if has_churn else "防げる解約数とLTVは、今回は算出していません（理由は「判定の読み方」）。",
        "notes": [
            "出典: 表 ranking（audience = executive）、impact（churns_prevented、churns_low、churns_high、ltv_yen、contact_cost_yen、n_contacts。いずれも1か月あたり）。",
            "防げる解約数 ＝ 全課題を一つの統計モデルに入れ、その課題だけがなかった場合との解約数の差。",
            *reasons,
        ],
    }  # fmt: skip


def interval_parts(low: object, high: object, point: object, *, shown: bool = True) -> dict[str, float]:
    """An interval as the parts of a stacked bar: start (not painted), to_point, from_point, whole, below (negative).

    A stacked chart piles positive and negative values apart, so an interval over zero is `whole` + `below`.
    With a point (low <= point <= high, low >= 0) the bar has two shades that meet at it. Not shown: all 0.
    """
    none = {"start": 0.0, "to_point": 0.0, "from_point": 0.0, "whole": 0.0, "below": 0.0}
    if not shown or is_missing(low) or is_missing(high):
        return none
    low, high = float(low), float(high)
    if low < 0:
        start = min(high, 0.0)
        return {**none, "start": start, "below": low - start, "whole": max(high, 0.0)}
    if is_missing(point) or not low <= point <= high:
        return {**none, "start": low, "whole": high - low}
    return {**none, "start": low, "to_point": float(point) - low, "from_point": high - float(point)}


def _voices(report: dict) -> dict | None:
    shown = [section for section in report["sections"][:TOP] if section["quotes"]]
    if not shown:
        return None
    voices = [{"rank": f"{section['rank']}位" if section["rank"] else "", "label": plain(section["label"], limit=LABEL),
               "text": plain(section["quotes"][0]["text"], limit=VOICE), "when": f"{section['quotes'][0]['date']}　{section['quotes'][0]['channel']}"}
              for section in shown]
    ids = [f"{section['issue_id']} {section['quotes'][0]['sentence_id']}" for section in shown]
    return {
        "kind": "voices", "title": "上位課題のお客様の声", "lead": "個人情報を伏せ字にした実際の文です。課題ごとに、最も確からしい1文を載せています。",
        "voices": voices, "notes": ["出典: 表 mentions（probability の高い順）、sentences、contacts。課題番号と文番号: " + "、".join(ids)],
    }  # fmt: skip


def _company(report: dict) -> dict | None:
    months = report["company_months"].tail(MONTHS)
    if months.empty:
        return None
    last = months.iloc[-1]

    def series(column: str) -> list[float | None]:
        return [None if is_missing(value) else float(value) for value in months[column]]

    rates = [(name, series(column)) for name, column in (("顧客解約率", "churn_share"), ("売上解約率", "mrr_churn_share"))
             if months[column].notna().any()]
    parts = [f"{month(last['month_on'])}の問い合わせは{last['n_contacts']:,.0f}件"] if not is_missing(last["n_contacts"]) else []
    parts += [f"{name}は{percent(values[-1], places=2)}" for name, values in rates if values[-1] is not None]
    return {
        "kind": "company", "title": "会社全体の推移", "lead": "、".join(parts) + "です。" if parts else "",
        "months": [at.date() for at in months["month_on"]], "rates": rates, "contacts": series("n_contacts"),
        "notes": ["出典: 表 company_months（完了した月だけ。churn_share、mrr_churn_share、n_contacts）。",
                  "顧客が5名未満の月、回答のない月の値は空にしています。"],
    }  # fmt: skip


def _changes(report: dict) -> dict | None:
    """None on a first report in which nothing grows or shrinks: there is nothing to compare with."""
    found, trends = report["changes"], trend_lines(report)
    if not report["n_issues"] or (found["is_first"] and not trends["groups"]):
        return None
    title = "件数が増えた課題・減った課題" if found["is_first"] else "前回のレポートからの変化"
    return {
        "kind": "changes", "title": title, "lead": found["lead"], "groups": found["groups"], "trends": trends["groups"],
        "notes": ["出典: 表 issue_events（台帳の履歴）、runs（前回の実行）。" + found["note"], trends["note"]],
    }  # fmt: skip


def _fixes(tables: dict[str, pd.DataFrame], *, is_provisional: bool) -> dict | None:
    """What was expected of each action and what came of it; None without the table `fix_effects` or rows in it."""
    effects = tables.get("fix_effects")
    if effects is None or effects.empty:
        return None
    labels = tables["issues"].set_index("issue_id")["label"]
    effects = effects.sort_values(["done_on", "action_id"], ascending=[False, True], kind="stable")
    rows = [_fix(row, labels) for row in effects.head(6).to_dict("records")]
    rest = len(effects) - len(rows)
    least = effects["churn_mde"].min()
    return {
        "kind": "fixes", "title": "対応の見込みと実績", "lead": "対応の前に見込んだ防げる解約数と、対応の後に起きたこと。", "rows": rows,
        "note": (f"ほか{rest}件の対応があります。" if rest else "") + f"実績は、見込みに問い合わせの減った割合を掛けた値{'（暫定）' if is_provisional else ''}です。"
        + ("" if is_missing(least) else f"解約そのものの減少は、月{people(least)}以上でないと検出できません。"),
        "notes": ["出典: 表 fix_effects、actions。対応番号: " + "、".join(plain(a, limit=20) for a in effects["action_id"].head(6)),
                  "件数の変化 ＝ 対応前の傾向、会社全体の件数の動きを除いた比（90%区間）。実績 ＝ 見込み × 件数の減った割合。"],
    }  # fmt: skip


def _fix(row: dict, labels: pd.Series) -> dict:
    ratio = NONE
    if not is_missing(row["contact_ratio"]):
        ratio = f"{(row['contact_ratio'] - 1) * 100:+.0f}%".replace("-", "−")
        if not (is_missing(row["low"]) or is_missing(row["high"])):
            ratio += f"（{(row['low'] - 1) * 100:+.0f}〜{(row['high'] - 1) * 100:+.0f}%）".replace("-", "−")
    share = "" if is_missing(row["realised_share"]) or is_missing(row["realised_churns"]) else f"（{percent(row['realised_share'], places=0)}）"
    return {
        "label": plain(labels.get(row["issue_id"], row["issue_id"]), limit=LABEL), "done": f"{row['done_on'].year}/{row['done_on'].month}/{row['done_on'].day}", "contacts": ratio,
        "promised": people(row["promised_churns"]), "realised": people(row["realised_churns"]) + share, "note": plain(row["note"], limit=72),
    }  # fmt: skip


def _tiers(report: dict, *, config) -> dict:
    lines = [*report["missing"], *report["remarks"]]
    lines += [_PROVISIONAL] if report["has_churn"] and report["is_provisional"] else []
    lines += [] if report["is_calibrated"] else [_UNCALIBRATED]
    if report["has_churn"]:
        lines.append("「少なくとも」は、問い合わせずに離れた顧客を数えていないという意味です。")
        lines.append(f"会社全体で{config.impact.min_months}か月、解約{config.impact.min_churns:,}件、問い合わせ{config.impact.min_contacts:,}件に満たないと、解約数は示しません。")
    return {
        "kind": "tiers", "title": "判定の読み方", "lead": "解約数は、根拠の強さに応じて示し方を変えています。" if report["has_churn"] else "今回は解約数を示していません。",
        "tiers": report["tiers"], "has_churn": report["has_churn"], "lines": [plain(line, limit=LINE) for line in lines],
        "notes": ["出典: 表 impact（tier、flag、n_exposed_events）、issue_calibration、runs（settings）。",
                  "求め方の全文は executive.html の「前提と計算方法」にあります。"],
    }  # fmt: skip


def _coverage(report: dict) -> dict:
    left = report["left_out"]
    return {
        "kind": "coverage", "title": "分析の範囲", "lead": "読み込んだもののうち、分析に使わなかったもの。",
        "lines": [plain(line, limit=LINE) for line in [*report["notices"], *left["lines"], *([report["changes"]["lead"]] if report["changes"]["is_first"] else [])]],
        "rejects": [{**row, "reason": plain(row["reason"], limit=60)} for row in left["rows"][:6]],
        "notes": ["出典: 表 rejects、sentences（set_aside）、contacts（duplicate_of）、runs（counts）。",
                  "使えなかった行のすべての理由は executive.html の「分析に含めなかったもの」にあります。"],
    }  # fmt: skip
