"""Where two files or two sources tell of the same record: which one holds, and what has to be read again for it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from flows.company_tables import COMPANY
from flows.rows import PulledRows
from voc.config import Source
from voc.tables import CONTACTS, CUSTOMER_KEYS, CUSTOMERS
from voc.upsert import overtakes, without_old_keys

Given = dict[str, dict[str, set[tuple]]]
"""Table -> source -> keys of the rows that it gave in this run."""


def is_overtaking(new: PulledRows, source: Source, lake: Mapping[str, pd.DataFrame]) -> bool:
    """Whether rows of the pull would hide what later files of `source`, or sources named later, told of the same records."""
    table = COMPANY.get(source.format, CONTACTS)
    return table.name in new.tables and overtakes(lake[table.name], new.tables[table.name], table, files=new.files)


def without_later_sources(watermarks: pd.DataFrame, source: Source, sources: Sequence[Source]) -> pd.DataFrame:
    """WATERMARKS without how far the sources were read that fill the same table of the company's own and are named after `source`."""
    rest = sources[[other.name for other in sources].index(source.name) + 1 :]
    names = [other.name for other in rest if other.format in COMPANY and other.format == source.format]
    return watermarks.loc[~(watermarks["source"].isin(names) & (watermarks["kind"] != "column"))]


def stored_keys(
    tables: Mapping[str, pd.DataFrame], source: Source, lake: Mapping[str, pd.DataFrame], sources: Sequence[Source]
) -> dict[str, pd.DataFrame]:
    """The stored CUSTOMER_KEYS, by name, that hold beside those of the pull; nothing where it gave no customers.

    Where several sources list customers, one may have their mail addresses and another their telephone numbers: then
    only keys of the kinds that this one gives are renewed.
    """
    if CUSTOMER_KEYS.name not in tables:
        return {}
    keys = tables[CUSTOMER_KEYS.name]
    is_alone = sum(other.format == source.format for other in sources) == 1
    kinds = {"id", "email", "phone"} if is_alone else set(keys["kind"])
    customers = set(tables[CUSTOMERS.name]["customer_id"])
    return {CUSTOMER_KEYS.name: without_old_keys(lake[CUSTOMER_KEYS.name], keys, customers, kinds=kinds)}


def doubled_rows(tables: Mapping[str, pd.DataFrame], source: Source, given: Given) -> list[str]:
    """A notice where another source gave rows of the same keys in this run; the keys of `source` are kept in `given`."""
    table = COMPANY[source.format]
    own = set(map(tuple, tables[table.name][list(table.key)].to_numpy()))
    by_source = given.setdefault(table.name, {})
    doubled = own & set().union(*(keys for other, keys in by_source.items() if other != source.name))
    by_source.setdefault(source.name, set()).update(own)
    if not doubled:
        return []
    return [f"ソース {source.name}: {len(doubled)} 行は、同じ番号の行が別のソースにもあります。設定で後に書かれたソースの行を使いました。"]
