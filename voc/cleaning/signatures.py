"""Signatures at the end of mails."""

import re

_DASHES = re.compile(r"^--[ 　]?$")
_RULE = re.compile(r"^\s*[-=_*+#~・･━─═―ー－＝＿＊～〜◆◇■□●○☆★…♪/／|｜:：.｡。<>＜＞ 　]{5,}\s*$")
_MARK = re.compile(
    r"(?:TEL|FAX|電話|携帯|直通|E-?mail|Mail|メール|URL|住所|HP|Ｅメール|〒)\s*[:：.／/)）]?\s*[\d０-９a-z(（+＋〒h東大京神名札福仙]"
    r"|〒|株式会社|有限会社|合同会社|㈱|㈲|https?://|[\w.+-]{1,64}@[\w-]{1,63}\.|0\d{1,4}-\d{1,4}-\d{3,4}",
    re.IGNORECASE,
)
_PHONE_SENT = re.compile(
    r"^(?:(?:iPhone|iPad|Android|スマートフォン|スマホ|携帯|私の\s?\w{2,12}|Yahoo!?メール.{0,12}|Outlook.{0,12})\s?から送信.{0,6}"
    r"|Sent from (?:my|Outlook|Mail|Yahoo)\b.{0,60}|Get Outlook for .{0,30})$"
)
_REACHED = re.compile(r"0\d{1,4}[-ー‐－]?\d{1,4}[-ー‐－]?\d{3,4}|[\w.+-]{1,64}@[\w-]{1,63}\.")
_DISCLAIMER = re.compile(
    r"^[\s※*＊・]*(?:本|この|当)(?:電子)?メール.{0,80}(?:機密|秘密|守秘|誤って.{0,30}(?:破棄|削除|廃棄)|誤送信.{0,40}(?:破棄|削除|廃棄))"
    r"|^[\s※*＊・]*誤って(?:受信|送信|配信).{0,60}(?:破棄|削除|廃棄)"
    r"|^\s*This (?:e-?mail|message)\b.{0,200}\bconfidential\b", re.IGNORECASE)  # fmt: skip
_SENTENCE = re.compile(r"(?:です|ます|ません|でした|ました|ください|下さい|でしょうか|[。？?！!])[\s）)]*$")
_LONGEST = 14
"""Lines of the longest signature that is recognised between rows of signs."""


def without_signature(text: str) -> str:
    """Cut disclaimers, `-- ` signatures, blocks between rows of signs with company or telephone lines, and 「iPhoneから送信」."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _DASHES.match(line) and len(lines) - number <= 30:
            lines = lines[:number]
            break
    lines = _without_disclaimer(lines)
    lines = _without_ruled_blocks([line for line in lines if not _PHONE_SENT.match(line.strip())])
    return "\n".join(_without_last_block(lines)).rstrip()


def _without_ruled_blocks(lines: list[str]) -> list[str]:
    """Leave out each block that starts at a row of signs, is short and holds an address-like line."""
    kept, number = [], 0
    while number < len(lines):
        if not _is_rule(lines[number]):
            kept.append(lines[number])
            number += 1
            continue
        end = next((n for n in range(number + 1, len(lines)) if _is_rule(lines[n])), len(lines))
        block = lines[number + 1:end]
        if len(block) <= _LONGEST and _looks_like_signature(block):
            number = end + 1
        else:
            kept.append(lines[number])
            number += 1
    return kept


def _is_rule(line: str) -> bool:
    return len(line) <= 200 and _RULE.match(line) is not None and len(line.strip()) >= 5


def _looks_like_signature(block: list[str]) -> bool:
    written = [line for line in block if line.strip()]
    sentences = sum(_SENTENCE.search(line) is not None for line in written)
    return bool(written) and any(_MARK.search(line) for line in written) and sentences * 3 <= len(written)


def _without_last_block(lines: list[str]) -> list[str]:
    """A last paragraph without a sentence is a signature without a row of signs where two lines are address-like, or all
    are short and one is a telephone number or mail address. Rows of signs at the end go."""
    while lines and (not lines[-1].strip() or _is_rule(lines[-1])):
        lines = lines[:-1]
    start = max((n + 1 for n, line in enumerate(lines) if not line.strip()), default=0)
    block = lines[start:]
    marked = sum(_MARK.search(line) is not None for line in block)
    is_signature = len(block) <= 8 and not any(_SENTENCE.search(line) for line in block) and (marked >= 2 or _is_card(block))
    return lines[:start] if is_signature and start > 0 else lines


def _is_card(block: list[str]) -> bool:
    """Name, company and number in short lines: 田中太郎 / ミナト商事 / 090-…."""
    others = [line for line in block if not _REACHED.search(line)]
    return 1 <= len(others) < len(block) <= 5 and all(len(line) <= 30 for line in block) and not re.search(r"[\d：:]", "".join(others))


def _without_disclaimer(lines: list[str]) -> list[str]:
    """Without the last lines that ask for secrecy or for the deletion of a mail that went astray."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or _is_rule(lines[end - 1]) or _DISCLAIMER.search(lines[end - 1])):
        end -= 1
    return lines[:end] if any(_DISCLAIMER.search(line) for line in lines[end:]) else lines
