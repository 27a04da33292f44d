"""Foreign text made harmless for where it is shown: a terminal or log, Markdown, mail and chat. Nothing in it acts there.

Reports have their own (voc.reports.formats.plain): they escape, and cut to the length of a cell.
"""

import re
import unicodedata

_LONGEST = 500
_LONGEST_NAME = 60
_SILENT = {"Cf", "Cs", "Co", "Cn"}  # bidirectional and zero-width marks, lone surrogates, what no font has
_BREAKS = {"Cc", "Zl", "Zp"}  # line ends, tabs, the escape that starts a terminal's colour
_MARKUP = str.maketrans("\\`*_{}[]()<>#|~!&$@:\"'", "＼｀＊＿｛｝［］（）＜＞＃｜～！＆＄＠：＂＇")
_WWW = re.compile(r"(?i)\bwww\.")
_CHAT = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "*_~`<>&@|[]#\\{}$!"})


def inert_line(text: object, *, limit: int = _LONGEST) -> str:
    """Any text as one line of a log or a terminal: nothing in it moves the cursor, breaks the line or turns its direction."""
    raw = str(text)[: limit * 4]
    kept = "".join(" " if unicodedata.category(one) in _BREAKS else one for one in raw if unicodedata.category(one) not in _SILENT).rstrip()
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def inert_markdown(text: object, *, limit: int = _LONGEST) -> str:
    """`inert_line` whose marks of Markdown, HTML and tables are full-width: no link, picture, tag, cell or heading is made of it.

    Renderers disagree on what a backslash escapes, and readers of plain text would see it; a full-width sign is read alike.
    """
    return _WWW.sub("www．", inert_line(text, limit=limit).translate(_MARKUP)).strip().lstrip("-+= ")


def inert_message(text: str) -> str:
    """A line of a mail or a chat message: the signs of mark-up, mentions and links are full-width, which nothing interprets."""
    return text.translate(_CHAT).replace("://", "：／／")


def inert_name(text: object) -> str:
    """A label or name inside a mail or a chat message: `inert_message`, on one line, at most 60 characters."""
    kept = "".join(" " if c.isspace() else c for c in str(text) if c.isspace() or unicodedata.category(c)[0] != "C")
    kept = " ".join(kept.split())
    return inert_message(kept[:_LONGEST_NAME] + ("…" if len(kept) > _LONGEST_NAME else ""))
