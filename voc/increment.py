"""What of the stored tables still holds, so that a stage costs what its new rows cost.

A row carries in `made_from` the mark of the masked text it was made from and of what made it (models, code, settings: `by`).
So a row proves by itself that it holds: a run that was cut off between two tables, a text that changed, a customer who
was erased, another model need no bookkeeping, and whatever is not proved is made anew.
"""

import binascii
import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

_SEPARATOR = "\x1f"
_PART = 50_000  # texts that are hashed at a time: a month's turns at once would take 1.6 GB


def by_of(parts: Mapping[str, str]) -> str:
    """SHA-256 of the parts (name -> value) that decide a stage's result."""
    told = "\x1e".join(f"{name}{_SEPARATOR}{value}" for name, value in sorted(parts.items()))
    return hashlib.sha256(told.encode()).hexdigest()


def text_marks(texts: pd.Series, *, by: str) -> pd.Series:
    """32 hex digits per text, in the order and with the index of `texts`: equal where text and `by` are equal."""
    return pd.Series(_hex(_halves(texts, by=by)), index=texts.index, dtype="str")


def turn_marks(turns: pd.DataFrame, *, by: str) -> pd.Series:
    """One mark a row of `turns` (contact_id, speaker, text)."""
    return text_marks(turns["contact_id"] + _SEPARATOR + turns["speaker"] + _SEPARATOR + turns["text"], by=by)


def talk_marks(turns: pd.DataFrame, *, by: str) -> pd.Series:
    """One mark a contact (index contact_id) over all its `turns` (TURNS) and their places, whatever their order here."""
    if turns.empty:
        return pd.Series([], index=pd.Index([], name="contact_id", dtype="str"), dtype="str")
    said = turns["turn_id"] + _SEPARATOR + turns["position"].astype("str") + _SEPARATOR + turns["speaker"]
    halves = _halves(said + _SEPARATOR + turns["text"], by=by)
    codes, contacts = pd.factorize(turns["contact_id"], sort=True)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sums = np.add.reduceat(halves[order], starts, axis=0)  # wraps round at 64 bits, and is the same in any order
    return pd.Series(_hex(sums), index=pd.Index(contacts, name="contact_id", dtype="str"), dtype="str")


def holds(stored: pd.DataFrame, ids: pd.Series, marks: pd.Series) -> np.ndarray:
    """Which rows of `stored` hold: the mark of the input that `ids` names (index of `marks`) is the row's own."""
    now = marks.reindex(ids).to_numpy(dtype=object)
    return (stored["made_from"].to_numpy(dtype=object) == now) & pd.notna(now)


def place_of(stored: pd.DataFrame, marks: pd.Series) -> np.ndarray:
    """For each mark the row (position) of `stored` that was made from the same, -1 where there is none."""
    known = stored["made_from"].dropna()
    first = ~known.duplicated().to_numpy()
    places = np.flatnonzero(stored["made_from"].notna().to_numpy())[first]
    found = pd.Index(known.to_numpy(dtype=object)[first]).get_indexer(marks.to_numpy(dtype=object))
    return np.where(found >= 0, places[found], -1) if len(places) else np.full(len(marks), -1)


def chunks_by_length(texts: pd.Series, size: int) -> list[np.ndarray]:
    """Positions in `texts` in chunks of `size`, the short texts first so that a batch pads little; the same texts give the
    same chunks whatever their order."""
    order = np.lexsort((texts.to_numpy(dtype=object).astype(str), texts.str.len().to_numpy()))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _halves(texts: pd.Series, *, by: str) -> np.ndarray:
    """(n, 2) SipHash of each text under two keys."""
    keys, halves = hashlib.sha256(by.encode()).hexdigest(), np.empty((len(texts), 2), dtype=np.uint64)
    for start in range(0, len(texts), _PART):
        values = texts.iloc[start : start + _PART].to_numpy(dtype=object)
        for half, at in enumerate((0, 16)):
            halves[start : start + _PART, half] = pd.util.hash_array(values, hash_key=keys[at : at + 16])
    return halves


def _hex(halves: np.ndarray) -> np.ndarray:
    digits = binascii.hexlify(np.ascontiguousarray(halves.astype(">u8")).tobytes())
    return np.frombuffer(digits, dtype="S32").astype(str).astype(object)
