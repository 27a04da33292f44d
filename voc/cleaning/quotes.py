"""Quoted earlier mails: `>` lines, 「… は書きました：」, Outlook header blocks, forwarded mails."""

import re

_QUOTED = re.compile(r"^[ 　]{0,3}[>＞]")
_ATTRIBUTION = re.compile(
    r"(?:は|が|さんは|様は)(?:書きました|書かれました|wrote)\s*[:：]?\s*$"
    r"|^On .{6,200} wrote:\s*$"
    r"|^\d{4}[年/-].{4,120}<[^<>\s]{1,100}@[^<>\s]{3,100}>\s*[:：]\s*$"
    r"|^.{0,60}<[^<>\s]{1,100}@[^<>\s]{3,100}>\s*(?:wrote|のメール)\s*[:：]?\s*$"
)
# the name and address alone (their date on the line above), or the last words of a head that was broken into two lines
_ATTRIBUTION_END = re.compile(r"^.{0,60}<[^<>\s]{1,100}@[^<>\s]{3,100}>\s*[:：]\s*$|^(?:のメール|は書きました|wrote)\s*[:：]\s*$")
_DATED = re.compile(r"^(?:On |\d{4}[年/-]).{4,120}$")
_REPLY_LINE = re.compile(r"(?:返信|ご返信|お返事).{0,12}(?:この|上の|下の)行より上|(?:type|write) your reply above this line", re.IGNORECASE)
_BAR = r"[-_=－ー]"
_ORIGINAL = re.compile(
    rf"^[\s>]{{0,4}}{_BAR}{{2,}}\s*(?:original message|original appointment|元のメッセージ|元のメール|"
    rf"オリジナルメッセージ|返信元|以下引用)\s*{_BAR}{{0,40}}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    rf"^[\s>]{{0,4}}{_BAR}{{2,}}\s*(?:forwarded message|転送メッセージ|転送されたメッセージ|forwarded by .{{0,80}})"
    rf"\s*{_BAR}{{0,40}}\s*$|^転送されたメッセージ\s*[:：]?\s*$|^Begin forwarded message\s*[:：]?\s*$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^[\s*]{0,4}(差出人|送信者|送信日時|送信日|日時|日付|宛先|件名|from|sent|date|to|cc|subject)\s*\*?\s*[:：]",
    re.IGNORECASE,
)
_FROM = frozenset({"差出人", "送信者", "from"})


def without_quotes(text: str) -> str:
    """The writer's own lines. Answers written between `>` lines stay; what follows a reply mark is cut.

    A mail that is nothing but a forwarded mail keeps it: the forwarded words are what the customer sends.
    """
    kept: list[str] = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _QUOTED.match(line):
            continue
        if _FORWARDED.search(line) and not any(part.strip() for part in kept):
            continue
        if _REPLY_LINE.search(line):
            if any(part.strip() for part in kept):
                break
            continue
        if _ORIGINAL.search(line) or _FORWARDED.search(line):
            break
        if _starts_header_block(lines, number):
            if any(part.strip() for part in kept):
                break
            continue
        if len(line) <= 300 and _ATTRIBUTION.search(line.strip()):
            if _quote_follows(lines, number):
                continue
            break
        if _ends_attribution(lines, number):
            kept = _without_date_line(kept)
            continue
        kept.append(line)
    return "\n".join(kept)


def _ends_attribution(lines: list[str], number: int) -> bool:
    return len(lines[number]) <= 200 and _ATTRIBUTION_END.match(lines[number].strip()) is not None and _quote_follows(lines, number)


def _without_date_line(kept: list[str]) -> list[str]:
    return kept[:-1] if kept and _DATED.match(kept[-1].strip()) else kept


def _starts_header_block(lines: list[str], number: int) -> bool:
    """`差出人:` with at least two more header lines right below is the head of an older mail."""
    first = _HEADER.match(lines[number])
    if first is None or first[1].lower() not in _FROM:
        return False
    below = [match[1].lower() for line in lines[number + 1:number + 6] if (match := _HEADER.match(line))]
    return len(set(below)) >= 2


def _quote_follows(lines: list[str], number: int) -> bool:
    below = [line for line in lines[number + 1:number + 8] if line.strip()]
    return any(_QUOTED.match(line) for line in below[:2])
