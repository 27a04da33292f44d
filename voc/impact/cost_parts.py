"""What contacts cost in parts, which part is cash and which capacity, and what self-service would save."""

import numpy as np
import pandas as pd

from voc.config import Costs
from voc.impact.cost import COST_PARTS_YEN, contact_cost_parts, repeats, saving_ranges, split_cost
from voc.impact.periods import Window
from voc.impact.records import Links

ISSUE, COMPANY = "issue", "company"
_SUMMED = [*COST_PARTS_YEN, "contact_cost_yen", "repeat_cost_yen", "cash_yen"]
_NOTES = {
    "none": "現金支出になる割合（cash_share）の設定がないため、全額を固定人件費（キャパシティ）とみなしています。"
            "減らした時間は支出の減少ではなく、他の業務に回せる時間です。",
    "some": "現金は委託の件数課金や残業など、問い合わせが減れば支払いが減る分。キャパシティは固定人件費で、減らした時間を他の業務に回せる分です。",
}  # fmt: skip


def cost_parts(
    contacts: pd.DataFrame, links: Links, issues: pd.DataFrame, window: Window, *, costs: Costs, n_draws: int, seed: int
) -> pd.DataFrame:
    """COST_PARTS: yen per month over the period, per issue, '' for contacts without one, and the company as a whole.

    handle + after_call + transfer + per_contact = contact_cost = cash + capacity; every column but savings sums over
    the issue rows to the company's. saving_yen: contact cost x deflectable share x success, the shares drawn uniformly
    in their ranges, one draw per kind (issues of a kind are right or wrong together): mean and 5 to 95 % of the draws.
    saving_cash_yen: its cash part. faq_yen: running cost of the FAQ, by saving; not taken off the savings.
    `contacts`: contact_id, customer_id, channel, started_at, day, handle_seconds, n_transfers.
    """
    n, day = len(issues), contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end)
    parts = contact_cost_parts(contacts, costs=costs, window=window)[list(COST_PARTS_YEN)]
    whole = parts.to_numpy().sum(axis=1)
    cash = whole * contacts["channel"].map(costs.cash_share).astype("float64").fillna(0.0).to_numpy()
    again = repeats(contacts, links, repeat_days=costs.repeat_days)
    chosen = inside[links.contact]
    alone = inside & (np.bincount(links.contact, minlength=len(contacts)) == 0)
    columns = {name: parts[name].to_numpy() for name in COST_PARTS_YEN} | {"contact_cost_yen": whole, "cash_yen": cash}
    sums = {
        name: [*np.bincount(links.issue[chosen], weights=split_cost(yen, links)[chosen], minlength=n), yen[alone].sum()]
        for name, yen in columns.items()
    }
    repeated = (split_cost(whole, links) * again)[chosen]
    sums["repeat_cost_yen"] = [*np.bincount(links.issue[chosen], weights=repeated, minlength=n), 0.0]
    table = pd.DataFrame(sums, columns=_SUMMED, dtype="float64") / window.period_months
    draws = _drawn_shares(issues, costs=costs, n_draws=n_draws, seed=seed) * table["contact_cost_yen"].to_numpy()[:, None]
    mean = _mean_shares(issues, costs=costs) * table["contact_cost_yen"].to_numpy()
    cash_share = np.divide(table["cash_yen"], table["contact_cost_yen"], out=np.zeros(n + 1), where=table["contact_cost_yen"] > 0)
    table = _with_savings(table, mean, draws).assign(saving_cash_yen=mean * cash_share, scope=ISSUE)
    table["faq_yen"] = costs.faq_yen_per_month * mean / mean.sum() if mean.sum() > 0 else 0.0
    table.insert(0, "issue_id", [*issues["issue_id"], ""])
    company = table[[*_SUMMED, "saving_cash_yen"]].sum().to_frame().T
    company = _with_savings(company, np.array([mean.sum()]), draws.sum(axis=0, keepdims=True))
    company = company.assign(issue_id="", scope=COMPANY, faq_yen=costs.faq_yen_per_month)
    company["note"] = _NOTES["some" if any(costs.cash_share.values()) else "none"]
    result = pd.concat([table, company], ignore_index=True)
    return result.assign(capacity_yen=result["contact_cost_yen"] - result["cash_yen"])


def cost_channels(contacts: pd.DataFrame, window: Window, *, costs: Costs) -> pd.DataFrame:
    """COST_CHANNELS: per channel and month of the period, with the assumptions that the cost rests on.

    handle_hours: paid hours of handling and after-call work, before they are divided by concurrency;
    n_seconds_assumed: contacts whose handling time was not recorded; cost_per_contact_yen (CPC) = cost / contacts.
    """
    day = contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end)
    parts = contact_cost_parts(contacts, costs=costs, window=window)
    frame = pd.DataFrame({
        "channel": contacts["channel"].to_numpy(), "n_contacts": 1.0, "handle_hours": parts["seconds"] / 3600.0,
        "n_seconds_assumed": parts["is_assumed"] * 1.0, "contact_cost_yen": parts[list(COST_PARTS_YEN)].sum(axis=1),
    })[inside]
    table = (frame.groupby("channel", sort=True).sum() / window.period_months).reset_index()
    table["cost_per_contact_yen"] = table["contact_cost_yen"] / table["n_contacts"]
    for name, values, usual in (
        ("yen_per_hour", costs.yen_per_hour, np.nan), ("concurrency", costs.concurrency, 1.0), ("cash_share", costs.cash_share, 0.0),
    ):
        table[name] = table["channel"].map(values).astype("float64").fillna(usual)
    return table


def _drawn_shares(issues: pd.DataFrame, *, costs: Costs, n_draws: int, seed: int) -> np.ndarray:
    """Issues and '' x draws: share of the cost saved. All issues stand at one point of their range's kind."""
    rng = np.random.default_rng([seed, 5])
    ranges = np.array([*saving_ranges(issues, costs=costs), (0.0, 0.0)])
    kinds, kind = np.unique(np.append(issues["kind"].to_numpy(dtype=object), "").astype(str), return_inverse=True)
    point = rng.random((len(kinds), n_draws))[kind]
    low, high = costs.deflection_success
    success = low + (high - low) * rng.random(n_draws)
    return (ranges[:, :1] + (ranges[:, 1:] - ranges[:, :1]) * point) * success


def _mean_shares(issues: pd.DataFrame, *, costs: Costs) -> np.ndarray:
    ranges = np.array([*saving_ranges(issues, costs=costs), (0.0, 0.0)])
    return ranges.mean(axis=1) * np.mean(costs.deflection_success)


def _with_savings(table: pd.DataFrame, mean: np.ndarray, draws: np.ndarray) -> pd.DataFrame:
    low, high = np.quantile(draws, [0.05, 0.95], axis=1)
    return table.assign(saving_yen=mean, saving_low_yen=low, saving_high_yen=high)
