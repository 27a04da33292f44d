import numpy as np
import pandas as pd

from tests.issues.ledgers import AT, TODAY, ledger, mentions
from voc.issues.edits import Edit, edit_rows
from voc.issues.events import advance
from voc.issues.matching import match_probabilities, mention_rows
from voc.issues.prototypes import active_prototypes, best_per_issue, count_sentences, reported
from voc.tables import ISSUES, empty


def merged():
    issues, events = ledger("一", "二", "三")
    rows = edit_rows([Edit("merge", "VOC-0001", "VOC-0002")], issues, events, at=AT, by="佐藤", today=TODAY)
    return advance(issues, events, rows)[0]


def test_a_survivor_draws_with_both_prototypes():
    found = active_prototypes(merged())
    assert found.ids.tolist() == ["VOC-0002", "VOC-0002", "VOC-0003"] and found.rows.tolist() == ["VOC-0001", "VOC-0002", "VOC-0003"]
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    chances, ids = best_per_issue(match_probabilities(points, found.centroids, found.thresholds), found)
    sentences = pd.DataFrame({"sentence_id": list("abc"), "contact_id": "C", "customer_id": None, "started_at": AT})
    rows = mention_rows(chances, sentences, ids)
    assert rows[["issue_id", "sentence_id"]].to_numpy().tolist() == [["VOC-0002", "a"], ["VOC-0002", "b"], ["VOC-0003", "c"]]


def test_excluded_and_resting_issues_still_draw_but_are_not_reported():
    issues = merged().assign(status=["merged", "excluded", "dead"])
    assert active_prototypes(issues).ids.tolist() == ["VOC-0002", "VOC-0002", "VOC-0003"]
    assert reported(issues).empty and reported(merged())["issue_id"].tolist() == ["VOC-0002", "VOC-0003"]


def test_an_empty_ledger_has_no_prototypes():
    found = active_prototypes(empty(ISSUES))
    assert best_per_issue(np.empty((3, 0)), found)[1] == []


def test_sentences_are_counted_from_mentions():
    counted = count_sentences(merged(), mentions(("VOC-0002", "a", "2026-01-01"), ("VOC-0002", "b", "2026-01-01")))
    assert counted["n_sentences"].tolist() == [0, 2, 0]
