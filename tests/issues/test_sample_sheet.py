import io

import openpyxl
import pandas as pd
import pytest

from voc.errors import SourceError
from voc.issues.calibration import COLUMNS
from voc.issues.sample_sheet import SHEET, is_sample, read_sample, with_context
from voc.reports.sample_sheet import write_sample_sheet

ROWS = pd.DataFrame([
    {"label": "画面が白い", "text": "=1+1 真っ白です", "context": "今朝から。【=1+1 真っ白です】", "answer": "", "sentence_id": "s1", "issue_id": "VOC-0001",
     "probability": 0.61, "weight": 12.5},
    {"label": "画面が白い", "text": "助かりました", "context": "", "answer": "", "sentence_id": "s2", "issue_id": "VOC-0001", "probability": 0.97, "weight": 3.0},
]).rename(columns=COLUMNS)  # fmt: skip


@pytest.fixture
def written(tmp_path):
    return write_sample_sheet(ROWS, tmp_path / "sample.xlsx")


def test_what_is_written_is_read_back(written):
    book = openpyxl.load_workbook(written)
    page = book[SHEET]
    answer = list(COLUMNS.values()).index("合っている") + 1
    page.cell(2, answer).value = "はい"
    book.save(written)
    read = read_sample(written.read_bytes(), name="sample.xlsx")
    assert read["合っている"].tolist() == ["はい", ""] and read["文番号"].tolist() == ["s1", "s2"] and read["確率"].tolist() == ["0.61", "0.97"]
    assert read["文"].iloc[0].startswith("=1+1")


def test_probabilities_are_hidden_from_who_answers_and_answers_are_a_choice(written):
    page = openpyxl.load_workbook(written)[SHEET]
    ranges = [range(one.min, one.max + 1) for one in page.column_dimensions.values() if one.hidden]
    hidden = {cell.value for cell in page[1] if any(cell.column in columns for columns in ranges)}
    assert {"確率", "重み"} <= hidden and "文" not in hidden
    assert page.data_validations.dataValidation[0].formula1 == '"はい,いいえ"'


def test_the_same_rows_give_the_same_bytes(written, tmp_path):
    assert write_sample_sheet(ROWS, tmp_path / "b.xlsx").read_bytes() == written.read_bytes()


def test_other_books_are_no_sample():
    book = openpyxl.Workbook()
    book.active.append(["課題番号", "課題名"])
    data = io.BytesIO()
    book.save(data)
    assert not is_sample(data.getvalue(), name="a.xlsx")
    with pytest.raises(SourceError, match="合っている"):
        read_sample(data.getvalue(), name="a.xlsx")
    with pytest.raises(SourceError, match="Excel"):
        is_sample(b"no workbook", name="a.xlsx")


def test_the_sentences_around_stand_beside():
    said = pd.DataFrame([("t1", 0, "a", "おはよう。"), ("t1", 1, "b", "画面が白い。"), ("t1", 2, "c", "直してほしい。"), ("t2", 0, "d", "高い。")],
                        columns=["turn_id", "position", "sentence_id", "text"])  # fmt: skip
    told = with_context(said).set_index("sentence_id")["context"]
    assert told.to_dict() == {"a": "【おはよう。】画面が白い。", "b": "おはよう。【画面が白い。】直してほしい。", "c": "画面が白い。【直してほしい。】", "d": ""}
