import numpy as np
import pandas as pd
import pytest

from tests.issues.ledgers import AT, TODAY, ledger
from voc.errors import SourceError
from voc.issues.categories import category_rows, read_categories
from voc.issues.edits import Edit, edit_rows
from voc.issues.events import advance
from voc.tables import ISSUE_EVENTS, ISSUES, empty

LIST = "課題名,種類,領域,例文\n請求書が出せない,不具合,請求,請求書が出ない|請求書が印刷できない|請求書が開かない\n使い方の質問,,,設定はどこ|どう使うの\n使い方の質問,,,やり方は\n"
EMPTY = (empty(ISSUES), empty(ISSUE_EVENTS))


def embed(texts, kinds):
    """請求書 lies at 0 degrees, all else at 90; a text's length tilts it a little."""
    angles = np.radians([(0 if "請求書" in text else 90) + len(text) for text in texts])
    return np.column_stack([np.cos(angles), np.sin(angles)]), [kind or "使い方" for kind in kinds]


def brought(text, issues, events, at=AT):
    rows, told = category_rows(read_categories(text, file="categories.csv"), issues, events, embed=embed, at=at)
    return *advance(issues, events, rows), rows, told


def test_categories_become_locked_issues():
    issues, _, _, told = brought(LIST, *EMPTY)
    assert issues[["issue_id", "label", "kind", "status", "label_by"]].to_numpy().tolist() == [
        ["VOC-0001", "請求書が出せない", "不具合", "locked", "categories"], ["VOC-0002", "使い方の質問", "使い方", "locked", "categories"]]  # fmt: skip
    assert issues["parent"][0] == "請求" and pd.isna(issues["parent"][1]) and told == []
    near, far = np.array([np.cos(np.radians(8)), np.sin(np.radians(8))]), np.array([0.0, 1.0])
    assert near @ issues["centroid"][0] > issues["threshold"][0] > far @ issues["centroid"][0]


def test_the_same_list_twice_gives_no_event():
    issues, events, *_ = brought(LIST, *EMPTY)
    assert brought(LIST, issues, events, at=AT + pd.Timedelta(days=31))[2] == []


def test_a_person_renames_a_category_and_the_list_does_not_undo_it():
    issues, events, *_ = brought(LIST, *EMPTY)
    issues, events = advance(issues, events, edit_rows([Edit("rename", "VOC-0001", "請求書の不具合")], issues, events, at=AT, by="佐藤", today=TODAY))
    issues, _, rows, _ = brought(LIST.replace("開かない", "開かないです"), issues, events, at=AT + pd.Timedelta(days=31))
    assert [row["kind"] for row in rows] == ["recentre", "set_parent"] and issues["label"][0] == "請求書の不具合" and len(issues) == 2


def test_a_row_that_was_taken_out_keeps_its_issue_and_is_told():
    issues, events, *_ = brought(LIST, *EMPTY)
    issues, _, rows, told = brought("\n".join(LIST.split("\n")[:2]), issues, events)
    assert rows == [] and issues["status"].tolist() == ["locked", "locked"] and "使い方の質問" in told[0]


def test_a_category_takes_over_the_issue_of_its_name():
    issues, events, rows, told = brought(LIST, *ledger("別の課題", "請求書が出せない"))
    assert [row["kind"] for row in rows] == ["lock", "recentre", "set_parent", "birth"] and "VOC-0002" in told[0]
    assert issues["status"].tolist() == ["candidate", "locked", "locked"]
    assert brought(LIST, issues, events)[2] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("名,例\na,b\n", "列"), ("", "列"), ("name,examples\n", "1 つもありません"), ("name,examples\n,a|b\n", "2 行目: 課題名"),
        ("name,examples\n" + "あ" * 31 + ",a|b\n", "31 文字"), ("name,kind,examples\nx,謎,a|b\n", "種類「謎」"), ("name,examples\nx,a\n", "1 文です"),
        ("name,kind,examples\nx,要望,a\nx,料金,b\n", "前の行（要望）"),
    ],
)  # fmt: skip
def test_a_wrong_list_is_told(text, told):
    with pytest.raises(SourceError, match=told):
        read_categories(text, file="categories.csv")
