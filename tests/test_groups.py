"""`voc.group`'s own steps: whole rows where texts bring no kinds, every row told."""

import pandas as pd

from voc.groups import _whole_rows, grouped_rows
from voc.issues.ledger import LedgerUpdate
from voc.tables import ISSUE_EVENTS, empty

AT = pd.Timestamp("2026-01-01", tz="UTC")


def test_rows_are_read_as_a_whole():
    sentences = pd.DataFrame({"row": [0, 0, 2], "sentence_id": ["a-0", "a-1", "c-0"], "text": ["試合が、", "延びた。", "雨。"],
                              "terms": [["試合"], ["延びる"], ["雨"]], "said_at": AT})  # fmt: skip
    whole = _whole_rows(sentences)
    assert whole["text"].tolist() == ["試合が、延びた。", "雨。"] and whole["terms"].tolist() == [["試合", "延びる"], ["雨"]]
    assert whole["sentence_id"].tolist() == ["a-0", "c-0"]


def test_every_row_is_told_once_with_its_likeliest_issue_first():
    sentences = pd.DataFrame({"row": [0, 0, 2], "sentence_id": ["a-0", "a-1", "c-0"]})
    issues = pd.DataFrame({"issue_id": ["VOC-0001", "VOC-0002"], "label": ["甲", "乙"], "kind": ["不具合", "要望"]})
    mentions = pd.DataFrame({"issue_id": ["VOC-0001", "VOC-0002"], "sentence_id": ["a-0", "a-1"], "probability": [0.4, 0.9]})
    frame = grouped_rows(3, sentences, LedgerUpdate(issues, empty(ISSUE_EVENTS), mentions, 0.0))
    assert frame["row"].tolist() == [0, 0, 1, 2] and frame["issue_id"].iloc[0] == "VOC-0002"
    assert frame["issue_id"].iloc[2:].isna().all()
