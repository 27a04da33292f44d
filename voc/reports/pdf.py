"""Prints executive.html as executive.pdf with WeasyPrint. Nothing is fetched; what WeasyPrint needs may be missing."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from voc.errors import VocError
from voc.reports.whole_file import whole_file

FILE = "executive.pdf"
STYLE = Path(__file__).parent / "templates" / "pdf.css"
_LACKS = "executive.pdf は作成していません。{why} executive.html をブラウザーで開いて印刷しても、同じ内容の PDF になります。"
_NO_PANGO = "PDF の作成に必要なライブラリー（libpango）がこの機械にありません（Debian 系: apt-get install libpango-1.0-0 libpangoft2-1.0-0）。"
_NO_FONT = "この機械に日本語のフォントがありません（Debian 系: apt-get install fonts-noto-cjk）。"


class PdfError(VocError):
    """The PDF cannot be made on this machine; the text says what it lacks."""


def write_pdf(page: Path, folder: Path, *, library: Callable[[], ModuleType] | None = None) -> Path:
    """Print the HTML file `page` as FILE in `folder` and return its path. The same page gives the same bytes.

    `library` gives the module weasyprint (a test gives another). Raises PdfError where libpango or a Japanese font
    is missing; the file of an earlier run is removed then, for it would stand beside newer pages.
    """
    path = Path(folder) / FILE
    try:
        weasyprint = (library or _weasyprint)()
    except (ImportError, OSError):
        path.unlink(missing_ok=True)
        raise PdfError(_LACKS.format(why=_NO_PANGO)) from None
    told = _Told()
    logger = logging.getLogger("weasyprint")
    kept = logger.level, logger.propagate
    logger.addHandler(told)
    logger.setLevel(logging.WARNING)
    logger.propagate = False  # it tells of every property of the styles that only browsers know
    try:
        # the page holds all it needs: a request, for a file too, could only come from somebody's text
        refuse = weasyprint.urls.URLFetcher(allowed_protocols=())
        html = weasyprint.HTML(string=Path(page).read_text(encoding="utf-8"), url_fetcher=refuse)
        blob = html.write_pdf(stylesheets=[weasyprint.CSS(string=STYLE.read_text(encoding="utf-8"), url_fetcher=refuse)])
    finally:
        logger.removeHandler(told)
        logger.level, logger.propagate = kept
    if told.lacks_glyphs:
        path.unlink(missing_ok=True)
        raise PdfError(_LACKS.format(why=_NO_FONT))
    with whole_file(path) as part:
        part.write_bytes(blob)
    return path


def _weasyprint() -> ModuleType:
    import weasyprint  # loads libpango, which may be missing

    return weasyprint


class _Told(logging.Handler):
    """Listens for Japanese characters that no font of the machine can draw."""

    def __init__(self):
        super().__init__()
        self.lacks_glyphs = False

    def emit(self, record: logging.LogRecord) -> None:
        self.lacks_glyphs = self.lacks_glyphs or "U+306E" in record.getMessage()  # の stands on every page
