"""Contacts that say the same thing twice: forwarded mails, double exports, resent forms.

Texts are compared by their 5-character shingles: MinHash signatures put candidates into buckets (Broder 1997; bands as
in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), so no text is compared with all others.
"""

import re
import unicodedata

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voc.tables import CONTACTS, check

_SHINGLE, _HASHES, _ROWS = 5, 64, 4
_SIMILAR = 0.8  # least share of common shingles (Jaccard)
_LONG = 40  # shorter texts (「特になし」, 「解約したい」) are the same by chance
_MASK_NUMBER = re.compile(r"(?<=\[)([^\[\]\d]{1,20})\d{1,4}(?=\])")
_LEFT_OUT = re.compile(r"[\W_]+|^(?:re|fw|fwd|転送|返信)\b", re.IGNORECASE)


def link_duplicates(
    contacts: pd.DataFrame, turns: pd.DataFrame, *, window_days: float = 30, minutes_apart: float = 10
) -> pd.DataFrame:
    """CONTACTS with `duplicate_of`: the earliest contact that says the same; empty for that one and for all others.

    Two contacts are the same where their texts (masked; subject left out; customers' turns, else all) are equal or
    share 80 % of their 5-character pieces, and
    - their customers are the same, or one of them is unknown (two known customers are two voices, template or not);
    - they lie at most `window_days` apart; texts under 40 characters must be equal, of one known customer and at most
      `minutes_apart` minutes apart.
    """
    contacts = check(contacts.assign(duplicate_of=None), CONTACTS)
    said = _texts(contacts, turns)
    order = np.lexsort((contacts["contact_id"].to_numpy(str), contacts["started_at"].to_numpy()))
    frame = pd.DataFrame({
        "text": said.to_numpy()[order],
        "customer": contacts["customer_id"].fillna("").to_numpy(object)[order],
        "minute": contacts["started_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64")[order] / 60,
    })  # fmt: skip
    frame["length"] = frame["text"].str.len()
    pairs = np.concatenate([_equal_pairs(frame), _near_pairs(frame)])
    pairs = pairs[_may_be_one(frame, pairs, window_days=window_days, minutes_apart=minutes_apart)]
    first = _firsts(len(frame), pairs, frame["customer"].to_numpy(object))
    ids = contacts["contact_id"].to_numpy(object)[order]
    original = pd.Series(np.where(first == np.arange(len(frame)), None, ids[first]), index=ids, dtype="object")
    return check(contacts.assign(duplicate_of=contacts["contact_id"].map(original)), CONTACTS)


def _texts(contacts: pd.DataFrame, turns: pd.DataFrame) -> pd.Series:
    """One plain text per contact: what the customer said, or all that was said where no customer spoke."""
    spoken = turns.sort_values(["contact_id", "position"], kind="stable")
    every = spoken.groupby("contact_id")["text"].agg("\n".join)
    own = spoken.loc[spoken["speaker"].isin(("customer", "unknown"))].groupby("contact_id")["text"].agg("\n".join)
    text = contacts["contact_id"].map(own).fillna(contacts["contact_id"].map(every)).fillna("")
    return text.astype(object).map(_plain)


def _plain(text: str) -> str:
    text = _MASK_NUMBER.sub(r"\1", unicodedata.normalize("NFKC", text).lower())
    return _LEFT_OUT.sub("", text)


def _equal_pairs(frame: pd.DataFrame) -> np.ndarray:
    """Neighbours in time with equal texts, of one customer and of any."""
    spoken = frame.loc[frame["length"] > 0]
    return np.concatenate([_neighbours(spoken.groupby("text")), _neighbours(spoken.groupby(["text", "customer"]))])


def _neighbours(groups) -> np.ndarray:
    """(earlier, later) of every row and the row before it in its group."""
    rows = groups.obj.index.to_series()
    before = rows.groupby(groups.ngroup()).shift()
    return np.column_stack([before, rows])[before.notna().to_numpy()].astype("int64").reshape(-1, 2)


def _near_pairs(frame: pd.DataFrame) -> np.ndarray:
    """Pairs that fall into one bucket (neighbours in time there) and whose shingles agree."""
    rows = np.flatnonzero(frame["length"].to_numpy() >= _LONG)
    if len(rows) < 2:
        return np.empty((0, 2), dtype="int64")
    texts, inverse = np.unique(frame["text"].to_numpy(str)[rows], return_inverse=True)
    signatures = minhash(texts)[inverse]
    found = []
    for band in range(0, _HASHES, _ROWS):
        keys = pd.DataFrame(signatures[:, band : band + _ROWS], index=rows)
        keys["customer"] = frame["customer"].to_numpy(object)[rows]
        columns = list(range(_ROWS))
        found += [_neighbours(keys.groupby(columns)), _neighbours(keys.groupby([*columns, "customer"]))]
    pairs = np.unique(np.concatenate(found), axis=0)
    place = np.full(len(frame), -1)
    place[rows] = np.arange(len(rows))
    same = (signatures[place[pairs[:, 0]]] == signatures[place[pairs[:, 1]]]).mean(axis=1)
    pairs = pairs[same >= _SIMILAR - 0.15]  # the share of equal hashes only estimates the share of common shingles
    text = frame["text"].to_numpy(object)
    return pairs[np.array([_jaccard(text[left], text[right]) >= _SIMILAR for left, right in pairs], dtype=bool)]


def minhash(texts: np.ndarray) -> np.ndarray:
    """Signatures uint64 (n, 64) of texts of at least 5 characters; equal sets of shingles have equal signatures."""
    lengths = np.array([len(text) for text in texts])
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    with np.errstate(over="ignore"):
        shingles = np.zeros(len(codes) - _SHINGLE + 1, dtype=np.uint64)
        for k in range(_SHINGLE):
            shingles = shingles * np.uint64(1_099_511_628_211) + codes[k : len(codes) - _SHINGLE + 1 + k]
        shingles ^= shingles >> np.uint64(29)
        ends = np.cumsum(lengths)
        within = np.ones(len(shingles), dtype=bool)
        for k in range(1, _SHINGLE):  # shingles that run into the next text
            within[np.minimum(ends[:-1] - k, len(shingles) - 1)] = False
        starts = np.concatenate([[0], np.cumsum(lengths - _SHINGLE + 1)[:-1]])
        factors = np.random.default_rng(20_240).integers(1, 2**63, size=(_HASHES, 2), dtype=np.uint64)
        shingles = shingles[within]
        return np.column_stack([
            np.minimum.reduceat((shingles * (a | np.uint64(1)) + b) >> np.uint64(16), starts) for a, b in factors
        ])  # fmt: skip


def _jaccard(left: str, right: str) -> float:
    one, other = (
        {text[i : i + _SHINGLE] for i in range(max(1, len(text) - _SHINGLE + 1))} for text in (left, right)
    )
    return len(one & other) / len(one | other)


def _may_be_one(frame: pd.DataFrame, pairs: np.ndarray, *, window_days: float, minutes_apart: float) -> np.ndarray:
    customer, minute = frame["customer"].to_numpy(object), frame["minute"].to_numpy()
    left, right = customer[pairs[:, 0]], customer[pairs[:, 1]]
    apart = np.abs(minute[pairs[:, 1]] - minute[pairs[:, 0]])
    is_long = frame["length"].to_numpy()[pairs].min(axis=1) >= _LONG
    of_one = (left == right) & (left != "")
    long = is_long & (apart <= window_days * 24 * 60) & (of_one | (left == "") | (right == ""))
    return long | (of_one & (apart <= minutes_apart))


def _firsts(n: int, pairs: np.ndarray, customer: np.ndarray) -> np.ndarray:
    """For each row the first row of its group; an unknown sender does not tie two known customers together."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    known = pd.Series(customer).where(pd.Series(customer) != "")
    owner = known.groupby(group).transform("first")  # rows are in order of time
    shared = pd.Series(group).astype("str") + "|" + known.fillna(owner).fillna("")
    return pd.Series(np.arange(n)).groupby(shared).transform("min").to_numpy()
