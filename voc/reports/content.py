"""What the two reports say: tables -> plain dicts of finished Japanese text. No markup, files or clock.

`product_report` and `executive_report` share one shape (see `_common`), so the templates only choose and lay out.
"""

from collections.abc import Mapping

import pandas as pd

from voc import tables as contract
from voc.reports import appendix, company, facts, issue_detail, wording
from voc.reports.certainty import is_provisional
from voc.reports.costs import cost_block, cost_pairs
from voc.reports.deck_changes import ledger_changes
from voc.reports.drivers import contrast_lines, driver_block
from voc.reports.formats import SMALL_GROUP, count, customers, day, is_missing, month, percent, plain, yen
from voc.reports.heat import heat_table
from voc.reports.quotes import choose_quotes
from voc.reports.sources import issue_amounts, total_amounts
from voc.reports.staying import staying
from voc.reports.trends import trend_block

_USED = ("issues", "mentions", "sentences", "contacts", "opinions", "customers", "impact", "impact_totals", "issue_months",
         "issue_segments", "company_months", "ranking", "rejects", "runs", "requests", "issue_calibration", "issue_trends",
         "impact_controls", "impact_reverse", "impact_sensitivity", "issue_events", "actions", "recommendations", "option_matches", "faq_triage", "drivers", "contrasts",
         "silent", "retention", "cost_parts", "cost_channels")
_FLOWS = ("使い方", "手続き", "不具合")


def product_report(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> dict:
    """The report for those who build and run the service: every top issue with its voices.

    `tables`: frames of voc.tables by name, absent ones count as empty. `run`: the row of `runs`.
    """
    tables = _complete(tables)
    report = _common(tables, config=config, run=dict(run), audience="product", n_sections=config.reports.top)
    report["title"] = "お客様の声レポート"
    report["audience"] = "プロダクト向け"
    report["lead"] = "どの課題から直すか。順位、根拠となる声、防げる解約と問い合わせコストをまとめました。"
    return report


def executive_report(tables: dict[str, pd.DataFrame], *, config, run: Mapping) -> dict:
    """The report for the board: one page of key figures, top five and 守り/攻め; the details follow."""
    tables = _complete(tables)
    report = _common(tables, config=config, run=dict(run), audience="executive", n_sections=5)
    report["title"] = "お客様の声レポート"
    report["audience"] = "経営向け"
    report["lead"] = "顧客の声は、解約と問い合わせコストにどれだけ関わっているか。"
    # The board reads the whole first, single issues after it.
    report["headlines"] = [report["headlines"][2], *report["headlines"][:2]]
    report["top"] = report["ranked"][:5]
    return report


def headline(tables: dict[str, pd.DataFrame]) -> list[str]:
    """The three sentences on top of the product report, each with its interval and tier, as plain text."""
    tables = _complete(tables)
    runs = tables["runs"].sort_values(["started_at", "run_id"], kind="stable")
    run = {} if runs.empty else runs.iloc[-1].to_dict()
    issues, _ = _issues(tables, audience="product", run=run)
    told = _headlines(tables, issues, **_standing(tables, run))
    return [item["sentence"] + (f"（{item['basis']}）" if item["basis"] else "") for item in told]


def ranking(tables: dict[str, pd.DataFrame], *, n_rows: int = 20) -> list[dict]:
    """The first rows of the ranked table of the product report, as it shows them (see `_row`)."""
    tables = _complete(tables)
    runs = tables["runs"].sort_values(["started_at", "run_id"], kind="stable")
    issues, _ = _issues(tables, audience="product", run={} if runs.empty else runs.iloc[-1].to_dict())
    return [_row(issue, position, has_section=False) for position, issue in enumerate(_apart(issues)[0][:n_rows], start=1)]


def _standing(tables: dict[str, pd.DataFrame], run: dict) -> dict[str, bool]:
    """How far the figures of `run` may be relied on: is_provisional, is_calibrated."""
    settings = appendix.run_json(run, "settings")
    return {"is_provisional": is_provisional(tables["impact_controls"], settings), "is_calibrated": appendix.was_calibrated(tables["issue_calibration"], run)}


def _complete(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: tables[name] if name in tables else contract.empty(contract.TABLES[name]) for name in _USED}


def _common(tables: dict[str, pd.DataFrame], *, config, run: dict, audience: str, n_sections: int) -> dict:
    as_of_on = run.get("as_of_on")
    reasons = appendix.reasons(run)
    standing = _standing(tables, run)
    provisional = standing["is_provisional"]
    issues, has_churn = _issues(tables, audience=audience, run=run)
    fixable, reverse, praise = _apart(issues)
    shown = [issue["issue_id"] for issue in [*fixable[:n_sections], *reverse, *praise]]
    quotes = choose_quotes(tables["mentions"], tables["sentences"], tables["contacts"], shown,
                           timezone=config.company.timezone)
    sections = [_section(issue, tables, quotes[issue["issue_id"]]) | _beside(issue, tables, audience=audience) for issue in fixable[:n_sections]]
    with_section = {section["issue_id"] for section in sections}
    banner = appendix.run_json(run, "settings").get("banner")
    if not has_churn and not reasons:
        seen = any((issue["n_exposed_events"] or 0.0) > 0 for issue in issues)
        reasons = ["どの課題も、経験した解約が少なく、防げる解約数をまだ推定できません。" if seen else
                   "解約数を推定できる契約データ、または十分な期間と件数がありません。"]
    labels = dict(zip(tables["issues"]["issue_id"], tables["issues"]["label"], strict=True))
    shown_labels = {issue["issue_id"]: issue["label"] for issue in issues}
    ranked = [_row(issue, position, issue["issue_id"] in with_section) for position, issue in enumerate(fixable, start=1)]
    return {
        "company": plain(config.company.name, limit=40), "as_of": day(as_of_on), "period": _period(tables, as_of_on),
        "notices": appendix.notices(run), "headlines": _headlines(tables, issues, **standing), "has_churn": has_churn, "is_provisional": provisional, "missing": [] if has_churn else reasons,
        "remarks": [*([plain(banner, limit=300)] if banner else []), *reasons] if has_churn else [],
        "figures": company.key_figures(tables["company_months"], as_of_on=as_of_on),
        "company_months": company.company_rows(tables["company_months"], as_of_on=as_of_on, n_months=24),
        "ranked": ranked, "kinds": sorted({row["kind"] for row in ranked}), "sections": sections,
        "areas": sorted({row["area"] for row in ranked if row["area"]}), "is_calibrated": standing["is_calibrated"],
        "changes": ledger_changes(tables["issues"], tables["issue_events"], tables["runs"], run=run, timezone=config.company.timezone),
        "trends": trend_block(tables["issue_trends"], issues, sections=set(shown)),
        "chips": [{"verdict": kind, "chip": wording.chip(kind, is_provisional=provisional)} for kind in wording.VERDICTS
                  if any(row["churn"]["verdict"] == kind for row in ranked)],
        "heat": heat_table(fixable[: config.reports.top]),
        "reverse": [_section(issue, tables, quotes[issue["issue_id"]]) for issue in reverse],
        "praise": [_section(issue, tables, quotes[issue["issue_id"]]) for issue in praise],
        "costs": cost_block(tables["cost_parts"], tables["cost_channels"]), "drivers": driver_block(tables["drivers"], shown_labels), "contrasts": contrast_lines(tables["contrasts"], shown_labels),
        "sides": company.defence_and_attack(issues), "n_issues": len(issues),
        "left_out": appendix.left_out(tables, run), "tiers": appendix.tiers(is_provisional=provisional),
        "assumptions": [
            *appendix.assumptions(config, has_churn=has_churn, controls=tables["impact_controls"], run=run),
            *appendix.confirming(tables, run, labels, has_churn=has_churn),
            appendix.calibration(tables["issue_calibration"], run),
        ], "evidence": appendix.evidence(tables, run, labels, has_churn=has_churn), "provenance": appendix.provenance(run),
    }


def _issues(
    tables: dict[str, pd.DataFrame], *, audience: str, run: dict
) -> tuple[list[dict], bool]:
    """Facts per issue, and whether any of them carries a churn interval."""
    reasons = appendix.reasons(run)
    standing = _standing(tables, run)
    weeks = dict(zip(tables["issue_trends"]["issue_id"], tables["issue_trends"]["evidence"], strict=True))
    found = facts.issue_facts(tables, audience=audience, as_of_on=run.get("as_of_on"))
    issues = [{**issue, **standing, "recent": plain(weeks.get(issue["issue_id"]), limit=500)} for issue in found]
    if any(wording.verdict(issue) not in ("none", "reverse", "insufficient") for issue in issues):
        return issues, True
    if not reasons:
        return issues, False
    # The whole company lacks data: no single issue may speak of its own events or promise a date.
    return [{**issue, "tier": None, "months_to_answer": None} for issue in issues], False


def _apart(issues: list[dict]) -> tuple[list[dict], list[dict], list[dict]]:
    """Things to fix; contacts after the decision to cancel; things to keep. Each issue stands in exactly one list."""
    places = ["reverse" if wording.verdict(issue) == "reverse" else
              "keep" if issue["kind"] == "称賛" or wording.verdict(issue) == "protective" else "fix" for issue in issues]
    fixable, reverse, keep = ([issue for issue, place in zip(issues, places, strict=True) if place == wanted]
                              for wanted in ("fix", "reverse", "keep"))
    return _recounted(fixable), [{**issue, "rank": None} for issue in reverse], [{**issue, "rank": None} for issue in keep]


def _recounted(fixable: list[dict]) -> list[dict]:
    """Ranks counted again among the things to fix, since `ranking` also holds those that are shown apart.

    Rank r becomes the number of fixable issues up to r, so an interval still holds its own rank.
    """
    ranks = [issue["rank"] for issue in fixable if not is_missing(issue["rank"])]

    def upto(bound: float) -> int:
        return sum(1 for rank in ranks if rank <= bound)

    return [issue if is_missing(issue["rank"]) else {
        **issue, "rank": upto(issue["rank"]), "rank_low": upto(issue["rank_low"] - 1) + 1,
        "rank_high": upto(issue["rank_high"])} for issue in fixable]


def _headlines(tables: dict[str, pd.DataFrame], issues: list[dict], *, is_provisional: bool, is_calibrated: bool) -> list[dict]:
    fixable, _, _ = _apart(issues)
    request = min((issue for issue in fixable if issue["kind"] == "要望"), key=_claim, default=None)
    flow = max((issue for issue in fixable if issue["kind"] in _FLOWS), key=_saving, default=None)
    total = joint_total(tables["impact_totals"])
    n_top = int(total["n_issues"]) if total else len(fixable[:5])
    top = [issue for issue in fixable if issue["tier"] == wording.TIER_ESTIMATE][:n_top] if total else fixable[:5]
    everything = sum(issue["n_contacts"] or 0.0 for issue in issues)
    share = sum(issue["n_contacts"] or 0.0 for issue in top) / everything if everything else None
    cost = sum(issue["contact_cost_yen"] or 0.0 for issue in top)
    if total is not None and not is_missing(total["contact_cost_yen"]):
        cost = total["contact_cost_yen"]
    # what the page shows as its first ranks may hold issues without an estimate, which no total counts
    is_first = top == fixable[:n_top]
    items = [
        ("機能要望", wording.request_headline(request), request, issue_amounts(request or {})),
        ("導線の改善", wording.saving_headline(flow), flow, issue_amounts(flow or {})),
        ("上位課題の全体", wording.joint_headline(
            total, n_top=n_top, cost_yen=cost, contact_share=share, is_calibrated=is_calibrated,
            is_provisional=is_provisional, is_first=is_first), None, total_amounts(total)),
    ]
    return [{"kicker": kicker, "sentence": sentence, "basis": basis, "issue_id": None if issue is None else issue["issue_id"],
             "amounts": amounts} for kicker, (sentence, basis), issue, amounts in items]


def _claim(issue: dict) -> tuple:
    """Strongest statement first, then the larger conservative number, then volume."""
    careful = issue.get("churns_shrunken")
    return (wording.VERDICTS.index(wording.verdict(issue)), 0.0 if is_missing(careful) else -careful,
            -(issue["n_contacts"] or 0.0), issue["issue_id"])


def _saving(issue: dict) -> tuple:
    low, high = issue.get("deflectable_low_yen"), issue.get("deflectable_high_yen")
    middle = 0.0 if is_missing(low) or is_missing(high) else (low + high) / 2
    return (middle, issue["n_contacts"] or 0.0)


def joint_total(totals: pd.DataFrame) -> dict | None:
    """The row on the top five issues removed together (scope 'top5'), None where there is none."""
    rows = totals.loc[(totals["n_issues"] > 0) & (totals["scope"] == "top5")]
    return None if rows.empty else rows.iloc[0].to_dict()


def _period(tables: dict[str, pd.DataFrame], as_of_on: object) -> str:
    months = tables["company_months"]["month_on"]
    months = tables["issue_months"]["month_on"] if months.empty else months
    axis = facts.complete_months(months, as_of_on)
    return f"{month(axis[0])}〜{month(axis[-1])}" if axis else ""


def _row(issue: dict, position: int, has_section: bool) -> dict:
    """One line of the ranked table, with numbers for sorting beside the text."""
    churn, value = wording.churn_cell(issue), wording.value_cell(issue)
    rank = position if is_missing(issue["rank"]) else int(issue["rank"])
    low, high = issue["rank_low"], issue["rank_high"]
    span = "" if is_missing(low) or is_missing(high) or low == high else f"{int(low)}〜{int(high)}位"
    return {
        "issue_id": issue["issue_id"], "label": issue["label"], "area": issue["area"], "kind": issue["kind"], "has_section": has_section,
        "amounts": issue_amounts(issue),
        "rank": rank, "rank_span": span, "churn": churn, "value": value, "verdict": churn["verdict"],
        "cost": yen(issue["contact_cost_yen"]), "contacts": count(issue["n_contacts"]), "months": issue["months"],
        "trend": issue["change"], "trend_text": facts.contact_month_label(issue["months"]), "segment": issue["top_segment"],
        "sentence": wording.issue_sentence(issue), "reason": issue["reason"],
        "low": issue["churns_low"], "high": issue["churns_high"],
        "point": issue["churns_prevented"] if churn["verdict"] in ("estimate", "unclear") else None,
        "sort": {"rank": rank, "label": issue["label"], "churn": issue["churns_low"] if churn["detail"] else None,
                 "value": issue["ltv_low_yen"] if value["detail"] else None, "cost": issue["contact_cost_yen"],
                 "contacts": issue["n_contacts"], "segment": issue["top_segment"]},
    }


def _section(issue: dict, tables: dict[str, pd.DataFrame], quotes: list[dict]) -> dict:
    pairs = [("顧客", issue["n_customers_shown"]), ("件数", f"月{count(issue['n_contacts'])}"), ("直近3か月の増減", issue["change"])]
    if not is_missing(issue["negative_share"]):
        pairs.append(("否定的な文", percent(issue["negative_share"], places=0)))
    if not is_missing(issue["nps"]):
        sign = "−" if issue["nps"] < 0 else "+"
        pairs.append(("NPS", f"{sign}{abs(issue['nps']):.0f}（回答{issue['n_nps']:,}件）"))
    split, split_amounts = cost_pairs(issue["issue_id"], tables["cost_parts"])
    return {
        "issue_id": issue["issue_id"], "label": issue["label"], "area": issue["area"], "kind": issue["kind"],
        "rank": None if is_missing(issue["rank"]) else int(issue["rank"]), "chip": wording.churn_cell(issue),
        "sentence": wording.issue_sentence(issue), "quotes": quotes, "pairs": pairs, "months": issue["months"],
        "trend_text": facts.contact_month_label(issue["months"]), "segments": issue["segments"][:4], "fixes": issue_detail.fixes(issue["issue_id"], tables["actions"]),
        "has_askers": (issue["n_customers"] or 0) >= SMALL_GROUP, "cost": _cost(issue, split), "amounts": split_amounts | issue_amounts(issue),
        "grounds": wording.grounds(issue) + issue_detail.silent_grounds(issue) + ([("直近の増減", issue["recent"])] if issue["recent"] else []), "keywords": issue["keywords"], "reason": issue["reason"],
        "notes": issue["notes"], "requests": _requests(issue["issue_id"], tables),
    }



def _beside(issue: dict, tables: dict[str, pd.DataFrame], *, audience: str) -> dict:
    """What the detail of one issue says beside its number; the board is spared the choices behind the model."""
    return {
        "sensitivity": issue_detail.sensitivity_rows(issue, tables["impact_sensitivity"]) if audience == "product" else [],
        "staying": staying(issue, tables["retention"]) if audience == "product" else None,
        "advice": issue_detail.advice(issue["issue_id"], tables["recommendations"]),
        "existing": issue_detail.existing(issue["issue_id"], options=tables["option_matches"], triage=tables["faq_triage"]),
    }


def _cost(issue: dict, split: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if is_missing(issue["contact_cost_yen"]) or issue["contact_cost_yen"] == 0:
        return []
    lines = [("問い合わせコスト", f"月{yen(issue['contact_cost_yen'])}"),
             ("うち再問い合わせ", f"月{yen(issue['repeat_cost_yen'])}"), *split]
    if not is_missing(issue["deflectable_high_yen"]) and issue["deflectable_high_yen"] > 0:
        low, high = yen(issue["deflectable_low_yen"]), yen(issue["deflectable_high_yen"])
        lines.append(("自己解決に移せる額（想定）", f"月{low}〜{high}"))
    return lines


def _requests(issue_id: str, tables: dict[str, pd.DataFrame]) -> list[dict]:
    """The three most frequent normalised requests of the issue, with their customers."""
    mentions = tables["mentions"].loc[tables["mentions"]["issue_id"] == issue_id, ["sentence_id", "customer_id"]]
    rows = mentions.merge(tables["requests"], on="sentence_id")
    if rows.empty:
        return []
    grouped = rows.groupby("phrase").agg(n=("sentence_id", "size"), n_customers=("customer_id", "nunique")).reset_index()
    grouped = grouped.sort_values(["n_customers", "n", "phrase"], ascending=[False, False, True], kind="stable").head(3)
    # Without known customers each response counts as one.
    return [{"phrase": plain(row["phrase"], limit=60),
             "customers": customers(row["n_customers"]) if row["n_customers"] or row["n"] < SMALL_GROUP else count(row["n"])}
            for row in grouped.to_dict("records")]
