"""What fixing several issues together would bring: computed jointly, never the sum of the single ones."""

import numpy as np
import pandas as pd

from voc.impact.at_stake import dearest_first, kinds_of, ltv_at_stake, may_cost_customers
from voc.impact.case import Case
from voc.impact.effects import Effects, joint

TIERS = ("データ不足", "参考値", "推定値")
TOP = 5


def totals(
    table: pd.DataFrame, case: Case, effects: Effects | None, *, months: pd.DataFrame, controls: set[str]
) -> pd.DataFrame:
    """IMPACT_TOTALS: the company as it was; all issues, and the first five, removed at once.

    Only issues of the tier 推定値 may enter a total, and no control: a person said that it cannot cause churn; the five are those with the highest cautious LTV plus cost.
    """
    window, day = case.window, case.contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end)
    period = months.iloc[window.period_month_indices]
    real = float(period["n_churned"].mean()) if len(period) and period["n_customers"].sum() else np.nan
    company = {
        "scope": "company", "n_issues": len(case.issues), "churns_prevented": real,
        "contact_cost_yen": case.contacts["cost_yen"].to_numpy()[inside].sum() / window.period_months,
        "note": "会社全体の実績（月平均）: 解約数は実数、費用は全問い合わせの対応費用。",
    }
    named = table.iloc[:len(case.issues)]
    named = named.assign(issue_id=case.issues["issue_id"].to_numpy())
    kinds = kinds_of(case.issues)
    sure = ((named["flag"] == "") & (named["tier"] == TIERS[2])).to_numpy() & may_cost_customers(named, kinds, controls)
    order = dearest_first(named, ltv_at_stake(named, kinds, controls) + named["contact_cost_yen"].to_numpy())
    best = order[sure[order]][:TOP]
    rows = [company]
    for scope, chosen, note in (
        ("all", np.flatnonzero(sure), "推定値の課題をすべて同時に解消した場合（課題ごとの合計ではありません）。"),
        ("top5", np.sort(best), "推定値の上位5課題を同時に解消した場合（課題ごとの合計ではありません）。"),
    ):
        result = {}
        if effects is not None:
            position = np.flatnonzero(np.isin(effects.table["issue"].to_numpy(), chosen))
            result = joint(effects, position, real_churns=real)
        rows.append({
            "scope": scope, "n_issues": len(chosen), "note": note, **result,
            "contact_cost_yen": float(named["contact_cost_yen"].iloc[chosen].sum()),
        })
    return pd.DataFrame(rows)
