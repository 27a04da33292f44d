"""Whether the NPS of the last full month fell against the six months before, with the interval of the difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

PROMOTER, DETRACTOR = 9, 6
MONTHS_BEFORE = 6
FEWEST = 20
"""Answers that a source must have on each side; below, it says nothing about a change."""
_OLDEST = 3  # months that the last survey may lie back: many companies ask once a quarter
_Z = 1.96  # 95 %: a company that is asked every month sees a false drop about once in three years


@dataclass(frozen=True, slots=True)
class NpsChange:
    """`month` (2026-10) against the months before: NPS (-100..100), answers, the difference and its 95 % interval."""

    month: str
    nps: float
    nps_before: float
    n: int
    n_before: int
    change: float
    low: float
    high: float


def nps_change(contacts: pd.DataFrame, *, as_of_on: pd.Timestamp, timezone: str) -> NpsChange | None:
    """The change in the last full month with enough answers, at most a quarter back; None where there is none.

    A customer counts once a month and source. Sources are compared with themselves and weighed by their answers of the
    month, so that a change in their mix is no change of the NPS. The variance is that of the shares of promoters and
    detractors, times the dispersion between the months before where that is over 1.
    """
    end = pd.Timestamp(as_of_on).tz_localize(None).to_period("M")
    cells = _cells(contacts, timezone=timezone)
    cells = cells[(cells["month"] < end) & (cells["month"] >= end - _OLDEST - MONTHS_BEFORE)]
    totals = cells.groupby("month")["n"].sum()
    recent = [month for month in totals.index[totals >= FEWEST] if month >= end - _OLDEST]
    if not recent:
        return None
    now = cells[cells["month"] == recent[-1]].set_index("source")
    before = cells[(cells["month"] < recent[-1]) & (cells["month"] >= recent[-1] - MONTHS_BEFORE)]
    past = before.groupby("source")[["n", "promoters", "detractors"]].sum()
    both = [name for name in now.index if name in past.index and now.loc[name, "n"] >= FEWEST and past.loc[name, "n"] >= FEWEST]
    if not both:
        return None
    now, past = now.loc[both], past.loc[both]
    weight = (now["n"] / now["n"].sum()).to_numpy()
    change = float(weight @ (_nps(now) - _nps(past)))
    variance = float(weight**2 @ (_variance(now) + _variance(past))) * _dispersion(before[before["source"].isin(both)])
    margin = _Z * np.sqrt(variance)
    return NpsChange(
        str(recent[-1]), float(weight @ _nps(now)), float(weight @ _nps(past)), int(now["n"].sum()), int(past["n"].sum()),
        change, change - margin, change + margin,
    )  # fmt: skip


def _cells(contacts: pd.DataFrame, *, timezone: str) -> pd.DataFrame:
    """(source, month, n, promoters, detractors) of the last answer of each customer in a month."""
    answered = contacts[contacts["nps"].notna() & contacts["duplicate_of"].isna()].sort_values(["started_at", "contact_id"])
    local = answered["started_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    answered = answered.assign(month=local.dt.to_period("M"), person=answered["customer_id"].fillna(answered["contact_id"]))
    last = answered.drop_duplicates(["source", "month", "person"], keep="last")
    scored = last.assign(n=1, promoters=last["nps"] >= PROMOTER, detractors=last["nps"] <= DETRACTOR)
    return scored.groupby(["source", "month"], as_index=False)[["n", "promoters", "detractors"]].sum()


def _nps(cells: pd.DataFrame) -> np.ndarray:
    return (100 * (cells["promoters"] - cells["detractors"]) / cells["n"]).to_numpy(dtype=float)


def _variance(cells: pd.DataFrame) -> np.ndarray:
    """Of the NPS; one answer of each kind is added, so that twenty equal answers do not look certain."""
    n = cells["n"].to_numpy(dtype=float) + 3
    up, down = (cells["promoters"].to_numpy(dtype=float) + 1) / n, (cells["detractors"].to_numpy(dtype=float) + 1) / n
    return 1e4 * (up + down - (up - down) ** 2) / n


def _dispersion(before: pd.DataFrame) -> float:
    """How much more the months of a source differ than chance has it; 1 with fewer than three months to tell."""
    enough = before[before["n"] >= FEWEST]
    enough = enough[enough.groupby("source")["n"].transform("size") >= 3]
    freedom = len(enough) - enough["source"].nunique()
    if freedom < 2:
        return 1.0
    nps, weight = pd.Series(_nps(enough), index=enough.index), 1 / pd.Series(_variance(enough), index=enough.index)
    sums = pd.DataFrame({"source": enough["source"], "w": weight, "wx": weight * nps}).groupby("source")[["w", "wx"]].transform("sum")
    return max(1.0, float((weight * (nps - sums["wx"] / sums["w"]) ** 2).sum() / freedom))
