"""One customer out of every table, and contacts older than the company keeps them."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from voc.as_of import start_of
from voc.tables import ALERTS, CONTACTS, CUSTOMER_KEYS, ERASED, REJECTS, SENTENCES, TABLES, TURNS, check

_OWN = {"customer_id": "customers", "contact_id": "contacts", "turn_id": "turns", "sentence_id": "sentences"}
_LISTS = {"exemplar_ids": "sentences"}
_LAST = (SENTENCES.name, TURNS.name, CONTACTS.name, CUSTOMER_KEYS.name)
"""Written after all other tables, in this order: what is gone is read from them, so a job that was killed can begin again."""


@dataclass(frozen=True)
class Gone:
    """What is to go. `customers` holds pseudonyms: of the customer and of the addresses and telephones it is known as."""

    customers: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    turns: frozenset[str] = frozenset()
    sentences: frozenset[str] = frozenset()
    origins: frozenset[tuple[str, str]] = frozenset()
    source_customer_ids: frozenset[str] = frozenset()


def gone_with_customer(
    tables: dict[str, pd.DataFrame], customer_id: str, *, source_customer_ids: Collection[str] = ()
) -> Gone:
    """What goes with the pseudonym `customer_id`; needs contacts, and customer_keys, turns, sentences where there are any.

    The customer's contacts, those of no known customer that came under one of its addresses, and those of no known
    customer that are the same contact (duplicate_of: a forwarded mail). An address that other customers share is none
    of its own.
    """
    contacts, keys = tables[CONTACTS.name], tables.get(CUSTOMER_KEYS.name)
    is_own = contacts["customer_id"] == customer_id
    known = {customer_id, *contacts.loc[is_own, "known_as"].dropna()}
    if keys is not None:
        known |= set(keys.loc[keys["customer_id"] == customer_id, "value"])
        known -= set(keys.loc[keys["customer_id"] != customer_id, "value"])
    is_nobodys = contacts["customer_id"].isna()
    is_own |= is_nobodys & contacts["known_as"].isin(known)
    first = contacts["duplicate_of"].fillna(contacts["contact_id"])
    is_own |= is_nobodys & first.isin(first[is_own])
    return _gone(tables, contacts.loc[is_own], customers=known, source_customer_ids=source_customer_ids)


def gone_by_age(tables: dict[str, pd.DataFrame], *, months: int, as_of_on: pd.Timestamp, timezone: str) -> Gone:
    """What goes with contacts that began more than `months` before the day `as_of_on` of `timezone`; needs contacts,
    turns, sentences."""
    contacts = tables[CONTACTS.name]
    is_gone = is_too_old(contacts, months=months, as_of_on=as_of_on, timezone=timezone)
    return _gone(tables, contacts.loc[is_gone], customers=(), source_customer_ids=())


def is_too_old(contacts: pd.DataFrame, *, months: int, as_of_on: pd.Timestamp, timezone: str) -> pd.Series:
    """Whether each of `contacts` began more than `months` before the day `as_of_on` of `timezone`."""
    limit = start_of(pd.Timestamp(as_of_on).tz_localize(None) - pd.DateOffset(months=months), timezone)
    return contacts["started_at"] < limit


def _gone(
    tables: dict[str, pd.DataFrame], contacts: pd.DataFrame, *, customers: Collection[str], source_customer_ids: Collection[str]
) -> Gone:
    ids, found = frozenset(contacts["contact_id"]), {}
    for column, name in (("turn_id", TURNS.name), ("sentence_id", SENTENCES.name)):
        frame = tables.get(name)
        found[name] = frozenset() if frame is None else frozenset(frame.loc[frame["contact_id"].isin(ids), column])
    origins = frozenset(contacts[["source", "source_row"]].itertuples(index=False, name=None))
    return Gone(frozenset(customers), ids, found[TURNS.name], found[SENTENCES.name], origins, frozenset(source_customer_ids))


def tombstones(before: pd.DataFrame, gone: Gone, *, erased_at: pd.Timestamp) -> pd.DataFrame:
    """ERASED with the pseudonyms and contacts of `gone`: the customer's number may be missing from the company's table
    when the mail is read again. A stone that stands keeps its time."""
    stones = [(kind, value) for kind, values in (("customer", gone.customers), ("contact", gone.contacts)) for value in sorted(values)]
    rows = pd.DataFrame(stones, columns=["kind", "value"]).assign(erased_at=erased_at)
    rows = pd.concat([part for part in (before, rows) if len(part)] or [before], ignore_index=True)
    return check(rows.drop_duplicates(["kind", "value"]), ERASED)


def without(frame: pd.DataFrame, name: str, gone: Gone) -> pd.DataFrame:
    """Table `name` without the rows of `gone` and all that hangs on its contacts (turns, sentences, opinions, vectors,
    mentions, rejects of the same source row or about its number); references elsewhere (exemplars, duplicate_of) are
    emptied."""
    if name == ERASED.name:
        return frame
    is_gone = pd.Series(False, index=frame.index)
    for column, kind in _OWN.items():
        if column in frame:
            is_gone |= frame[column].isin(getattr(gone, kind))
    if name == REJECTS.name:
        is_gone |= _is_about(frame, gone)
    if name == ALERTS.name:
        is_gone |= frame["subject"].isin(gone.customers)
    return check(_without_references(frame.loc[~is_gone], gone), TABLES[name])


def in_writing_order(names: Collection[str]) -> list[str]:
    """`names` of tables: tombstones first, that an ingest obeys them at once; what tells who is gone comes last."""
    return sorted(names, key=lambda name: (name != ERASED.name, _LAST.index(name) if name in _LAST else -1, name))


def obey_tombstones(frame: pd.DataFrame, erased: pd.DataFrame) -> pd.DataFrame:
    """`frame` (customers, usage, contacts, turns, ... with pseudonyms) without what was erased once."""
    keep = pd.Series(True, index=frame.index)
    for column, kind in (("customer_id", "customer"), ("known_as", "customer"), ("contact_id", "contact")):
        if column in frame:
            keep &= ~frame[column].isin(erased.loc[erased["kind"] == kind, "value"])
    return frame.loc[keep].reset_index(drop=True)


def is_changed(before: pd.DataFrame, kept: pd.DataFrame) -> bool:
    """Whether `without` took rows or references from `before`."""
    def references(frame: pd.DataFrame) -> int:
        lists = sum(int(frame[column].map(len).sum()) for column in _LISTS if column in frame)
        return lists + (int(frame["duplicate_of"].notna().sum()) if "duplicate_of" in frame else 0)

    return len(before) != len(kept) or references(before) != references(kept)


def _is_about(rejects: pd.DataFrame, gone: Gone) -> pd.Series:
    """Rejects of a row that a contact of `gone` came from, or whose reason quotes its number: 「A-1」, （A-1）."""
    rows = pd.Series(list(zip(rejects["source"], rejects["source_row"], strict=True)), index=rejects.index, dtype="object")
    is_about = rows.isin(gone.origins)
    for number in gone.source_customer_ids:
        is_about |= rejects["reason"].str.contains(rf"[「（『]\s*{re.escape(number)}\s*[」）』]", regex=True).astype(bool)
    return is_about


def _without_references(frame: pd.DataFrame, gone: Gone) -> pd.DataFrame:
    for column, kind in _LISTS.items():
        if column in frame and len(frame):
            lost = getattr(gone, kind)
            lists = [[item for item in items if item not in lost] for items in frame[column]]
            if any(len(new) != len(old) for new, old in zip(lists, frame[column], strict=True)):
                frame = frame.assign(**{column: pd.Series(lists, index=frame.index, dtype="object")})
    if "duplicate_of" in frame and frame["duplicate_of"].isin(gone.contacts).any():
        frame = frame.assign(duplicate_of=frame["duplicate_of"].where(~frame["duplicate_of"].isin(gone.contacts), None))
    return frame
