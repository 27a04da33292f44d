"""Removal from the store on disk: one customer on request, contacts that grew too old. Nothing else may write meanwhile."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from voc.cleaning.widths import customer_key, identifier
from voc.erasure import (
    Gone,
    gone_by_age,
    gone_with_customer,
    in_writing_order,
    is_changed,
    tombstones,
    without,
)
from voc.errors import VocError
from voc.inert import inert_line
from voc.privacy import pseudonymise
from voc.sources.pseudonym_map import erase_pseudonyms, read_pseudonyms
from voc.store import clear_table, forget_history, read_table, stored_tables, write_table
from voc.tables import CONTACTS, CUSTOMER_KEYS, CUSTOMERS, ERASED, SENTENCES, TURNS, UNFINISHED, USAGE, Table

PSEUDONYM_MAP = "pseudonym_map"
"""Beside the tables' names in the counts of `erase`: rows of the map."""


@dataclass(frozen=True)
class FoundCustomer:
    """customer_id is the pseudonym; source_customer_ids the numbers, as far as known; n_rows what is stored, by table
    (contacts, turns, customers, usage); is_known tells a customer of the store, the map or the tombstones."""

    customer_id: str
    source_customer_ids: tuple[str, ...]
    n_rows: dict[str, int]
    is_known: bool


def find_customer(customer: str, *, store: str, map_folder: Path | None, key: bytes) -> FoundCustomer:
    """The customer that `customer` names: a pseudonym, a customer number, or a mail address or telephone number by
    which voc knows one customer alone (or, where the company gave no customer table, by which somebody wrote)."""
    pseudonyms = read_pseudonyms(folder=map_folder) if map_folder else None
    tables = _read((CONTACTS, CUSTOMER_KEYS, CUSTOMERS, TURNS, USAGE, ERASED), store)
    stones, keys, contacts = tables[ERASED.name], tables[CUSTOMER_KEYS.name], tables[CONTACTS.name]
    known = set(stones.loc[stones["kind"] == "customer", "value"])
    known |= set(pseudonyms["customer_id"] if pseudonyms is not None else ())
    for name in (CONTACTS.name, CUSTOMERS.name, CUSTOMER_KEYS.name, USAGE.name):
        known |= set(tables[name]["customer_id"].dropna())
    known |= set(contacts["known_as"].dropna())
    spellings = list(dict.fromkeys((identifier(customer), customer_key(customer))))
    candidates = [customer.strip(), *pseudonymise(pd.Series(spellings, dtype="str"), key)]
    customer_id = next((one for one in candidates if one in known), candidates[-1])
    owners = set(keys.loc[keys["value"].isin(candidates), "customer_id"])
    owners |= set(contacts.loc[contacts["known_as"].isin(candidates), "customer_id"].dropna())
    if customer_id not in owners and len(owners) == 1:
        customer_id = owners.pop()
    elif customer_id not in owners and owners:
        raise VocError(f"「{inert_line(customer)}」は {len(owners)} 名の顧客が使っているため、顧客を 1 名に決められません。顧客番号を指定してください。")
    numbers = set() if customer_id == customer.strip() else set(spellings)
    if pseudonyms is not None:
        numbers |= set(pseudonyms.loc[pseudonyms["customer_id"] == customer_id, "source_customer_id"])
    gone = gone_with_customer(tables, customer_id)
    shown_tables = (CONTACTS.name, TURNS.name, CUSTOMERS.name, USAGE.name)
    n_rows = {name: len(tables[name]) - len(without(tables[name], name, gone)) for name in shown_tables}
    return FoundCustomer(customer_id, tuple(sorted(numbers)), n_rows, customer_id in known)


def erase(
    customer: str, *, store: str, map_folder: Path | None, key: bytes, erased_at: pd.Timestamp, even_if_unknown: bool = False
) -> dict[str, int]:
    """Remove one customer from every table, all older versions and the map. Returns the rows removed, by table.

    Tombstones are written first, that no ingest brings the customer back; the map loses it last. A job that was killed
    is repeated with the same words and ends in the same state. Raises VocError where nobody is known as `customer`,
    unless `even_if_unknown`: then only the tombstone is written, for data that is still to come.
    """
    found = find_customer(customer, store=store, map_folder=map_folder, key=key)
    if not found.is_known and not even_if_unknown:
        raise VocError(_unknown(customer))
    tables = _read((CONTACTS, CUSTOMER_KEYS, TURNS, SENTENCES, ERASED), store)
    gone = gone_with_customer(tables, found.customer_id, source_customer_ids=found.source_customer_ids)
    stones = tombstones(tables[ERASED.name], gone, erased_at=erased_at)
    if len(stones) > len(tables[ERASED.name]):
        write_table(stones, ERASED, store=store)
    earlier = stones.loc[stones["kind"] == "customer", "value"]
    counts = _remove(gone, store=store)
    if map_folder:
        n_rows = erase_pseudonyms({*gone.customers, *earlier}, folder=map_folder)
        counts |= {PSEUDONYM_MAP: n_rows} if n_rows else {}
    return counts


def expire(
    *, store: str, months: int | None, as_of_on: pd.Timestamp, timezone: str,
    marks_of: Callable[[pd.Series], Collection[str]] | None = None,
) -> dict[str, int]:  # fmt: skip
    """Remove contacts that began more than `months` before the day `as_of_on` of `timezone`, with all that hangs on them,
    and all older versions of every table. Returns the rows removed, by table.

    Customers and usage stay, and of UNFINISHED the vectors made from what still is said: `marks_of(texts)` are their
    `made_from`, None: they go too. A job that was killed is repeated and ends in the same state; `months` None only ends what another one
    began.
    """
    tables = _read((CONTACTS, TURNS, SENTENCES), store)
    gone = Gone() if months is None else gone_by_age(tables, months=months, as_of_on=as_of_on, timezone=timezone)
    return _remove(gone, store=store, marks_of=marks_of)


def _remove(gone: Gone, *, store: str, marks_of: Callable[[pd.Series], Collection[str]] | None = None) -> dict[str, int]:
    stored, counts = {table.name: table for table in stored_tables(store=store)}, {}
    for name in in_writing_order(stored):
        frame = read_table(stored[name], store=store)
        kept = without(frame, name, gone)
        if is_changed(frame, kept):
            write_table(kept, stored[name], store=store)
            counts[name] = len(frame) - len(kept)
    _clear_unfinished(store, marks_of)
    for table in stored.values():  # all of them: a job that was killed may have written one and not come here
        forget_history(table, store=store)
    return counts


def _clear_unfinished(store: str, marks_of: Callable[[pd.Series], Collection[str]] | None) -> None:
    """Vectors of a run that was cut off go unless they are known to be those of sentences that stay."""
    left = read_table(UNFINISHED, store=store)
    known = set() if marks_of is None or left.empty else set(marks_of(read_table(SENTENCES, store=store)["text"]))
    kept = left[left["made_from"].isin(known)]
    if kept.empty:
        clear_table(UNFINISHED, store=store)
    elif len(kept) < len(left):
        write_table(kept, UNFINISHED, store=store)


def _read(tables: tuple[Table, ...], store: str) -> dict[str, pd.DataFrame]:
    return {table.name: read_table(table, store=store) for table in tables}


def _unknown(customer: str) -> str:
    return (
        f"「{inert_line(customer)}」という顧客は、保存したデータにも仮名の対応表にもありません。顧客番号の書き間違いがないか確かめてください"
        "（メールアドレスや電話番号で見つからないときは顧客番号を、対応表のない設定では顧客番号そのものを指定してください）。"
        "これから届くデータも保存しないようにするには --even-if-unknown を付けてください。"
    )
