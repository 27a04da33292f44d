"""Character widths: one spelling for letters, digits and kana, with Japanese punctuation left as it is.

Plain NFKC is not used: it turns ① into 1, ㈱ into (株), ～ into ~ and ！ into !, which changes what people wrote.
"""

import re
import unicodedata

_LETTERS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()}
_MARKS = {ord(wide): narrow for wide, narrow in zip("＠＃％＆＋．／＿＝＄＊", "@#%&+./_=$*", strict=True)}
_TABLE = _LETTERS | _MARKS | {0x3000: " ", 0xA0: " ", 0xFF5E: "〜"}
_HALF_KANA = re.compile(r"[｡-ﾟ]+")


def even_widths(text: str) -> str:
    """Full-width letters and digits to ASCII, half-width kana to full width, ～ and 〜 to one sign."""
    text = unicodedata.normalize("NFC", text).translate(_TABLE)
    return _HALF_KANA.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def identifier(text: str) -> str:
    """One spelling of a customer number or mail address: NFKC, no spaces; mail addresses in lower case.

    Letter case of other numbers is kept: some systems tell A1 from a1.
    """
    spelled = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return spelled.lower() if "@" in spelled else spelled


def telephone(text: str) -> str:
    """The digits of a Japanese telephone number (10 or 11, from 0; +81 is 0); empty where `text` is none."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text).replace("+81", "0"))
    return digits if len(digits) in (10, 11) and digits.startswith("0") else ""


def customer_key(text: str) -> str:
    """One spelling of what names a customer: digits of a telephone number, else `identifier`."""
    return telephone(text) or identifier(text)
