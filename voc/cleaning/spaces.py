"""Blank space: trailing blanks and runs of empty lines."""

import re

_LINE_EDGE = re.compile(r"[ \t]+(?=\n|\Z)")
_EMPTY_LINES = re.compile(r"\n{3,}")


def even_spaces(text: str) -> str:
    """No blanks at line ends, at most one empty line in a row, none at either end."""
    return _EMPTY_LINES.sub("\n\n", _LINE_EDGE.sub("", text)).strip()
