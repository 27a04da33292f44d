"""The whole estimate: tables in, IMPACT, totals, months, segments and draws out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.config import Costs, Impact, Value
from voc.impact.cost import contact_cost, cost_table, issue_months
from voc.impact.effects import Effects, estimate_effects, joint
from voc.impact.minimum import n_churns, shortfalls
from voc.impact.periods import Window, as_of_day, timestamp, window_of
from voc.impact.person_months import Panel, person_months
from voc.impact.records import complete, link, usable_contacts, usable_customers
from voc.impact.reverse import Decisions, cancel_intent, decide
from voc.impact.segments import issue_segments
from voc.impact.value import company_months
from voc.tables import (
    COMPANY_MONTHS,
    CONTACTS,
    CUSTOMERS,
    IMPACT,
    IMPACT_TOTALS,
    ISSUE_MONTHS,
    ISSUE_SEGMENTS,
    MENTIONS,
    USAGE,
    check,
)

FEW, ENOUGH = 5.0, 20.0  # exposed churn events: below FEW no number, from ENOUGH an estimate
TIERS = ("データ不足", "参考値", "推定値")
BADGE, BADGE_E_VALUE = "頑健", 2.0
MAX_BIAS = 0.4  # log-odds of shift or spread from which hidden causes are too strong
TOP = 5
PRAISE = "称賛"
_CHURN_COLUMNS = [
    "churns_prevented", "churns_low", "churns_high", "churns_shrunken", "log_odds", "log_odds_se", "e_value",
    "mrr_yen", "ltv_yen", "ltv_low_yen", "ltv_high_yen", "ltv_shrunken_yen",
]


@dataclass(frozen=True)
class Estimate:
    """Checked tables of one run; `draws`: LTV in yen per month, issues (index) x draws, NaN where not estimated.

    `diagnostics`: n_churns, n_person_months, n_decisions_moved, reverse (ids), shift, spread, n_controls, banner,
    reasons (Japanese; why there are no churn numbers, empty if there are), left_out (counts of rows not used).
    """

    impact: pd.DataFrame
    totals: pd.DataFrame
    issue_months: pd.DataFrame
    issue_segments: pd.DataFrame
    company_months: pd.DataFrame
    draws: pd.DataFrame
    diagnostics: dict


def estimate(
    contacts: pd.DataFrame, mentions: pd.DataFrame, customers: pd.DataFrame, usage: pd.DataFrame,
    issues: pd.DataFrame, *, impact: Impact, value: Value, costs: Costs, as_of: object, seed: int,
    controls: tuple[str, ...] | list[str] = (),
) -> Estimate:
    """What each issue costs, as of the morning of `as_of`.

    Inputs are the product tables CONTACTS, MENTIONS, CUSTOMERS, USAGE (both may be empty) and ISSUES. Figures are
    means per month over the last 12 full calendar months. `controls`: ids of issues that cannot cause churn
    (address change, receipts), which measure hidden bias. Contacts without an issue are the row with issue_id ''.
    Below the company's minimum no churn number is given; everything else is. Raises TableError for missing columns.
    """
    end_day = as_of_day(as_of)
    issues = issues.drop_duplicates("issue_id").sort_values("issue_id", kind="stable", ignore_index=True)
    customers, left_out = usable_customers(complete(customers, CUSTOMERS), end_day=end_day)
    contacts, left = usable_contacts(complete(contacts, CONTACTS), customers, end_day=end_day)
    contacts["cost_yen"] = contact_cost(contacts, costs=costs)
    links, unlinked = link(complete(mentions, MENTIONS), contacts, list(issues["issue_id"]))
    window = window_of(contacts["day"].to_numpy(), end_day=end_day)
    months = check(company_months(customers, contacts, window), COMPANY_MONTHS)

    panel, decisions = _panel(
        contacts, links, customers, issues, usage=usage, window=window, impact=impact, seed=seed)
    reasons = shortfalls(contacts, customers, window, impact=impact)
    effects = None
    if panel is not None and not reasons:
        if panel.is_event[panel.is_learned].any():
            modelled = np.setdiff1d(np.arange(len(issues)), decisions.reverse)
            effects = estimate_effects(
                panel, customers, window, modelled=modelled, controls=np.flatnonzero(issues["issue_id"].isin(controls)),
                impact=impact, value=value, seed=seed,
            )
        else:
            reasons = ["集計期間に解約の判断が一件もありません。解約日（ended_on）を確認してください。"]
    table, draws = _impact_table(
        cost_table(contacts, links, issues, window, costs=costs), issues, panel=panel, decisions=decisions,
        effects=effects, window=window,
    )
    return Estimate(
        impact=check(table, IMPACT),
        totals=check(
            _totals(table, issues, effects, months=months, contacts=contacts, window=window), IMPACT_TOTALS),
        issue_months=check(issue_months(contacts, links, issues, window), ISSUE_MONTHS),
        issue_segments=check(issue_segments(contacts, links, customers, issues, window=window), ISSUE_SEGMENTS),
        company_months=months, draws=draws,
        diagnostics=_diagnostics(
            customers, issues, panel=panel, decisions=decisions, effects=effects, window=window, reasons=reasons,
            left_out={**left_out, **left, **unlinked},
        ),
    )


def _panel(contacts, links, customers, issues, *, usage, window, impact, seed) -> tuple[Panel | None, Decisions]:
    if not window.n_months or not len(customers):
        named = cancel_intent(issues) & ~issues["issue_id"].isin(impact.not_reverse).to_numpy()
        return None, Decisions(tuple(np.flatnonzero(named).tolist()), np.zeros(0), 0)
    decisions = decide(contacts, links, customers, issues, impact=impact, end_day=window.end_day)
    panel = person_months(
        contacts, links, customers, complete(usage, USAGE), decision_day=decisions.day, window=window,
        n_issues=len(issues), impact=impact, seed=seed,
    )
    return (panel if len(panel.customer) else None), decisions


def _impact_table(
    costs: pd.DataFrame, issues: pd.DataFrame, *, panel: Panel | None, decisions: Decisions,
    effects: Effects | None, window: Window,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    n = len(issues)
    events = np.zeros(n + 1)
    if panel is not None:
        rows = panel.is_event & panel.is_learned
        events[:n] = np.asarray(panel.learning[rows].sum(axis=0)).ravel()
    table = costs.assign(
        n_exposed_events=events, period_start_on=timestamp(window.period_start),
        period_end_on=timestamp(window.period_end - 1), **dict.fromkeys(_CHURN_COLUMNS, np.nan),
    )
    reverse = np.isin(np.arange(n + 1), decisions.reverse)
    tier = np.searchsorted([FEW, ENOUGH], events, side="right")
    if effects is None:
        tier[:] = 0
    told = np.zeros(n + 1, dtype=bool)
    draws = pd.DataFrame(np.nan, index=pd.Index(issues["issue_id"], name="issue_id"), columns=range(1))
    if effects is not None:
        rows = effects.table["issue"].to_numpy()
        table.loc[rows, _CHURN_COLUMNS] = effects.table[_CHURN_COLUMNS].to_numpy()
        told = (tier > 0) & ~reverse & (np.arange(n + 1) < n)
        table.loc[~told, _CHURN_COLUMNS] = np.nan
        draws = draws.reindex(columns=range(effects.ltv_draws.shape[1]))
        draws.iloc[rows] = effects.ltv_draws
        draws[~told[:n]] = np.nan
        if _banner(effects):
            tier = np.minimum(tier, 1)
    tier[reverse] = 0
    protective = told & (table["churns_high"] < 0).to_numpy()
    table["tier"] = np.array(TIERS, dtype=object)[tier]
    table["flag"] = np.select([reverse, protective, tier == 0], ["reverse", "protective", "insufficient"], "")
    robust = (table["e_value"] >= BADGE_E_VALUE) & (table["churns_low"] > 0)
    table["badge"] = np.where(robust, BADGE, None)
    per_month = events / max(window.n_months, 1)
    waits = (events > 0) & (events < ENOUGH) & ~reverse
    table["months_to_answer"] = np.where(waits, (ENOUGH - events) / np.where(waits, per_month, 1.0), np.nan)
    table.loc[events >= ENOUGH, "months_to_answer"] = 0.0
    table.loc[reverse, "months_to_answer"] = np.nan
    table["notes"] = _notes(table, n)
    return table, draws


def _notes(table: pd.DataFrame, n: int) -> np.ndarray:
    events, flag = table["n_exposed_events"], table["flag"]
    few = [f"この課題を経験した解約は {count:.0f} 件。解約数は推定できません。" for count in events]
    notes = np.select(
        [flag == "reverse", flag == "protective", flag == "insufficient"],
        [
            np.full(len(table), "解約を決めた後の問い合わせ。原因ではないため解約数は計上しません。", dtype=object),
            np.full(len(table), "この問い合わせをした顧客は解約しにくい。減らさず導線を残す。", dtype=object),
            np.array(few, dtype=object),
        ],
        np.full(len(table), None, dtype=object),
    )
    notes[n] = "課題に割り当てられなかった問い合わせ。"
    return notes


def _totals(table, issues, effects, *, months, contacts, window) -> pd.DataFrame:
    day = contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end)
    period = months.iloc[window.period_month_indices]
    real = float(period["n_churned"].mean()) if len(period) and period["n_customers"].sum() else np.nan
    company = {
        "scope": "company", "n_issues": len(issues), "churns_prevented": real,
        "contact_cost_yen": contacts["cost_yen"].to_numpy()[inside].sum() / window.period_months,
        "note": "会社全体の実績（月平均）: 解約数は実数、費用は全問い合わせの対応費用。",
    }
    named = table.iloc[:len(issues)]
    open_to_fix = (named["flag"].isin(["", "insufficient"]) & (issues["kind"] != PRAISE)).to_numpy()
    sure = open_to_fix & (named["tier"] == TIERS[2]).to_numpy()
    score = named["ltv_shrunken_yen"].fillna(0.0).clip(lower=0.0) + named["contact_cost_yen"]
    best = score[open_to_fix].sort_values(ascending=False, kind="stable").index[:TOP].to_numpy()
    rows = [company]
    for scope, chosen, note in (
        ("all", np.flatnonzero(sure), "推定値の課題をすべて同時に解消した場合（課題ごとの合計ではありません）。"),
        ("top5", np.sort(best), "上位5課題を同時に解消した場合（課題ごとの合計ではありません）。"),
    ):
        result = {}
        if effects is not None:
            known = np.intersect1d(chosen, np.flatnonzero(named["churns_prevented"].notna()))
            position = np.flatnonzero(np.isin(effects.table["issue"].to_numpy(), known))
            result = joint(effects, position, real_churns=real)
        rows.append({
            "scope": scope, "n_issues": len(chosen), "note": note, **result,
            "contact_cost_yen": float(named["contact_cost_yen"].iloc[chosen].sum()),
        })
    return pd.DataFrame(rows)


def _banner(effects: Effects) -> str:
    """Japanese warning where the controls show that hidden causes are strong, else ''."""
    strong = max(effects.bias.spread_mean, abs(effects.bias.shift_mean)) > MAX_BIAS
    return "未観測の要因が強く、解約数の推定は信頼できません。" if strong else ""


def _diagnostics(customers, issues, *, panel, decisions, effects, window, reasons, left_out) -> dict:
    return {
        "n_churns": n_churns(customers, window),
        "n_months": window.n_months,
        "n_person_months": 0 if panel is None else len(panel.customer),
        "n_decisions_moved": decisions.n_moved,
        "reverse": [issues["issue_id"].iloc[position] for position in decisions.reverse],
        "shift": effects.bias.shift_mean if effects else None,
        "spread": effects.bias.spread_mean if effects else None,
        "n_controls": effects.bias.n_controls if effects else None,
        "banner": _banner(effects) if effects else "",
        "reasons": reasons,
        "left_out": {name: count for name, count in left_out.items() if count},
    }
