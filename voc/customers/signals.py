"""What is known of each customer on a day: usage, contacts, mood, NPS. Nothing from that day on is looked at."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.impact.cost import repeats
from voc.impact.periods import LONG_AGO, day_of_date, month_number
from voc.impact.records import LIKELY, Links
from voc.impact.reverse import cancel_intent

ANSWERS = ("survey", "review")  # answered on request or in public: no contact that asks for help
USAGE_MONTHS = 3
NPS_DAYS = 365
_IS_CANCEL = 0.5


@dataclass(frozen=True)
class Signals:
    """Contacts in the order of their days, one entry each: customer (position), day, is_talk, is_repeated, is_unresolved
    and is_resolved (both False where not recorded), is_effort, is_urgent, is_cancel, strength and nps (NaN where none).

    `logins`: customers x months from `first_month` (months since 1970-01) on, NaN where not recorded. `said`: contact
    (entry), issue (position) of probable issues.
    """

    contacts: pd.DataFrame
    logins: np.ndarray
    first_month: int
    said: pd.DataFrame


def contact_moods(opinions: pd.DataFrame, sentences: pd.DataFrame) -> pd.DataFrame:
    """Per contact_id: strength (mean of its sentences, -1..1), is_effort, is_urgent, is_cancel. From OPINIONS, SENTENCES."""
    contact = opinions["sentence_id"].map(sentences.set_index("sentence_id")["contact_id"])
    frame = pd.DataFrame({
        "contact_id": contact.astype("str"), "strength": opinions["strength"].astype("float64"),
        "is_effort": opinions["flags"].map(lambda flags: "effort" in flags).astype(bool),
        "is_urgent": opinions["flags"].map(lambda flags: "urgency" in flags).astype(bool),
        "is_cancel": opinions["p_cancel"] >= _IS_CANCEL,
    })
    joined = {"strength": "mean", "is_effort": "max", "is_urgent": "max", "is_cancel": "max"}
    return frame.groupby("contact_id", sort=True).agg(joined).reset_index()


def signals_of(
    contacts: pd.DataFrame, links: Links, customers: pd.DataFrame, usage: pd.DataFrame, issues: pd.DataFrame, *,
    moods: pd.DataFrame, repeat_days: int,
) -> Signals:
    """`contacts`, `links`, `customers` as from voc.impact.records; `usage`: USAGE; `moods`: see `contact_moods`.

    An issue counts as asking to cancel by its name alone: that it often precedes churn is not used, since the score is
    tested against churn.
    """
    mood = contacts[["contact_id"]].merge(moods, on="contact_id", how="left")
    flags = {name: mood[name].eq(True).to_numpy() for name in ("is_effort", "is_urgent", "is_cancel")}
    leaving = np.zeros(len(contacts), dtype=bool)
    likely = links.probability >= LIKELY
    leaving[links.contact[likely & cancel_intent(issues)[links.issue]]] = True
    repeated = np.zeros(len(contacts), dtype=bool)
    repeated[links.contact[repeats(contacts, links, repeat_days=repeat_days)]] = True
    nps = contacts["nps"].to_numpy(dtype="float64")
    frame = pd.DataFrame({
        "customer": contacts["customer"].to_numpy(), "day": contacts["day"].to_numpy(),
        "is_talk": ~contacts["channel"].isin(ANSWERS).to_numpy(), "is_repeated": repeated,
        "is_unresolved": contacts["is_resolved"].eq(False).fillna(False).to_numpy(dtype=bool),
        "is_resolved": contacts["is_resolved"].eq(True).fillna(False).to_numpy(dtype=bool),
        **flags, "strength": mood["strength"].to_numpy(dtype="float64"),
        "nps": np.where((nps >= 0) & (nps <= 10), nps, np.nan),
    })
    frame["is_cancel"] |= leaving
    said = pd.DataFrame({"contact": links.contact[likely], "issue": links.issue[likely]})
    order = np.lexsort((np.arange(len(frame)), frame["day"]))
    place = np.empty(len(frame), dtype="int64")
    place[order] = np.arange(len(frame))
    said["contact"] = place[said["contact"]]
    logins, first_month = _logins(customers, usage)
    return Signals(frame.iloc[order].reset_index(drop=True), logins, first_month, said)


def _logins(customers: pd.DataFrame, usage: pd.DataFrame) -> tuple[np.ndarray, int]:
    """customers x months of USAGE.n_logins; the month in which a customer came, and those before, are left empty: they are not full."""
    person = pd.Index(customers["customer_id"]).get_indexer(usage["customer_id"].astype("object"))
    month = month_number(day_of_date(usage["month_on"], empty=LONG_AGO))
    logins = usage["n_logins"].to_numpy(dtype="float64")
    keep = (person >= 0) & np.isfinite(logins) & (logins >= 0) & (month > month_number(np.array([LONG_AGO]))[0])
    if not keep.any():
        return np.full((len(customers), 1), np.nan), 0
    first = int(month[keep].min())
    matrix = np.full((len(customers), int(month[keep].max()) - first + 1), np.nan)
    matrix[person[keep], month[keep] - first] = logins[keep]
    begun = month_number(customers["start"].to_numpy())[:, None] >= np.arange(first, first + matrix.shape[1])
    return np.where(begun, np.nan, matrix), first


def on_day(signals: Signals, customers: pd.DataFrame, day: int, *, days: int) -> pd.DataFrame:
    """One row per customer under contract on the morning of `day`, from what came before.

    customer (position), n_talks, n_repeated, is_unresolved (at the last contact that tells), n_effort, n_urgent,
    n_cancel, strength: of the last `days` days; nps: last answer of a year; logins, logins_before: monthly mean of the
    last three full months and of the three before, logins_last: of the last month.
    """
    active = np.flatnonzero((customers["start"].to_numpy() < day) & (customers["end"].to_numpy() >= day))
    contacts = signals.contacts
    known = contacts[(contacts["customer"] >= 0) & (contacts["day"] < day) & (contacts["day"] >= day - days)]
    n = len(customers)
    talks = known[known["is_talk"]]
    counts = {
        name: np.bincount(frame["customer"], weights=frame[column], minlength=n)
        for name, frame, column in (
            ("n_talks", talks, "is_talk"), ("n_repeated", talks, "is_repeated"), ("n_effort", known, "is_effort"),
            ("n_urgent", known, "is_urgent"), ("n_cancel", known, "is_cancel"),
        )
    }  # fmt: skip
    told = talks[talks["is_unresolved"] | talks["is_resolved"]].drop_duplicates("customer", keep="last")
    unresolved = np.zeros(n, dtype=bool)
    unresolved[told["customer"]] = told["is_unresolved"]
    year = contacts[(contacts["customer"] >= 0) & (contacts["day"] < day) & (contacts["day"] >= day - NPS_DAYS)]
    answered = year[year["nps"].notna()].drop_duplicates("customer", keep="last")
    nps = np.full(n, np.nan)
    nps[answered["customer"]] = answered["nps"]
    mood = known[known["strength"].notna()].groupby("customer")["strength"].mean()
    strength = np.full(n, np.nan)
    strength[mood.index] = mood
    frame = pd.DataFrame({
        "customer": np.arange(n), **counts, "is_unresolved": unresolved, "strength": strength, "nps": nps,
        **_usage_on(signals, day),
    })
    return frame.iloc[active].reset_index(drop=True)


def _usage_on(signals: Signals, day: int) -> dict[str, np.ndarray]:
    month = int(month_number(np.array([day]))[0]) - signals.first_month

    def mean(first: int, after: int) -> np.ndarray:
        part = signals.logins[:, max(first, 0):max(after, 0)]
        n = np.isfinite(part).sum(axis=1)
        return np.where(n > 0, np.nansum(part, axis=1) / np.maximum(n, 1), np.nan)

    return {
        "logins": mean(month - USAGE_MONTHS, month), "logins_before": mean(month - 2 * USAGE_MONTHS, month - USAGE_MONTHS),
        "logins_last": mean(month - 1, month),
    }
