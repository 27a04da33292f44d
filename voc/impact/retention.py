"""How long customers stay after their first contact about an issue, beside others like them. A description, no effect."""

import numpy as np
import pandas as pd

from voc.impact.periods import DAYS_PER_MONTH, Window, month_number
from voc.impact.person_months import TENURE_MONTHS
from voc.impact.records import LIKELY, Links
from voc.impact.segments import MIN_CELL

NOTE = "記述統計であり効果ではありません。"
EXPOSED, OTHERS = "問い合わせた顧客", "問い合わせていない同条件の顧客"
MAX_MONTHS = 12


def retention(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, issues: pd.DataFrame, *, window: Window,
    max_months: int = MAX_MONTHS,
) -> pd.DataFrame:
    """RETENTION: Kaplan-Meier share of customers still there so many months after the first contact about an issue.

    Group 問い合わせた顧客: from the day of their first probable contact on. Group 問い合わせていない同条件の顧客: customers of the
    same plan and tenure band who had not had the issue by the middle of that calendar month, from that day on,
    until they have it themselves; each month, plan and band weighs what the contacts there weigh. Contacts
    without such a match are in neither group. n_at_risk: customers (the second group: customer-starts) still
    followed. Issues with fewer than 5 customers, and months with fewer than 5 at risk in either group, are left out.
    It says who leaves, not why: reverse issues and hidden dissatisfaction are in it. Show it with NOTE only.
    """
    first = _first_contacts(contacts, links, len(issues))
    first = first[(first["day"] >= customers["start"].to_numpy()[first["customer"]])
                  & (first["day"] <= customers["end"].to_numpy()[first["customer"]])]  # fmt: skip
    parts = []
    for issue, group in first.groupby("issue", sort=True):
        if len(group) >= MIN_CELL:
            curves = _curves(group, customers, window, max_months)
            parts.append(curves.assign(issue_id=issues["issue_id"].iloc[issue]))
    if not parts:
        return pd.DataFrame(columns=["issue_id", "group", "month", "n_at_risk", "survived_share"])
    return pd.concat(parts, ignore_index=True)


def survival(days: np.ndarray, ended: np.ndarray, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weighted Kaplan-Meier share that has not ended by each day of `at`. `days`: followed (whole, from 0); `ended`: else
    lost sight of. `at`: whole days."""
    at_risk = np.bincount(days, weights=weights)[::-1].cumsum()[::-1]
    events = np.bincount(days, weights=weights * ended)
    share = np.cumprod(1.0 - np.divide(events, at_risk, out=np.zeros(len(events)), where=at_risk > 0))
    return np.append(share, share[-1])[np.minimum(at, len(share))]


def _first_contacts(contacts: pd.DataFrame, links: Links, n_issues: int) -> pd.DataFrame:
    """issue, customer, day of the first probable contact."""
    customer = contacts["customer"].to_numpy()[links.contact]
    keep = (customer >= 0) & (links.probability >= LIKELY) & (links.issue < n_issues)
    said = pd.DataFrame({
        "issue": links.issue[keep], "customer": customer[keep], "day": contacts["day"].to_numpy()[links.contact[keep]],
    })
    return said.groupby(["issue", "customer"], as_index=False)["day"].min()


def _curves(group: pd.DataFrame, customers: pd.DataFrame, window: Window, max_months: int) -> pd.DataFrame:
    start, end = customers["start"].to_numpy(), customers["end"].to_numpy()
    plans = pd.factorize(customers["plan"], sort=True)[0]
    told = np.full(len(customers), window.end_day)
    told[group["customer"]] = group["day"]
    month = month_number(group["day"].to_numpy())
    n_bands = len(TENURE_MONTHS) + 1
    exposed, others = [], []
    for number in np.unique(month):
        begins, after = (np.datetime64(int(number) + step, "M").astype("datetime64[D]").astype("int64") for step in (0, 1))
        middle = int(begins + after) // 2
        stratum = plans * n_bands + np.searchsorted(TENURE_MONTHS, (middle - start) / DAYS_PER_MONTH, side="right")
        now = group[month == number]
        # who asks later stays among the others until then: what comes later must not decide who is compared now
        free = np.flatnonzero((start < begins) & (end >= middle) & (told >= middle))
        size = int(stratum.max()) + 1
        n_others = np.bincount(stratum[free], minlength=size)
        matched = now[n_others[stratum[now["customer"]]] > 0]
        if matched.empty:
            continue
        n_exposed = np.bincount(stratum[matched["customer"]], minlength=size)
        free = free[n_exposed[stratum[free]] > 0]
        exposed.append(_followed(matched["day"].to_numpy(), end[matched["customer"]], window.end_day, np.ones(len(matched))))
        last = np.minimum(told[free], window.end_day)
        others.append(_followed(np.full(len(free), middle), end[free], last, (n_exposed / np.maximum(n_others, 1))[stratum[free]]))
    if not exposed:
        return pd.DataFrame(columns=["group", "month", "n_at_risk", "survived_share"])
    return _table(np.concatenate(exposed), np.concatenate(others), max_months)


def _followed(begin: np.ndarray, end: np.ndarray, last: np.ndarray | int, weights: np.ndarray) -> np.ndarray:
    """Rows x (days followed, ended, weight), until the end of the contract or `last`, whatever comes first."""
    ended = end < last
    return np.column_stack([np.maximum(np.where(ended, end, last) - begin, 0), ended, weights])


def _table(exposed: np.ndarray, others: np.ndarray, max_months: int) -> pd.DataFrame:
    months = np.arange(max_months + 1)
    at = np.round(months * DAYS_PER_MONTH).astype("int64")
    frames = []
    for name, rows in ((EXPOSED, exposed), (OTHERS, others)):
        days = rows[:, 0].astype("int64")
        share = survival(days, rows[:, 1].astype(bool), rows[:, 2], at)
        frames.append(pd.DataFrame({
            "group": name, "month": months, "n_at_risk": len(days) - np.searchsorted(np.sort(days), at), "survived_share": share,
        }))
    enough = np.minimum(frames[0]["n_at_risk"], frames[1]["n_at_risk"]) >= MIN_CELL
    return pd.concat([frame[enough] for frame in frames], ignore_index=True)
