"""FAQ articles as pages: HTML, Markdown or plain text, one article per file."""

import html
import re
from collections.abc import Sequence

from voc.cleaning.markup import html_to_text
from voc.cleaning.widths import identifier
from voc.config import Source
from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.parsing.records import reject
from voc.raw import RawFile

_TITLE = re.compile(r"<title\b[^<>]{0,200}>(.{0,500}?)</title>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h1\b[^<>]{0,200}>(.{0,500}?)</h1>", re.IGNORECASE | re.DOTALL)
_CANONICAL = re.compile(r"<link\b[^<>]{0,300}rel=[\"']?canonical[\"']?[^<>]{0,300}>", re.IGNORECASE)
_HREF = re.compile(r"href=[\"']?(https?://[^\"'\s<>]{1,1000})", re.IGNORECASE)
_CHROME = re.compile(r"<(nav|footer|aside|header)\b[^<>]{0,500}>.{0,50000}?</\1>", re.IGNORECASE | re.DOTALL)
_FRONT = re.compile(r"\A---[ \t]*\n(.{0,5000}?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_LINE = re.compile(r"^(\w{1,40})\s*:\s*(.{0,1000}?)\s*$", re.MULTILINE)
_MARKDOWN = [
    (re.compile(r"!\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)"), r"\1"),
    (re.compile(r"\[([^\]\n]{1,300})\]\([^)\n]{0,1000}\)"), r"\1"),
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^[ \t]{0,3}(?:```|~~~)[^\n]{0,100}$", re.MULTILINE), ""),
    (re.compile(r"(\*\*|__)(?=\S)([^\n]{1,300}?)(?<=\S)\1"), r"\2"),
]


def read_pages(pages: Sequence[RawFile], source: Source) -> tuple[list[dict], list[dict]]:
    """(articles as rows of FAQ with source_row, rejects).

    article_id is `article_id` or `id` of the front matter, else the file's name without ending; the title is the
    front matter's, the first heading or `<title>`, else the name.
    """
    articles, refused = [], []
    for file in pages:
        try:
            if file.fault:
                raise SourceError(file.fault)
            text = decode(file.data, encoding=source.encoding).replace("\r\n", "\n")
        except SourceError as error:
            refused.append(reject(source.name, file.name, str(error), stage="read" if file.fault else "parse"))
            continue
        article = _web_page(text) if file.name.lower().endswith((".html", ".htm")) else _markdown_page(text)
        stem = file.name.rpartition("/")[2].rpartition(".")[0]
        if not article["body"]:
            refused.append(reject(source.name, file.name, "本文のない FAQ 記事のため使いませんでした。"))
            continue
        own_id = identifier(article["article_id"] or file.name.rpartition(".")[0])
        named = {"article_id": own_id, "title": article["title"] or stem, "source_row": file.name}
        articles.append(article | named)
    return articles, refused


def _web_page(text: str) -> dict:
    title = _HEADING.search(text) or _TITLE.search(text)
    link = _CANONICAL.search(text)
    url = _HREF.search(link[0]) if link else None
    return {
        "article_id": "", "title": " ".join(html_to_text(title[1]).split()) if title else "",
        # menus and footers stand on every page and would make all articles alike
        "body": html_to_text(_CHROME.sub(" ", text)), "url": html.unescape(url[1]) if url else None,
    }  # fmt: skip


def _markdown_page(text: str) -> dict:
    front = _FRONT.match(text)
    fields = {key.lower(): value.strip("\"'") for key, value in _FRONT_LINE.findall(front[1])} if front else {}
    body = text[front.end() :] if front else text
    heading = re.search(r"^[ \t]{0,3}#{1,6}[ \t]+(.{1,300}?)[ \t#]*$", body, re.MULTILINE)
    for pattern, replacement in _MARKDOWN:
        body = pattern.sub(replacement, body)
    return {
        "article_id": fields.get("article_id") or fields.get("id", ""),
        "title": fields.get("title") or (heading[1] if heading else ""),
        "body": body.strip(), "url": fields.get("url") or None,
    }  # fmt: skip
