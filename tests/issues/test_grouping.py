"""Pieces of clusters on small clouds around given directions."""

import numpy as np
from scipy.sparse import csr_matrix

from voc.issues.grouping import OUTLIER, regroup, smoothed


def clouds(directions, each=12, spread=0.35, seed=0):
    rng = np.random.default_rng(seed)
    points = np.repeat(np.asarray(directions, dtype=float), each, axis=0) + spread * rng.normal(size=(each * len(directions), len(directions[0])))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


FAR = np.eye(6)[:2]
NEAR = np.array([[1, 0, 0, 0, 0, 0], [0.75, 0.66, 0, 0, 0, 0]])
TWO = np.repeat([0, 1], 12)


def test_a_cluster_of_two_matters_is_parted():
    points = clouds(FAR)
    groups = regroup(points, points, np.zeros(24, dtype=int), TWO)
    assert len(set(groups[:12])) == len(set(groups[12:])) == 1 and groups[0] != groups[-1]


def test_clusters_of_one_matter_join_and_rows_left_out_are_placed():
    points = clouds(np.repeat(FAR[:1], 2, axis=0))
    broad = TWO.copy()
    broad[3] = OUTLIER
    assert set(regroup(points, points, broad, broad)) == {0}


def test_matters_told_in_one_contact_join_sooner_and_those_told_apart_later():
    points, three = clouds([*NEAR, np.eye(6)[4]], spread=0.15), np.repeat([0, 1, 2], 12)
    first, second, other = (np.repeat(np.eye(3)[i], 12) for i in range(3))
    told_with = {"together": [first + second] * 8 + [other] * 16, "apart": [first] * 8 + [second] * 8 + [other] * 8}
    groups = {name: regroup(points, points, three, three, csr_matrix(np.array(rows))) for name, rows in told_with.items()}
    assert {name: len(set(found)) for name, found in groups.items()} == {"together": 2, "apart": 3}


def test_without_clusters_every_row_is_left_out():
    none = np.full(24, OUTLIER)
    assert (regroup(clouds(FAR), clouds(FAR), none, none) == OUTLIER).all()


def test_smoothing_draws_neighbours_together_and_keeps_unit_length():
    points = clouds(FAR, each=20)
    smooth = smoothed(points)
    np.testing.assert_allclose(np.linalg.norm(smooth, axis=1), 1)
    assert (smooth[:20] @ smooth[:20].T).mean() > (points[:20] @ points[:20].T).mean()


def test_so_many_groups_as_are_asked_for():
    points = clouds(np.eye(6)[:4])
    four = np.repeat(np.arange(4), 12)
    assert {n: len(set(regroup(points, points, four, four, n_groups=n))) for n in (2, 3, 9)} == {2: 2, 3: 3, 9: 4}
