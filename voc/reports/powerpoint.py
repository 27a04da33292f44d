"""Writes the board's slides as executive.pptx: 16:9, native text, tables and charts, sources in the notes."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from lxml import etree
from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Inches

from voc.reports.deck import executive_deck
from voc.reports.formats import is_missing, plain
from voc.reports.palette import ACCENT, GREY, INK, PALE, TINT
from voc.reports.slide_layouts import DRAW, HEIGHT, WIDTH, frame
from voc.reports.slide_shapes import FONT
from voc.reports.sources import found_in
from voc.reports.whole_file import whole_file

FILE = "executive.pptx"
_TITLE_ONLY = 5
_CREATED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_COLOURS = {"accent1": ACCENT, "accent2": PALE, "accent3": GREY, "dk2": INK, "lt2": TINT}


def write_deck(tables: dict[str, pd.DataFrame], folder: Path, *, config, run: Mapping) -> Path:
    """Write FILE into `folder` and return its path. The same tables, config and run give the same bytes.

    Raises StoreError where the folder cannot be written.
    """
    slides = executive_deck(tables, config=config, run=run)
    as_of_on = run.get("as_of_on")
    path = Path(folder) / FILE
    blob = deck_bytes(slides, company=config.company.name, made_on=None if is_missing(as_of_on) else pd.Timestamp(as_of_on))
    with whole_file(path) as part:
        part.write_bytes(blob)
    return path


def deck_bytes(slides: list[dict], *, company: str, made_on: pd.Timestamp | None) -> bytes:
    """The slides of voc.reports.deck as a .pptx file. `made_on` is written as its date (default: 2000-01-01)."""
    made_on = pd.Timestamp("2000-01-01") if made_on is None else made_on
    deck = _empty_deck()
    for number, content in enumerate(slides, start=1):
        slide = deck.slides.add_slide(deck.slide_layouts[_TITLE_ONLY])
        frame(slide, content, is_first=number == 1)
        DRAW[content["kind"]](slide, content)
        notes = [*content["notes"], *_addresses(slide, content.get("amounts", {}))]
        slide.notes_slide.notes_text_frame.text = "\n".join(plain(line, limit=1_000) for line in notes)
    about = deck.core_properties
    about.title, about.author, about.language = "お客様の声レポート 経営向け", plain(company, limit=40), "ja-JP"
    about.last_modified_by, about.created, about.modified = "voc", made_on.to_pydatetime(), made_on.to_pydatetime()
    raw = io.BytesIO()
    deck.save(raw)
    return _repeatable(raw.getvalue(), made_on)


def _addresses(slide, amounts: Mapping[str, str]) -> list[str]:
    """「8.6名 ← impact|VOC-0001|churns_prevented」: where each figure that stands on the slide stands in the store."""
    frames = [shape.text_frame for shape in slide.shapes if shape.has_text_frame]
    frames += [cell.text_frame for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    said = found_in("\n".join(frame.text for frame in frames), amounts)
    return ["数値の出典（表|行|列）:", *(f"{text} ← {source}" for text, source in said)] if said else []


def _empty_deck():
    """python-pptx's own template, widened to 16:9, with Japanese typefaces and our colours in its theme."""
    deck = Presentation()
    stretch = Inches(WIDTH) / deck.slide_width
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    master = deck.slide_masters[0]
    for page in (master, *master.slide_layouts):
        for shape in page.placeholders:
            if shape._element.spPr.find(qn("a:xfrm")) is not None:
                shape.left, shape.width = int(shape.left * stretch), int(shape.width * stretch)
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    for face in theme.iter(qn("a:majorFont"), qn("a:minorFont")):
        for tag in ("a:latin", "a:ea"):
            face.find(qn(tag)).set("typeface", FONT)
        for script in face.findall(qn("a:font")):
            if script.get("script") == "Jpan":
                script.set("typeface", "Meiryo")
    for name, colour in _COLOURS.items():
        slot = next(theme.iter(qn(f"a:{name}")))
        slot[:] = [slot.makeelement(qn("a:srgbClr"), {"val": colour.removeprefix("#").upper()})]
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)
    return deck


def _repeatable(blob: bytes, made_on: pd.Timestamp) -> bytes:
    """The same zip with fixed dates, also in the workbooks of its charts, so that equal input gives equal bytes."""
    stamp = made_on.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for item in given.infolist():
            content = given.read(item)
            if item.filename.endswith(".xlsx"):
                content = _repeatable(content, made_on)
            elif item.filename == "docProps/core.xml":
                content = _CREATED.sub(rb"\g<1>" + stamp, content)
            made.writestr(zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
