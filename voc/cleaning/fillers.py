"""Spoken fillers."""

import re

# Only sounds that carry no meaning, and only where a pause or the start of a sentence shows it: 「あの画面」 and
# 「その件」 are words.
_FILLER = re.compile(
    r"(?:(?<=[、。？！?!\s])|^)"
    r"(?:え[ーぇえ]*っ?と[ーぉ]*|えー+|あのー+|あのう|あの(?=[、…])|そのー+|その(?=、)|うー+んと?|んー+|あー+|まあ?ー?(?=、)|"
    r"なんか(?=、)|ええと|あっ?(?=、)|はい(?=、はい))"
    r"[、,…\s]*"
)


def without_fillers(text: str) -> str:
    """Speech without 「えーと、」「あのー、」. For embedding and labels only: offsets of the text change."""
    return _FILLER.sub("", text)
