"""Who has an issue: its customers by plan, segment and LTV tier, against all customers."""

import pandas as pd

from voc.impact.cost import customers_having
from voc.impact.periods import Window
from voc.impact.records import Links

MIN_CELL = 5
TIER = "LTV区分"
_COLUMNS = {"plan": "plan", "segment": "segment", TIER: "tier"}  # attribute -> column of the customers


def issue_segments(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, issues: pd.DataFrame, *, window: Window
) -> pd.DataFrame:
    """ISSUE_SEGMENTS: who has an issue, by plan, segment and LTV区分 (high, mid, low), against all customers of the period.

    share: of the issue's customers, base_share: of all; cells of fewer than 5 customers are left out, and so are the
    tiers where `customers` has none (no price is known).
    """
    day = contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end) & (contacts["customer"].to_numpy() >= 0)
    having = customers_having(contacts, links, inside)
    person = pd.Index(customers["customer_id"]).get_indexer(having["customer_id"])
    active = (customers["start"] < window.period_end) & (customers["end"] >= window.period_start)
    parts = []
    for attribute, column in _COLUMNS.items():
        if column not in customers:
            continue
        base = customers.loc[active, column].value_counts(normalize=True)
        values = pd.DataFrame({"issue": having["issue"], "value": customers[column].to_numpy(dtype=object)[person]})
        cells = values.groupby(["issue", "value"]).size().rename("n_customers").reset_index()
        cells["share"] = cells["n_customers"] / cells.groupby("issue")["n_customers"].transform("sum")
        cells["base_share"] = cells["value"].map(base).fillna(0.0).astype("float64")
        parts.append(cells[cells["n_customers"] >= MIN_CELL].assign(attribute=attribute))
    table = pd.concat(parts, ignore_index=True)
    table["issue_id"] = issues["issue_id"].to_numpy()[table.pop("issue").to_numpy(dtype="int64")]
    return table
