"""Text, rules and tables on a slide: every text fits its box, is 12 points or larger and names its Japanese typeface.

Lengths are inches, sizes points. Whatever is written here is shown as text: no field, link or formula is made of it.
"""

import math
import re
import unicodedata
from itertools import pairwise

from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from voc.reports.formats import plain
from voc.reports.palette import INK, MUTED, RULE

FONT = "Yu Gothic"  # 游ゴシック: on Windows from 8.1 on and with Office for Mac; elsewhere the desk's own gothic takes its place
LEAST = 12
SPACING = 1.25
_NARROW, _JOINT = 0.62, 0.15  # ems of a half-width character, and of the gap beside it; on the safe side of all gothics
_BOLD = 1.04
_WORDS = re.compile("[!-~]+|.")
_SAFE = 0.97  # part of a line that text fills before it breaks
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # table style "No Style, No Grid" of PowerPoint


def ems(text: str, *, bold: bool = False) -> float:
    """Width of a line in ems: full-width and ambiguous characters count 1."""
    wide = [unicodedata.east_asian_width(c) in "WFA" for c in text]
    joints = sum(one != other for one, other in pairwise(wide))
    return sum(1.0 if one else _NARROW * (_BOLD if bold else 1.0) for one in wide) + joints * _JOINT


def n_lines(text: str, *, width: float, size: float, bold: bool = False) -> int:
    """Lines that `text` takes at `size` points in `width` inches; Latin words stay whole where a line can hold them."""
    room = max(1.0, width * 72 / size * _SAFE)
    count = 0
    for line in text.split("\n"):
        count, used = count + 1, 0.0
        for word in _WORDS.findall(line):
            wide = ems(word, bold=bold) + (2 * _JOINT if word.isascii() and word != " " else 0.0)
            if used and used + wide > room:
                count, used = count + 1, 0.0
            count += max(0, math.ceil(wide / room) - 1)  # a word longer than a line is broken
            used = used + wide if wide <= room else wide % room
    return count


def fitted(text: str, *, width: float, height: float, size: float, bold: bool = False) -> tuple[str, float]:
    """(text, size) that stay inside width x height: smaller down to LEAST points, then cut with '…'."""
    chosen = size
    while chosen > LEAST and n_lines(text, width=width, size=chosen, bold=bold) * chosen * SPACING > height * 72:
        chosen = max(LEAST, chosen - 1)
    most = max(1, int(height * 72 / (chosen * SPACING) + 0.05))
    while n_lines(text, width=width, size=chosen, bold=bold) > most and len(text) > 1:
        text = text.removesuffix("…")[:-1].rstrip() + "…"
    return text, chosen


def write(slide, text: str, *, at: tuple[float, float, float, float], size: float, bold: bool = False, colour: str = INK,
          align: str = "left", anchor: str = "top"):
    """A text box at (left, top, width, height) whose text fits; returns the shape."""
    left, top, width, height = at
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    box.text_frame.auto_size = MSO_AUTO_SIZE.NONE
    fill(box.text_frame, text, width=width, height=height, size=size, bold=bold, colour=colour, align=align, anchor=anchor)
    return box


def fill(frame, text: str, *, width: float, height: float, size: float, bold: bool = False, colour: str = INK,
         align: str = "left", anchor: str = "top", is_headed: bool = False) -> None:
    """Put `text` into a text frame, one paragraph a line, fitted to width x height. `is_headed`: the first line is bold."""
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.word_wrap = True
    frame.vertical_anchor = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE, "bottom": MSO_ANCHOR.BOTTOM}[anchor]
    text, size = fitted(text, width=width, height=height, size=size, bold=bold)
    for n, line in enumerate(text.split("\n")):
        _paragraph(frame, line, is_first=n == 0, align=align, size=size, bold=bold or (is_headed and n == 0), colour=colour)


def write_pair(slide, first: str, second: str, *, at: tuple[float, float, float, float], size: float) -> None:
    """A bold sentence of at most two lines and, right under it, a muted one of LEAST points."""
    width, height = at[2:]
    under = n_lines(second, width=width, size=LEAST) * LEAST * SPACING / 72 if second else 0.0
    room = max(size * SPACING / 72, height - min(under, 2 * LEAST * SPACING / 72))
    first, chosen = fitted(first, width=width, height=room, size=size, bold=True)
    box = write(slide, first, at=at, size=chosen, bold=True)
    if second:
        taken = n_lines(first, width=width, size=chosen, bold=True) * chosen * SPACING / 72
        second, _ = fitted(second, width=width, height=max(LEAST * SPACING / 72, height - taken), size=LEAST)
        _paragraph(box.text_frame, second, is_first=False, align="left", size=LEAST, bold=False, colour=MUTED)


def _paragraph(frame, line: str, *, is_first: bool, align: str, size: float, bold: bool, colour: str) -> None:
    paragraph = frame.paragraphs[0] if is_first else frame.add_paragraph()
    paragraph.alignment = {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}[align]
    paragraph.line_spacing = Pt(size * SPACING)  # exact: gothics differ much in the height of their lines
    run = paragraph.add_run()
    run.text = "　".join(plain(part, limit=2_000) for part in line.split("　"))
    look(run.font, size=size, bold=bold, colour=colour)


def rgb(colour: str) -> RGBColor:
    """A colour of the palette."""
    return RGBColor.from_string(colour.removeprefix("#"))


def look(font, *, size: float, bold: bool = False, colour: str = INK) -> None:
    """Size, weight, colour and typefaces (Latin and East Asian) of a run."""
    font.size, font.bold = Pt(size), bold
    font.color.rgb = rgb(colour)
    font.name = FONT
    set_east_asian(font._rPr)
    font._rPr.set("lang", "ja-JP")
    font._rPr.set("altLang", "en-US")


def set_east_asian(properties) -> None:
    """Name the East Asian typeface right behind a:latin, where the format wants it; python-pptx sets Latin only."""
    for old in properties.findall(qn("a:ea")):
        properties.remove(old)
    latin = properties.find(qn("a:latin"))
    latin.addnext(latin.makeelement(qn("a:ea"), {"typeface": FONT}))


def rule(slide, *, at: tuple[float, float, float], colour: str = RULE, weight: float = 0.75) -> None:
    """A horizontal line from (left, top) of a width."""
    left, top, width = at
    block(slide, at=(left, top, width, weight / 72), colour=colour)


def block(slide, *, at: tuple[float, float, float, float], colour: str) -> None:
    """A filled rectangle without outline or shadow."""
    shape = slide.shapes.add_shape(1, *(Inches(length) for length in at))
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(colour)
    shape.line.fill.background()
    shape._element.remove(shape._element.find(qn("p:style")))  # it would bring the theme's shadow


def table(slide, head: list[str], rows: list[list[tuple[str, dict]]], *, at: tuple[float, float], widths: list[float],
          heights: tuple[float, float], name: str):
    """A native table; `rows` hold (text, options of fill()) per cell, `heights` are those of head and rows."""
    left, top = at
    frame = slide.shapes.add_table(len(rows) + 1, len(head), Inches(left), Inches(top), Inches(sum(widths)),
                                   Inches(heights[0] + heights[1] * len(rows)))
    frame.name = name
    grid = frame.table
    grid._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
    grid.horz_banding = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Inches(width)
    for n, row in enumerate(grid.rows):
        row.height = Inches(heights[0] if n == 0 else heights[1])
    for n, title in enumerate(head):
        align = rows[0][n][1].get("align", "left") if rows else "left"
        _cell(grid.cell(0, n), title, width=widths[n], height=heights[0], line=(INK, 1.5),
              options={"size": 12, "colour": MUTED, "anchor": "bottom", "align": align})
    for r, cells in enumerate(rows, start=1):
        for n, (text, options) in enumerate(cells):
            _cell(grid.cell(r, n), text, width=widths[n], height=heights[1], line=(RULE, 0.75),
                  options={"size": 13, "anchor": "middle", **options})
    return frame


def _cell(cell, text: str, *, width: float, height: float, line: tuple[str, float], options: dict) -> None:
    gap = 0.08
    fill(cell.text_frame, text, width=width - gap, height=height - 0.06, **options)
    anchor = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE, "bottom": MSO_ANCHOR.BOTTOM}[options["anchor"]]
    cell.vertical_anchor = anchor
    cell.margin_left, cell.margin_right, cell.margin_top, cell.margin_bottom = Emu(0), Inches(gap), Inches(0.03), Inches(0.03)
    properties = cell._tc.get_or_add_tcPr()
    edge = properties.makeelement(qn("a:lnB"), {"w": str(int(line[1] * 12_700)), "cap": "flat", "cmpd": "sng", "algn": "ctr"})
    solid = edge.makeelement(qn("a:solidFill"), {})
    solid.append(solid.makeelement(qn("a:srgbClr"), {"val": line[0]}))
    edge.append(solid)
    properties.insert(0, edge)  # borders stand before any fill
