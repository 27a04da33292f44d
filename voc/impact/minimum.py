"""What a company must have before churn numbers are given, said in Japanese with what to collect."""

import pandas as pd

from voc.config import Impact
from voc.impact.periods import LONG_AGO, NOT_ENDED, Window

MIN_START_SHARE = 0.8
MIN_STAYING_SHARE = 0.02  # a table of churned customers only has nobody to compare with


def n_churns(customers: pd.DataFrame, window: Window) -> int:
    """Customers that ended within the window."""
    return int(((customers["end"] >= window.start_day) & (customers["end"] < window.end_day)).sum())


def blockers(customers: pd.DataFrame, window: Window) -> list[str]:
    """Every reason (Japanese) why nothing can be said about churn, however much data there is; empty if there is none."""
    if not len(customers):  # without customers there is no churn to count either: one reason says it all
        return ["顧客表がありません。顧客ID・契約日・解約日・プラン・月額を持つ顧客表を追加してください。解約した顧客も含めてください。"]
    if not n_churns(customers, window):
        return ["集計期間に解約した顧客がいません。解約日のある解約済みの顧客も顧客表に含めてください。"]
    staying = int(((customers["end"] >= NOT_ENDED) & (customers["start"] < window.end_day)).sum())
    if staying < MIN_STAYING_SHARE * len(customers):
        return [
            f"集計期間の終わりに契約中の顧客が {staying:,} 名（全 {len(customers):,} 名）しかいません。"
            "解約した顧客だけの表では比べる相手がいないため、契約中の顧客も含めてください。"
        ]
    return []


def shortfalls(contacts: pd.DataFrame, customers: pd.DataFrame, window: Window, *, impact: Impact) -> list[str]:
    """Every minimum of `impact` that the company's data do not reach (Japanese, with what to collect)."""
    if not len(customers):
        return []
    churns = n_churns(customers, window)
    n_contacts = int((contacts["customer"] >= 0).sum())
    reasons = []
    share = float((customers["start"] > LONG_AGO).mean())
    if share < MIN_START_SHARE:
        reasons.append(
            f"契約日のある顧客が {share:.0%} です（必要: {MIN_START_SHARE:.0%} 以上）。"
            "顧客表に契約日を加えてください。"
        )
    if window.n_months < impact.min_months:
        reasons.append(
            f"問い合わせデータが満 {window.n_months} か月分です（必要: {impact.min_months} か月以上）。"
            "過去分を追加するか、蓄積を待ってください。"
        )
    if churns < impact.min_churns:
        reasons.append(
            f"期間中の解約が {churns} 件です（必要: {impact.min_churns} 件以上）。"
            "解約日のある解約済みの顧客も含めて、より長い期間を集めてください。"
        )
    if n_contacts < impact.min_contacts:
        reasons.append(
            f"顧客IDの分かる問い合わせが {n_contacts} 件です（必要: {impact.min_contacts} 件以上）。"
            "問い合わせに顧客IDを記録してください。"
        )
    return reasons
