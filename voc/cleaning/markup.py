"""HTML to text."""

import html
import re
import warnings

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag

_TAG = re.compile(
    r"</?(?:html|body|head|div|span|p|br|font|strong|table|tr|td|ul|ol|li|h[1-6])\b[^<>]{0,500}>"
    r"|<a\s[^<>]{0,500}>|</(?:a|b|i|u|em)>",
    re.IGNORECASE,
)
_NOT_READ = {"style", "script", "head", "title", "template", "noscript", "blockquote"}
_QUOTE_CLASSES = {"gmail_quote", "gmail_attr", "moz-cite-prefix"}
_BREAK, _BLOCK = "\ue000", "\ue001"
_BREAK_TAG = re.compile(r"<br\b[^<>]{0,500}>", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|tr|li|h[1-6]|hr|table|ul|ol|pre|section|article)\b[^<>]{0,500}>", re.IGNORECASE
)


def html_to_text(markup: str) -> str:
    """The visible text of `markup`, one line per block; quoted mails (`blockquote`, `.gmail_quote`) are left out."""
    # line ends are marked before parsing: adding them to the tree takes quadratic time in deeply nested markup
    marked = _BREAK_TAG.sub(_BREAK, markup.replace(_BREAK, "").replace(_BLOCK, ""))
    marked = _BLOCK_TAG.sub(lambda tag: _BLOCK + tag[0] + _BLOCK, marked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        soup = BeautifulSoup(marked, "lxml")
    for element in soup.find_all(_is_not_read):
        element.extract()
    text = re.sub(rf" ?([{_BREAK}{_BLOCK}]) ?", r"\1", re.sub(r"\s+", " ", soup.get_text()))
    text = re.sub(rf"{_BLOCK}+", "\n", text)
    # a break right before the end of its block is not seen
    return text.replace(_BREAK + "\n", "\n").replace(_BREAK, "\n").strip()


def _is_not_read(element: Tag) -> bool:
    return element.name in _NOT_READ or not _QUOTE_CLASSES.isdisjoint(element.get("class") or ())


def without_markup(text: str) -> str:
    """Text of a form or chat: tags are read as HTML where there are any, entities (`&amp;`) are always resolved."""
    return html_to_text(text) if _TAG.search(text) else html.unescape(text)
