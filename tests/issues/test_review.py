"""Known issues against fresh clusters: born, parted, moved, merged."""

import numpy as np
import pandas as pd
import pytest

from voc.issues.discovery import Candidate
from voc.issues.events import append_events, birth_rows, event_row, replay, survivors
from voc.issues.prototypes import active_prototypes
from voc.issues.review import may_change, review, review_rows
from voc.tables import ISSUE_EVENTS, ISSUES, check, empty

AT = pd.Timestamp("2026-03-01", tz="UTC")
A, B = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])


def issue(number, centroid, **more):
    return {"issue_id": f"VOC-{number:04d}", "label": f"課題{number}", "label_by": "voc", "kind": "不具合", "status": "candidate",
            "first_seen_at": AT, "centroid": list(centroid), "threshold": 0.4, "exemplar_ids": [], "keywords": [],
            "n_sentences": 0, **more}  # fmt: skip


def ledger(*rows):
    issues = check(pd.DataFrame(rows), ISSUES)
    return issues, append_events(empty(ISSUE_EVENTS), birth_rows(issues, at=AT))


def cluster(members, centroid):
    return Candidate(np.asarray(members), np.asarray(centroid, dtype=float), 0.4, "不具合", ("語",))


def seen(found, home, issues, events, near=None):
    return review(found, np.array(home, dtype=object), issues, free=may_change(issues, events), near=near or [None] * len(found))


def test_a_cluster_that_nobody_holds_is_born():
    issues, events = ledger(issue(1, A))
    found = [cluster(range(4), A), cluster(range(4, 8), B)]
    result = seen(found, ["VOC-0001"] * 4 + [None] * 4, issues, events)
    assert result.born == [found[1]] and not result.parted and not result.merged


def test_a_cluster_near_a_known_issue_joins_it():
    issues, events = ledger(issue(1, A))
    result = seen([cluster(range(4), [0.9, 0.4359, 0])], [None] * 4, issues, events, near=["VOC-0001"])
    assert not result.born and list(result.moved) == ["VOC-0001"]


def test_an_issue_of_two_clusters_is_parted_and_keeps_its_id_for_the_nearer_one():
    issues, events = ledger(issue(1, A))
    result = seen([cluster(range(4), A), cluster(range(4, 10), B)], ["VOC-0001"] * 10, issues, events)
    assert [(owner, part.centroid.tolist()) for owner, part in result.parted] == [("VOC-0001", B.tolist())]


def test_an_issue_inside_another_ones_cluster_is_merged():
    issues, events = ledger(issue(1, A), issue(2, B))
    result = seen([cluster(range(10), A)], ["VOC-0001"] * 7 + ["VOC-0002"] * 3, issues, events)
    assert result.merged == {"VOC-0002": "VOC-0001"}


@pytest.mark.parametrize("deed", [{"kind": "rename", "to": "別名"}, {"kind": "lock", "old": "candidate", "to": "locked"}])
def test_what_a_person_touched_is_left_as_it_is(deed):
    issues, events = ledger(issue(1, A))
    events = append_events(events, [event_row("VOC-0001", deed.pop("kind"), at=AT, by="山田", **deed)])
    result = seen([cluster(range(4), A), cluster(range(4, 10), B)], ["VOC-0001"] * 10, issues, events)
    assert may_change(replay(events), events) == set()
    assert not result.parted and not result.moved and not result.born


@pytest.mark.parametrize("merges", [[(1, 2), (2, 3)], [(2, 3), (1, 2)]])
def test_what_people_merged_is_left_with_all_that_it_went_into(merges):
    _, events = ledger(*(issue(number, A) for number in (1, 2, 3, 4)))
    rows = [event_row(f"VOC-{gone:04d}", "merge", at=AT, by="山田", to=f"VOC-{kept:04d}") for gone, kept in merges]
    events = append_events(events, rows)
    assert survivors(replay(events)) == {"VOC-0001": "VOC-0003", "VOC-0002": "VOC-0003", "VOC-0003": "VOC-0003", "VOC-0004": "VOC-0004"}
    assert may_change(replay(events), events) == {"VOC-0004"}


@pytest.mark.parametrize(("held", "expected"), [(4, "joined"), (1, "born"), (8, "kept")])
def test_a_cluster_with_most_of_a_locked_issues_sentences_joins_it(held, expected):
    """A company's category of few examples takes some sentences of its matter; the cluster of them all is no second issue."""
    issues, events = ledger(issue(1, A, status="locked", label_by="分類の表"))
    result = seen([cluster(range(10), B)], ["VOC-0001"] * held + [None] * (10 - held), issues, events)
    assert {"joined": [owner for owner, _ in result.joined], "born": len(result.born)} == {
        "joined": ["VOC-0001"] if expected == "joined" else [], "born": int(expected == "born")
    }  # fmt: skip
    assert not result.moved and not result.parted


def test_a_discovered_twin_is_merged_into_the_locked_issue():
    issues, events = ledger(issue(1, A, status="locked", label_by="分類の表"), issue(2, B))
    result = seen([cluster(range(10), B)], ["VOC-0001"] * 4 + ["VOC-0002"] * 6, issues, events)
    assert result.merged == {"VOC-0002": "VOC-0001"} and not result.joined and not result.born


def test_what_joined_a_locked_issue_is_a_prototype_of_it_after_replay():
    issues, events = ledger(issue(1, A, status="locked", label_by="分類の表"))
    result = seen([cluster(range(10), B)], ["VOC-0001"] * 4 + [None] * 6, issues, events)
    born = check(pd.DataFrame([issue(2, B)]), ISSUES)
    after = replay(append_events(events, review_rows(result, issues, born, at=AT)))
    prototypes = active_prototypes(after)
    assert prototypes.ids.tolist() == ["VOC-0001"] * 2 and after.set_index("issue_id").loc["VOC-0001", "centroid"] == A.tolist()


def test_events_of_a_review_replay_to_the_same_ledger():
    issues, events = ledger(issue(1, A), issue(2, B), issue(3, [0, 0, 1.0]))
    found = [cluster(range(6), A), cluster(range(6, 12), B), cluster(range(12, 16), [0.9, 0.4359, 0])]
    result = seen(found, ["VOC-0001"] * 12 + ["VOC-0002"] * 4, issues, events)
    born = check(pd.DataFrame([issue(4 + i, B) for i in range(len(result.born) + len(result.parted))]), ISSUES)
    history = append_events(events, review_rows(result, issues, born, at=AT))
    after = replay(history).set_index("issue_id")
    assert set(after.index) == {*issues["issue_id"], *born["issue_id"]}
    assert after.loc["VOC-0003", "status"] == "candidate" and "split" in set(history["kind"])
