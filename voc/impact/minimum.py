"""What a company must have before churn numbers are given, said in Japanese with what to collect."""

import pandas as pd

from voc.config import Impact
from voc.impact.periods import LONG_AGO, Window

MIN_START_SHARE = 0.8


def n_churns(customers: pd.DataFrame, window: Window) -> int:
    """Customers that ended within the window."""
    return int(((customers["end"] >= window.start_day) & (customers["end"] < window.end_day)).sum())


def shortfalls(contacts: pd.DataFrame, customers: pd.DataFrame, window: Window, *, impact: Impact) -> list[str]:
    """Every reason (Japanese) why churn numbers cannot be given, with what to collect; empty if they can."""
    churns = n_churns(customers, window)
    n_contacts = int((contacts["customer"] >= 0).sum())
    reasons = []
    if not len(customers):  # without customers there is no churn to count either: one reason says it all
        return ["顧客表がありません。顧客ID・契約日・解約日・プラン・月額を持つ顧客表を追加してください。解約した顧客も含めてください。"]
    share = float((customers["start"] > LONG_AGO).mean())
    if share < MIN_START_SHARE:
        reasons.append(
            f"契約日のある顧客が {share:.0%} です（必要: {MIN_START_SHARE:.0%} 以上）。"
            "顧客表に契約日（started_on）を加えてください。"
        )
    if window.n_months < impact.min_months:
        reasons.append(
            f"問い合わせデータが満 {window.n_months} か月分です（必要: {impact.min_months} か月以上）。"
            "過去分を追加するか、蓄積を待ってください。"
        )
    if churns < impact.min_churns:
        reasons.append(
            f"期間中の解約が {churns} 件です（必要: {impact.min_churns} 件以上）。"
            "解約日（ended_on）のある解約済みの顧客も含めて、より長い期間を集めてください。"
        )
    if n_contacts < impact.min_contacts:
        reasons.append(
            f"顧客IDの分かる問い合わせが {n_contacts} 件です（必要: {impact.min_contacts} 件以上）。"
            "問い合わせに顧客IDを記録してください。"
        )
    return reasons
