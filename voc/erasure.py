"""One customer out of every table, and contacts older than the company keeps them."""

import pandas as pd

from voc.tables import CONTACTS, ERASED, TABLES, check

_OWN = ("customer_id", "contact_id", "turn_id", "sentence_id")
_LISTS = {"exemplar_ids": "sentence_id"}


def without_customer(
    tables: dict[str, pd.DataFrame], customer_id: str, *, erased_at: pd.Timestamp
) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """(tables that change, rows removed per table): `tables` of the store, by name, without the pseudonym `customer_id`.

    Removed are the customer's rows and every row that hangs on one of its contacts (turns, sentences, opinions,
    vectors, mentions, rejects of the same source row); references elsewhere (exemplars, duplicate_of) are emptied.
    `erased` gets tombstones of the pseudonym and of its contacts, for the customer's number may be gone from the
    company's table when the mail is read again. Figures already computed (impact, months) are restated by the next run.
    """
    contacts = tables[CONTACTS.name]
    gone_contacts = set(contacts.loc[contacts["customer_id"] == customer_id, "contact_id"])
    changed, counts = _without(tables, gone_contacts, customers={customer_id})
    stones = [("customer", customer_id), *(("contact", contact) for contact in sorted(gone_contacts))]
    rows = pd.DataFrame(stones, columns=["kind", "value"]).assign(erased_at=erased_at)
    before = tables[ERASED.name]
    rows = pd.concat([before, rows], ignore_index=True) if len(before) else rows
    changed[ERASED.name] = check(rows.drop_duplicates(["kind", "value"]), ERASED)
    return changed, counts


def without_expired(
    tables: dict[str, pd.DataFrame], *, months: int, as_of_on: pd.Timestamp
) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """(tables that change, rows removed per table): without contacts that began more than `months` before `as_of_on`.

    Customers and usage stay: they are the company's own tables and come anew with each run.
    """
    contacts = tables[CONTACTS.name]
    limit = pd.Timestamp(as_of_on).tz_localize(None).tz_localize("UTC") - pd.DateOffset(months=months)
    return _without(tables, set(contacts.loc[contacts["started_at"] < limit, "contact_id"]), customers=set())


def obey_tombstones(frame: pd.DataFrame, erased: pd.DataFrame) -> pd.DataFrame:
    """`frame` (customers, usage, contacts, turns, ... with pseudonyms) without what was erased once."""
    keep = pd.Series(True, index=frame.index)
    for column, kind in (("customer_id", "customer"), ("contact_id", "contact")):
        if column in frame:
            keep &= ~frame[column].isin(erased.loc[erased["kind"] == kind, "value"])
    return frame.loc[keep].reset_index(drop=True)


def _without(
    tables: dict[str, pd.DataFrame], gone_contacts: set[str], *, customers: set[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    gone = {"customer_id": customers, "contact_id": gone_contacts}
    for column, name in (("turn_id", "turns"), ("sentence_id", "sentences")):
        frame = tables.get(name)
        gone[column] = set() if frame is None else set(frame.loc[frame["contact_id"].isin(gone_contacts), column])
    contacts = tables[CONTACTS.name]
    rows = contacts.loc[contacts["contact_id"].isin(gone_contacts), ["source", "source_row"]]
    origins = pd.MultiIndex.from_frame(rows)
    changed, counts = {}, {}
    for name, frame in tables.items():
        if name == ERASED.name:
            continue
        is_gone = pd.Series(False, index=frame.index)
        for column in _OWN:
            if column in frame:
                is_gone |= frame[column].isin(gone[column])
        if name == "rejects":
            is_gone |= pd.MultiIndex.from_frame(frame[["source", "source_row"]]).isin(origins)
        kept = _without_references(frame.loc[~is_gone], gone)
        if is_gone.any() or not kept.equals(frame):
            changed[name] = check(kept, TABLES[name])
            counts[name] = int(is_gone.sum())
    return changed, counts


def _without_references(frame: pd.DataFrame, gone: dict[str, set[str]]) -> pd.DataFrame:
    for column, kind in _LISTS.items():
        if column in frame and len(frame):
            lists = [[item for item in items if item not in gone[kind]] for items in frame[column]]
            if any(len(new) != len(old) for new, old in zip(lists, frame[column], strict=True)):
                frame = frame.assign(**{column: pd.Series(lists, index=frame.index, dtype="object")})
    if "duplicate_of" in frame and frame["duplicate_of"].isin(gone["contact_id"]).any():
        frame = frame.assign(duplicate_of=frame["duplicate_of"].where(~frame["duplicate_of"].isin(gone["contact_id"]), None))
    return frame
