"""The whole estimate: tables in, IMPACT, totals, months, segments and draws out."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from voc.config import Costs, Impact, Value
from voc.errors import VocError
from voc.impact.case import Case, case_of, estimate_case, panel_of
from voc.impact.controls import control_table
from voc.impact.cost import contact_cost, cost_table, issue_months
from voc.impact.effects import Effects
from voc.impact.lifetime import valued_customers
from voc.impact.minimum import blockers, n_churns, shortfalls
from voc.impact.periods import ZONE, Window, timestamp
from voc.impact.person_months import Panel
from voc.impact.reverse import REVERSE_COLUMNS
from voc.impact.segments import issue_segments
from voc.impact.totals import TIERS, totals
from voc.impact.value import company_months, usable_changes
from voc.tables import (
    COMPANY_MONTHS,
    IMPACT,
    IMPACT_CONTROLS,
    IMPACT_REVERSE,
    IMPACT_TOTALS,
    ISSUE_MONTHS,
    ISSUE_SEGMENTS,
    check,
)

FEW, ENOUGH = 5.0, 20.0  # exposed churn events: below FEW no number, from ENOUGH an estimate
BADGE, BADGE_E_VALUE = "頑健", 2.0
MAX_SPREAD = 0.4  # log-odds between controls from which no common shift describes what is hidden
HIDDEN_FROM = 0.2  # log-odds: controls whose customers surely (95 %) leave 1.22 times as often show a strong hidden cause
UNLEARNED_SE = 0.9  # of the prior's 1.4: the data say next to nothing of this issue apart from others
_CHURN_COLUMNS = [
    "churns_prevented", "churns_low", "churns_high", "churns_shrunken", "log_odds", "log_odds_se", "e_value",
    "mrr_yen", "ltv_yen", "ltv_low_yen", "ltv_high_yen", "ltv_shrunken_yen",
]


@dataclass(frozen=True)
class Estimate:
    """Checked tables of one run; `draws`: LTV in yen per month, issues (index) x draws, NaN where not estimated.

    `diagnostics`: n_churns, n_person_months, n_decisions_moved, window_months (a contact counts so long; None without a
    panel), reverse (ids), shift, spread, n_controls, controls_low, controls_high (log-odds, 90 % interval), banner,
    reasons (Japanese; why there are no churn numbers, empty if there are), doubts (Japanese; why there is no 推定値),
    left_out (counts of rows not used), unknown_ids (ids of the configuration that no issue has).
    `case`: the data as the model saw them, for further lines (`voc.impact.sensitivity`).
    """

    impact: pd.DataFrame
    totals: pd.DataFrame
    issue_months: pd.DataFrame
    issue_segments: pd.DataFrame
    company_months: pd.DataFrame
    draws: pd.DataFrame
    diagnostics: dict
    controls: pd.DataFrame
    reverse: pd.DataFrame
    case: Case


def estimate(
    contacts: pd.DataFrame, mentions: pd.DataFrame, customers: pd.DataFrame, usage: pd.DataFrame,
    issues: pd.DataFrame, *, impact: Impact, value: Value, costs: Costs, as_of: object, seed: int,
    controls: tuple[str, ...] | list[str] = (), window: Window | None = None, sentiment: pd.Series | None = None,
    nps: pd.DataFrame | None = None, below_minimum: Literal["no_number", "reference"] = "no_number",
    doubts: tuple[str, ...] = (), faults: tuple[str, ...] = (), price_changes: pd.DataFrame | None = None,
    orders_per_month: pd.Series | None = None, is_calibrated: bool = True, timezone: str = ZONE,
) -> Estimate:
    """What each issue costs, as of the morning of `as_of`.

    Inputs are the product tables CONTACTS, MENTIONS, CUSTOMERS, USAGE (both may be empty) and ISSUES. Figures are
    means per month over the last 12 full calendar months, or over all of `window` where one is given (`as_of` is
    then its end). `controls`, with `impact.controls`: ids of issues that cannot cause churn (address change,
    receipts), which measure hidden bias. `sentiment`: -1..1 by contact_id; `nps`: customer_id, day (day number),
    score 0..10, beside contacts.nps. Contacts without an issue are the row with issue_id ''.
    Below the company's minimum no churn number is given, or, with "reference", none above the tier 参考値; costs are
    always given. `doubts` (Japanese) of the caller also keep every tier at 参考値, its `faults` also forbid churn
    numbers. `price_changes`: PRICE_CHANGES, without which downgrades are not known. `orders_per_month`: by customer_id,
    where monthly_price_yen was made from orders. Not `is_calibrated`: the mentions' probabilities were never compared
    with people's labels, so that intervals are wider. `timezone`: whose days are counted. Raises TableError for missing columns.
    """
    case = case_of(
        contacts, mentions, customers, usage, issues, impact=impact, as_of=as_of, window=window, sentiment=sentiment,
        nps=nps, timezone=timezone,
    )
    case, changes = _valued(replace(case, is_calibrated=is_calibrated), value=value, price_changes=price_changes, orders_per_month=orders_per_month)
    case.contacts["cost_yen"] = contact_cost(case.contacts, costs=costs, window=case.window)
    months = check(company_months(case.customers, case.contacts, case.window, changes=changes), COMPANY_MONTHS)
    named = set(controls) | set(impact.controls)
    panel = panel_of(case, impact=impact, seed=seed)
    reasons = [*faults, *blockers(case.customers, case.window)]
    short = shortfalls(case.contacts, case.customers, case.window, impact=impact)
    if below_minimum == "no_number":
        reasons += short
    else:
        doubts = (*doubts, *short)
    effects = None
    if panel is not None and not reasons:
        effects, fault = _effects(case, panel, controls=named, impact=impact, value=value, seed=seed)
        reasons += [fault] if fault else []
    table, draws = _impact_table(
        cost_table(case.contacts, case.links, case.issues, case.window, costs=costs), case, panel=panel,
        effects=effects, is_doubted=bool(doubts),
    )
    return Estimate(
        impact=check(table, IMPACT),
        totals=check(totals(table, case, effects, months=months, controls=named), IMPACT_TOTALS),
        issue_months=check(issue_months(case.contacts, case.links, case.issues, case.window), ISSUE_MONTHS),
        issue_segments=check(
            issue_segments(case.contacts, case.links, case.customers, case.issues, window=case.window), ISSUE_SEGMENTS),
        company_months=months,
        draws=draws,
        controls=check(control_table(case.issues, table, effects, confirmed=named), IMPACT_CONTROLS),
        reverse=check(_reverse_table(case), IMPACT_REVERSE),
        diagnostics=_diagnostics(
            case, panel=panel, effects=effects, reasons=reasons, doubts=list(doubts),
            stated={*named, *impact.reverse, *impact.not_reverse},
        ),
        case=case,
    )


def _valued(case: Case, *, value, price_changes, orders_per_month) -> tuple[Case, pd.DataFrame | None]:
    """(the case with its customers' LTV and tiers, usable price changes)."""
    customers, left, changes = case.customers, {}, None
    if orders_per_month is not None:
        customers = customers.assign(frequency=customers["customer_id"].map(orders_per_month).astype("float64").fillna(1.0))
    customers = valued_customers(customers, case.window, value=value)
    if price_changes is not None and len(price_changes):
        changes, left = usable_changes(price_changes, customers, end_day=case.window.end_day)
    return replace(case, customers=customers, left_out={**case.left_out, **left}), changes


def _effects(case, panel, *, controls, impact, value, seed) -> tuple[Effects | None, str]:
    """Effects, or None and why not (Japanese)."""
    if not panel.is_event[panel.is_learned].any():
        return None, "集計期間に解約の判断が一件もありません。解約日（ended_on）を確認してください。"
    try:
        return estimate_case(case, panel, controls=controls, impact=impact, value=value, seed=seed), ""
    except VocError as error:
        return None, str(error)
    except np.linalg.LinAlgError:
        return None, "解約モデルの計算ができませんでした。顧客表の契約日・解約日と利用状況の値を確認してください。"


def _reverse_table(case: Case) -> pd.DataFrame:
    found = case.decisions.evidence[REVERSE_COLUMNS]
    return found.assign(issue_id=case.issues["issue_id"].to_numpy()[found["issue"].to_numpy(dtype="int64")]).drop(columns="issue")


def _impact_table(
    costs: pd.DataFrame, case: Case, *, panel: Panel | None, effects: Effects | None, is_doubted: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    issues, window = case.issues, case.window
    n = len(issues)
    events, is_learned = np.zeros(n + 1), np.zeros(n + 1, dtype=bool)
    if panel is not None:
        events[:n], is_learned[:n] = _exposed_events(panel)
    table = costs.assign(
        n_exposed_events=events, period_start_on=timestamp(window.period_start),
        period_end_on=timestamp(window.period_end - 1), **dict.fromkeys(_CHURN_COLUMNS, np.nan),
    )
    reverse = np.isin(np.arange(n + 1), case.decisions.reverse)
    tier = np.searchsorted([FEW, ENOUGH], events, side="right")
    tier[~is_learned] = 0
    if effects is None:
        tier[:] = 0
    told = np.zeros(n + 1, dtype=bool)
    draws = pd.DataFrame(np.nan, index=pd.Index(issues["issue_id"], name="issue_id"), columns=range(1))
    if effects is not None:
        rows = effects.table["issue"].to_numpy()
        apart = effects.table["fitted_se"].to_numpy() < UNLEARNED_SE
        is_learned[rows] &= apart
        tier[rows[~apart]] = 0
        table.loc[rows, _CHURN_COLUMNS] = effects.table[_CHURN_COLUMNS].to_numpy()
        told = (tier > 0) & ~reverse & (np.arange(n + 1) < n)
        table.loc[~told, _CHURN_COLUMNS] = np.nan
        draws = draws.reindex(columns=range(effects.ltv_draws.shape[1]))
        draws.iloc[rows] = effects.ltv_draws
        draws[~told[:n]] = np.nan
        if _banner(effects) or is_doubted:
            tier = np.minimum(tier, 1)
    tier[reverse] = 0
    protective = told & (table["churns_high"] < 0).to_numpy()
    table["tier"] = np.array(TIERS, dtype=object)[tier]
    table["flag"] = np.select([reverse, protective, tier == 0], ["reverse", "protective", "insufficient"], "")
    robust = (table["e_value"] >= BADGE_E_VALUE) & (table["churns_low"] > 0) & (tier == len(TIERS) - 1)
    table["badge"] = np.where(robust, BADGE, None)
    per_month = events / max(window.n_months, 1)
    waits = (events > 0) & (events < ENOUGH) & ~reverse
    table["months_to_answer"] = np.where(waits, (ENOUGH - events) / np.where(waits, per_month, 1.0), np.nan)
    table.loc[events >= ENOUGH, "months_to_answer"] = 0.0
    table.loc[reverse, "months_to_answer"] = np.nan
    table["notes"] = _notes(table, n, is_learned)
    return table, draws


def _exposed_events(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Per issue: churn events with it (sum of the soft exposure), and whether the model could learn from them.

    Learned from: at least half of FEW events outside the learning lag, and FEW clearly without it to compare with.
    """
    events = np.asarray(panel.counting[panel.is_event].sum(axis=0)).ravel()
    learned = panel.is_event & panel.is_learned
    exposure = panel.learning[learned].tocoo()
    highest = panel.learning.max(axis=0).toarray().ravel()
    clear = exposure.data >= highest[exposure.col] / 2
    without = learned.sum() - np.bincount(exposure.col[clear], minlength=len(events))
    return events, (np.asarray(exposure.sum(axis=0)).ravel() >= FEW / 2) & (without >= FEW)


def _notes(table: pd.DataFrame, n: int, is_learned: np.ndarray) -> np.ndarray:
    events, flag = table["n_exposed_events"], table["flag"]
    few = [
        f"この課題を経験した解約は {count:.0f} 件。解約数は推定できません。" if learned or count < FEW else
        f"この課題を経験した解約は {count:.0f} 件。比べられる解約が足りないか、ほかの課題といつも一緒に現れるため、解約数は推定できません。"
        for count, learned in zip(events, is_learned, strict=True)
    ]
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


def _banner(effects: Effects) -> str:
    """Japanese warning where the controls show that hidden causes are strong, else ''.

    Strong: the whole 90 % interval of the controls' pooled log-odds lies beyond HIDDEN_FROM on one side, or the controls
    differ by more than MAX_SPREAD. Of a hidden cause that does not make anybody ask about the controls they know nothing.
    """
    bias = effects.bias
    if bias.controls_low > HIDDEN_FROM or bias.controls_high < -HIDDEN_FROM:
        low, high = np.exp([bias.controls_low, bias.controls_high])
        return (
            "未観測の要因が強く、解約数の推定は信頼できません。解約の理由になりえない対照の課題を問い合わせた顧客の解約しやすさが、"
            f"ほかの顧客の {low:.2f}〜{high:.2f} 倍（90%区間）です。"
        )
    if bias.spread_mean > MAX_SPREAD:
        return "未観測の要因が強く、解約数の推定は信頼できません。対照の課題どうしの違いが、偶然では説明できないほど大きいためです。"
    return ""


def _diagnostics(case: Case, *, panel, effects, reasons, doubts, stated) -> dict:
    ids = case.issues["issue_id"]
    return {
        "n_churns": n_churns(case.customers, case.window),
        "n_months": case.window.n_months,
        "n_person_months": 0 if panel is None else len(panel.customer),
        "n_decisions_moved": case.decisions.n_moved,
        "window_months": None if panel is None else panel.window_months,
        "reverse": [ids.iloc[position] for position in case.decisions.reverse],
        "shift": effects.bias.shift_mean if effects else None,
        "spread": effects.bias.spread_mean if effects else None,
        "n_controls": effects.bias.n_controls if effects else None,
        "controls_low": effects.bias.controls_low if effects else None,
        "controls_high": effects.bias.controls_high if effects else None,
        "banner": _banner(effects) if effects else "",
        "is_widened": effects is not None and not case.is_calibrated,
        "reasons": reasons,
        "doubts": doubts,
        "left_out": {name: count for name, count in case.left_out.items() if count},
        "unknown_ids": sorted(stated - set(ids)),
    }
