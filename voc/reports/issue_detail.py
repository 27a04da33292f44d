"""What stands beside the number of one issue: how it moves with the choices behind it, what to do, what exists already."""

import pandas as pd

from voc.reports.formats import (
    NONE,
    SMALL_GROUP,
    count,
    day,
    is_missing,
    people,
    people_range,
    percent,
    plain,
    yen_range,
)
from voc.reports.sources import address
from voc.reports.wording import FAQ_STATES, WITH_NUMBERS, churn_cell, standing, verdict

_LINES = {
    "影響期間 3 か月": "影響期間を3か月とした場合", "影響期間 6 か月": "影響期間を6か月とした場合",
    "初回の問い合わせのみ": "初回の問い合わせだけで見た場合", "利用状況で調整しない": "利用状況をそろえない場合",
}  # fmt: skip
_UNITS = {"問い合わせ（月・件）": ("問い合わせ 月", "件")}


def sensitivity_rows(issue: dict, lines: pd.DataFrame) -> list[dict]:
    """IMPACT_SENSITIVITY of one issue beside its own estimate: name, figure, interval; [] where it shows no interval.

    A single figure stands only where the issue itself may show one (tier 推定値); a line without an answer says so.
    """
    cell = churn_cell(issue)
    rows = lines.loc[lines["issue_id"] == issue["issue_id"]]
    if cell["verdict"] not in WITH_NUMBERS or not cell["detail"] or rows.empty:
        return []
    order = {name: place for place, name in enumerate(_LINES)}
    rows = rows.assign(place=rows["line"].map(order).fillna(len(order))).sort_values(["place", "line"], kind="stable")
    told = [{"name": "このレポートの値", "figure": cell["figure"] or NONE, "interval": cell["detail"], "source": address("impact", issue["issue_id"], "")}]
    for row in rows.to_dict("records"):
        known = not is_missing(row["churns_low"]) and not is_missing(row["churns_high"])
        figure = people(row["churns_prevented"]) if cell["figure"] and known else NONE
        told.append({"name": _LINES.get(row["line"], plain(row["line"], limit=40)), "figure": figure,
                     "interval": people_range(row["churns_low"], row["churns_high"]) if known else "推定できません",
                     "source": address("impact_sensitivity", (issue["issue_id"], plain(row["line"], limit=40)), "")})  # fmt: skip
    return told


def silent_grounds(issue: dict) -> list[tuple[str, str]]:
    """SILENT of one issue (silent_… of voc.reports.facts), with what the range supposes; [] where the company gave no rate,
    or where the issue itself shows no single number."""
    low, high = issue.get("silent_churns_low"), issue.get("silent_churns_high")
    if verdict(issue) != "estimate" or is_missing(low) or is_missing(high):
        return []
    few, many = (percent(issue[f"silent_reporting_{end}_share"], places=0) for end in ("low", "high"))
    worth = "" if is_missing(issue["silent_ltv_low_yen"]) else f"LTV換算 月{yen_range(issue['silent_ltv_low_yen'], issue['silent_ltv_high_yen'])}、"
    return [("申し出ない顧客を含めた幅", f"毎月{people_range(low, high)}（{worth}{standing('参考', issue)}）。困った顧客のうち申し出る割合を{few if few == many else f'{few}〜{many}'}"
             "（設定 reporting_rate）とし、申し出ない顧客にも同じ影響があると仮定した幅です。")]  # fmt: skip


def advice(issue_id: str, recommendations: pd.DataFrame) -> dict | None:
    """RECOMMENDATIONS of one issue: stance, action and (name, text) pairs of owner, target and due day; None where none.

    What the ledger does not say is marked 案.
    """
    rows = recommendations.loc[recommendations["issue_id"] == issue_id]
    if rows.empty:
        return None
    row = rows.iloc[0]
    pairs = [("担当", plain(row["owner"], limit=40) + ("" if row["is_owner_given"] else "（案）")), ("目標", _target(row)),
             ("期限", day(row["due_on"]) + ("" if row["is_due_given"] else "（案）"))]  # fmt: skip
    return {"stance": plain(row["stance"], limit=10), "action": plain(row["action"], limit=200), "pairs": [pair for pair in pairs if pair[1]]}


def fixes(issue_id: str, actions: pd.DataFrame) -> list[dict]:
    """ACTIONS of one issue, oldest first: done_on and text (day and what was done)."""
    rows = actions.loc[actions["issue_id"] == issue_id].sort_values(["done_on", "action_id"], kind="stable")
    return [{"done_on": row["done_on"], "text": f"{day(row['done_on'])} {plain(row['note'], limit=60)}".strip()} for row in rows.to_dict("records")]


def _target(row: pd.Series) -> str:
    before, after = row["target_from"], row["target_to"]
    if is_missing(before) or is_missing(after):
        return ""
    lead, unit = _UNITS.get(row["target_unit"], (f"{plain(row['target_unit'], limit=30)} ", ""))
    return f"{lead}{count(before, unit)}を保つ" if before == after else f"{lead}{count(before, unit)} → {count(after, unit)}"


def existing(issue_id: str, *, options: pd.DataFrame, triage: pd.DataFrame) -> list[tuple[str, str]]:
    """What is there already: the nearest option (OPTION_MATCHES) and the state of the FAQ (FAQ_TRIAGE), as (name, text)."""
    found = []
    near = options.loc[options["issue_id"] == issue_id].sort_values(["similarity", "option_id"], ascending=[False, True], kind="stable")
    if len(near):
        found.append(("すでにある機能", _option(near.iloc[0])))
    state = triage.loc[triage["issue_id"] == issue_id]
    if len(state):
        row = state.iloc[0]
        found.append(("FAQの状態", f"{FAQ_STATES.get(row['state'], plain(row['state'], limit=20))}。{plain(row['evidence'], limit=500)}"))
    return found


def _option(row: pd.Series) -> str:
    """The option and who may use it; numbers only where no part of the customers is smaller than five."""
    plans = "・".join(plain(plan, limit=20) for plan in list(row["plans"])[:4])
    text = f"「{plain(row['option_name'], limit=60)}」で解決できる可能性があります"
    text += f"（{plans}プランで利用可）。" if plans else "。"
    n_on, n = int(row["n_on_plan"]), int(row["n_customers"])
    if n_on >= SMALL_GROUP and (n == n_on or n - n_on >= SMALL_GROUP):
        text += f"求めた{n:,}名のうち{n_on:,}名は、すでに使えるプランです。"
    return text + "要望に応えているかは、人の確認が要ります。"
