"""The sheet: written, edited with openpyxl as a person would, read back."""

import io
import shutil
import subprocess
from datetime import datetime

import openpyxl
import pandas as pd
import pytest

from tests.issues.ledgers import AT, TODAY, ledger, mentions
from voc.errors import SourceError
from voc.issues.edits import Edit, EditError, edit_rows
from voc.issues.events import advance
from voc.issues.sheet import COLUMNS, HELP_SHEET, KEPT_SHEET, SHEET, read_sheet, sheet_edits
from voc.reports.issues_sheet import issue_rows, write_issues_sheet
from voc.tables import SENTENCES, check

HOSTILE = "=HYPERLINK(\"http://x\")\u202eこわい"


def tables(issues, events):
    texts = {"a": HOSTILE, "b": "+1 してほしい", "c": "普通の声"}
    sentences = check(pd.DataFrame([
        {"sentence_id": key, "turn_id": key, "contact_id": f"C{key}", "position": 0, "start": 0, "end": 1, "text": text, "terms": []}
        for key, text in texts.items()
    ]), SENTENCES)  # fmt: skip
    said = mentions(("VOC-0001", "a", "2026-05-20"), ("VOC-0001", "b", "2025-01-01"), ("VOC-0002", "c", "2026-05-20"))
    return {"issues": issues, "issue_events": events, "mentions": said, "sentences": sentences}


def written(tmp_path, *edits, labels=("一", "二", "三")):
    issues, events = ledger(*labels)
    for edit in edits:
        issues, events = changed(issues, events, [edit])
    path = write_issues_sheet(tables(issues, events), tmp_path, run_id="R1", as_of_on=pd.Timestamp("2026-06-01"), timezone="Asia/Tokyo")
    return path, issues, events


def changed(issues, events, edits):
    return advance(issues, events, edit_rows(edits, issues, events, at=AT, by="佐藤", today=TODAY))


def edited(path, **cells):
    """The bytes of the book after a person wrote `課題名_2="..."` (column, row of the sheet)."""
    book = openpyxl.load_workbook(path)
    for key, value in cells.items():
        column, row = key.rsplit("_", 1)
        column = {"工数": "工数（人日）"}.get(column, column)
        book[SHEET].cell(int(row), COLUMNS.index(column) + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edits_in(data, issues, events):
    return sheet_edits(read_sheet(data, name="issues.xlsx"), issues, events)


def test_an_untouched_sheet_changes_nothing(tmp_path):
    path, issues, events = written(tmp_path, Edit("fix", "VOC-0001", "2026-03-01", "直した"), Edit("set_effort", "VOC-0002", "3.5"))
    assert edits_in(path.read_bytes(), issues, events) == [] and edits_in(edited(path), issues, events) == []


def test_rows_columns_and_counts(tmp_path):
    path, *_ = written(tmp_path, Edit("merge", "VOC-0003", "VOC-0002"))
    book = openpyxl.load_workbook(path)
    rows = list(book[SHEET].iter_rows(values_only=True))
    assert book.sheetnames == [SHEET, HELP_SHEET, KEPT_SHEET] and book[KEPT_SHEET].sheet_state == "veryHidden"
    assert rows[0] == COLUMNS and [row[0] for row in rows[1:]] == ["VOC-0001", "VOC-0002"]
    assert [row[11:13] for row in rows[1:]] == [(2, 1), (1, 1)]
    sheet = book[SHEET]
    assert sheet.protection.sheet and not sheet["B2"].protection.locked and sheet["A2"].protection.locked
    assert "公開,固定,除外,解決済み" in [rule.formula1.strip('"') for rule in sheet.data_validations.dataValidation]


def test_customers_text_is_no_formula(tmp_path):
    path, *_ = written(tmp_path, Edit("rename", "VOC-0001", "=1+1"), Edit("assign_owner", "VOC-0001", "@SUM(1)"))
    sheet = openpyxl.load_workbook(path)[SHEET]
    assert [cell.data_type for cell in (sheet["B2"], sheet["F2"], sheet["N2"])] == ["s", "s", "s"]
    assert sheet["B2"].value == "=1+1" and all(cell.quotePrefix for cell in (sheet["B2"], sheet["F2"], sheet["N2"]))
    assert sheet["N2"].value == "=HYPERLINK(\"http://x\")こわい"


def test_every_column_becomes_an_edit(tmp_path):
    path, issues, events = written(tmp_path)
    data = edited(
        path, 課題名_2="新しい名前", 状態_2="固定", 担当部署_2="開発部", 対応日_2=datetime(2026, 3, 1), 対応内容_2="直した", 工数_2=2.5,
        期限_2="2026/8/1", 統合先_3="voc-1",
    )  # fmt: skip
    found = edits_in(data, issues, events)
    assert {(edit.kind, edit.issue_id, edit.to, edit.note) for edit in found} == {
        ("rename", "VOC-0001", "新しい名前", None), ("set_status", "VOC-0001", "locked", None), ("assign_owner", "VOC-0001", "開発部", None),
        ("fix", "VOC-0001", "2026-03-01", "直した"), ("set_effort", "VOC-0001", "2.5", None), ("set_due", "VOC-0001", "2026-08-01", None),
        ("merge", "VOC-0002", "VOC-0001", None),
    }  # fmt: skip
    issues, events = changed(issues, events, found)
    assert issues["label"][0] == "新しい名前" and issues["status"].tolist() == ["locked", "merged", "candidate"]
    # the same file once more: everything is done already
    assert edits_in(data, issues, events) == []


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"統合先_3": "VOC-0099"}, "課題シート 3 行目「統合先」: VOC-0099 は台帳にありません"), ({"統合先_2": "VOC-0001"}, "2 行目「統合先」: 自分自身"),
        ({"課題名_2": "あ" * 31}, "2 行目「課題名」: 名前が 31 文字"), ({"課題名_2": None}, "2 行目「課題名」: 名前が空"),
        ({"課題名_2": "二"}, "VOC-0002 と同じ"), ({"状態_4": "保留"}, "4 行目「状態」: 「保留」は使えません"),
        ({"対応日_2": "来週", "対応内容_2": "直した"}, "2 行目「対応日」: 対応日「来週」"), ({"対応内容_2": "直した"}, "2 行目「対応内容」: 対応日がありません"),
        ({"工数_2": "多め"}, "2 行目「工数（人日）」"), ({"期限_2": "2026-02-30"}, "2 行目「期限」"), ({"課題名_2": "=1+1"}, "数式は使えません（B2）"),
        ({"課題番号_2": "VOC-0088"}, "2 行目「課題番号」: VOC-0088"), ({"課題番号_2": "VOC-0002"}, "3 行目「課題番号」: VOC-0002 は 2 行目にもあります"),
    ],
)  # fmt: skip
def test_wrong_edits_name_row_and_column(tmp_path, cells, told):
    path, issues, events = written(tmp_path)
    with pytest.raises(EditError) as stop:
        changed(issues, events, edits_in(edited(path, **cells), issues, events))
    assert told in str(stop.value)


def test_a_stale_sheet_changes_only_what_its_owner_touched(tmp_path):
    path, issues, events = written(tmp_path)
    issues, events = changed(issues, events, [Edit("rename", "VOC-0001", "後の名前"), Edit("assign_owner", "VOC-0002", "営業部")])
    found = edits_in(edited(path, 担当部署_2="開発部"), issues, events)
    assert [(edit.kind, edit.issue_id, edit.to) for edit in found] == [("assign_owner", "VOC-0001", "開発部")]
    with pytest.raises(EditError, match="3 行目「担当部署」.*「空」から「営業部」"):
        edits_in(edited(path, 担当部署_3="開発部"), issues, events)
    assert edits_in(edited(path, 担当部署_3="営業部"), issues, events) == []


def test_a_recorded_action_cannot_be_taken_away_but_a_new_one_added(tmp_path):
    path, issues, events = written(tmp_path, Edit("fix", "VOC-0001", "2026-03-01", "直した"))
    with pytest.raises(EditError, match="消せません"):
        edits_in(edited(path, 対応日_2=None, 対応内容_2=None), issues, events)
    found = edits_in(edited(path, 対応日_2="2026-05-01"), issues, events)
    assert [(edit.to, edit.note) for edit in found] == [("2026-05-01", "直した")]


def test_an_issue_solved_in_the_sheet_is_solved_on_the_day_of_the_action(tmp_path):
    path, issues, events = written(tmp_path)
    found = edits_in(edited(path, 状態_2="解決済み", 対応日_2="2026-04-01", 対応内容_2="直した"), issues, events)
    assert changed(issues, events, found)[0]["closed_on"][0] == pd.Timestamp("2026-04-01")


def test_a_column_that_was_taken_out_is_told_and_not_cleared(tmp_path):
    path, issues, events = written(tmp_path, Edit("assign_owner", "VOC-0001", "開発部"))
    book = openpyxl.load_workbook(path)
    book[SHEET].delete_cols(COLUMNS.index("担当部署") + 1)
    out = io.BytesIO()
    book.save(out)
    sheet = read_sheet(out.getvalue(), name="issues.xlsx")
    assert sheet.missing == ("担当部署",) and sheet_edits(sheet, issues, events) == []


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a book"])
def test_a_broken_file_is_told(data):
    with pytest.raises(SourceError, match="読めません"):
        read_sheet(data, name="issues.xlsx")


def test_another_book_is_told():
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    with pytest.raises(SourceError, match="voc が書いた課題の表ではありません"):
        read_sheet(out.getvalue(), name="売上.xlsx")


def test_the_same_tables_give_the_same_bytes(tmp_path):
    one, *_ = written(tmp_path / "a")
    two, *_ = written(tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()


def test_an_empty_ledger_writes_a_sheet_with_headings_only(tmp_path):
    issues, events = ledger("一")
    path = write_issues_sheet(tables(issues.iloc[:0], events.iloc[:0]), tmp_path, run_id="R1", as_of_on=pd.Timestamp("2026-06-01"), timezone="Asia/Tokyo")
    assert openpyxl.load_workbook(path)[SHEET].max_row == 1
    assert issue_rows(tables(issues.iloc[:0], events), as_of_on=pd.Timestamp("2026-06-01"), timezone="Asia/Tokyo").empty


@pytest.mark.slow
def test_a_sheet_that_libreoffice_saved_is_read(tmp_path):
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed")
    path, issues, events = written(tmp_path, Edit("set_effort", "VOC-0002", "3.5"), Edit("set_due", "VOC-0002", "2026-08-01"))
    (tmp_path / "edited.xlsx").write_bytes(edited(path, 課題名_2="新しい名前", 対応日_2=datetime(2026, 3, 1), 対応内容_2="直した"))
    subprocess.run(
        [soffice, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir",
         tmp_path / "saved", tmp_path / "edited.xlsx"], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    found = edits_in((tmp_path / "saved" / "edited.xlsx").read_bytes(), issues, events)
    assert [(edit.kind, edit.to, edit.note) for edit in found] == [("rename", "新しい名前", None), ("fix", "2026-03-01", "直した")]


def test_an_area_is_edited_and_an_older_sheet_without_the_column_still_serves(tmp_path):
    path, issues, events = written(tmp_path)
    book = openpyxl.load_workbook(path)
    book[SHEET].cell(2, COLUMNS.index("領域") + 1).value = "請求"
    book.save(path)
    edits = edits_in(path.read_bytes(), issues, events)
    assert [(edit.kind, edit.to) for edit in edits] == [("set_area", "請求")]
    for name in (SHEET, KEPT_SHEET):  # as a version wrote it that knew no areas
        head = {cell.value: cell.column for cell in book[name][1 if name == SHEET else 2]}
        book[name].delete_cols(head["領域"])
    book[KEPT_SHEET].cell(1, 3).value = "3"  # the mark in its first line has the same columns
    book.save(path)
    assert edits_in(path.read_bytes(), issues, events) == []
