"""Where the ledger's issues lie: one issue may have several prototypes, because a survivor keeps those merged into it.

Every issue draws its sentences whatever its status: an excluded issue must take them away from the others, a solved
or resting one must be seen when it comes back. The row of a merged issue stays a prototype of its survivor.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.issues.events import UNREPORTED, survivors
from voc.tables import MENTIONS, check
from voc.unit_vectors import unit


@dataclass(frozen=True, slots=True)
class Prototypes:
    """`ids` (k,) the issue that a prototype draws for, `rows` (k,) the row of ISSUES it stands in (its own id, or a merged
    one's), `kinds` (k,) of the issue, `centroids` (k, d) of unit length, `thresholds` (k,)."""

    ids: np.ndarray
    rows: np.ndarray
    kinds: np.ndarray
    centroids: np.ndarray
    thresholds: np.ndarray


def active_prototypes(issues: pd.DataFrame) -> Prototypes:
    """The prototypes that sentences are matched with, from ISSUES, in the order of (issue, row)."""
    if issues.empty:
        return Prototypes(*(np.empty(0, object) for _ in range(3)), np.empty((0, 0)), np.empty(0))
    rows = issues.assign(home=issues["issue_id"].map(survivors(issues))).sort_values(["home", "issue_id"], kind="stable")
    kinds = rows["home"].map(issues.set_index("issue_id")["kind"])
    stacked = np.vstack([np.asarray(centroid, dtype=np.float64) for centroid in rows["centroid"]])
    return Prototypes(
        rows["home"].to_numpy(dtype=object), rows["issue_id"].to_numpy(dtype=object), kinds.to_numpy(dtype=object),
        unit(stacked), rows["threshold"].to_numpy(dtype=float),
    )  # fmt: skip


def best_per_issue(chances: np.ndarray, prototypes: Prototypes) -> tuple[np.ndarray, list[str]]:
    """(n, k) chances per prototype -> (n, issues) the best of each issue's prototypes, and the issue_ids of the columns."""
    if not len(prototypes.ids):
        return np.empty((len(chances), 0)), []
    starts = np.flatnonzero(np.r_[True, prototypes.ids[1:] != prototypes.ids[:-1]])
    return np.maximum.reduceat(chances, starts, axis=1), prototypes.ids[starts].tolist()


def restate_mentions(mentions: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """MENTIONS of all times with each merged issue's rows under its survivor; of two rows the more probable one stays."""
    home = survivors(issues)
    moved = mentions.assign(issue_id=mentions["issue_id"].map(home).fillna(mentions["issue_id"]))
    moved = moved.sort_values("probability", ascending=False, kind="stable")
    return check(moved.drop_duplicates(["issue_id", "sentence_id"]), MENTIONS)


def count_sentences(issues: pd.DataFrame, mentions: pd.DataFrame) -> pd.DataFrame:
    """`issues` with n_sentences counted from `mentions`."""
    counts = mentions["issue_id"].value_counts()
    return issues.assign(n_sentences=issues["issue_id"].map(counts).fillna(0).astype("int64"))


def reported(issues: pd.DataFrame) -> pd.DataFrame:
    """The issues that reports and rankings show: without excluded, merged and resting ones."""
    return issues[~issues["status"].isin(UNREPORTED)].reset_index(drop=True)
