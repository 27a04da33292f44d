"""Which customer a contact belongs to, and who a pseudonym is: the map back to the company's own customer numbers,
kept apart from every analysis table."""

import pandas as pd

from voc.cleaning.widths import identifier
from voc.privacy import pseudonymise
from voc.tables import CONTACTS, CUSTOMER_KEYS, Table, check, empty

PSEUDONYMS = Table("pseudonyms", ("customer_id",), {"customer_id": "text", "source_customer_id": "text"})
"""customer_id is the pseudonym of the analysis tables. Not in voc.tables.TABLES: it never goes into the store."""


def pseudonyms_of(source_ids: pd.Series, *, key: bytes, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """PSEUDONYMS of `source_ids` (empty ones are left out), added to the rows of `known`."""
    ids = source_ids.dropna().astype("str").map(identifier).drop_duplicates()
    frame = pd.DataFrame({"customer_id": pseudonymise(ids, key), "source_customer_id": ids})
    parts = [part for part in (known, frame) if part is not None and len(part)]
    rows = pd.concat(parts, ignore_index=True) if parts else empty(PSEUDONYMS)
    return check(rows.drop_duplicates("customer_id"), PSEUDONYMS)


def reveal(customer_ids: pd.Series, pseudonyms: pd.DataFrame) -> pd.Series:
    """The company's customer numbers; a pseudonym that the map does not know stays as it is."""
    return customer_ids.map(dict(zip(pseudonyms["customer_id"], pseudonyms["source_customer_id"], strict=True))).fillna(customer_ids)


def without(pseudonyms: pd.DataFrame, customer_id: str) -> pd.DataFrame:
    """PSEUDONYMS without one customer."""
    return check(pseudonyms.loc[pseudonyms["customer_id"] != customer_id], PSEUDONYMS)


def pseudonymous_keys(keys: pd.DataFrame, *, key: bytes) -> pd.DataFrame:
    """CUSTOMER_KEYS of the raw [customer_id, kind, value] that `parse_customers` gives."""
    hidden = keys.assign(customer_id=pseudonymise(keys["customer_id"], key), value=pseudonymise(keys["value"], key))
    return check(hidden.drop_duplicates(), CUSTOMER_KEYS)


def join_customers(contacts: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """CONTACTS with customer_id by `known_as`: the number, mail address or telephone of CUSTOMER_KEYS, in this order.

    Empty where no customer has the value, or several share it. With no keys at all (the company gave no customer
    table) a customer is whoever writes under one `known_as`.
    """
    if keys.empty:
        return check(contacts.assign(customer_id=contacts["known_as"]), CONTACTS)
    alone = keys.loc[~keys.duplicated(["kind", "value"], keep=False)]
    found = pd.Series(None, index=contacts.index, dtype="object")
    for kind in ("id", "email", "phone"):
        own = alone.loc[alone["kind"] == kind].set_index("value")["customer_id"]
        found = found.where(found.notna(), contacts["known_as"].map(own).astype("object"))
    return check(contacts.assign(customer_id=found), CONTACTS)
