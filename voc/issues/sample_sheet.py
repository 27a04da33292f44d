"""The sheet 「割り当ての確認」 that `voc issues sample` writes and people fill in: how it is told apart and read."""

import openpyxl
import pandas as pd

from voc.errors import SourceError
from voc.issues.calibration import COLUMNS, READ
from voc.issues.sheet import open_book

SHEET, HELP_SHEET = "割り当ての確認", "使い方"


def is_sample(data: bytes, *, name: str) -> bool:
    """Whether the bytes of the .xlsx file `name` are a sheet of `voc issues sample`, told by its header."""
    return _page(open_book(data, name)) is not None


def read_sample(data: bytes, *, name: str) -> pd.DataFrame:
    """Rows of the sheet as text, in the columns that the file has. Raises SourceError where it is none."""
    page = _page(open_book(data, name))
    if page is None:
        raise SourceError(f"{name} は voc issues sample が書いた表ではありません（列「{COLUMNS['answer']}」が要ります）。")
    lines = [["" if cell is None else str(cell).strip() for cell in row] for row in page.iter_rows(values_only=True)]
    header = lines[0]
    doubled = sorted({column for column in header if column in COLUMNS.values() and header.count(column) > 1})
    if doubled:
        raise SourceError(f"{name}: 見出し {'、'.join(doubled)} が 2 つあります。見出しの行は変えないでください。")
    return pd.DataFrame(lines[1:], columns=header)


def _page(book: openpyxl.Workbook):
    wanted = {COLUMNS["answer"], COLUMNS["text"]}
    for page in book.worksheets:
        header = {str(cell.value).strip() for cell in next(page.iter_rows(max_row=1), ())}
        if wanted & header and len(header & {COLUMNS[one] for one in READ}) >= 2:
            return page
    return None


def with_context(voices: pd.DataFrame) -> pd.DataFrame:
    """`voices` (SENTENCES) with column context: the sentence with the one before and the one after it in its turn.

    The matcher reads a sentence with its neighbours, so who judges it should see them too. The sentence itself is
    shown as 【…】; context is empty where it stands alone.
    """
    rows = voices.sort_values(["turn_id", "position"], kind="stable").reset_index(drop=True)
    parts = []
    for apart in (-1, 0, 1):
        near = rows["text"].shift(-apart).where(rows["turn_id"].shift(-apart) == rows["turn_id"], "")
        parts.append("【" + rows["text"] + "】" if apart == 0 else near.fillna(""))
    joined = parts[0].str.cat(parts[1:])
    is_alone = joined == "【" + rows["text"] + "】"
    return rows.assign(context=joined.mask(is_alone, ""))
