"""New rows into stored tables, by key: what comes again takes the place of what was there, nothing else is lost."""

from collections.abc import Collection

import pandas as pd

from voc.parsing.records import REPLY, file_of
from voc.tables import CONTACTS, CUSTOMER_KEYS, REJECTS, TURNS, Table, check, content_sha


def upsert(stored: pd.DataFrame, new: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`table` with the rows of `new`; a stored row with the key of a new one goes."""
    key = list(table.key)
    old = stored.loc[~_index(stored, key).isin(_index(new, key))]
    return check(pd.concat([part for part in (old, new) if len(part)] or [stored], ignore_index=True), table)


def upsert_contacts(
    contacts: pd.DataFrame, turns: pd.DataFrame, new_contacts: pd.DataFrame, new_turns: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(CONTACTS, TURNS) with new contacts and all their turns.

    A contact that comes again loses the turns it had, but for replies to a mail: they came in mails of their own.
    """
    is_reply = turns["turn_id"].str.contains(REPLY, regex=False).astype(bool)
    turns = turns.loc[is_reply | ~turns["contact_id"].isin(new_contacts["contact_id"])]
    return upsert(contacts, new_contacts, CONTACTS), upsert(turns, new_turns, TURNS)


def overtakes(stored: pd.DataFrame, new: pd.DataFrame, table: Table, *, files: Collection[str]) -> bool:
    """Whether `new` rows, read from `files`, would take the place of what other files may have told of the same keys.

    Rows that name their file (source_row) tell it; of the others every stored row that would change counts.
    """
    key = list(table.key)
    again = stored.loc[_index(stored, key).isin(_index(new, key))]
    if "source_row" in table.columns:
        return any(row not in files and file_of(row) not in files for row in again["source_row"])
    return content_sha(again) != content_sha(new.loc[_index(new, key).isin(_index(again, key))])


def without_old_keys(stored: pd.DataFrame, new: pd.DataFrame, customers: Collection[str], *, kinds: Collection[str]) -> pd.DataFrame:
    """CUSTOMER_KEYS `stored` but for keys of these `kinds` of `customers` who came again, where `new` has them no more.

    A mail address that was corrected would lead to its former owner for ever, and to nobody once another has it.
    """
    is_old = stored["customer_id"].isin(customers) & stored["kind"].isin(kinds)
    return stored.loc[~is_old | _index(stored, list(CUSTOMER_KEYS.key)).isin(_index(new, list(CUSTOMER_KEYS.key)))]


def n_replaced(contacts: pd.DataFrame, new_contacts: pd.DataFrame) -> int:
    """How many of `contacts` (CONTACTS) come again in `new_contacts` with other content, by content_sha.

    What is read again as it was (the unchanged rows of a file that grew) does not count.
    """
    again = new_contacts["contact_id"].map(contacts.set_index("contact_id")["content_sha"])
    return int((again.notna() & (again != new_contacts["content_sha"])).sum())


def replace_rejects(rejects: pd.DataFrame, new: pd.DataFrame, *, source: str, files: Collection[str]) -> pd.DataFrame:
    """REJECTS with `new`: what was said of `files` of `source`, which were read again, goes. The file "" is the source as a whole."""
    names = set(files)
    is_read = [row in names or file_of(row) in names for row in rejects["source_row"]]
    old = rejects.loc[~((rejects["source"] == source) & pd.Series(is_read, index=rejects.index, dtype=bool))]
    return upsert(old, new.drop_duplicates(list(REJECTS.key)), REJECTS)


def _index(frame: pd.DataFrame, key: list[str]) -> pd.Index:
    return pd.Index(frame[key[0]]) if len(key) == 1 else pd.MultiIndex.from_frame(frame[key])
