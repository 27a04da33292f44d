import numpy as np
import pandas as pd
import pytest

from voc.errors import VocError
from voc.issues.calibration import (
    COLUMNS,
    COMMON,
    add_labels,
    calibrated,
    choose_sample,
    fit_calibration,
    is_calibrated,
    labels_of_now,
    read_answers,
)
from voc.tables import ISSUE_CALIBRATION, ISSUE_LABELS, empty

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
    read = read_answers(sheet, known={"A"})
    assert read["is_right"].tolist() == [True, False]


def test_answers_are_read_as_people_write_them():
    sheet = sample({"A": 20}, 8)
    sheet["合っている"] = ["〇", "×", " はい ", "いいえ", "1.0", "0", "ｎｏ", "YES"]
    assert read_answers(sheet, known={"A"})["is_right"].tolist() == [True, False, True, False, True, False, False, True]


def test_all_wrong_rows_and_missing_columns_are_told():
    sheet = sample({"A": 20, "B": 2}, 6)
    sheet["合っている"] = ["はい", "たぶん", "いいえ", "はい", "はい", "はい"]
    sheet = sheet.astype({"確率": object})
    sheet.loc[3, "確率"] = "高い"
    sheet = pd.concat([sheet, sheet.iloc[[2]].assign(合っている="はい")], ignore_index=True)
    with pytest.raises(VocError) as told:
        read_answers(sheet, known={"A"})
    assert all(part in str(told.value) for part in ("3 行目「たぶん」", "5 行目「はい」: 確率", "8 行目", "6 行目「はい」: 課題番号", "何も取り込んでいません"))
    with pytest.raises(VocError, match="重み"):
        read_answers(sheet.drop(columns=COLUMNS["weight"]), known={"A"})


def test_a_sample_after_a_calibration_tells_the_probabilities_before_it():
    curve = fit_calibration(labels({"A": -1.5, "B": 1.0}), at=AT)
    rows = mentions({"A": 60, "B": 60})
    now = rows.assign(probability=[calibrated(np.array([[p]]), [issue], curve)[0, 0] for issue, p in zip(rows["issue_id"], rows["probability"], strict=True)])
    issues = pd.DataFrame({"issue_id": ["A", "B"], "label": ["a", "b"]})
    chosen = choose_sample(now, rows[["sentence_id"]].assign(text="文"), issues, n=120, seed=1, calibration=curve)
    before = chosen["文番号"].map(rows.set_index("sentence_id")["probability"])
    np.testing.assert_allclose(chosen["確率"], before, atol=2e-3)


def test_answers_add_up_and_the_latest_counts():
    answers = labels({"A": 0, "B": 0}, n=10)
    first = add_labels(empty(ISSUE_LABELS), answers, at=AT, by="佐藤")
    second = add_labels(first, answers.head(1).assign(is_right=~answers["is_right"].head(1)), at=AT + pd.Timedelta(days=1), by="鈴木")
    assert len(second) == 10 and set(second["by"]) == {"佐藤", "鈴木"}


def test_labels_of_a_merged_issue_are_its_survivors():
    issues = pd.DataFrame({"issue_id": ["A", "B"], "merged_into": [None, "A"]})
    told = add_labels(empty(ISSUE_LABELS), labels({"A": 0, "B": 0}, n=30), at=AT, by="佐藤")
    assert set(labels_of_now(told, issues)["issue_id"]) == {"A"}


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
