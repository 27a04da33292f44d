"""What every parser returns, and the small readings of single values that they share."""

import hashlib
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from voc.config import Source
from voc.errors import SourceError
from voc.tables import CONTACTS, REJECTS, TURNS, check

CHANNELS = {
    "transcript": "call", "contact_lens": "call", "transcribe": "call", "vtt": "call", "whisper": "call",
    "turns": "call", "email": "email", "chat": "chat", "ticket": "ticket", "review": "review", "survey": "survey",
}  # fmt: skip
NOTE = "応対メモ"
"""The question of an operator's turn that holds the note on the contact."""
_EMPTY = frozenset({"", "-", "－", "ー", "null", "none", "n/a", "nan", "なし", "未回答", "無回答"})
_YES = frozenset({"true", "1", "yes", "y", "はい", "解決", "解決済", "解決済み", "済", "○", "〇"})
_NO = frozenset({"false", "0", "no", "n", "いいえ", "未解決", "未", "×", "✕"})
_SPEAKERS = {
    "customer": ("customer", "お客様", "お客さま", "顧客", "客", "user", "ユーザー", "利用者", "end_user", "end-user", "caller", "cu"),
    "operator": ("operator", "agent", "オペレーター", "オペレータ", "担当", "担当者", "スタッフ", "staff", "有人", "op", "supervisor",
                 "admin", "応対者", "受電者"),
    "bot": ("bot", "ボット", "チャットボット", "自動応答", "system", "システム", "custom_bot", "ivr"),
}
_SPEAKER = {word: speaker for speaker, words in _SPEAKERS.items() for word in words}


@dataclass(frozen=True)
class Parsed:
    """Tables of one source. `contacts` is CONTACTS without content_sha (masking adds it) and with the raw
    customer number or mail address in customer_id; `turns` is TURNS with unmasked text; `rejects` is REJECTS."""

    contacts: pd.DataFrame
    turns: pd.DataFrame
    rejects: pd.DataFrame


@dataclass(frozen=True)
class Rows:
    """What one file holds, before it is checked: rows of contacts, of turns (with their contact's source_row) and of
    rejects. Tables are built once for all files: that takes longer than reading a small file."""

    contacts: list[dict]
    turns: list[dict]
    rejects: list[dict]


def assemble(contacts: Sequence[dict], turns: Sequence[dict], rejects: Iterable[dict]) -> Parsed:
    """Checked tables from the rows of all files of a source. Of contacts with one id the first stays, the others
    become rejects."""
    refused, kept, seen = list(rejects), [], {}
    for contact in contacts:
        first = seen.setdefault(contact["contact_id"], contact["source_row"])
        if first == contact["source_row"]:
            kept.append(contact)
        else:
            reason = f"{first} と同じ番号のため使いませんでした（重複）。"
            refused.append(reject(contact["source"], contact["source_row"], reason))
    own = {(contact["contact_id"], contact["source_row"]) for contact in kept}
    spoken = [turn for turn in turns if (turn["contact_id"], turn["source_row"]) in own]
    contact_columns = [column for column in CONTACTS.columns if column != "content_sha"]
    frame = pd.DataFrame(kept, columns=contact_columns).assign(content_sha="")
    return Parsed(
        check(frame, CONTACTS).drop(columns="content_sha"),
        check(pd.DataFrame(spoken, columns=[*TURNS.columns]), TURNS),
        rejects_frame(refused),
    )


def rejects_frame(rows: Iterable[dict]) -> pd.DataFrame:
    """The checked REJECTS table of `rows`, each fault once."""
    return check(pd.DataFrame(list(rows), columns=list(REJECTS.columns)).drop_duplicates(), REJECTS)


def reject(source: str, source_row: str, reason: str, *, stage: str = "parse") -> dict:
    # reasons quote what was found, and a JSON key may hold half a character, which no table can
    quotable = reason.encode("utf-8", "ignore").decode()
    return {"source": source, "source_row": source_row, "stage": stage, "reason": quotable}


def refuse_all(source: Source, faults: Sequence[dict], n_files: int) -> None:
    """Raise SourceError with every fault where no file of a source could be used at all."""
    if n_files and len(faults) >= n_files:
        lines = "\n".join(f"  - {fault['source_row']}: {fault['reason']}" for fault in faults)
        raise SourceError(f"ソース {source.name}: 読み込めるファイルが 1 つもありません（{n_files} 件）。\n{lines}")


def contact_id(source: Source, native: str, source_row: str) -> str:
    """'C' + 16 hex of SHA-256 over the source's name and its own number, or the row where it has none."""
    return "C" + hashlib.sha256(f"{source.name}|{native or source_row}".encode("utf-8", "replace")).hexdigest()[:16]


def turn_id(contact: str, position: int) -> str:
    return f"{contact}-{position:03d}"


def cell(value: Any) -> str:
    """One JSON or table value as stripped text; empty for null and the usual words for nothing."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() and abs(value) < 1e15 else value
    text = str(value).strip().encode("utf-8", "ignore").decode()
    return "" if text.lower() in _EMPTY else text


def number(text: str) -> float | None:
    """A number with full-width digits, separators or a unit (`１,２３４円`, `4点`); None where it is none."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace("¥", "").replace("\\", "").strip()
    plain = plain.rstrip("円点秒件回ヶ月カ個%").strip()
    if len(plain) > 40:
        return None
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def yes_or_no(text: str) -> bool | None:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    return True if plain in _YES else False if plain in _NO else None


def speaker(text: str, source: Source | None = None) -> str | None:
    """customer, operator, bot (or as `[sources.speakers]` says); None for a word that is not known."""
    own = {_plain(word): role for word, role in source.speakers.items()} if source else {}
    return own.get(_plain(text)) or _SPEAKER.get(_plain(text))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


def speaker_words() -> str:
    return "、".join(word for words in _SPEAKERS.values() for word in words[:4])


def measure(record: dict, column: str, faults: list[str], *, low: float = 0.0, high: float = math.inf) -> float | None:
    """The number in record[column]; a value that is none or out of range is emptied and told in `faults`."""
    text = cell(record.get(column))
    value = number(text) if text else None
    if text and (value is None or not low <= value <= high):
        allowed = f"{low:g}〜{high:g} の数" if math.isfinite(high) else f"{low:g} 以上の数"
        faults.append(f"{column} の値「{text[:30]}」は使えないため空にしました（使える値: {allowed}）。")
        return None
    return value
