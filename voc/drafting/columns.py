"""What the cells of one column look like: dates, numbers, answers to choose from, free text."""

import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from voc.parsing.dates import parse_instant
from voc.parsing.records import cell, duration, number

_MOST = 500  # filled cells of a column that are looked at
_ANSWERS = 15
_FREE = re.compile(
    r"自由記述|自由回答|自由意見|ご意見|ご要望|ご感想|感想|理由|具体的|お聞かせ|お書き|ご記入|教えてください|コメント|その他意見|不便|困った|改善|"
    r"comment|feedback|reason|opinion|free_?text|verbatim|wish|improve", re.IGNORECASE
)  # fmt: skip
_PERSONAL = re.compile(
    r"氏名|お名前|^名前|姓$|^名$|フリガナ|ふりがな|住所|所在地|都道府県|市区町村|郵便|メール|mail|電話|tel|phone|url|住まい|勤務先|会社名|法人名|"
    r"担当者|生年月日|年齢|年代|性別|職業|name$|address", re.IGNORECASE
)  # fmt: skip
_DIVIDERS = re.compile(r"[,、;；|/\n]+")
_PROSE = re.compile(r"[ぁ-んァ-ヶ一-龠々ｦ-ﾟ]|[A-Za-z']+\s+[A-Za-z']+\s+[A-Za-z']+")
_ID = re.compile(r"^[\w.@+\-#:/]{1,64}$", re.ASCII)


@dataclass(frozen=True)
class Column:
    """One column of a sample. Shares are of the filled cells; `answers` are the different values where they are few."""

    name: str
    n: int
    n_different: int
    date_share: float
    number_share: float
    duration_share: float
    id_share: float
    mail_share: float
    phone_share: float
    mean_length: float
    text: str
    """yes (free text), maybe, or no."""
    answers: tuple[str, ...]
    example: str
    """The shape of the first value: `99/99/9999`; no customer's words."""


def describe(frame: pd.DataFrame) -> dict[str, Column]:
    """Column name -> what its cells look like, for every column of a sample of text cells but source_row."""
    return {name: _column(name, frame[name]) for name in frame.columns if name != "source_row"}


def _column(name: str, values: pd.Series) -> Column:
    filled = [text for text in map(cell, values) if text][:_MOST]
    n, different = len(filled), list(dict.fromkeys(filled))
    instants = _share(filled, lambda text: len(text) <= 60 and parse_instant(text) is not None)
    numbers = _share(filled, lambda text: number(text) is not None)
    return Column(
        name=name, n=n, n_different=len(different), date_share=instants, number_share=numbers,
        duration_share=_share(filled, lambda text: duration(text) is not None),
        id_share=_share(filled, lambda text: _ID.match(unicodedata.normalize("NFKC", text)) is not None),
        mail_share=_share(filled, lambda text: "@" in text and " " not in text),
        phone_share=_share(filled, lambda text: len(re.sub(r"\D", "", text)) in (10, 11) and len(text) <= 16),
        mean_length=sum(map(len, filled)) / n if n else 0.0,
        text=_free_text(name, filled, n_different=len(different), is_value=max(instants, numbers) > 0.5),
        answers=tuple(different) if len(different) <= _ANSWERS else (),
        example=blurred(filled[0]) if filled else "",
    )  # fmt: skip


def _share(values: list[str], is_so) -> float:
    return sum(map(is_so, values)) / len(values) if values else 0.0


def _free_text(name: str, filled: list[str], *, n_different: int, is_value: bool) -> str:
    """Free text is varied and long; a list of ticked boxes is varied too, but made of few words."""
    is_asked = _FREE.search(name) is not None
    n = len(filled)
    if is_value or (_PERSONAL.search(name) and not is_asked):
        return "no"
    if not n:
        return "maybe" if is_asked else "no"
    words = [word.strip() for text in filled for word in _DIVIDERS.split(text) if word.strip()]
    is_ticked = n >= 10 and len(set(words)) <= 0.35 * len(words)
    mean_length, variety = sum(map(len, filled)) / n, n_different / n
    is_prose = sum(1 for text in filled if _PROSE.search(text)) >= 0.5 * n
    if is_ticked or not is_prose:
        return "no"
    if (mean_length >= 12 and variety >= 0.5) or (is_asked and variety >= 0.3 and mean_length >= 5):
        return "yes"
    return "maybe" if variety >= 0.3 and n_different >= min(30, max(3, n // 2)) and (is_asked or n >= 10) else "no"


def blurred(text: str) -> str:
    """The shape of a value without its content: digits become 9, letters A, other characters 〓."""
    plain = unicodedata.normalize("NFKC", text)[:30]
    plain = re.sub(r"[0-9]", "9", plain)
    plain = re.sub(r"[A-Za-z]", "A", plain)
    return re.sub(r"[^\x20-\x7e年月日時分秒令和平成昭和円点〓]", "〓", plain)
