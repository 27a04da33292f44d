"""Contacts, mentions and customers as plain coded columns; what cannot be used is left out and counted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.errors import TableError
from voc.impact.periods import LONG_AGO, NOT_ENDED, ZONE, day_of_date, day_of_instant
from voc.tables import Table, empty

UNKNOWN = "(不明)"
LIKELY = 0.5  # a contact or customer is counted as having an issue from this probability on


@dataclass(frozen=True)
class Links:
    """One entry per contact and issue: position of the contact, of the issue, and the probability."""

    contact: np.ndarray
    issue: np.ndarray
    probability: np.ndarray


def complete(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`frame` with the columns that `table` allows to be empty added where absent. Raises TableError for others."""
    missing = [column for column in table.columns if column not in frame]
    required = [column for column in missing if not table.may_be_empty(column)]
    if required and len(frame):
        raise TableError(f"table {table.name}: columns missing: {required}; the frame has {list(frame.columns)}")
    blank = empty(table)
    return frame.assign(**{column: blank[column].reindex(frame.index) for column in missing})


def usable_contacts(
    contacts: pd.DataFrame, customers: pd.DataFrame, *, end_day: int, timezone: str = ZONE
) -> tuple[pd.DataFrame, dict]:
    """Contacts before `end_day` that repeat no other contact, sorted, with `day` (in `timezone`) and `customer` (position or -1).

    Returns the frame and counts of what was left out.
    """
    frame = contacts.drop_duplicates("contact_id").sort_values("contact_id", kind="stable", ignore_index=True)
    n_repeated = len(contacts) - len(frame)
    day = day_of_instant(frame["started_at"], timezone=timezone)
    copies = frame["duplicate_of"].notna().to_numpy() if "duplicate_of" in frame else np.zeros(len(frame), bool)
    late = (day >= end_day) & ~copies
    keep = ~copies & ~late & (day > LONG_AGO)
    frame = frame.assign(day=day)[keep].reset_index(drop=True)
    position = pd.Index(customers["customer_id"].astype("object")).get_indexer(frame["customer_id"].astype("object"))
    frame["customer"] = np.where(frame["customer_id"].isna(), -1, position)
    return frame, {
        "contacts_repeated_id": n_repeated,
        "contacts_duplicate": int(copies.sum()),
        "contacts_after_as_of": int(late.sum()),
        "contacts_unknown_customer": int(((frame["customer"] < 0) & frame["customer_id"].notna()).sum()),
    }


def usable_customers(customers: pd.DataFrame, *, end_day: int) -> tuple[pd.DataFrame, dict]:
    """Customers with day numbers `start`, `end`, filled `price` (yen per month, may be NaN), `plan`, `segment`.

    Left out: repeated ids, ended before started, started on or after `end_day`. A negative or infinite price counts
    as missing; a missing price is the median of the plan, then of all. An end on or after `end_day` has not
    happened yet. Returns the frame and counts.
    """
    frame = customers.dropna(subset="customer_id").drop_duplicates("customer_id")
    n_repeated = len(customers) - len(frame)
    frame = frame.sort_values("customer_id", kind="stable", ignore_index=True)
    start = day_of_date(frame["started_on"], empty=LONG_AGO)
    end = day_of_date(frame["ended_on"], empty=NOT_ENDED)
    backwards, late = end < start, start >= end_day
    price = frame["monthly_price_yen"].astype("float64")
    bad_price = (price < 0) | np.isinf(price)
    future = (end >= end_day) & (end < NOT_ENDED)
    result = pd.DataFrame({
        "customer_id": frame["customer_id"].astype("object"),
        "plan": frame["plan"].astype("object").where(frame["plan"].notna(), UNKNOWN),
        "segment": frame["segment"].astype("object").where(frame["segment"].notna(), UNKNOWN),
        "start": start,
        "end": np.where(end >= end_day, NOT_ENDED, end),
    })
    keep = ~backwards & ~late
    price = price.mask(bad_price)[keep].reset_index(drop=True)
    result = result[keep].reset_index(drop=True)
    n_priceless = int(price.isna().sum())
    medians = price.groupby(result["plan"]).transform("median")
    result["price"] = price.fillna(medians).fillna(price.median())
    return result, {
        "customers_repeated": n_repeated,
        "customers_ended_before_start": int(backwards.sum()),
        "customers_start_after_as_of": int((late & ~backwards).sum()),
        "customers_end_in_future": int((future & keep).sum()),
        "customers_without_start": int((result["start"] == LONG_AGO).sum()),
        "prices_refused": int(bad_price.sum()),
        "prices_filled": n_priceless,
    }


def link(mentions: pd.DataFrame, contacts: pd.DataFrame, issue_ids: list[str]) -> tuple[Links, dict]:
    """Probability of each issue in each contact: the highest over its sentences, 0 and unknown ids left out."""
    contact = pd.Index(contacts["contact_id"].astype("object")).get_indexer(mentions["contact_id"].astype("object"))
    issue = pd.Index(issue_ids, dtype="object").get_indexer(mentions["issue_id"].astype("object"))
    probability = np.clip(np.nan_to_num(mentions["probability"].to_numpy(dtype="float64")), 0.0, 1.0)
    keep = (contact >= 0) & (issue >= 0) & (probability > 0)
    counts = {
        "mentions_unknown_issue": int((issue < 0).sum()),
        "mentions_unknown_contact": int(((contact < 0) & (issue >= 0)).sum()),
    }
    n_issues = max(len(issue_ids), 1)
    key = contact[keep].astype("int64") * n_issues + issue[keep]
    order = np.lexsort((-probability[keep], key))
    key, probability = key[order], probability[keep][order]
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    key, probability = key[first], probability[first]
    return Links(key // n_issues, key % n_issues, probability), counts
