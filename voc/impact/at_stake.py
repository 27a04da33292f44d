"""What an issue puts at stake, by one rule for the ranking, the totals, the advice and the doors of the data scientist."""

from collections.abc import Collection

import numpy as np
import pandas as pd

PRAISE = "称賛"


def may_cost_customers(impact: pd.DataFrame, kinds: pd.Series, controls: Collection[str]) -> np.ndarray:
    """Per row of IMPACT whether its LTV counts: not praise, no reverse or protective issue, no confirmed control.

    `kinds`: issue_id -> kind; `controls`: numbers of the confirmed controls, which a person said cannot cause churn.
    """
    is_praise = impact["issue_id"].map(kinds) == PRAISE
    return ~(is_praise | impact["flag"].isin(["reverse", "protective"]) | impact["issue_id"].isin(list(controls))).to_numpy(dtype=bool)


def ltv_at_stake(impact: pd.DataFrame, kinds: pd.Series, controls: Collection[str], *, column: str = "ltv_shrunken_yen") -> np.ndarray:
    """Yen per month of each row of IMPACT: its LTV `column`, the cautious one, and 0 where it is negative, not known, or does
    not count (`may_cost_customers`)."""
    yen = impact[column].fillna(0.0).to_numpy(dtype="float64")
    return np.where(may_cost_customers(impact, kinds, controls), np.maximum(yen, 0.0), 0.0)


def dearest_first(impact: pd.DataFrame, score: np.ndarray) -> np.ndarray:
    """Positions of the rows of IMPACT by `score`; equal ones (a survey costs nothing) by contacts, then by number."""
    return np.lexsort((impact["issue_id"].to_numpy(dtype=object).astype(str), -impact["n_contacts"].to_numpy(), -score))


def kinds_of(issues: pd.DataFrame) -> pd.Series:
    """issue_id -> kind."""
    return issues.drop_duplicates("issue_id").set_index("issue_id")["kind"]
