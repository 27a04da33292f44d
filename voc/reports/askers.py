"""Who asked for an issue: one row a customer and issue, for product.xlsx and cs.xlsx. Pseudonyms only."""

import pandas as pd

from voc.impact.lifetime import TIER_NAMES
from voc.impact.records import LIKELY
from voc.reports.formats import SMALL_GROUP
from voc.reports.sheets import Column, Sheet, table

NAME = "声を寄せた顧客"
ROWS = 200_000
"""A desk does not open a larger sheet."""


def askers_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, timezone: str, least: int = SMALL_GROUP, n_rows: int = ROWS) -> Sheet:
    """Customers of each issue, the largest LTV first, with their first and last day and their last contact.

    `tables`: mentions, contacts, customers, customer_health, impact. `issues`: issue_id, 課題 in the order of the report. Issues of
    fewer than `least` customers are left out (1: none is, for the service desk that calls them back).
    """
    columns = [Column("課題番号", "id", 11), Column("課題", "text", 34), Column("仮名", "id", 20), Column("プラン", "text", 16), Column("LTV区分", "text", 14),
               Column("LTV", "yen", 13, bar=True, source="customer_health|ltv_yen"), Column("最初の日", "day", 12, source="表 mentions の mentioned_at の最初"),
               Column("最後の日", "day", 12, source="表 mentions の mentioned_at の最後"), Column("問い合わせ", "count", 11, source="表 mentions の contact_id の数"),
               Column("分析期間", "text", 10), Column("最後の問い合わせ番号", "id", 24)]  # fmt: skip
    found = _asked(tables, issues, timezone=timezone)
    n_customers = found.groupby("issue_id")["customer_id"].transform("size")
    kept = found[n_customers >= least]
    hidden = found.loc[n_customers < least, "issue_id"].nunique()
    n_all = len(kept)
    lines = ["課題ごとに、声を寄せた顧客の一覧です（仮名。LTVの大きい順）。顧客番号は、仮名を付けて次の1行で調べられます： voc reveal 仮名 --config voc.toml",
             "「分析期間」が「期間内」の顧客を数えたものが、順位の「顧客数」です。期間より前に声を寄せた顧客も載せています。"]  # fmt: skip
    if hidden:
        lines.append(f"顧客が{least}名に満たない{hidden}課題は載せていません（CS向けの cs.xlsx にはあります）。")
    if n_all > n_rows:
        lines.append(f"全{n_all:,}行のうち{n_rows:,}行を載せています（残りは保存先の表 mentions にあります）。")
    return Sheet(NAME, "この声を寄せた顧客", tuple(lines), tuple(columns), table(kept.head(n_rows), columns),
                 when_empty="声を寄せた顧客が分かる課題はありません（顧客の番号がないか、5名未満です）。", keys=(("仮名", "customer_id"),))


def _asked(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, timezone: str) -> pd.DataFrame:
    own = tables["mentions"].dropna(subset=["customer_id"])
    own = own[own["probability"] >= LIKELY].merge(issues.assign(place=range(len(issues)))[["issue_id", "課題", "place"]], on="issue_id")
    own = own.sort_values(["issue_id", "customer_id", "mentioned_at", "contact_id"], kind="stable")
    impact = tables["impact"].set_index("issue_id")
    days = own["mentioned_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    start, end = (pd.to_datetime(own["issue_id"].map(impact[column].to_dict())) for column in ("period_start_on", "period_end_on"))
    own = own.assign(day=days, inside=(days >= start) & (days <= end))
    found = own.groupby(["place", "issue_id", "課題", "customer_id"], as_index=False).agg(
        最初の日=("day", "min"), 最後の日=("day", "max"), 問い合わせ=("contact_id", "nunique"), inside=("inside", "any"), 最後の問い合わせ番号=("contact_id", "last"))
    found = found.merge(tables["customers"][["customer_id", "plan"]], on="customer_id", how="left")
    found = found.merge(tables["customer_health"][["customer_id", "tier", "ltv_yen"]], on="customer_id", how="left")
    found = found.sort_values(["place", "ltv_yen", "最後の日", "customer_id"], ascending=[True, False, False, True], kind="stable", ignore_index=True)
    return found.assign(
        課題番号=found["issue_id"], 仮名=found["customer_id"], プラン=found["plan"], LTV区分=found["tier"].map(TIER_NAMES), LTV=found["ltv_yen"],
        分析期間=found["inside"].map({True: "期間内", False: "期間より前"}))
