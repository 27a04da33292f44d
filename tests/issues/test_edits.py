"""(wishes -> events) or (wishes -> every fault), never half."""

import pytest

from tests.issues.ledgers import AT, TODAY, ledger
from voc.issues.edits import Edit, EditError, checked_labels, checked_person, clean_id, edit_rows
from voc.issues.events import advance, replay


def apply(issues, events, *edits):
    return advance(issues, events, edit_rows(edits, issues, events, at=AT, by="佐藤", today=TODAY))


@pytest.mark.parametrize(("typed", "meant"), [("VOC-0001", "VOC-0001"), ("voc-1", "VOC-0001"), ("ＶＯＣ－１２", "VOC-0012"), (" 7 ", "VOC-0007"), ("abc", "ABC")])
def test_ids_as_people_type_them(typed, meant):
    assert clean_id(typed) == meant


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (Edit("rename", "VOC-0099", "名"), "VOC-0099 は台帳にありません"), (Edit("rename", "VOC-0001", "あ" * 31), "31 文字"),
        (Edit("rename", "VOC-0001", "二"), "VOC-0002 と同じ"), (Edit("rename", "VOC-0001", " \u202e "), "空です"),
        (Edit("rename", "VOC-0001", "一"), "すでに"), (Edit("merge", "VOC-0001", "VOC-0001"), "自分自身"),
        (Edit("merge", "VOC-0001", "VOC-0099"), "VOC-0099"), (Edit("merge", "VOC-0001", ""), "統合先がありません"),
        (Edit("merge", "VOC-0001", "VOC-0003"), "VOC-0002 を指定"), (Edit("rename", "VOC-0003", "名"), "VOC-0002 に統合済み"),
        (Edit("set_status", "VOC-0001", "open", None), ""), (Edit("set_status", "VOC-0001", "back"), "戻すものがありません"),
        (Edit("set_status", "VOC-0001", "merged"), "変更できません"), (Edit("set_status", "VOC-0001", "closed", "2026-13-01"), "2026-13-01"),
        (Edit("set_status", "VOC-0001", "closed", "2026-06-16"), "今日"), (Edit("fix", "VOC-0001", "2026-06-16", "直した"), "今日"),
        (Edit("fix", "VOC-0001", "昨日", "直した"), "昨日"), (Edit("fix", "VOC-0001", "2026-06-01", " "), "対応内容"),
        (Edit("fix", "VOC-0001", None, "直した"), "対応日がありません"), (Edit("set_effort", "VOC-0001", "-1"), "-1"),
        (Edit("set_area", "VOC-0001", "あ" * 16), "15 文字以内"), (Edit("set_area", "VOC-0001", ""), "領域はすでに「なし」"),
        (Edit("set_effort", "VOC-0001", "たくさん"), "たくさん"), (Edit("set_effort", "VOC-0001", "inf"), "inf"),
        (Edit("set_due", "VOC-0001", "来月"), "来月"), (Edit("assign_owner", "VOC-0001", "部" * 51), "51 文字"),
    ],
)  # fmt: skip
def test_each_wrong_wish_is_told(edit, told):
    issues, events = apply(*ledger("一", "二", "三"), Edit("merge", "VOC-0003", "VOC-0002"))
    if not told:  # accepted: a candidate becomes open
        assert apply(issues, events, edit)[0]["status"][0] == "open"
        return
    with pytest.raises(EditError, match=told):
        apply(issues, events, edit)


def test_all_faults_are_told_at_once_with_their_places():
    wishes = [Edit("rename", "VOC-0001", "良い名前"), Edit("merge", "VOC-0001", "VOC-0099", place="課題シート 7 行目「統合先」"), Edit("set_due", "VOC-0002", "x")]
    with pytest.raises(EditError) as stop:
        apply(*ledger("一", "二"), *wishes)
    assert len(stop.value.faults) == 2 and "課題シート 7 行目「統合先」: VOC-0099" in str(stop.value) and "何も変更していません" in str(stop.value)


def test_two_issues_may_swap_their_names():
    issues, _ = apply(*ledger("一", "二"), Edit("rename", "VOC-0001", "二"), Edit("rename", "VOC-0002", "一"))
    assert issues["label"].tolist() == ["二", "一"]


def test_a_survivor_may_take_the_name_of_the_merged_one():
    issues, _ = apply(*ledger("一", "二"), Edit("merge", "VOC-0001", "VOC-0002"), Edit("rename", "VOC-0002", "一"))
    assert issues["label"].tolist() == ["一", "一"] and issues["status"].tolist() == ["merged", "candidate"]


def test_merges_in_a_circle_are_refused():
    with pytest.raises(EditError, match="一周"):
        apply(*ledger("一", "二"), Edit("merge", "VOC-0001", "VOC-0002"), Edit("merge", "VOC-0002", "VOC-0001"))


def test_an_area_is_set_changed_and_taken_away():
    issues, events = apply(*ledger("一"), Edit("set_area", "VOC-0001", " 請求\u3000書 "))
    assert issues["parent"].tolist() == ["請求 書"] and replay(events)["parent"].tolist() == ["請求 書"]
    issues, events = apply(issues, events, Edit("set_area", "VOC-0001", ""))
    assert issues["parent"].isna().all() and replay(events)["parent"].isna().all() and (events["kind"] == "set_parent").sum() == 2


def test_values_are_set_and_taken_away():
    issues, events = apply(*ledger("一"), Edit("assign_owner", "VOC-0001", "開発部"), Edit("set_effort", "VOC-0001", "３．５人日"), Edit("set_due", "VOC-0001", "2026年8月1日"))
    row = issues.iloc[0]
    assert (row["owner"], row["effort"], f"{row['due_on']:%Y-%m-%d}") == ("開発部", 3.5, "2026-08-01")
    issues, _ = apply(issues, events, Edit("assign_owner", "VOC-0001", ""), Edit("set_effort", "VOC-0001", ""), Edit("set_due", "VOC-0001", ""))
    assert issues[["owner", "effort", "due_on"]].isna().all(axis=None)


def test_a_label_loses_direction_marks():
    assert apply(*ledger("一"), Edit("rename", "VOC-0001", "支払\u202eい\n遅延"))[0]["label"][0] == "支払い 遅延"


def test_labels_of_parts():
    issues, _ = ledger("一", "二")
    assert checked_labels([None, "新しい"], "VOC-0001", issues) == ["一", "新しい"]
    for labels in ([None, "二"], [None, "一"], [None, ""]):
        with pytest.raises(EditError):
            checked_labels(labels, "VOC-0001", issues)


@pytest.mark.parametrize("name", ["", "voc", "categories", "あ" * 51])
def test_names_that_are_no_persons(name):
    with pytest.raises(EditError):
        checked_person(name)
