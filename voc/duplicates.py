"""Contacts that say the same thing twice: double exports, forwarded mails, forms sent twice.

Texts are compared by their 5-character pieces (shingles): MinHash signatures put candidates into buckets (Broder 1997;
bands as in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), so no text is compared with all others.
A duplicate is not counted as a voice, so the rules lean to counting: who asks again in nearly the same words is a repeat,
which voc.episodes ties together and the contact cost counts.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voc.tables import CONTACTS, check

LIVE = ("call", "chat")
"""Channels of conversations, which nobody holds twice in the same words: only their records double."""
_SHINGLE, _HASHES, _ROWS = 5, 64, 4
_SIMILAR = 0.8  # least share of common shingles (Jaccard)
_EDITED = 8  # shingles that one text may have and the other lack: a piece of n characters that changed costs n + 4
_EDGE = " " * (_SHINGLE - 1)  # plain texts hold no blank
_EDITED_MINUTES = 24 * 60.0  # within which a customer corrects what was sent; later it is said again
_UNKNOWN_MINUTES = 1.0  # between two records of one conversation where a customer is unknown
_LONG = 40  # shorter texts (「特になし」, 「解約したい」) are the same by chance
_TEXTS = 2_000  # whose shingles are hashed at a time, so that memory does not grow with the table
_MASK_NUMBER = re.compile(r"(?<=\[)([^\[\]\d]{1,20})\d{1,4}(?=\])")
_LEFT_OUT = re.compile(r"[\W_]+|^(?:re|fw|fwd|転送|返信)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


def link_duplicates(
    contacts: pd.DataFrame, turns: pd.DataFrame, *, window_days: float = 5, minutes_apart: float = 10
) -> pd.DataFrame:
    """CONTACTS with `duplicate_of`: the earliest contact that says the same; empty for that one and for all others.

    Two contacts may be the same where their customers are the same, or one of them is unknown and in both a customer
    speaks (two known customers are two voices, template or not). Compared are the masked texts without the subject:
    customers' turns, else all turns.
    - Calls and chats (one of the two is enough): the texts are equal or share 80 % of their 5-character pieces, and
      they begin at most `minutes_apart` minutes apart (1 minute where a customer is unknown): one conversation on
      record twice. A customer who calls again in the same words is a repeat.
    - Written contacts at most `window_days` apart: the texts are equal; or edited, which is to share 80 % of the pieces
      while one of them lacks at most 8 pieces of the other (a line added on forwarding, 4 letters corrected) and has no
      number that the other lacks: a form that comes again with another order or another matter is a contact of its own.
      An edited text of one known customer counts within 24 hours only.
    - Texts under 40 characters must be equal, of one known customer and at most `minutes_apart` minutes apart.
    """
    contacts = check(contacts.assign(duplicate_of=None), CONTACTS)
    order = np.lexsort((contacts["contact_id"].to_numpy(str), contacts["started_at"].to_numpy()))
    frame = _texts(contacts, turns).iloc[order].reset_index(drop=True)
    equal = _equal_pairs(frame)
    near = _near_pairs(frame)
    equal = equal[_in_time(frame, equal, window=window_days * 24 * 60, edited=window_days * 24 * 60, live=minutes_apart)]
    near = near[_in_time(frame, near, window=window_days * 24 * 60, edited=_EDITED_MINUTES, live=minutes_apart)]
    pairs = np.concatenate([equal, near[_agree(frame, near)]])
    first = _firsts(len(frame), pairs, frame["customer"].to_numpy(object))
    ids = contacts["contact_id"].to_numpy(object)[order]
    original = pd.Series(np.where(first == np.arange(len(frame)), None, ids[first]), index=ids, dtype="object")
    return check(contacts.assign(duplicate_of=contacts["contact_id"].map(original)), CONTACTS)


def _texts(contacts: pd.DataFrame, turns: pd.DataFrame) -> pd.DataFrame:
    """Per contact: text (plain), code (the same for equal texts), length, is_own (a customer speaks), customer ('' is
    unknown), minute of its start, is_live."""
    own = said(turns.loc[turns["speaker"].isin(("customer", "unknown"))]).to_dict()
    every = said(turns.loc[~turns["contact_id"].isin(own)]).to_dict()
    text = pd.Series([_plain(own.get(name, every.get(name, ""))) for name in contacts["contact_id"]], dtype="object")
    return pd.DataFrame({
        "text": text, "code": pd.factorize(text)[0], "length": text.map(len).astype("int64"), "is_own": contacts["contact_id"].isin(own),
        "customer": contacts["customer_id"].fillna("").astype(object),
        "minute": contacts["started_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64") / 60,
        "is_live": contacts["channel"].isin(LIVE),
    })  # fmt: skip


def said(turns: pd.DataFrame) -> pd.Series:
    """All that `turns` say, by contact_id: one text a contact, turns in their order, a line each."""
    spoken = turns.sort_values(["contact_id", "position", "turn_id"], kind="stable")
    contacts, texts = spoken["contact_id"].to_numpy(object), spoken["text"].tolist()
    starts = np.flatnonzero(np.r_[True, contacts[1:] != contacts[:-1]][: len(contacts)])
    ends = [*starts[1:], len(texts)]
    joined = ["\n".join(texts[start:end]) for start, end in zip(starts, ends[: len(starts)], strict=True)]
    return pd.Series(joined, index=contacts[starts], dtype="object")


def _plain(text: str) -> str:
    text = _MASK_NUMBER.sub(r"\1", unicodedata.normalize("NFKC", text).lower())
    return _LEFT_OUT.sub("", text)


def _equal_pairs(frame: pd.DataFrame) -> np.ndarray:
    """Neighbours in time with equal texts, of one customer and of any."""
    rows = np.flatnonzero(frame["length"].to_numpy() > 0)
    return _neighbours(rows, frame["code"].to_numpy()[rows], _customers(frame)[rows])


def _customers(frame: pd.DataFrame) -> np.ndarray:
    return pd.factorize(frame["customer"])[0]


def _neighbours(rows: np.ndarray, keys: np.ndarray, customers: np.ndarray) -> np.ndarray:
    """(earlier, later) of every row and the row before it with the same key, of any customer and of the same one."""
    found = []
    for columns in ((keys,), (customers, keys)):
        order = np.lexsort(columns)  # stable: rows of one key stay in order of time
        same = np.logical_and.reduce([column[order][1:] == column[order][:-1] for column in columns])
        found.append(np.column_stack([rows[order][:-1][same], rows[order][1:][same]]))
    return np.unique(np.concatenate(found), axis=0)


def _near_pairs(frame: pd.DataFrame) -> np.ndarray:
    """Pairs with different texts that fall into one bucket (neighbours in time there) and whose signatures agree."""
    rows = np.flatnonzero(frame["length"].to_numpy() >= _LONG)
    if len(rows) < 2:
        return np.empty((0, 2), dtype="int64")
    code = frame["code"].to_numpy()
    codes, first, inverse = np.unique(code[rows], return_index=True, return_inverse=True)
    signatures = minhash(frame["text"].to_numpy(object)[rows[first]])
    customers, found = _customers(frame)[rows], []
    for band in range(0, _HASHES, _ROWS):
        key = np.zeros(len(codes), dtype=np.uint64)
        with np.errstate(over="ignore"):
            for column in range(band, band + _ROWS):
                key = key * np.uint64(1_099_511_628_211) + signatures[:, column]
        found.append(_neighbours(rows, key[inverse], customers))
    pairs = np.unique(np.concatenate(found), axis=0)
    pairs = pairs[code[pairs[:, 0]] != code[pairs[:, 1]]]
    left, right = (np.searchsorted(codes, code[pairs[:, side]]) for side in (0, 1))
    same = np.zeros(len(pairs))
    for column in signatures.T:  # one at a time: all at once would take 1 KB a pair
        same += column[left] == column[right]
    return pairs[same >= (_SIMILAR - 0.15) * _HASHES]  # equal hashes only estimate the share of common shingles


def minhash(texts: Sequence[str]) -> np.ndarray:
    """Signatures uint64 (n, 64) of texts of at least 5 characters; equal sets of shingles have equal signatures."""
    factors = np.random.default_rng(20_240).integers(1, 2**63, size=(_HASHES, 2), dtype=np.uint64)
    parts = [_signatures(texts[start : start + _TEXTS], factors) for start in range(0, len(texts), _TEXTS)]
    return np.concatenate(parts) if parts else np.empty((0, _HASHES), dtype=np.uint64)


def _signatures(texts: Sequence[str], factors: np.ndarray) -> np.ndarray:
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
        shingles = shingles[within]
        return np.column_stack([
            np.minimum.reduceat((shingles * (a | np.uint64(1)) + b) >> np.uint64(16), starts) for a, b in factors
        ])  # fmt: skip


def _in_time(frame: pd.DataFrame, pairs: np.ndarray, *, window: float, edited: float, live: float) -> np.ndarray:
    """Whether customers and starts allow a pair to be one; `window`, `edited` (written, of one known customer) and
    `live` are minutes."""
    customer = frame["customer"].to_numpy(object)
    left, right = pairs[:, 0], pairs[:, 1]
    is_unknown = (customer[left] == "") | (customer[right] == "")
    of_one = ~is_unknown & (customer[left] == customer[right])
    either_live = frame["is_live"].to_numpy()[pairs].any(axis=1)
    is_long = frame["length"].to_numpy()[pairs].min(axis=1) >= _LONG
    may_be_unknown = is_unknown & is_long & frame["is_own"].to_numpy()[pairs].all(axis=1)
    minutes = np.select(
        [of_one & (either_live | ~is_long), of_one, may_be_unknown & either_live, may_be_unknown],
        [live, min(edited, window), min(_UNKNOWN_MINUTES, live), window],
        default=-1.0,
    )
    minute = frame["minute"].to_numpy()
    return np.abs(minute[right] - minute[left]) <= minutes


def _agree(frame: pd.DataFrame, pairs: np.ndarray) -> np.ndarray:
    """Whether the shingles of each pair agree: as records of one conversation, or as a written text and its edit."""
    text = frame["text"].to_numpy(object)
    either_live = frame["is_live"].to_numpy()[pairs].any(axis=1)
    shingles = lru_cache(maxsize=4096)(_shingles)
    agree = np.zeros(len(pairs), dtype=bool)
    for place, (left, right) in enumerate(pairs):
        one, other = shingles(text[left]), shingles(text[right])
        common = len(one & other)
        agree[place] = common >= _SIMILAR * (len(one) + len(other) - common)
        if agree[place] and not either_live[place]:
            # with blank edges, so that a change at the end costs as much as one in the middle
            one, other = shingles(f"{_EDGE}{text[left]}{_EDGE}"), shingles(f"{_EDGE}{text[right]}{_EDGE}")
            lacking = min(len(one - other), len(other - one))
            agree[place] = lacking <= _EDITED and _numbers_agree(text[left], text[right])
    return agree


def _shingles(text: str) -> frozenset[str]:
    return frozenset(text[i : i + _SHINGLE] for i in range(max(1, len(text) - _SHINGLE + 1)))


def _numbers_agree(left: str, right: str) -> bool:
    """No number (order, amount, day) stands for another: the numbers of one are among those of the other."""
    one, other = (set(_NUMBER.findall(text)) for text in (left, right))
    return one <= other or other <= one


def _firsts(n: int, pairs: np.ndarray, customer: np.ndarray) -> np.ndarray:
    """For each row the first row of its group; an unknown sender does not tie two known customers together."""
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    known = pd.Series(customer).where(pd.Series(customer) != "")
    owner = known.groupby(group).transform("first")  # rows are in order of time
    shared = pd.Series(group).astype("str") + "|" + known.fillna(owner).fillna("")
    return pd.Series(np.arange(n)).groupby(shared).transform("min").to_numpy()
