"""The printed report: made where the machine can, refused with a reason where it cannot."""

import logging
import re
import zlib
from contextlib import suppress
from types import SimpleNamespace

import pytest

from tests.reports.test_html import hostile_tables
from voc.reports.html import write_reports
from voc.reports.pdf import FILE, PdfError, write_pdf

PAGE = "<!DOCTYPE html><html lang='ja'><meta charset='utf-8'><title>声</title><body><p>お客様の声です。</p>{}</body></html>"


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "executive.html"
    path.write_text(PAGE.format(""), encoding="utf-8")
    return path


def no_library():
    raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_the_library_the_reason_is_told_and_no_old_file_stays(page, tmp_path):
    (tmp_path / FILE).write_bytes(b"of an earlier run")
    with pytest.raises(PdfError, match=r"executive\.pdf は作成していません。.*libpango.*executive\.html をブラウザーで開いて"):
        write_pdf(page, tmp_path, library=no_library)
    assert not (tmp_path / FILE).exists()


def library(logs: str, blob: bytes = b"%PDF-1.7") -> SimpleNamespace:
    """What write_pdf asks of weasyprint."""
    def written(*, stylesheets):
        assert stylesheets
        logging.getLogger("weasyprint").warning(logs)
        return blob
    urls = SimpleNamespace(URLFetcher=lambda *, allowed_protocols: allowed_protocols)
    return SimpleNamespace(HTML=lambda **_: SimpleNamespace(write_pdf=written), CSS=lambda **_: "css", urls=urls)


def unpacked(blob: bytes) -> bytes:
    """A PDF with its compressed parts (pages, object streams) opened."""
    parts = [blob]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", blob, re.S):
        with suppress(zlib.error):
            parts.append(zlib.decompress(packed))
    return b"\n".join(parts)


def test_without_a_japanese_font_no_page_of_boxes_is_left(page, tmp_path):
    told = '.notdef glyph rendered for Unicode string unsupported by fonts: "の" (U+306E)'
    with pytest.raises(PdfError, match="日本語のフォントがありません"):
        write_pdf(page, tmp_path, library=lambda: library(told))
    assert not (tmp_path / FILE).exists()


def test_a_rare_sign_that_no_font_has_does_not_stop_the_report(page, tmp_path):
    told = '.notdef glyph rendered for Unicode string unsupported by fonts: "\U0001fae0" (U+1FAE0)'
    assert write_pdf(page, tmp_path, library=lambda: library(told)).read_bytes() == b"%PDF-1.7"


def test_the_loggers_state_is_given_back(page, tmp_path):
    logger = logging.getLogger("weasyprint")
    before = logger.level, logger.propagate, list(logger.handlers)
    write_pdf(page, tmp_path, library=lambda: library("x"))
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


@pytest.mark.slow
def test_nothing_is_fetched(page, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("socket.socket.connect", lambda *args: asked.append(args))
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><text>secret</text></svg>", encoding="utf-8")
    page.write_text(PAGE.format(f"<img src='http://127.0.0.1:9/x.png'><img src='{secret.as_uri()}'><link rel='stylesheet' href='http://127.0.0.1:9/x.css'>"
                                "<iframe src='file:///etc/hostname'></iframe>"), encoding="utf-8")
    found = unpacked(write_pdf(page, tmp_path).read_bytes())
    assert asked == []
    assert b"/MediaBox" in found
    assert not re.search(rb"/EmbeddedFile|/XObject\s*<<\s*/|/Subtype\s*/(?:Image|Form)", found)  # no picture came in


@pytest.mark.slow
def test_the_report_is_printed_on_a4_and_the_same_twice(make, tmp_path):
    write_reports(make.tables(), tmp_path, config=make.config(company={"name": "<a href='javascript:alert(1)'>会社</a>"}), run=make.run())
    first = write_pdf(tmp_path / "executive.html", tmp_path).read_bytes()
    assert first == write_pdf(tmp_path / "executive.html", tmp_path).read_bytes()
    found = unpacked(first)
    boxes = re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", found)
    assert len(boxes) >= 5
    assert all([round(float(n)) for n in box.split()] == [0, 0, 595, 842] for box in boxes)
    assert not re.search(rb"/URI|/JavaScript|/Launch|/JS\b", found)


@pytest.mark.slow
def test_hostile_text_is_printed_as_text(make, tmp_path):
    write_reports(hostile_tables(make), tmp_path, config=make.config(company={"name": "<img src='http://127.0.0.1:9/x.png'>"}), run=make.run())
    found = unpacked(write_pdf(tmp_path / "executive.html", tmp_path).read_bytes())
    assert len(re.findall(rb"/MediaBox", found)) < 40  # a giant string does not fill the print
    assert not re.search(rb"/URI|/JavaScript|/Launch|/JS\b|/EmbeddedFile|/AcroForm", found)
