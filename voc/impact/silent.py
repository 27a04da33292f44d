"""Customers who have the problem and do not tell it: a bounded estimate, only from a rate that the company gives."""

import numpy as np
import pandas as pd

LEAST = "問い合わせた顧客だけの数で、問い合わせずに離れた顧客の分は含みません。"
_TOLD = ("推定値", "参考値")


def silent_estimate(
    impact: pd.DataFrame, *, reporting_rate: tuple[float, float] | None, real_churns: float | None
) -> pd.DataFrame:
    """SILENT: prevented churns and LTV (yen) per month if those who never told it are counted too, as a range.

    Low = churns_low / the higher rate, high = churns_high / the lower rate: it holds what the estimate and the rate
    leave open, and supposes that a problem does to those who are silent what it does to those who tell. `impact`:
    IMPACT; only issues with a number above the tier データ不足 and churns_prevented > 0. Never more than `real_churns`
    (the company's churns per month). Without a rate the table is empty: the tables cannot say it.
    """
    columns = ["issue_id", "reporting_low_share", "reporting_high_share", "churns_low", "churns_high", "ltv_low_yen", "ltv_high_yen", "note"]
    chosen = impact[impact["tier"].isin(_TOLD) & (impact["churns_prevented"] > 0) & (impact["flag"] == "")]
    if reporting_rate is None or chosen.empty:
        return pd.DataFrame(columns=columns)
    low, high = reporting_rate
    table = pd.DataFrame({
        "issue_id": chosen["issue_id"], "reporting_low_share": low, "reporting_high_share": high,
        "churns_low": np.maximum(chosen["churns_low"], 0.0) / high, "churns_high": np.maximum(chosen["churns_high"], 0.0) / low,
        "ltv_low_yen": np.maximum(chosen["ltv_low_yen"], 0.0) / high, "ltv_high_yen": np.maximum(chosen["ltv_high_yen"], 0.0) / low,
    }).reset_index(drop=True)
    most = np.inf if real_churns is None or np.isnan(real_churns) else real_churns
    is_cut = table["churns_high"] > most
    for name in ("low", "high"):
        cut = np.minimum(1.0, most / np.maximum(table[f"churns_{name}"], 1e-12))
        table[f"churns_{name}"] *= cut
        table[f"ltv_{name}_yen"] *= cut
    rate = f"{low:.0%}〜{high:.0%}" if low < high else f"{low:.0%}"
    note = f"参考: 困った顧客のうち申し出る割合を {rate}（御社の調査）とした場合。申し出ない顧客にも同じ影響があると仮定しています。"
    table["note"] = np.where(is_cut, note + "上限は会社全体の解約数です。", note)
    return table
