"""Characters that are no text: controls, direction marks, broken code units."""

import re

_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")
# Direction marks (U+202A…, U+2066…) can make masked text look like other text; lone surrogates cannot be stored;
# private-use characters are carrier emoji of old phones that no font shows.
_NOT_TEXT = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffc\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)


def without_controls(text: str) -> str:
    """Line ends become `\\n`; control, direction, zero-width (but the emoji joiner) and private characters go."""
    return _NOT_TEXT.sub("", _LINE_ENDS.sub("\n", text))
