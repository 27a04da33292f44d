"""The company as a whole: key figures with their changes, and issues split into 守り and 攻め."""

import pandas as pd

from voc.reports.facts import complete_months
from voc.reports.formats import NONE, SMALL_GROUP, count, is_missing, month, percent, yen
from voc.reports.sources import address
from voc.reports.wording import ATTACK, DEFENCE

# name, column, how it is written, how a change is written, +1 where more is better, -1 where less is, 0 neither
_FIGURES = [
    ("顧客数", "n_customers", lambda v: count(v, "名"), "ratio", 1),
    ("顧客解約率", "churn_share", lambda v: percent(v, places=2), "points", -1),
    ("売上解約率", "mrr_churn_share", lambda v: percent(v, places=2), "points", -1),
    ("問い合わせコスト", "contact_cost_yen", yen, "ratio", -1),
    ("問い合わせ件数", "n_contacts", count, "ratio", -1),
    ("NPS", "nps", lambda v: f"{'−' if v < 0 else '+'}{abs(v):.0f}", "score", 1),
]
_WHY_NOT = {
    "n_customers": "顧客データがありません", "churn_share": "契約データがありません",
    "mrr_churn_share": "料金のデータがありません", "nps": "回答が5件未満です",
}


def company_rows(company_months: pd.DataFrame, *, as_of_on: object, n_months: int | None = None) -> pd.DataFrame:
    """`company_months` on every complete month up to `as_of_on`; groups too small to show are emptied."""
    axis = complete_months(company_months["month_on"], as_of_on)
    axis = axis if n_months is None else axis[-n_months:]
    rows = company_months.set_index("month_on").reindex(axis).rename_axis("month_on").reset_index()
    rows.loc[~(rows["n_nps"] >= SMALL_GROUP), "nps"] = float("nan")
    small = ~(rows["n_customers"] >= SMALL_GROUP)
    rows.loc[small, ["n_customers", "churn_share", "mrr_churn_share", "mrr_yen", "mrr_lost_yen"]] = float("nan")
    return rows


def key_figures(company_months: pd.DataFrame, *, as_of_on: object) -> dict:
    """{"month": text, "tiles": [name, value, changes, why]} for the last complete month."""
    rows = company_rows(company_months, as_of_on=as_of_on)
    if rows.empty:
        return {"month": "", "tiles": []}
    now = rows.iloc[-1]
    earlier = [("前月比", rows.iloc[-2] if len(rows) > 1 else None), ("前年同月比", rows.iloc[-13] if len(rows) > 12 else None)]
    tiles = []
    for name, column, write, way, better in _FIGURES:
        value = now[column]
        if is_missing(value):
            tiles.append({"name": name, "value": NONE, "changes": [], "why": _WHY_NOT.get(column, "データがありません"), "source": ""})
            continue
        changes = []
        for label, row in earlier:
            told = change(label, value, None if row is None else row[column], way, better)
            months = "" if row is None else f"{row['month_on']:%Y-%m}>{now['month_on']:%Y-%m}"
            changes.append({**told, "source": "" if told["text"] == NONE else address("company_months", months, column)})
        tiles.append({"name": name, "value": write(value), "changes": changes, "why": "",
                      "source": address("company_months", f"{now['month_on']:%Y-%m}", column)})
    return {"month": month(now["month_on"]), "tiles": tiles}


def change(label: str, now: float, then: float | None, way: str, better: int) -> dict:
    """label, text and word of a figure against an earlier one. `way`: ratio, points (of a share) or score;
    `better`: +1 where more is better, -1 where less is, 0 where neither is judged."""
    if is_missing(then) or (way == "ratio" and then == 0):
        return {"label": label, "text": NONE, "word": "比較なし"}
    if way == "ratio":
        step, text = now / then - 1, f"{abs(now / then - 1) * 100:.1f}%"
    elif way == "points":
        step, text = now - then, f"{abs(now - then) * 100:.2f}pt"
    else:
        step, text = now - then, f"{abs(now - then):.0f}pt"
    # Rounded to nothing: say so rather than paint a direction.
    if not any(digit in text for digit in "123456789"):
        return {"label": label, "text": f"±{text}", "word": ""}
    word = "" if better == 0 else "改善" if step * better > 0 else "悪化"
    # More customers is no "improvement" and a volume of contacts may grow with them: only rates are judged.
    word = word if way != "ratio" else ""
    return {"label": label, "text": ("+" if step > 0 else "−") + text, "word": word}


def defence_and_attack(facts: list[dict]) -> list[dict]:
    """Contacts, cost and issues by side. Costs are split over issues, so they may be added; churns may not."""
    total = sum(issue["n_contacts"] or 0.0 for issue in facts)
    sides = []
    for name, about, kinds in (("守り", "不満・困りごとを減らす", DEFENCE), ("攻め", "期待と評価を伸ばす", ATTACK)):
        rows = [{"kind": kind, **_side([issue for issue in facts if issue["kind"] == kind], total)} for kind in kinds]
        chosen = [issue for issue in facts if issue["kind"] in kinds]
        sides.append({"name": name, "about": about, **_side(chosen, total), "kinds": [r for r in rows if r["n_issues"]]})
    known = set(DEFENCE) | set(ATTACK)
    others = [issue for issue in facts if issue["kind"] not in known]
    if others:
        sides.append({"name": "その他", "about": "分類の決まっていない課題", **_side(others, total), "kinds": []})
    return sides


def _side(issues: list[dict], total: float) -> dict:
    n_contacts = sum(issue["n_contacts"] or 0.0 for issue in issues)
    cost = sum(issue["contact_cost_yen"] or 0.0 for issue in issues)
    share = n_contacts / total if total else 0.0
    ids = "+".join(issue["issue_id"] for issue in issues if not is_missing(issue["contact_cost_yen"]))
    return {"n_issues": len(issues), "contacts": count(n_contacts), "cost": yen(cost), "share": share,
            "share_text": percent(share, places=0), "ids": ids}
