"""How good the ledger is by its own measures, told with every run."""

import numpy as np
import pandas as pd

from voc.issues.prototypes import Prototypes
from voc.tables import ISSUE_QUALITY, check

WHOLE = "*"  # the row of the whole ledger
_ALIKE = 0.85  # similarity of two issues, as a share of their own coherence, above which they may be one
_FEWEST = 2


def ledger_quality(
    voices: pd.DataFrame, points: np.ndarray, mentions: pd.DataFrame, prototypes: Prototypes, *, before: pd.DataFrame | None = None
) -> pd.DataFrame:
    """ISSUE_QUALITY: a row per issue and the row `WHOLE` of all.

    `points` (n, d) are the unit vectors of `voices` (sentence_id), `mentions` and `before` MENTIONS of this run and the last.
    share: of the voices that the issue took (WHOLE: coverage). coherence: mean cosine of two of its sentences (WHOLE:
    mean over sentences). nearest_id, similarity: the issue whose sentences are most alike, mean cosine between the two
    over the mean within them; may_be_one from 0.85. changed_share: of the sentences that the issue had in the last
    run and that are here still, how many have another issue, or none, now; empty in the first run.
    """
    place = pd.Series(np.arange(len(voices)), index=voices["sentence_id"])
    best = _best(mentions)
    ids = sorted(set(prototypes.ids.tolist()))
    number = pd.Series(range(len(ids)), index=ids, dtype="int64")
    rows, home = place[best.index].to_numpy(dtype=int), number[best.to_numpy()].to_numpy(dtype=int)
    sums = np.zeros((len(ids), points.shape[1]))
    np.add.at(sums, home, points[rows])
    sizes = np.bincount(home, minlength=len(ids)).astype(float)
    coherence, similarity = _similarities(sums, sizes)
    changed = _changed(before, best, place)
    nearest = similarity.argmax(axis=1) if len(ids) > 1 else np.zeros(len(ids), dtype=int)
    has_rival = (similarity.max(axis=1) > 0) if len(ids) > 1 else np.zeros(len(ids), dtype=bool)
    alike = similarity[np.arange(len(ids)), nearest] if ids else np.empty(0)
    frame = pd.DataFrame({
        "issue_id": ids, "n_sentences": sizes.astype("int64"), "share": sizes / max(len(voices), 1), "coherence": coherence.round(4),
        "nearest_id": [ids[other] if has else None for other, has in zip(nearest, has_rival, strict=True)],
        "similarity": np.where(has_rival, alike.round(4), np.nan), "may_be_one": has_rival & (alike >= _ALIKE),
        "changed_share": [changed.get(issue_id, np.nan) for issue_id in ids],
    })  # fmt: skip
    whole = pd.DataFrame([{
        "issue_id": WHOLE, "n_sentences": int(sizes.sum()), "share": sizes.sum() / max(len(voices), 1),
        "coherence": _mean(coherence, sizes), "may_be_one": False, "changed_share": changed.get(WHOLE, np.nan),
    }])  # fmt: skip
    return check(pd.concat([part for part in (frame, whole) if len(part)], ignore_index=True), ISSUE_QUALITY)


def _similarities(sums: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean cosine of two sentences of one issue, mean cosine between two issues over that within them; 0 on the diagonal)."""
    products = sums @ sums.T
    enough = sizes >= _FEWEST
    within = np.where(enough, (np.diag(products) - sizes) / np.maximum(sizes * (sizes - 1), 1), np.nan)
    own = np.sqrt(np.maximum(np.outer(np.nan_to_num(within), np.nan_to_num(within)), 1e-6))
    ratio = np.where(np.outer(enough, enough), products / np.maximum(np.outer(sizes, sizes), 1) / own, 0.0)
    np.fill_diagonal(ratio, 0.0)
    return within, ratio


def _best(mentions: pd.DataFrame) -> pd.Series:
    """sentence_id -> its likeliest issue."""
    ordered = mentions.sort_values(["probability", "issue_id"], ascending=[False, True], kind="stable")
    return ordered.drop_duplicates("sentence_id").set_index("sentence_id")["issue_id"]


def _changed(before: pd.DataFrame | None, best: pd.Series, place: pd.Series) -> dict[str, float]:
    if before is None or before.empty:
        return {}
    old = _best(before)
    old = old[old.index.isin(place.index)]
    if old.empty:
        return {}
    is_other = best.reindex(old.index).fillna("") != old
    return {**is_other.groupby(old.to_numpy()).mean().to_dict(), WHOLE: float(is_other.mean())}


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    known = ~np.isnan(values)
    return round(float(np.average(values[known], weights=weights[known])), 4) if known.any() else np.nan
