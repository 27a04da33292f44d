"""Excel files that are made to fill the memory: what they may take, and what of an honest one is kept."""

import io
import tracemalloc
import zipfile

import openpyxl
import pytest

from voc.config import Source
from voc.parsing import tabular
from voc.parsing.tabular import TableFileError, read_cells
from voc.raw import RawFile

SOURCE = Source(name="s", format="review", path="a.xlsx")


def excel(rows, *, last=(), packing=zipfile.ZIP_DEFLATED):
    """A workbook of `rows`; the rows whose numbers are in `last` have a value in column XFD, the sheet's last."""
    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    for number in last:
        book.active.cell(number, 16_384, "x")
    book.save(data)
    if packing != zipfile.ZIP_DEFLATED:
        members = {info.filename: zipfile.ZipFile(data).read(info) for info in zipfile.ZipFile(data).infolist()}
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", packing) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    return RawFile("s", "a.xlsx", data.getvalue(), "x")


def test_rows_with_a_value_in_the_last_column_are_told_and_take_no_room():
    file = excel([["started_at", "text"], ["2026-04-01", "遅い"], ["2026-04-02"]], last=range(10, 510))
    tracemalloc.start()
    frame, faults = read_cells(file, SOURCE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frame["text"].tolist() == ["遅い", ""] and len(faults) == 500
    assert "列の数（16384）が見出し（2）" in faults[0]["reason"] and faults[0]["source_row"] == "a.xlsx:10"
    assert peak < 20e6  # 500 rows of 16,384 cells are 66 MB of places alone


@pytest.mark.parametrize("rows", [
    [["started_at", "text"], *[["2026-04-01", "x"]] * 60], [["a"] * 60, *[["x"]] * 3], [["a"], *[[None] * 59 + ["x"]] * 3],
])  # fmt: skip
def test_the_cells_of_a_sheet_are_bounded_the_empty_ones_among_them(monkeypatch, rows):
    monkeypatch.setattr(tabular, "_MAX_CELLS", 100)
    with pytest.raises(TableFileError, match="セルの数が上限 100 を超えます"):
        read_cells(excel(rows), SOURCE)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_without_bound_is_not_opened(packing):
    with pytest.raises(TableFileError, match="圧縮方式"):
        read_cells(excel([["started_at", "text"], ["2026-04-01", "x"]], packing=packing), SOURCE)
