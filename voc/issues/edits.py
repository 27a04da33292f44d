"""What people change in the ledger: wishes -> events. All wishes are judged together; one fault, and nothing is done."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from voc.cleaning.controls import without_controls
from voc.errors import TableError, VocError
from voc.issues.events import apply_event, event_row
from voc.issues.lifecycle import status_before
from voc.parsing.dates import parse_date

LONGEST_LABEL = 30
_LONGEST_NOTE = 300
_LONGEST_OWNER = 50
LONGEST_AREA = 15
STATUS_WORDS = {
    "candidate": "候補", "open": "公開", "locked": "固定", "excluded": "除外", "closed": "解決済み", "dead": "休止", "merged": "統合済み",
}  # fmt: skip
EDIT_KINDS = ("rename", "merge", "set_status", "set_area", "assign_owner", "set_effort", "set_due", "fix")
WRITTEN = {"rename": ("to",), "set_area": ("to",), "fix": ("note",)}
"""Kinds of wishes with words that people make up -> the fields that hold them; these are masked before they are stored."""
_STATUS_KIND = {"locked": "lock", "excluded": "exclude", "closed": "close"}
_TO_OPEN = {"candidate": "accept", "locked": "unlock", "excluded": "include", "closed": "reopen", "dead": "reopen"}


class EditError(VocError):
    """Wishes that cannot be fulfilled. Carries every fault; nothing was changed."""

    def __init__(self, faults: Sequence[str]):
        self.faults = list(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{len(self.faults)} 件の誤りがあるため、台帳は何も変更していません。\n{lines}")


class _RefusedError(Exception):
    """Why one wish cannot be fulfilled."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One wish of a person.

    kind        to                                     note
    rename      new label
    merge       id of the survivor
    set_status  open, locked, excluded, closed, back (what it was before)   closed: the day it was solved (default: today)
    set_area, assign_owner, set_effort, set_due        new value; None takes it away
    fix         the day of the action                  what was done

    `place` says where the wish stands, for messages (課題シート 7 行目「統合先」); default: the issue's id.
    """

    kind: str
    issue_id: str
    to: str | None = None
    note: str | None = None
    place: str = ""


def edit_rows(
    edits: Sequence[Edit], issues: pd.DataFrame, events: pd.DataFrame, *, at: pd.Timestamp, by: str, today: pd.Timestamp
) -> list[dict]:
    """Rows of `event_row` that fulfil `edits` on the ledger `issues`, `events`. Raises EditError with all faults.

    Merges come last, so that one batch may rename an issue and merge another into it; labels are compared after all
    wishes, so that two issues may swap theirs. `today` is the person's date: what was done or solved is not later.
    """
    state = {row["issue_id"]: row for row in issues.astype(object).where(issues.notna(), None).to_dict("records")}
    merged_before = {name for name, row in state.items() if row["status"] == "merged"}
    rows, faults, renamed = [], [], []
    for edit in sorted(edits, key=lambda edit: edit.kind == "merge"):
        place = edit.place or edit.issue_id
        try:
            issue_id = _known(edit.issue_id, state, merged_before)
            row = event_row(issue_id, **_event(edit, issue_id, state, merged_before, events, today=today), at=at, by=by)
            state = apply_event(state, row)
        except (_RefusedError, TableError) as error:
            faults.append(f"{place}: {error}")
            continue
        rows.append(row)
        if edit.kind == "rename":
            renamed.append((place, issue_id))
    faults += _doubled_labels(state, renamed)
    if faults:
        raise EditError(faults)
    return rows


def clean_id(text: object) -> str:
    """An id as people type it (ｖｏｃ－1, 1, VOC-0001) in the ledger's form."""
    plain = unicodedata.normalize("NFKC", str(text)).strip().upper().replace("−", "-").replace("ー", "-").replace("‐", "-")
    number = plain.removeprefix("VOC").removeprefix("-")
    return f"VOC-{int(number):04d}" if number.isdecimal() and number.isascii() and len(number) <= 9 else plain


def checked_labels(labels: Sequence[str | None], issue_id: str, issues: pd.DataFrame) -> list[str]:
    """Names for the parts of `issue_id` as they are stored; None stands for its name now. Raises EditError."""
    rows = issues[issues["status"] != "merged"].set_index("issue_id")["label"]
    try:
        found = [rows[issue_id] if label is None else _label(label) for label in labels]
    except _RefusedError as error:
        raise EditError([f"{issue_id}: {error}"]) from None
    taken = set(rows.drop(issue_id))
    doubled = sorted({label for label in found if found.count(label) > 1 or label in taken})
    if doubled:
        raise EditError([f"{issue_id}: 名前「{label}」はほかの課題と同じです。別の名前にしてください" for label in doubled])
    return found


def known_issue(text: object, issues: pd.DataFrame, *, may_be_merged: bool = False) -> str:
    """The issue_id that `text` names. Raises EditError where the ledger has none, or only as a merged one."""
    state = {row["issue_id"]: row for row in issues[["issue_id", "merged_into"]].to_dict("records")}
    merged = set() if may_be_merged else set(issues.loc[issues["status"] == "merged", "issue_id"])
    try:
        return _known(str(text), state, merged)
    except _RefusedError as error:
        raise EditError([str(error)]) from None


def checked_person(text: str) -> str:
    """A person's name for the history. Raises EditError where it is empty, too long or a name that runs use."""
    name = " ".join(without_controls(text).split())
    if not name or len(name) > _LONGEST_OWNER or name in {"voc", "categories"}:
        raise EditError([f"--by「{name[:20]}」は使えません。{_LONGEST_OWNER} 文字以内の氏名を書いてください（voc と categories は自動の記録に使います）"])
    return name


def _event(edit: Edit, issue_id: str, state: dict, merged_before: set[str], events: pd.DataFrame, *, today: pd.Timestamp) -> dict:
    row, to = state[issue_id], edit.to
    if edit.kind == "rename":
        label = _label(to)
        if label == row["label"]:
            raise _RefusedError(f"名前はすでに「{label}」です")
        return {"kind": "rename", "old": row["label"], "to": label}
    if edit.kind == "merge":
        return {"kind": "merge", "to": _target(issue_id, to, state, merged_before)}
    if edit.kind == "set_status":
        return _status(edit, row, events, today=today)
    if edit.kind == "assign_owner":
        return {"kind": edit.kind, "old": row["owner"], "to": _line(to, _LONGEST_OWNER, "担当部署")}
    if edit.kind == "set_area":
        area = _line(to, LONGEST_AREA, "領域")
        if area == row["parent"]:
            raise _RefusedError(f"領域はすでに「{area or 'なし'}」です")
        return {"kind": "set_parent", "old": row["parent"], "to": area}
    if edit.kind == "set_effort":
        return {"kind": edit.kind, "old": row["effort"], "to": _effort(to)}
    if edit.kind == "set_due":
        old = None if row["due_on"] is None else f"{row['due_on']:%Y-%m-%d}"
        return {"kind": edit.kind, "old": old, "to": None if _is_blank(to) else _day(to, "期限")}
    if edit.kind == "fix":
        note = _line(edit.note, _LONGEST_NOTE, "対応内容")
        if note is None:
            raise _RefusedError("対応内容がありません。何をしたかを書いてください")
        return {"kind": "fix", "to": _day(to, "対応日", latest=today), "note": note}
    raise ValueError(f"kind is {edit.kind!r}; allowed are {EDIT_KINDS}")


def _status(edit: Edit, row: dict, events: pd.DataFrame, *, today: pd.Timestamp) -> dict:
    to = edit.to
    if to == "back":
        if row["status"] not in {"excluded", "closed", "dead"}:
            raise _RefusedError(f"状態が「{STATUS_WORDS[row['status']]}」のため戻すものがありません。除外、解決済み、休止の課題だけ戻せます")
        to = status_before(events, row["issue_id"])
    if to not in {"open", "locked", "excluded", "closed"}:
        raise _RefusedError(f"状態「{STATUS_WORDS.get(to, to)}」には変更できません。使えるのは公開、固定、除外、解決済みです")
    if to == row["status"]:
        raise _RefusedError(f"状態はすでに「{STATUS_WORDS[to]}」です")
    kind = _TO_OPEN[row["status"]] if to == "open" else _STATUS_KIND[to]
    if edit.to == "back":
        kind = _TO_OPEN[row["status"]]
    on = {"on": f"{today:%Y-%m-%d}" if _is_blank(edit.note) else _day(edit.note, "解決日", latest=today)}
    return {"kind": kind, "old": row["status"], "to": to, "definition": on if to == "closed" else None}


def _known(text: str, state: dict, merged_before: set[str]) -> str:
    issue_id = clean_id(text)
    if issue_id not in state:
        raise _RefusedError(f"{issue_id} は台帳にありません。voc issues list で番号を確かめてください")
    if issue_id in merged_before:
        raise _RefusedError(f"{issue_id} は {state[issue_id]['merged_into']} に統合済みのため変更できません。統合先の番号を指定してください")
    return issue_id


def _target(issue_id: str, to: str | None, state: dict, merged_before: set[str]) -> str:
    if _is_blank(to):
        raise _RefusedError("統合先がありません。統合先の課題番号を書いてください")
    target = clean_id(to)
    if target not in state:
        raise _RefusedError(f"{target} は台帳にありません。統合先には台帳にある課題番号を書いてください")
    if target == issue_id:
        raise _RefusedError("自分自身には統合できません。別の課題番号を書いてください")
    if target in merged_before:
        raise _RefusedError(f"統合先 {target} は {state[target]['merged_into']} に統合済みです。{state[target]['merged_into']} を指定してください")
    end = target
    while state[end]["merged_into"]:
        end = state[end]["merged_into"]
    if end == issue_id:
        raise _RefusedError(f"{target} は同じ変更の中で {issue_id} に統合されるため、統合が一周します。片方だけを書いてください")
    return target


def _doubled_labels(state: dict, renamed: list[tuple[str, str]]) -> list[str]:
    faults = []
    for place, issue_id in renamed:
        label = state[issue_id]["label"]
        others = [name for name, row in state.items() if row["label"] == label and name != issue_id and row["status"] != "merged"]
        if others and state[issue_id]["status"] != "merged":
            faults.append(f"{place}: 名前「{label}」は {'、'.join(others)} と同じです。別の名前にするか、統合してください")
    return faults


def _label(text: object) -> str:
    label = " ".join(without_controls("" if text is None else str(text)).split())
    if not label:
        raise _RefusedError("名前が空です。課題の名前を書いてください")
    if len(label) > LONGEST_LABEL:
        raise _RefusedError(f"名前が {len(label)} 文字です。{LONGEST_LABEL} 文字以内にしてください（「{label[:12]}…」）")
    return label


def _line(text: object, longest: int, name: str) -> str | None:
    line = " ".join(without_controls("" if text is None else str(text)).split())
    if len(line) > longest:
        raise _RefusedError(f"{name}が {len(line)} 文字です。{longest} 文字以内にしてください")
    return line or None


def _effort(text: object) -> str | None:
    if _is_blank(text):
        return None
    plain = unicodedata.normalize("NFKC", str(text)).strip().removesuffix("人日").strip().replace(",", "")
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise _RefusedError(f"工数「{str(text)[:20]}」を読めません。人日を 0 以上の数字で書いてください（例: 3.5）")
    return f"{value:.10g}"


def _day(text: object, name: str, *, latest: pd.Timestamp | None = None) -> str:
    if _is_blank(text):
        raise _RefusedError(f"{name}がありません。日付を書いてください（例: 2026-04-01）")
    try:
        day = parse_date(without_controls(str(text)))
    except (ValueError, OverflowError):
        day = None
    if day is None:
        raise _RefusedError(f"{name}「{str(text)[:20]}」を日付として読めません。2026-04-01、2026/4/1、2026年4月1日 のように書いてください")
    if latest is not None and day > latest:
        raise _RefusedError(f"{name} {day:%Y-%m-%d} は今日（{latest:%Y-%m-%d}）より後です。終わった日を書いてください")
    return f"{day:%Y-%m-%d}"


def _is_blank(text: object) -> bool:
    return text is None or not str(text).strip()
