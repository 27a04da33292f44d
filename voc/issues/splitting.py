"""One issue becomes several: where the parts lie, and which of them keeps the id."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voc.issues.events import birth_rows, event_row, issue_id_of, next_number, place_of
from voc.issues.prototypes import active_prototypes
from voc.unit_vectors import unit

_QUANTILE = 0.10  # a tenth of the members may lie below the threshold, as where an issue is found
_OWN_MEMBERS = 5  # so many sentences that no moved prototype explains make a centre of their own


def pick_like(points: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(n,) bool: the members nearer to the mean of the `chosen` ones (n, bool) than to the mean of the others.

    The chosen ones themselves are always in.
    """
    if chosen.all() or not chosen.any():
        return chosen.copy()
    inside, outside = unit(points[chosen].mean(axis=0)), unit(points[~chosen].mean(axis=0))
    return chosen | (points @ inside > points @ outside)


def split_rows(
    issue_id: str,
    issues: pd.DataFrame,
    *,
    part_of: np.ndarray,
    points: np.ndarray,
    first_seen_at: Sequence[pd.Timestamp],
    labels: Sequence[str],
    keep: int | None,
    at: pd.Timestamp,
    by: str,
) -> tuple[list[dict], list[str]]:
    """(rows of `event_row`, the issue_id of each part) that split `issue_id` into the parts 0 ... len(labels) - 1.

    `part_of` (n,) and unit `points` (n, d) are of the issue's sentences, `labels` and `first_seen_at` of the parts.
    `keep` is the part that keeps the id; None: the largest, so that the trend of most voices goes on under its number
    (the first of equal ones). Issues that were merged into this one are prototypes of it; each goes on with the part
    that most of its sentences went to.
    """
    sizes = np.bincount(part_of, minlength=len(labels))
    keep = int(sizes.argmax()) if keep is None else keep
    old = issues.set_index("issue_id").loc[issue_id]
    number = next_number(issues["issue_id"])
    ids = [issue_id_of(number + part - (part > keep)) if part != keep else issue_id for part in range(len(labels))]
    moved, explained = _moved(issue_id, issues, part_of, points, ids)
    places = []
    for part in range(len(labels)):
        own = (part_of == part) & ~explained
        places.append(_place(points[own if own.sum() >= _OWN_MEMBERS else part_of == part]))
    new = [part for part in range(len(labels)) if part != keep]
    rows = [
        event_row(issue_id, "split", at=at, by=by, old=old["label"], to=",".join(ids[part] for part in new),
                  note=f"{len(part_of):,} 文を {' と '.join(f'{size:,}' for size in sizes)} に分けました。",
                  definition={**places[keep], "moved": moved})
    ]  # fmt: skip
    if labels[keep] != old["label"]:
        rows.append(event_row(issue_id, "rename", at=at, by=by, old=old["label"], to=labels[keep]))
    status = "locked" if old["status"] == "locked" else "open"
    born = pd.DataFrame([
        {"issue_id": ids[part], "label": labels[part], "kind": old["kind"], "status": status, "parent": old["parent"],
         "first_seen_at": first_seen_at[part], **places[part]}
        for part in new
    ])  # fmt: skip
    return rows + birth_rows(born, at=at, by=by, old=issue_id), ids


def _moved(issue_id: str, issues: pd.DataFrame, part_of: np.ndarray, points: np.ndarray, ids: list[str]) -> tuple[dict, np.ndarray]:
    """Places of the prototypes merged into `issue_id`, and which sentences they explain in the part they go to."""
    prototypes = active_prototypes(issues)
    mine = prototypes.ids == issue_id
    if mine.sum() == 1:
        return {}, np.zeros(len(points), dtype=bool)
    nearest = (points @ prototypes.centroids[mine].T).argmax(axis=1)
    moved, explained = {}, np.zeros(len(points), dtype=bool)
    for column, name in enumerate(prototypes.rows[mine]):
        own = nearest == column
        if name == issue_id or not own.any():
            continue
        part = int(np.bincount(part_of[own], minlength=len(ids)).argmax())
        stays = own & (part_of == part)
        moved[name] = {"into": ids[part], **_place(points[stays])}
        explained |= stays
    return moved, explained


def _place(points: np.ndarray) -> dict:
    centre = unit(points.mean(axis=0))
    return place_of(centre, float(np.quantile(points @ centre, _QUANTILE)))
