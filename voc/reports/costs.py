"""What contacts cost and what of it could be saved as cash: COST_PARTS and COST_CHANNELS as blocks, pairs and a sheet."""

import pandas as pd

from voc.reports.formats import count, is_missing, percent, plain, yen
from voc.reports.sheets import Column, Sheet, table
from voc.reports.sources import address
from voc.reports.wording import channel_name

CASH, CAPACITY = "現金で減る分", "空く時間（固定の人件費）"
_COLUMNS = (
    Column("窓口", "text", 14), Column("コスト／月", "yen", 15, bar=True, source="cost_channels|contact_cost_yen"),
    Column("1件あたり", "yen", 12, source="cost_channels|cost_per_contact_yen"), Column("件数／月", "contacts", 11, source="cost_channels|n_contacts"),
    Column("対応時間／月", "hours", 13, source="cost_channels|handle_hours"),
    Column("現金の割合", "percent", 11, source="cost_channels|cash_share"),
    Column(f"{CASH}／月", "yen", 15, source="コスト／月 × 現金の割合"),
    Column("時間単価", "yen", 11, source="cost_channels|yen_per_hour"), Column("同時対応数", "contacts", 11, source="cost_channels|concurrency"),
    Column("対応秒数の記録がない件数／月", "contacts", 16, source="cost_channels|n_seconds_assumed"), Column("窓口の記号", "id", 12, on_page=False),
)  # fmt: skip


def company_cost(parts: pd.DataFrame) -> dict | None:
    """The company's row of COST_PARTS; None where there is none, or where its contacts cost nothing."""
    rows = parts[(parts["scope"] == "company") & (parts["contact_cost_yen"] > 0)]
    return None if rows.empty else rows.iloc[0].to_dict()


def cost_split(parts: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """(lines, written figures -> address) on what of the company's cost is cash and what is time that becomes free."""
    whole = company_cost(parts)
    if whole is None:
        return [], {}
    names = ("contact_cost_yen", "capacity_yen", "cash_yen")
    line = (f"問い合わせコスト月{yen(whole['contact_cost_yen'])}のうち、問い合わせが減れば{CASH}は月{yen(whole['cash_yen'])}、"
            f"{CAPACITY}は月{yen(whole['capacity_yen'])}です。")  # fmt: skip
    amounts = {yen(whole[name]): address("cost_parts", "company", name) for name in names}
    return [line, *([plain(whole["note"], limit=300)] if not is_missing(whole["note"]) else [])], amounts


def cost_pairs(issue_id: str, parts: pd.DataFrame) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """(name and text of the parts of one issue's cost, written figures -> address); empty where no part of it is cash:
    then all of it is capacity, as the block of the company says."""
    rows = parts[(parts["scope"] == "issue") & (parts["issue_id"] == issue_id) & (parts["cash_yen"] > 0)]
    if rows.empty:
        return [], {}
    row = rows.iloc[0]
    told = (("うち" + CASH, "cash_yen"), ("うち" + CAPACITY, "capacity_yen"))
    return ([(name, f"月{yen(row[column])}") for name, column in told],
            {yen(row[column]): address("cost_parts", issue_id, column) for _, column in told})  # fmt: skip


def cost_block(parts: pd.DataFrame, channels: pd.DataFrame) -> dict:
    """The section 問い合わせコストの内訳: lines, amounts and rows by channel (channel, cost, each, contacts, cash, source); {} without cost."""
    lines, amounts = cost_split(parts)
    if not lines:
        return {}
    return {"lines": lines, "amounts": amounts, "rows": [
        {"channel": plain(channel_name(row["channel"]), limit=20), "cost": yen(row["contact_cost_yen"]), "each": yen(row["cost_per_contact_yen"]),
         "contacts": count(row["n_contacts"]), "cash": percent(row["cash_share"], places=0), "source": address("cost_channels", row["channel"], "")}
        for row in _dearest(channels).to_dict("records")]}  # fmt: skip


def costs_sheet(parts: pd.DataFrame, channels: pd.DataFrame) -> Sheet:
    """問い合わせコスト by channel for the service desk, with the assumptions that the amounts rest on."""
    lines, amounts = cost_split(parts)
    frame = _dearest(channels)
    frame = frame.assign(**{
        "窓口": frame["channel"].map(channel_name), "コスト／月": frame["contact_cost_yen"], "1件あたり": frame["cost_per_contact_yen"],
        "件数／月": frame["n_contacts"], "対応時間／月": frame["handle_hours"], "現金の割合": frame["cash_share"],
        f"{CASH}／月": frame["contact_cost_yen"] * frame["cash_share"], "時間単価": frame["yen_per_hour"], "同時対応数": frame["concurrency"],
        "対応秒数の記録がない件数／月": frame["n_seconds_assumed"], "窓口の記号": frame["channel"]})  # fmt: skip
    about = "窓口ごとの月平均です。時間単価、同時対応数、現金の割合は設定 [costs] の値で、対応時間は後処理を含みます。"
    return Sheet("問い合わせコスト", "問い合わせコストの内訳", (*lines, about), _COLUMNS, table(frame, _COLUMNS),
                 when_empty="問い合わせコストは、今回は算出していません。", keys=(("窓口の記号", "channel"),), amounts=amounts)


def _dearest(channels: pd.DataFrame) -> pd.DataFrame:
    return channels.sort_values(["contact_cost_yen", "channel"], ascending=[False, True], kind="stable", ignore_index=True)
