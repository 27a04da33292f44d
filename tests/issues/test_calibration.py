import numpy as np
import pandas as pd
import pytest

from voc.errors import VocError
from voc.issues.calibration import (
    COLUMNS,
    COMMON,
    calibrated,
    choose_sample,
    fit_calibration,
    is_calibrated,
    read_answers,
)
from voc.tables import ISSUE_CALIBRATION, empty

AT = pd.Timestamp("2026-03-01", tz="UTC")


def mentions(counts):
    rng = np.random.default_rng(1)
    rows = [(issue_id, f"{issue_id}-{i:04d}", p) for issue_id, n in counts.items() for i, p in enumerate(rng.uniform(0.5, 1, n))]
    return pd.DataFrame(rows, columns=["issue_id", "sentence_id", "probability"])


def sample(counts, n, seed=1):
    rows = mentions(counts)
    voices = rows[["sentence_id"]].assign(text=rows["sentence_id"] + "の文")
    issues = pd.DataFrame({"issue_id": list(counts), "label": [f"{name}の課題" for name in counts]})
    return choose_sample(rows, voices, issues, n=n, seed=seed)


def labels(bias, n=400, issues=("A", "B"), seed=0):
    """Issues whose true log-odds are `bias` above the told ones."""
    rng = np.random.default_rng(seed)
    told = rng.uniform(0.5, 0.99, n)
    issue = rng.choice(issues, n)
    truth = 1 / (1 + np.exp(-(np.log(told / (1 - told)) + np.array([bias[name] for name in issue]))))
    return pd.DataFrame({"issue_id": issue, "sentence_id": [str(i) for i in range(n)], "probability": told, "weight": 1.0, "is_right": rng.random(n) < truth})


def test_sample_sees_rare_issues_and_says_what_each_row_stands_for():
    chosen = sample({"A": 900, "B": 9}, 30)
    assert len(chosen) == 30 and (chosen["課題番号"] == "B").sum() == 9
    assert chosen["重み"].sum() == pytest.approx(909, rel=0.01)


def test_sample_is_the_same_for_the_same_seed():
    pd.testing.assert_frame_equal(sample({"A": 50, "B": 20}, 12), sample({"A": 50, "B": 20}, 12))


def test_sheet_with_answers_is_read_and_blank_rows_are_left_out():
    sheet = sample({"A": 20}, 3)
    sheet["合っている"] = ["はい", "", "いいえ"]
    read = read_answers(sheet)
    assert read["is_right"].tolist() == [True, False]


def test_wrong_answers_and_columns_are_told():
    sheet = sample({"A": 20}, 3)
    sheet["合っている"] = ["はい", "たぶん", "いいえ"]
    with pytest.raises(VocError, match="3 行目「たぶん」"):
        read_answers(sheet)
    with pytest.raises(VocError, match="重み"):
        read_answers(sheet.drop(columns=COLUMNS["weight"]))


def test_over_confident_probabilities_come_down():
    found = fit_calibration(labels({"A": -1.5, "B": -1.5}), at=AT)
    after = calibrated(np.array([[0.9, 0.9]]), ["A", "unseen"], found)
    assert after == pytest.approx(1 / (1 + np.exp(-(np.log(9) - 1.5))), abs=0.1)


def test_each_issue_has_its_own_curve_but_few_labels_say_little():
    many = fit_calibration(labels({"A": 1.0, "B": -2.0}), at=AT).set_index("issue_id")
    few = fit_calibration(labels({"A": 1.0, "B": -2.0}, n=12), at=AT).set_index("issue_id")
    spread = {len(found): found.loc["A", "intercept"] - found.loc["B", "intercept"] for found in (many,)}
    assert spread[3] > 1.5 and abs(few.loc["A", "intercept"] - few.loc["B", "intercept"]) < spread[3]


def test_without_labels_nothing_changes_and_the_ledger_is_not_calibrated():
    before = np.array([[0.2, 0.0, 0.9]])
    np.testing.assert_array_equal(calibrated(before, ["A", "B", "C"], empty(ISSUE_CALIBRATION)), before)
    assert not is_calibrated(empty(ISSUE_CALIBRATION))
    assert is_calibrated(fit_calibration(labels({"A": 0, "B": 0}), at=AT))
    assert not is_calibrated(fit_calibration(labels({"A": 0, "B": 0}, n=20), at=AT))


def test_a_sentence_without_a_matter_stays_without_an_issue():
    found = fit_calibration(labels({"A": 2.0, "B": 2.0}), at=AT)
    assert calibrated(np.zeros((1, 2)), ["A", COMMON], found).tolist() == [[0.0, 0.0]]


def test_labels_are_needed():
    with pytest.raises(VocError, match="ラベル"):
        fit_calibration(labels({"A": 0, "B": 0}).iloc[:0], at=AT)
