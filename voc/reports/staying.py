"""継続率: how many customers of an issue stay, beside others like them (RETENTION). A description, shown with its note only."""

import pandas as pd

from voc.impact.retention import EXPOSED, NOTE, OTHERS
from voc.reports.formats import NONE, count, percent
from voc.reports.sheets import Column, Sheet, table
from voc.reports.sources import address
from voc.reports.wording import WITH_NUMBERS, verdict

SHOWN_MONTHS = (3, 6, 12)
ABOUT = f"{NOTE}最初の問い合わせからの月数ごとの、契約を続けている割合です。同条件の顧客は、プランと利用期間が同じで、まだ問い合わせていない顧客です。"


def staying(issue: dict, retention: pd.DataFrame) -> dict | None:
    """RETENTION of one issue: `curves` (name -> [(month, share)]), `rows` at the months SHOWN_MONTHS, customers and note.

    None where the issue shows no churn figure either (a share of those who stay is one), or where nothing is known of
    its customers after the first of these months.
    """
    own = retention[retention["issue_id"] == issue["issue_id"]]
    if verdict(issue) not in WITH_NUMBERS or not (own["month"] >= SHOWN_MONTHS[0]).any():
        return None
    shares = own.pivot(index="month", columns="group", values="survived_share")
    if not {EXPOSED, OTHERS} <= set(shares.columns):
        return None
    first = own[(own["group"] == EXPOSED) & (own["month"] == 0)]
    rows = [{"name": f"{month}か月後", "cells": [
        {"text": percent(shares.loc[month, group]), "source": _source(issue, group, month, "survived_share")} for group in (EXPOSED, OTHERS)]}
        for month in SHOWN_MONTHS if month in shares.index]  # fmt: skip
    n = int(first["n_at_risk"].iloc[0]) if len(first) else None
    return {
        "heads": (EXPOSED, "同条件の顧客"), "note": NOTE, "rows": rows,
        "customers": {"text": count(n, "名"), "source": _source(issue, EXPOSED, 0, "n_at_risk")} if n is not None else {"text": NONE, "source": ""},
        "curves": {name: list(zip(shares.index.tolist(), shares[name].tolist(), strict=True)) for name in (EXPOSED, OTHERS)},
    }  # fmt: skip


def _source(issue: dict, group: str, month: int, column: str) -> str:
    return address("retention", (issue["issue_id"], group, month), column)


def staying_sheet(retention: pd.DataFrame, issues: pd.DataFrame) -> Sheet:
    """継続率 of `issues` (issue_id, 課題 in the order of the report): a row per group and month."""
    columns = (
        Column("課題番号", "id", 11), Column("課題", "text", 36), Column("顧客", "text", 30), Column("経過", "months", 9, source="retention|month"),
        Column("継続率", "share", 11, bar=True, source="retention|survived_share"), Column("観察中の顧客", "customers", 13, source="retention|n_at_risk"),
    )  # fmt: skip
    rows = retention.merge(issues.assign(place=range(len(issues)))[["issue_id", "課題", "place"]], on="issue_id")
    rows = rows.assign(is_other=rows["group"] == OTHERS).sort_values(["place", "is_other", "month"], kind="stable")
    frame = rows.assign(課題番号=rows["issue_id"], 顧客=rows["group"], 経過=rows["month"], 継続率=rows["survived_share"], 観察中の顧客=rows["n_at_risk"])
    lines = (ABOUT, "誰が離れたかを示すもので、なぜ離れたかは示しません。同条件の顧客は、同じ顧客を月ごとに数え直した延べ人数です。")
    return Sheet("継続率", "課題ごとの継続率", lines, columns, table(frame, columns),
                 when_empty="継続率を示せる課題はありません（契約のデータがないか、顧客が5名未満です）。",
                 keys=(("課題番号", "issue_id"), ("顧客", "group"), ("経過", "month")))
