"""The order in which issues deserve attention, with its uncertainty and one reason in Japanese."""

from typing import Literal

import numpy as np
import pandas as pd

from voc.impact.at_stake import PRAISE, dearest_first, kinds_of, ltv_at_stake, may_cost_customers
from voc.impact.estimation import Estimate
from voc.tables import RANKING, check

TOP = 5


def rank(
    estimate: Estimate, issues: pd.DataFrame, *, audience: Literal["product", "executive"], shrunken: bool = True
) -> pd.DataFrame:
    """RANKING rows of `audience`, best first rank 1.

    score_yen = LTV at stake + contact cost, both per month. The LTV is the shrunken (cautious) one, or the point
    estimate with `shrunken=False`; it counts 0 for praise, confirmed controls, reverse and protective issues, for issues without enough
    data, and where it is negative. Equal scores (a survey costs nothing) are ordered by contacts. `executive` leaves praise out. rank_low, rank_high: 90 % interval of the rank
    over the draws, widened to hold the rank itself; top5_share: share of draws in which the issue is in the first five.
    """
    if audience not in ("product", "executive"):
        raise ValueError(f"audience is {audience!r}; allowed are 'product' and 'executive'")
    table = estimate.impact[estimate.impact["issue_id"] != ""].reset_index(drop=True)
    kinds = kinds_of(issues)
    praise = (table["issue_id"].map(kinds) == PRAISE).to_numpy()
    if audience == "executive":
        table, praise = table[~praise].reset_index(drop=True), praise[~praise]
    controls = estimate.controls.loc[estimate.controls["is_confirmed"], "issue_id"]
    valued = may_cost_customers(table, kinds, controls)
    cost = table["contact_cost_yen"].to_numpy()
    ltv = ltv_at_stake(table, kinds, controls, column="ltv_shrunken_yen" if shrunken else "ltv_yen")
    score = ltv + cost
    position = np.empty(len(table), dtype="int64")
    position[dearest_first(table, score)] = np.arange(1, len(table) + 1)
    drawn = estimate.draws.reindex(table["issue_id"]).fillna(0.0).to_numpy()
    drawn = np.maximum(drawn, 0.0) * valued[:, None] + cost[:, None]
    ranks = _ranks(drawn, position)
    low, high = (np.quantile(ranks, q, axis=1, method="nearest") if len(table) else [] for q in (0.05, 0.95))
    return check(pd.DataFrame({
        "issue_id": table["issue_id"], "audience": audience, "rank": position,
        "rank_low": np.minimum(low, position).astype("int64"), "rank_high": np.maximum(high, position).astype("int64"),
        "top5_share": (ranks <= TOP).mean(axis=1) if len(table) else 0.0, "score_yen": score,
        "reason": _reasons(table, praise, ltv, cost),
    }), RANKING)


def _ranks(scores: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Rank of each issue (rows) in each draw (columns); ties in the order of `position`."""
    order = np.lexsort((np.broadcast_to(position[:, None], scores.shape), -scores), axis=0)
    ranks = np.empty(scores.shape, dtype="int64")
    np.put_along_axis(ranks, order, np.arange(1, len(scores) + 1)[:, None], axis=0)
    return ranks


def _reasons(table: pd.DataFrame, praise: np.ndarray, ltv: np.ndarray, cost: np.ndarray) -> np.ndarray:
    proven = (table["churns_low"] > 0).to_numpy()
    return np.select(
        [
            (table["flag"] == "reverse").to_numpy(), praise, (table["flag"] == "protective").to_numpy(),
            (table["flag"] == "insufficient").to_numpy(), (ltv > cost) & proven, ltv > cost, ltv > 0,
        ],
        [
            "解約を決めた後の問い合わせのため対応費用のみ", "称賛のため対応費用のみ", "解約を減らす問い合わせのため対応費用のみ",
            "解約への影響は判断できず対応費用のみ", "解約による損失が大きい", "解約による損失の可能性が大きい",
            "問い合わせの対応費用が大きい",
        ],
        "解約への影響は見られず対応費用のみ",
    )
