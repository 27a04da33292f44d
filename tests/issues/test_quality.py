import numpy as np
import pandas as pd

from voc.issues.prototypes import Prototypes
from voc.issues.quality import WHOLE, ledger_quality


def prototypes(*ids):
    names = np.array(ids, dtype=object)
    return Prototypes(names, names, names, np.eye(len(ids)), np.full(len(ids), 0.5))


def unit(*angles):
    return np.column_stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])


def mentions(**issue_of):
    return pd.DataFrame({"issue_id": list(issue_of.values()), "sentence_id": list(issue_of), "probability": 0.9})


def quality(angles, said, *ids, before=None):
    voices = pd.DataFrame({"sentence_id": [f"s{i}" for i in range(len(angles))]})
    return ledger_quality(voices, unit(*angles), said, prototypes(*ids), before=before).set_index("issue_id")


def test_coverage_coherence_and_nearest():
    said = mentions(s0="A", s1="A", s2="B", s3="B", s4="C", s5="C")
    found = quality([0, 10, 12, 20, 90, 100, 200], said, "A", "B", "C")
    assert found.loc[WHOLE, "share"] == 6 / 7 and found.loc["A", "n_sentences"] == 2
    assert abs(found.loc["A", "coherence"] - np.cos(np.radians(10))) < 1e-3
    assert found.loc["A", "nearest_id"] == "B" and found["may_be_one"].to_dict() == {"A": True, "B": True, "C": False, WHOLE: False}


def test_share_of_sentences_whose_issue_changed():
    before = mentions(s0="A", s1="A", s2="B", gone="B")
    found = quality([0, 10, 90], mentions(s0="A", s1="B"), "A", "B", before=before)
    assert found["changed_share"].to_dict() == {"A": 0.5, "B": 1.0, WHOLE: 2 / 3}


def test_an_issue_without_sentences_and_an_empty_ledger():
    found = quality([0, 10], mentions(s0="A", s1="A"), "A", "B")
    assert np.isnan(found.loc["B", "coherence"]) and pd.isna(found.loc["A", "nearest_id"])
    assert quality([0, 10], mentions().astype({"probability": float})).loc[WHOLE, "share"] == 0
