"""Spoken fillers."""

import re

# Only sounds that carry no meaning, and only where a pause or the start of a sentence shows it: 「あの画面」 and
# 「その件」 are words.
_FILLER = re.compile(
    r"(?:(?<=[、。？！?!\s])|^)"
    r"(?:え[ーぇえ]*っ?と[ーぉ]*(?!こ)|うー*んとー*|んー+と|えー+|あのー+|あのう|あの(?=[、…])|そのー+|その(?=、)|うー+んと?|んー+|あー+|まあ?ー?(?=、)|"
    r"なんか(?=、)|あっ?(?=、)|はい(?=、はい))"
    r"[、,…\s]*"
    # sounds that are nothing else wherever they stand: 「部署ごとにええと見られる」; ええとこ and あのーさ are left
    r"|(?:(?<![一-龥々])(?:え[ーえぇ]+っ?と[ーぉ]*|えっとー*)(?!こ)|[うん]ー+んと|んーと|うーんと?|な(?:ん|に)(?:て|と)(?:い|言)う(?:か|んですか|んでしょうか|の?かな)"
    r"|何(?:て|と)(?:い|言)うか)[、,…\s]*"
)


def without_fillers(text: str) -> str:
    """Speech without 「えーと、」「あのー、」. Offsets of the text change: `kept_places` leads back."""
    return _FILLER.sub("", text)


def kept_places(text: str) -> list[int]:
    """For each character of `without_fillers(text)` its place in `text`."""
    left_out = {place for found in _FILLER.finditer(text) for place in range(*found.span())}
    return [place for place in range(len(text)) if place not in left_out]
