"""Answers in words on 5-step scales -> numbers, where the configuration gives no scale."""

import re
from collections.abc import Iterable, Mapping

from voc.cleaning.widths import identifier

_NUMBERED = re.compile(r"^[(\[【]?\d{1,2}[)\]】]?[.:、．：・)\-]?(?=\D)")
_BRACKETS = re.compile(r"[(（].{0,20}[)）]$")
_STRONG = "とても|大変|たいへん|非常に|ひじょうに|大いに|極めて"
_WEAK = "やや|まあまあ|まあ|少し|すこし|どちらかといえば|どちらかと言えば|どちらかというと"
_GOOD = "満足(?:です|した|している|しました)?|(?:良|よ)(?:い|かった)|いい"
_BAD = "不満(?:足)?(?:です|だった|である)?|(?:悪|わる)(?:い|かった)"
_WORD = re.compile(rf"^(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))?(?:(?P<bad>{_BAD})|(?P<good>{_GOOD}))$")
_MIDDLE = re.compile(r"^(?:どちら(?:で|と)も(?:ない|いえない|言えない)|(?:ふつう|普通)(?:です)?|まあまあ|何とも(?:いえない|言えない))$")
WORDS = "とても満足、大変満足、満足、やや満足、どちらでもない、ふつう、やや不満、不満、とても不満、非常に不満"
"""Answers to show to a person whose answer was refused."""


def five_step(answers: Iterable[str]) -> Mapping[str, float]:
    """The numbers 1 (worst) to 5 of the worded answers among `answers`; a word that cannot be placed is left out.

    「満足」 stands for 4 where the column also holds a stronger step (とても満足, とても不満), for 5 where it holds a
    weaker one only (やや満足, やや不満), and likewise 「不満」 for 2 or 1. Where it holds neither or both, plain words
    could be either and stay without a number: the configuration's scales must say. Numbers in front of the word
    (`5:とても満足`) are not read: some forms count from the best answer, others from the worst.
    """
    found = {answer: match for answer in set(answers) if (match := _WORD.match(_plain(answer)))}
    has_strong = any(match["strong"] for match in found.values())
    has_weak = any(match["weak"] for match in found.values())
    numbers: dict[str, float] = {answer: 3.0 for answer in set(answers) if _MIDDLE.match(_plain(answer))}
    for answer, match in found.items():
        if match["strong"] or match["weak"]:
            distance = 2 if match["strong"] else 1
        elif has_strong != has_weak:
            distance = 1 if has_strong else 2
        else:
            continue
        numbers[answer] = 3.0 - distance if match["bad"] else 3.0 + distance
    return numbers


def _plain(answer: str) -> str:
    return _BRACKETS.sub("", _NUMBERED.sub("", identifier(answer)))
