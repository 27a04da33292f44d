"""A report file is there whole or is the one before; what keeps it from being written is told in words."""

import resource
from contextlib import contextmanager

import pandas as pd
import pytest
import xlsxwriter

from voc.errors import StoreError
from voc.issues.calibration import COLUMNS
from voc.reports.sample_sheet import write_sample_sheet
from voc.reports.whole_file import whole_file
from voc.reports.workbook import write_workbook


@contextmanager
def no_file_above(n_bytes):
    """What a full disk does: a write beyond `n_bytes` fails (Python ignores the signal, so it is an error number)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_whole(tmp_path):
    path = tmp_path / "new" / "a.html"
    with whole_file(path) as part:
        part.write_text("1")
        assert not path.exists()
    with whole_file(path) as part:
        part.write_text("2")
        assert path.read_text() == "1"
    assert path.read_text() == "2" and names(path.parent) == ["a.html"]


def test_a_writer_that_breaks_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and names(tmp_path) == ["a.html"]


def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old")
    with no_file_above(1000), pytest.raises(StoreError, match=r"a\.html を書き込む空きがありません"), whole_file(path) as part:
        part.write_bytes(b"x" * 2000)
    assert path.read_text() == "old" and names(tmp_path) == ["a.html"]


def test_a_workbook_on_a_full_disk_is_told_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path):
        pass
    before = path.read_bytes()
    with no_file_above(1000), pytest.raises(StoreError, match="空きがありません"):
        write_workbook([], path, title="声", as_of_on=pd.Timestamp("2026-01-01"))
    assert path.read_bytes() == before and names(tmp_path) == ["a.xlsx"]


def test_a_sheet_of_samples_on_a_full_disk_is_told_and_the_old_file_stays(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"answers")
    rows = pd.DataFrame([dict.fromkeys(COLUMNS.values(), "") | {"確率": 0.5, "重み": 1.0}])
    with no_file_above(1000), pytest.raises(StoreError, match="確認の表 .*空きがありません.*--out を"):
        write_sample_sheet(rows, path)
    assert path.read_bytes() == b"answers" and names(tmp_path) == ["a.xlsx"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="書き込めません"), whole_file(tmp_path / "file" / "a.html"):
        pytest.fail("there is no folder to write to")
