"""Episodes: the contacts of one customer on one matter, before any issue is known (first-contact resolution, repeats)."""

import re

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from voc.duplicates import said
from voc.tables import CONTACTS, check

_TERM = re.compile(r"[一-龥々]{2,}|[ァ-ヴー]{3,}|[A-Za-z]{3,}")
_NO_TERMS = frozenset(
    "氏名 電話番号 住所 メール 郵便番号 電話 連絡 対応 確認 担当 担当者 利用 使用 場合 方法 状態 状況 お願い 問題 返事 返信 回答 案内 説明 今日 昨日 先日 先週 今回 前回 "
    "大変 失礼 申し訳 世話 契約 会社 株式会社 弊社 御社 サービス サポート オペレーター".split()
)
_BACK = 5  # earlier contacts of the customer that one is compared with
_SAME_MATTER = 0.2
_SAME_MATTER_IN_QUEUE = 0.08


def link_episodes(
    contacts: pd.DataFrame,
    turns: pd.DataFrame,
    *,
    window_days: float = 7,
    no_episode: tuple[str, ...] = ("survey", "review"),
) -> pd.DataFrame:
    """CONTACTS with `episode_id` ('E' + the rest of the first contact's id).

    One episode are contacts of a thread; contacts of one customer at most `window_days` after one another whose
    content words are alike (cosine of TF-IDF >= 0.2, or >= 0.08 in the same queue), whatever the channel; and a contact
    with its duplicates. A customer's contact that fits no other is an episode of its own. Empty where neither customer
    nor thread is known, and for the channels in `no_episode`, which answer a question instead of raising a matter.
    """
    contacts = check(contacts.assign(episode_id=None), CONTACTS)
    is_own = ~contacts["channel"].isin(no_episode) & (contacts["customer_id"].notna() | contacts["thread_id"].notna())
    own = contacts.loc[is_own].sort_values(["started_at", "contact_id"], kind="stable").reset_index(drop=True)
    if own.empty:
        return contacts
    pairs = np.concatenate([
        _neighbours(own, ["source", "thread_id"]), _duplicates(own), _alike(own, turns, window_days=window_days),
    ])  # fmt: skip
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(own), len(own)))
    _, group = connected_components(graph, directed=False)
    first = own["contact_id"].groupby(group).transform("first")
    episodes = pd.Series(("E" + first.str.removeprefix("C")).to_numpy(object), index=own["contact_id"])
    return check(contacts.assign(episode_id=contacts["contact_id"].map(episodes)), CONTACTS)


def _neighbours(own: pd.DataFrame, columns: list[str], back: int = 1) -> np.ndarray:
    """(earlier, later) positions of rows and the `back`-th row before them with the same values, none of them empty."""
    rows = own.loc[own[columns].notna().all(axis=1)]
    place = rows.index.to_series()
    before = place.groupby([rows[column] for column in columns]).shift(back)
    return np.column_stack([before, place])[before.notna().to_numpy()].astype("int64").reshape(-1, 2)


def _duplicates(own: pd.DataFrame) -> np.ndarray:
    place = pd.Series(own.index, index=own["contact_id"])
    of = own["duplicate_of"].map(place)
    return np.column_stack([of, own.index])[of.notna().to_numpy()].astype("int64").reshape(-1, 2)


def _alike(own: pd.DataFrame, turns: pd.DataFrame, *, window_days: float) -> np.ndarray:
    text = own["contact_id"].map(said(turns.loc[turns["contact_id"].isin(own["contact_id"])])).fillna("")
    text = own["subject"].fillna("").astype(object) + "\n" + text.astype(object)
    if not any(_terms(one) for one in text):
        return np.empty((0, 2), dtype="int64")
    vectors = TfidfVectorizer(analyzer=_terms, sublinear_tf=True).fit_transform(text)
    second = own["started_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64")
    queue = own["queue"].fillna("").to_numpy(object)
    found = []
    for back in range(1, _BACK + 1):
        pairs = _neighbours(own, ["customer_id"], back)
        pairs = pairs[second[pairs[:, 1]] - second[pairs[:, 0]] <= window_days * 86_400]
        left, right = pairs[:, 0], pairs[:, 1]
        cosine = np.asarray(vectors[left].multiply(vectors[right]).sum(axis=1)).ravel()
        same_queue = (queue[left] == queue[right]) & (queue[left] != "")
        found.append(pairs[cosine >= np.where(same_queue, _SAME_MATTER_IN_QUEUE, _SAME_MATTER)])
    return np.concatenate(found)


def _terms(text: str) -> list[str]:
    return [term for term in _TERM.findall(text) if term not in _NO_TERMS]
