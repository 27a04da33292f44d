import numpy as np
import pandas as pd

from tests.issues.ledgers import AT, TODAY, ledger
from voc.issues.edits import Edit, edit_rows
from voc.issues.events import advance
from voc.issues.prototypes import active_prototypes
from voc.issues.splitting import pick_like, split_rows


def unit(*angles):
    radians = np.radians(angles)
    return np.column_stack([np.cos(radians), np.sin(radians)])


def split(issues, events, points, part_of, **options):
    options = {"labels": ["残り", "抜いた"], "keep": None, **options}
    rows, ids = split_rows(
        "VOC-0001", issues, part_of=np.array(part_of), points=points, first_seen_at=[AT, AT + pd.Timedelta(days=9)], at=AT, by="佐藤", **options
    )  # fmt: skip
    return *advance(issues, events, rows), ids


def test_the_largest_part_keeps_the_id():
    issues, events, ids = split(*ledger("一", "二"), unit(0, 2, 4, 40, 42), [0, 0, 0, 1, 1])
    assert ids == ["VOC-0001", "VOC-0003"] and issues["label"].tolist() == ["残り", "二", "抜いた"]
    assert np.allclose(issues["centroid"][0], unit(2)[0], atol=1e-3) and np.allclose(issues["centroid"][2], unit(41)[0], atol=1e-3)
    assert (issues["status"][2], issues["label_by"][2], issues["kind"][2]) == ("open", "佐藤", "不具合")
    assert events.sort_values("position")["kind"].tolist()[2:] == ["split", "rename", "birth"]


def test_a_person_may_name_the_part_that_keeps_the_id():
    _, _, ids = split(*ledger("一"), unit(0, 2, 4, 40, 42), [0, 0, 0, 1, 1], keep=1)
    assert ids == ["VOC-0002", "VOC-0001"]


def test_three_parts_get_ids_in_their_order():
    issues, events = ledger("一")
    rows, ids = split_rows(
        "VOC-0001", issues, part_of=np.array([0, 1, 1, 1, 2, 2]), points=unit(0, 40, 41, 42, 90, 91), first_seen_at=[AT] * 3,
        labels=["甲", "乙", "丙"], keep=None, at=AT, by="佐藤",
    )  # fmt: skip
    assert ids == ["VOC-0002", "VOC-0001", "VOC-0003"]
    assert advance(issues, events, rows)[0]["label"].tolist() == ["乙", "甲", "丙"]


def test_a_split_undoes_a_merge():
    issues, events = ledger("一", "二")
    issues, events = advance(issues, events, edit_rows([Edit("merge", "VOC-0002", "VOC-0001")], issues, events, at=AT, by="佐藤", today=TODAY))
    points = unit(*range(-3, 4), *range(87, 94))  # VOC-0001 lies at 0 degrees, VOC-0002 at 90
    issues, _, ids = split(issues, events, points, [0] * 7 + [1] * 7)
    found = active_prototypes(issues)
    assert ids == ["VOC-0001", "VOC-0003"]
    assert dict(zip(found.rows, found.ids, strict=True)) == {"VOC-0001": "VOC-0001", "VOC-0002": "VOC-0003", "VOC-0003": "VOC-0003"}
    assert np.allclose(issues["centroid"][0], unit(0)[0], atol=0.01)


def test_a_split_across_a_merged_prototype_parts_it():
    issues, events = ledger("一", "二")
    issues, events = advance(issues, events, edit_rows([Edit("merge", "VOC-0002", "VOC-0001")], issues, events, at=AT, by="佐藤", today=TODAY))
    points = unit(0, 1, 2, 75, 76, 77, 100, 101, 102, 103)  # the merged prototype's voices fall in two
    issues, _, ids = split(issues, events, points, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    found = active_prototypes(issues)
    nearest = found.ids[(points @ found.centroids.T).argmax(axis=1)]
    assert nearest.tolist() == [ids[0]] * 3 + [ids[1]] * 3 + [ids[0]] * 4


def test_like_the_chosen_ones():
    points = unit(0, 5, 10, 60, 65, 70)
    assert pick_like(points, np.array([0, 0, 0, 1, 0, 0], dtype=bool)).tolist() == [False, False, False, True, True, True]
    assert pick_like(points, np.ones(6, dtype=bool)).all()
