"""領域, the level above the issues: topics that lie together, whatever is said of them (kinds do not count).

An issue keeps its area once it has one, unless a person changes it; new issues join the nearest area. Where the
company's own categories name areas, these are the only ones.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from voc.issues.categories import BY as CATEGORIES
from voc.issues.edits import LONGEST_AREA
from voc.issues.events import VOC, event_row
from voc.issues.kinds import matter_part
from voc.issues.label_words import BARE, DEICTIC, FORMAL, TIME, VAGUE
from voc.japanese import Token
from voc.unit_vectors import unit

FEWEST, MOST = 4, 12
"""Areas that a company's issues are put into, where there are so many topics."""
OTHER = "その他"
_STRANGE = 0.20  # cosine to the middle of every area below which an issue is part of none
_SAME = 0.7  # distance of two topics (cosine 0.75) below which they are one matter with two kinds
_GROWTH = 1.5
_AND, _NOUNS_OF_A_NAME = "・", 2
_IN_KEYWORDS = 0.5  # what a noun among an issue's keywords counts beside one in its label
_EMPTY_NOUNS = BARE | DEICTIC | FORMAL | TIME | VAGUE | frozenset("声 方 様 担当 担当者 担当の方 自身 自体 問い合わせ 使用 確認 発生 可否".split())


def area_rows(
    issues: pd.DataFrame, events: pd.DataFrame, *, at: pd.Timestamp, tokenize: Callable[[Sequence[str]], list[list[Token]]]
) -> list[dict]:
    """Events set_parent (rows of `event_row`) for the issues of ISSUES without an area, in the order of issue_id.

    A person who took an area away (an event set_parent without a value) is obeyed. `tokenize` as `voc.japanese.tokenize`.
    """
    living = issues[issues["status"] != "merged"].sort_values("issue_id").reset_index(drop=True)
    emptied = set(events.loc[(events["kind"] == "set_parent") & (events["by"] != VOC) & events["to"].isna(), "issue_id"])
    is_open = (living["parent"].isna() & ~living["issue_id"].isin(emptied)).to_numpy()
    if not is_open.any():
        return []
    topics, weights = topic_parts(living), np.sqrt(living["n_sentences"].to_numpy(dtype=float) + 1)
    areas = living["parent"].to_numpy(dtype=object)
    own = _company_areas(living, events)
    if own:
        areas[is_open] = _nearest(topics, areas, is_open, names=own)
    else:
        areas = _placed(living, topics, weights, areas, is_open, tokenize=tokenize)
    return [
        event_row(issue_id, "set_parent", at=at, by=VOC, to=area)
        for issue_id, area, is_new in zip(living["issue_id"], areas, is_open, strict=True) if is_new
    ]  # fmt: skip


def topic_parts(issues: pd.DataFrame) -> np.ndarray:
    """(k, d) unit vectors of what sets each issue's topic apart: its centroid without the part of the kinds, and without
    what all issues of the company share (on the demo and on a survey, areas cut without this were mixtures)."""
    topics = matter_part(issues["centroid"])
    return unit(topics - topics.mean(axis=0)) if len(topics) > 2 else topics


def cluster_topics(topics: np.ndarray) -> np.ndarray:
    """(k,) groups 0 ... g - 1 of unit vectors `topics`: 1.5 times the square root of the number of matters, FEWEST to MOST.

    Topics all but the same are one matter (the kinds of one thing), which no border of areas parts. Ward's linkage, for
    average linkage puts half of the issues into one area and leaves others alone.
    """
    if len(topics) == 1:
        return np.zeros(1, dtype=int)
    matters = np.unique(fcluster(linkage(topics, method="average"), _SAME, criterion="distance"), return_inverse=True)[1]
    n = int(matters.max()) + 1
    if n == 1:
        return np.zeros(len(topics), dtype=int)
    centres = unit(np.vstack([topics[matters == matter].mean(axis=0) for matter in range(n)]))
    groups = fcluster(linkage(centres, method="ward"), _wanted(n), criterion="maxclust")
    return np.unique(groups, return_inverse=True)[1][matters]


def name_areas(groups: np.ndarray, issues: pd.DataFrame, weights: np.ndarray, *, taken: Sequence[str], tokenize) -> list[str]:
    """A short name for each group of `issues` (label, keywords): the noun that most of the group has and few others do.

    Where it is in fewer than half of the group's issues, a second noun, of the others, is put beside it (連携・カード). The
    large groups choose first; no noun names two areas, and none of `taken`.
    """
    in_label = [_nouns(tokens) for tokens in tokenize(issues["label"].tolist())]
    in_keywords = [{word for tokens in tokenize(list(words)) for word in _nouns(tokens)} for words in issues["keywords"]]
    nouns = sorted(set().union(*in_label, *in_keywords))
    has = np.array([[1.0 if noun in own else _IN_KEYWORDS if noun in words else 0.0 for noun in nouns]
                    for own, words in zip(in_label, in_keywords, strict=True)]).reshape(len(issues), len(nouns))  # fmt: skip
    names, used = [OTHER] * (groups.max() + 1), {part for name in taken for part in name.split(_AND)}
    sizes = np.bincount(groups, weights=weights)
    for group in np.argsort(-sizes, kind="stable"):
        inside = groups == group
        chosen: list[int] = []
        left = inside.copy()
        while left.sum() > inside.sum() / 2 and len(chosen) < _NOUNS_OF_A_NAME:
            share = weights[left] @ has[left] / weights[left].sum()
            outside = weights[~inside] @ has[~inside] / max(weights[~inside].sum(), 1e-12)
            order = np.lexsort((nouns, -np.round(share - outside, 6)))
            best = next((i for i in order if nouns[i] not in used and share[i] > 0), None)
            if best is None or len(_AND.join([*(nouns[i] for i in chosen), nouns[best]])) > LONGEST_AREA:
                break
            chosen.append(best)
            used.add(nouns[best])
            left &= has[:, best] == 0
        names[group] = _AND.join(nouns[i] for i in chosen) or OTHER
    return names


def _nouns(tokens: Sequence[Token]) -> set[str]:
    return {
        token.surface for token in tokens
        if token.pos == "名詞" and token.detail.startswith(("普通名詞", "固有名詞-一般")) and 2 <= len(token.surface) <= LONGEST_AREA
        and token.surface not in _EMPTY_NOUNS and token.normal not in _EMPTY_NOUNS
        and "助数詞" not in token.detail
    }  # fmt: skip


def _company_areas(living: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """Areas that the company's list of categories names."""
    ids = set(events.loc[(events["by"] == CATEGORIES) & events["kind"].isin(["birth", "set_parent"]), "issue_id"])
    return sorted(living.loc[living["issue_id"].isin(ids), "parent"].dropna().unique())


def _placed(living, topics, weights, areas, is_open, *, tokenize) -> np.ndarray:
    """Areas of all `living` issues: near ones join, strange ones found new areas while the ledger has room for more."""
    known = sorted({area for area in areas if isinstance(area, str)})
    groups = np.full(len(living), -1)
    if known:
        groups[is_open] = _strangers(topics[is_open], _likeness(topics[is_open], topics, areas, known), _wanted(len(living)) - len(known))
    else:
        groups = cluster_topics(topics)
    areas = areas.copy()
    joins = is_open & (groups < 0)
    if joins.any():
        areas[joins] = _nearest(topics, areas, joins, names=known)
    if (groups >= 0).any():
        # named beside all issues, so that a noun that the whole company shares names no area
        place = np.where(groups >= 0, groups, groups.max() + 1)
        names = name_areas(place, living, weights, taken=known, tokenize=tokenize)
        areas[groups >= 0] = np.array(names, dtype=object)[groups[groups >= 0]]
    return areas


def _strangers(points: np.ndarray, likeness: np.ndarray, room: int) -> np.ndarray:
    """(n,) groups of the points that are like no area, at most `room` of them (the largest); -1 for all others."""
    groups = np.full(len(points), -1)
    strange = np.flatnonzero(likeness.max(axis=1) < _STRANGE)
    if room < 1 or not len(strange):
        return groups
    near = math.sqrt(2 - 2 * _STRANGE)  # the same cosine as a distance
    found = fcluster(linkage(points[strange], method="average"), near, criterion="distance") if len(strange) > 1 else np.ones(1, dtype=int)
    sizes = np.bincount(found)
    kept = [group for group in np.argsort(-sizes, kind="stable") if sizes[group]][:room]
    for number, group in enumerate(kept):
        groups[strange[found == group]] = number
    return groups


def _wanted(n: int) -> int:
    return min(max(round(_GROWTH * math.sqrt(n)), FEWEST), MOST)


def _nearest(topics: np.ndarray, areas: np.ndarray, is_open: np.ndarray, *, names: list[str]) -> np.ndarray:
    near = _likeness(topics[is_open], topics, areas, names)
    return np.array(names, dtype=object)[near.argmax(axis=1)]


def _likeness(points: np.ndarray, topics: np.ndarray, areas: np.ndarray, names: list[str]) -> np.ndarray:
    """(n, areas) cosine of each point to the middle of each area; 1 more where the area holds its matter in another kind.

    Not to the nearest issue: areas that grew issue by issue were then farther from those cut at once (demo: adjusted
    Rand 0.21-0.38 against 0.33-0.54).
    """
    near = np.column_stack([(points @ topics[areas == name].T).max(axis=1) for name in names])
    middle = np.column_stack([points @ unit(topics[areas == name].mean(axis=0)[None])[0] for name in names])
    return np.where(near > 1 - _SAME**2 / 2, 1 + near, middle)
