import numpy as np
import pandas as pd

from voc.issues.matching import match_probabilities, mention_rows, voice_vectors

CENTROIDS = np.array([[1.0, 0.0], [0.0, 1.0]])
THRESHOLDS = np.array([0.7, 0.7])


def unit(*angles):
    radians = np.radians(angles)
    return np.column_stack([np.cos(radians), np.sin(radians)])


def sentences(n):
    return pd.DataFrame(
        {"sentence_id": [f"s{i}" for i in range(n)], "contact_id": "c", "customer_id": None,
         "started_at": pd.Timestamp("2026-01-01", tz="UTC")}
    )  # fmt: skip


def test_probability_falls_with_distance():
    near, edge, far = match_probabilities(unit(0, 45, 75), CENTROIDS[:1], THRESHOLDS[:1])[:, 0]
    assert near > 0.95 and 0.5 < edge < 0.8 and far < 0.1


def test_a_nearer_rival_lowers_the_probability():
    alone = match_probabilities(unit(40), CENTROIDS[:1], THRESHOLDS[:1])[0, 0]
    with_rival = match_probabilities(unit(40), np.array([[1.0, 0.0], [0.9, 0.4359]]), np.array([0.7, 0.7]))[0, 0]
    assert with_rival < alone


def test_prototypes_of_one_issue_are_no_rivals():
    centroids, thresholds = np.array([[1.0, 0.0], [0.9, 0.4359]]), np.array([0.7, 0.7])
    rivals = match_probabilities(unit(12), centroids, thresholds).max()
    one = match_probabilities(unit(12), centroids, thresholds, owners=["A", "A"]).max()
    assert one > rivals


def test_nothing_is_forced_into_an_issue():
    far = match_probabilities(unit(180, 225), CENTROIDS, THRESHOLDS)
    assert mention_rows(far, sentences(2), ["VOC-0001", "VOC-0002"]).empty


def test_without_issues_there_are_no_probabilities():
    assert match_probabilities(unit(1, 2), np.empty((0, 2)), np.empty(0)).shape == (2, 0)


def test_order_of_rows_does_not_matter():
    points, frame = unit(5, 85, 44), sentences(3)
    one = mention_rows(match_probabilities(points, CENTROIDS, THRESHOLDS), frame, ["A-1", "B-1"])
    back = mention_rows(match_probabilities(points[::-1], CENTROIDS, THRESHOLDS), frame.iloc[::-1], ["A-1", "B-1"])
    pd.testing.assert_frame_equal(one, back)


def test_kind_parts_sentences_of_equal_meaning():
    same = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    kinds = np.zeros((2, 8))
    kinds[0, 0] = kinds[1, 1] = 1
    joined = voice_vectors(same, kinds)
    assert np.allclose(np.linalg.norm(joined, axis=1), 1) and joined[0] @ joined[1] < 0.9


def test_a_sentence_leans_to_those_of_its_contact_that_are_like_it():
    vectors, kinds = unit(0, 40, 180), np.zeros((3, 8))
    alone = voice_vectors(vectors, kinds)
    told = voice_vectors(vectors, kinds, contacts=["a", "a", "a"])
    assert told[0] @ told[1] > alone[0] @ alone[1]
    np.testing.assert_allclose(told[2], alone[2])  # another matter of the same contact stays where it is


def test_other_contacts_do_not_move_a_sentence():
    vectors, kinds = unit(0, 40), np.zeros((2, 8))
    np.testing.assert_allclose(voice_vectors(vectors, kinds, contacts=["a", "b"]), voice_vectors(vectors, kinds))
