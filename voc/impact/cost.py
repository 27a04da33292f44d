"""Contact cost, split over the issues so that the parts sum to the whole; repeats; what self-service could save."""

import numpy as np
import pandas as pd

from voc.config import Costs
from voc.impact.periods import Window, timestamp
from voc.impact.records import LIKELY, Links
from voc.impact.reverse import cancel_intent

COST_PARTS_YEN = ("handle_yen", "after_call_yen", "transfer_yen", "per_contact_yen")


def contact_cost(contacts: pd.DataFrame, *, costs: Costs, window: Window | None = None) -> np.ndarray:
    """Yen per contact: the sum of `contact_cost_parts`."""
    return contact_cost_parts(contacts, costs=costs, window=window)[list(COST_PARTS_YEN)].to_numpy().sum(axis=1)


def contact_cost_parts(contacts: pd.DataFrame, *, costs: Costs, window: Window | None = None) -> pd.DataFrame:
    """Per contact: handle_yen, after_call_yen, transfer_yen, per_contact_yen; seconds, is_assumed (seconds not known).

    handle = handle_seconds / 3600 x yen per hour / concurrency; after_call the same with `after_call_seconds`;
    transfer = transfers x (transfer_yen + reexplain_seconds / 3600 x yen per hour / concurrency). A channel with
    `yen_per_contact` costs that alone. Missing or negative seconds take the channel's default, which holds after-call
    work; a channel without a rate takes the median rate and default of the configured channels that cost anything.
    With `total_yen_per_month` all parts of a month are multiplied so that they sum to it (`window` is then needed).
    """
    channel = contacts["channel"].astype("object")
    per_second = _by_channel(channel, costs.yen_per_hour) / 3600.0
    per_second = per_second / channel.map(costs.concurrency).astype("float64").fillna(1.0).to_numpy()
    usual = _by_channel(channel, costs.default_handle_seconds)
    seconds = contacts["handle_seconds"].to_numpy(dtype="float64")
    known = np.isfinite(seconds) & (seconds >= 0)
    after = np.where(known, channel.map(costs.after_call_seconds).astype("float64").fillna(0.0), 0.0)
    transfers = np.maximum(np.nan_to_num(contacts["n_transfers"].to_numpy(dtype="float64"), posinf=0.0), 0.0)
    per_contact = channel.map(costs.yen_per_contact).astype("float64").to_numpy()
    by_time = np.isnan(per_contact)
    seconds = np.where(known, seconds, usual)
    parts = pd.DataFrame({
        "handle_yen": by_time * seconds * per_second, "after_call_yen": by_time * after * per_second,
        "transfer_yen": by_time * transfers * (costs.transfer_yen + costs.reexplain_seconds * per_second),
        "per_contact_yen": np.nan_to_num(per_contact),
    })
    if costs.total_yen_per_month is not None and window is not None:
        parts = parts.mul(_to_total(contacts["day"].to_numpy(), parts.to_numpy().sum(axis=1), window, costs=costs), axis=0)
    return parts.assign(seconds=seconds + after, is_assumed=~known)


def _to_total(day: np.ndarray, cost_yen: np.ndarray, window: Window, *, costs: Costs) -> np.ndarray:
    """By what each contact's cost is multiplied so that every full month sums to `total_yen_per_month`.

    Days outside the full months take the mean of these; where no month is full, the period as a whole is scaled.
    """
    total, n = costs.total_yen_per_month, window.n_months
    month = np.searchsorted(window.month_ends, day, side="right")
    inside = (month < n) & (day >= (window.month_starts[0] if n else 0))
    sums = np.bincount(month[inside], weights=cost_yen[inside], minlength=n)
    if n:
        usual = total * (sums > 0).sum() / sums.sum() if sums.sum() > 0 else 0.0
    else:
        whole = cost_yen[(day >= window.period_start) & (day < window.period_end)].sum()
        usual = total * window.period_months / whole if whole > 0 else 0.0
    factor = np.full(len(day), usual)
    factor[inside] = np.divide(total, sums, out=np.zeros(n), where=sums > 0)[month[inside]]
    return factor


def split_cost(cost_yen: np.ndarray, links: Links) -> np.ndarray:
    """Yen per link: the contact's cost x probability / sum of the contact's probabilities."""
    total = np.bincount(links.contact, weights=links.probability, minlength=len(cost_yen))
    return cost_yen[links.contact] * links.probability / total[links.contact]


def repeats(contacts: pd.DataFrame, links: Links, *, repeat_days: int) -> np.ndarray:
    """True for each link whose customer had the same issue at most `repeat_days` days before (both probably so)."""
    customer = pd.factorize(contacts["customer_id"], use_na_sentinel=True)[0][links.contact]
    instant = pd.to_datetime(contacts["started_at"], utc=True).astype("int64").to_numpy()[links.contact]
    likely = np.flatnonzero((customer >= 0) & (links.probability >= LIKELY))
    order = likely[np.lexsort((links.contact[likely], instant[likely], links.issue[likely], customer[likely]))]
    same = (customer[order][1:] == customer[order][:-1]) & (links.issue[order][1:] == links.issue[order][:-1])
    resolution = pd.Timedelta(days=repeat_days).as_unit(pd.to_datetime(contacts["started_at"], utc=True).dt.unit)
    near = instant[order][1:] - instant[order][:-1] <= resolution._value
    again = np.zeros(len(links.contact), dtype=bool)
    again[order[1:][same & near]] = True
    return again


def cost_table(
    contacts: pd.DataFrame, links: Links, issues: pd.DataFrame, window: Window, *, costs: Costs
) -> pd.DataFrame:
    """Per issue, and '' for contacts without one, over the period.

    Per-month means: n_contacts (sum of probabilities), contact_cost_yen, repeat_cost_yen, deflectable_low_yen,
    deflectable_high_yen. n_customers: distinct customers of the period who probably had it.
    `contacts`: contact_id, customer_id, channel, started_at, day, cost_yen; `issues`: issue_id, label, kind.
    """
    n = len(issues)
    day = contacts["day"].to_numpy()
    inside = (day >= window.period_start) & (day < window.period_end)
    share = split_cost(contacts["cost_yen"].to_numpy(), links)
    again = repeats(contacts, links, repeat_days=costs.repeat_days)
    chosen = inside[links.contact]
    issue = links.issue[chosen]
    alone = inside & (np.bincount(links.contact, minlength=len(contacts)) == 0)
    table = pd.DataFrame({
        "issue_id": [*issues["issue_id"], ""],
        "n_contacts": [*_sums(issue, links.probability[chosen], n), float(alone.sum())],
        "contact_cost_yen": [*_sums(issue, share[chosen], n), contacts["cost_yen"].to_numpy()[alone].sum()],
        "repeat_cost_yen": [*_sums(issue, (share * again)[chosen], n), 0.0],
    })
    table[["n_contacts", "contact_cost_yen", "repeat_cost_yen"]] /= window.period_months
    ranges = np.array([*saving_ranges(issues, costs=costs), (0.0, 0.0)])
    for position, name in enumerate(("deflectable_low_yen", "deflectable_high_yen")):
        table[name] = table["contact_cost_yen"] * ranges[:, position] * costs.deflection_success[position]
    having = customers_having(contacts, links, inside)
    loose = contacts["customer_id"][alone].nunique()
    table["n_customers"] = np.append(np.bincount(having["issue"], minlength=n), loose).astype("int64")
    return table


def saving_ranges(issues: pd.DataFrame, *, costs: Costs) -> list[tuple[float, float]]:
    """[low, high] share of each issue's contacts that self-service can take over; 0 for those of leaving customers."""
    leaving = cancel_intent(issues)  # nobody is kept by answering how to leave faster
    return [
        (0.0, 0.0) if leaves else costs.deflectable_range(kind) for kind, leaves in zip(issues["kind"], leaving, strict=True)
    ]


def issue_months(contacts: pd.DataFrame, links: Links, issues: pd.DataFrame, window: Window) -> pd.DataFrame:
    """ISSUE_MONTHS for every full month and issue, '' included; the costs of a month sum to its whole cost."""
    n, n_months = len(issues), window.n_months
    if not n_months:
        return pd.DataFrame(columns=["issue_id", "month_on", "n_contacts", "n_customers", "contact_cost_yen"])
    day = contacts["day"].to_numpy()
    month = np.searchsorted(window.month_ends, day, side="right")
    inside = (day >= window.month_starts[0]) & (month < n_months)
    alone = np.flatnonzero(inside & (np.bincount(links.contact, minlength=len(contacts)) == 0))
    chosen = np.flatnonzero(inside[links.contact])
    cost = contacts["cost_yen"].to_numpy()
    cell = np.concatenate([links.issue[chosen] * n_months + month[links.contact[chosen]], n * n_months + month[alone]])
    weight = np.concatenate([links.probability[chosen], np.ones(len(alone))])
    yen = np.concatenate([split_cost(cost, links)[chosen], cost[alone]])
    person = pd.factorize(contacts["customer_id"], use_na_sentinel=True)[0]
    person = np.concatenate([person[links.contact[chosen]], person[alone]])
    known = (person >= 0) & (weight >= LIKELY)
    n_persons = int(person.max(initial=0)) + 1
    pairs = np.unique(cell[known] * n_persons + person[known]) // n_persons
    size = (n + 1) * n_months
    return pd.DataFrame({
        "issue_id": np.repeat(np.array([*issues["issue_id"], ""], dtype=object), n_months),
        "month_on": np.tile([timestamp(value) for value in window.month_starts], n + 1),
        "n_contacts": np.bincount(cell, weights=weight, minlength=size),
        "n_customers": np.bincount(pairs, minlength=size),
        "contact_cost_yen": np.bincount(cell, weights=yen, minlength=size),
    })


def customers_having(contacts: pd.DataFrame, links: Links, inside: np.ndarray) -> pd.DataFrame:
    """Distinct pairs issue, customer_id of the contacts marked `inside`, where the issue is probable."""
    chosen = inside[links.contact] & (links.probability >= LIKELY)
    pairs = pd.DataFrame({
        "issue": links.issue[chosen], "customer_id": contacts["customer_id"].to_numpy()[links.contact[chosen]],
    })
    return pairs[pairs["customer_id"].notna()].drop_duplicates(ignore_index=True)


def _by_channel(channel: pd.Series, table: dict[str, float]) -> np.ndarray:
    paid = [value for value in table.values() if value > 0]
    fallback = float(np.median(paid)) if paid else 0.0
    return channel.map(table).astype("float64").fillna(fallback).to_numpy()


def _sums(position: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(position, weights=weights, minlength=n)
