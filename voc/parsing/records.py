"""What every parser returns, and the small readings of single values that they share."""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from voc.config import Source
from voc.errors import SourceError
from voc.tables import CONTACTS, REJECTS, TURNS, check, empty

CHANNELS = {
    "transcript": "call", "contact_lens": "call", "transcribe": "call", "vtt": "call", "whisper": "call",
    "turns": "call", "email": "email", "chat": "chat", "ticket": "ticket", "review": "review", "survey": "survey",
}  # fmt: skip
REPLY = "-r"
"""Stands in the turn_id of the company's reply to a mail, which may come later than the mail."""
NOTE = "応対メモ"
"""The question of an operator's turn that holds the note on the contact."""
_ROW_NUMBER = re.compile(r":\d+$")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)")
_SPOKEN_TIME = re.compile(r"(?:(\d{1,3})時間)?(?:(\d{1,3})分)?(?:(\d{1,5}(?:\.\d{1,6})?)秒)?")
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
    customer number or mail address in customer_id; `turns` is TURNS with unmasked text; `rejects` is REJECTS;
    `late` are turns of contacts that an earlier pull gave (the company's reply to a mail)."""

    contacts: pd.DataFrame
    turns: pd.DataFrame
    rejects: pd.DataFrame
    late: pd.DataFrame = field(default_factory=lambda: empty(TURNS))


@dataclass(frozen=True)
class Rows:
    """What one file holds, before it is checked: rows of contacts, of turns (with their contact's source_row) and of
    rejects. Tables are built once for all files: that takes longer than reading a small file."""

    contacts: list[dict]
    turns: list[dict]
    rejects: list[dict]


def assemble(
    contacts: Sequence[dict], turns: Sequence[dict], rejects: Iterable[dict], *, late: Sequence[dict] = ()
) -> Parsed:
    """Checked tables from the rows of all files of a source.

    Of contacts with one id that of the last file stays, for exports overlap and later ones are newer (the others are
    counted); in one file the first stays and the others become rejects. `late` are turns of contacts that were read before.
    """
    refused = list(rejects)
    contacts, turns = _numbered(contacts, turns)
    first, last = {}, {}
    for contact in contacts:
        own_id, file = contact["contact_id"], file_of(contact["source_row"])
        first.setdefault((own_id, file), contact["source_row"])
        last[own_id] = file
    kept, older = [], Counter()
    for contact in contacts:
        own_id, row, file = contact["contact_id"], contact["source_row"], file_of(contact["source_row"])
        if row != first[own_id, file]:
            reason = f"{first[own_id, file]} と同じ番号のため使いませんでした（重複）。"
            refused.append(reject(contact["source"], row, reason))
        elif file != last[own_id]:
            older[contact["source"], file] += 1
        else:
            kept.append(contact)
    refused += [
        reject(source, file, f"{n} 件は、後のファイルに同じ番号の行があるため、新しい方を使いました。")
        for (source, file), n in older.items()
    ]
    own = {(contact["contact_id"], contact["source_row"]) for contact in kept}
    spoken = [turn for turn in turns if (turn["contact_id"], turn["source_row"]) in own]
    contact_columns = [column for column in CONTACTS.columns if column != "content_sha"]
    frame = pd.DataFrame(kept, columns=contact_columns).assign(content_sha="")
    return Parsed(
        check(frame, CONTACTS).drop(columns="content_sha"),
        check(pd.DataFrame(spoken, columns=[*TURNS.columns]), TURNS),
        rejects_frame(refused),
        check(pd.DataFrame(list(late), columns=[*TURNS.columns]), TURNS),
    )


def _numbered(contacts: Sequence[dict], turns: Sequence[dict]) -> tuple[list[dict], list[dict]]:
    """Contacts without a number of their own, under ids of their file, start and count among those of one start.

    A row number alone would not do: a file that is written anew every day would put today's row 1 in place of
    yesterday's; one that grows at the top would give every row a new number.
    """
    counted, ids, renamed = Counter(), {}, []
    for contact in contacts:
        before, row = contact["contact_id"], contact["source_row"]
        if before == contact_id_of(contact["source"], row):
            said = f"{file_of(row)}|{contact['started_at'].isoformat()}"
            counted[said] += 1
            ids[before] = contact_id_of(contact["source"], f"{said}|{counted[said]}")
        renamed.append(contact | {"contact_id": ids.get(before, before)})
    spoken = []
    for turn in turns:
        new = ids.get(turn["contact_id"])
        ending = turn["turn_id"].removeprefix(turn["contact_id"])
        spoken.append(turn | {"contact_id": new, "turn_id": new + ending} if new else turn)
    return renamed, spoken


def file_of(source_row: str) -> str:
    """The file's name in `name:row` (or the whole, where the file is one record)."""
    return _ROW_NUMBER.sub("", source_row)


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
    """The id of a contact by the source's name and its own number, or the row where it has none (see `assemble`)."""
    return contact_id_of(source.name, native or source_row)


def contact_id_of(source: str, native: str) -> str:
    """'C' + 16 hex of SHA-256 over the source's name and a number."""
    return "C" + hashlib.sha256(f"{source}|{native}".encode("utf-8", "replace")).hexdigest()[:16]


def turn_id(contact: str, position: int) -> str:
    return f"{contact}-{position:03d}"


def reply_turn_id(contact: str, mail: str) -> str:
    """The turn that a reply of the company is: by the reply's own id, so that a second reading is the same turn."""
    return f"{contact}{REPLY}{mail.removeprefix('C')[:8]}"


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


def duration(text: str) -> float | None:
    """Seconds of `312`, `312秒`, `5:12`, `0:05:12` or `5分12秒`; None where it is none of them."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _CLOCK.fullmatch(plain) or _SPOKEN_TIME.fullmatch(plain)
    if found is None or not any(found.groups()):
        return number(plain)
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


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
    value = (duration if column.endswith("_seconds") else number)(text) if text else None
    if text and (value is None or not low <= value <= high):
        allowed = f"{low:g}〜{high:g} の数" if math.isfinite(high) else f"{low:g} 以上の数"
        allowed += "、0:05:12、5分12秒" if column.endswith("_seconds") else ""
        faults.append(f"{column} の値「{text[:30]}」は使えないため空にしました（使える値: {allowed}）。")
        return None
    return value
