"""The block 「NPSを動かしている課題」 and who speaks of what: tables drivers and contrasts -> plain dicts."""

import math

import pandas as pd

from voc.contrasts import CHURNED, HIGH_LTV, PROMOTER
from voc.reports.formats import NONE, SMALL_GROUP, SMALL_GROUP_TEXT, customers, is_missing, percent
from voc.reports.sources import address

SHOWN = 5
LINES_PER_GROUP = 2
GROUPS = {HIGH_LTV: "LTVの大きい顧客", PROMOTER: "NPSの推奨者", CHURNED: "解約を決めた顧客"}
_OTHERS = {HIGH_LTV: "それ以外", PROMOTER: "ほかの回答者", CHURNED: "それ以外"}


def driver_block(drivers: pd.DataFrame, labels: dict[str, str]) -> dict | None:
    """The SHOWN issues whose absence would raise the NPS most (DRIVERS, measure nps); None where none has an effect.

    rows: issue_id, label, gain, interval, other (the leave-one-out number), customers; gains in points of NPS, 90 % intervals.
    `labels`: issue_id -> label of the issues that the report shows.
    """
    rows = drivers[(drivers["measure"] == "nps") & drivers["issue_id"].isin(labels)].dropna(subset=["gain", "gain_low", "gain_high"])
    rows = rows[(rows["n_customers"] >= SMALL_GROUP) & (rows["gain"] > 0)].sort_values(["gain", "issue_id"], ascending=[False, True], kind="stable")
    if rows.empty:
        return None
    return {
        "rows": [{
            "issue_id": row["issue_id"], "label": labels[row["issue_id"]], "gain": points(row["gain"]),
            "interval": f"{points(row['gain_low'])}〜{points(row['gain_high'])}pt", "other": points(row["leave_one_out"]),
            "customers": customers(row["n_customers"]), "source": address("drivers", ("nps", row["issue_id"]), ""), "is_sure": bool(row["gain_low"] > 0),
        } for row in rows.head(SHOWN).to_dict("records")],
        "note": "課題がなかった場合に全体のNPSが何ポイント上がるかを、ほかの課題、プラン、顧客区分、窓口、時期をそろえて推定しました（90%区間）。"
                "区間が0をまたぐ課題は、上がるとは言えません。関連であり、原因の証明ではありません。",
        "other_note": "「他ツールの計算」は、その課題に触れた回答を除いた平均との差です。一緒に触れられたほかの課題の分まで含みます。",
    }  # fmt: skip


def contrast_lines(contrasts: pd.DataFrame, labels: dict[str, str]) -> list[dict]:
    """At most six lines, two of each group: the issues of which it speaks most surely more, or less, than the others.

    Only ratios whose 90 % interval leaves out 1. Each line: group, issue_id, label, share, others, other_share, interval. `labels`: as in `driver_block`.
    """
    rows = contrasts[contrasts["issue_id"].isin(labels) & contrasts["group"].isin(GROUPS)]
    rows = rows[(rows["n_customers"] >= SMALL_GROUP) & (rows["low"] > 0) & ((rows["low"] > 1) | (rows["high"] < 1))]
    if rows.empty:
        return []
    order = {group: place for place, group in enumerate(GROUPS)}
    rows = rows.assign(place=rows["group"].map(order), distance=[
        math.log(low) if low > 1 else -math.log(high) for low, high in zip(rows["low"], rows["high"], strict=True)])  # fmt: skip
    rows = rows.sort_values(["place", "distance", "issue_id"], ascending=[True, False, True], kind="stable")
    return [_contrast(row, labels) for row in rows.groupby("place", sort=False).head(LINES_PER_GROUP).to_dict("records")]


def _contrast(row: dict, labels: dict[str, str]) -> dict:
    # the table keeps cells of its group from five customers on, but not those of the others
    few = row["other_share"] * row["n_others"] < SMALL_GROUP - 0.5
    return {
        "group": GROUPS[row["group"]], "issue_id": row["issue_id"], "label": labels[row["issue_id"]],
        "share": percent(row["share"]), "others": _OTHERS[row["group"]], "other_share": SMALL_GROUP_TEXT if few else percent(row["other_share"]),
        "source": address("contrasts", (row["issue_id"], row["group"]), ""),
        "interval": f"{row['ratio']:.1f}倍（{row['low']:.1f}〜{row['high']:.1f}倍）",
    }  # fmt: skip


def points(value: float | None) -> str:
    """Points of NPS with their sign, one decimal."""
    if is_missing(value):
        return NONE
    text = f"{abs(value):.1f}"
    return ("+" if value > 0 else "−") + text if float(text) else text
