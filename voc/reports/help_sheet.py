"""The page of a sheet to be filled in that tells people how."""

from collections.abc import Sequence

import xlsxwriter


def write_help(book: xlsxwriter.Workbook, name: str, lines: Sequence[tuple[str, str]], *, width: int) -> None:
    """A sheet `name` that explains the others; a pair without a second text is a heading. `width`: of the first column."""
    page = book.add_worksheet(name)
    page.set_column(0, 0, width)
    page.set_column(1, 1, 90)
    title = book.add_format({"bold": True, "font_size": 12, "bottom": 1, "valign": "bottom"})
    term = book.add_format({"bold": True, "valign": "top", "text_wrap": True})
    text = book.add_format({"valign": "top", "text_wrap": True})
    for row, (what, told) in enumerate(lines):
        page.set_row(row, 18 if told else 30)
        page.write_string(row, 0, what, term if told else title)
        if told:
            page.write_string(row, 1, told, text)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
