"""What recognised calls share: one recording's turns -> one contact and its turns."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.charset import decode
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.records import (
    CHANNELS,
    Rows,
    cell,
    contact_id,
    measure,
    number,
    reject,
    speaker,
    speaker_words,
    turn_id,
)
from voc.parsing.tabular import NO_OBJECT, NO_RECORDS, TableFileError, json_records
from voc.raw import RawFile

_NAMED_START = re.compile(
    r"(?<!\d)(?P<year>20\d{2})[-_]?(?P<month>0[1-9]|1[0-2])[-_]?(?P<day>[0-2]\d|3[01])"
    r"[T_ -]?(?P<hour>[01]\d|2[0-3])[-_:]?(?P<minute>[0-5]\d)(?:[-_:]?(?P<second>[0-5]\d))?(?P<zone>_?UTC|Z)?(?!\d)"
)
_CONTACT = ("contact_id", "customer_id", "started_at", "queue", "handle_seconds", "n_transfers", "wrapup", "csat")
NO_START = (
    f"通話の開始日時が分からないため使いませんでした。ファイル名に日時（例: 20250425_130500）を入れるか、"
    f"[[sources]] に name_pattern = '(?P<started_at>[0-9]{{14}})_(?P<contact_id>[^_.]+)' か "
    f"[sources.columns] started_at = \"項目名\" を書いてください（日時の書き方: {ALLOWED}）。"
)


def _json_objects(file: RawFile, source: Source) -> tuple[list[tuple[int, dict]], list[dict]]:
    """((number, object) of a JSON file, an array or JSON lines; rejects of the rest). Raises TableFileError."""
    if file.fault:
        raise TableFileError(file.fault)
    records, broken = json_records(decode(file.data, encoding=source.encoding))
    if not records:
        raise TableFileError(NO_RECORDS)
    return records, [reject(source.name, f"{file.name}:{row}", NO_OBJECT) for row in broken]


def _refuse_layout(records: Sequence[tuple[int, dict]], key: str, *, what: str, source: Source) -> None:
    """Raises TableFileError where no record has `key`: the file is of another format."""
    if not any(key in record for _, record in records):
        found = sorted({str(name)[:30] for _, record in records[:100] for name in record})[:30]
        raise TableFileError(
            f"{what} の項目 {key} がありません。ある項目: {found}。[[sources]] の format = \"{source.format}\" を確かめてください。"
        )


def recordings(file: RawFile, source: Source, key: str, *, what: str) -> tuple[list[tuple[str, dict, list]], list[dict]]:
    """((source_row, object, its list of utterances under `key`) of every recording in a JSON file, rejects of the rest).

    Raises TableFileError for a file that cannot be read or holds no `what`: no object of it has `key`.
    """
    records, faults = _json_objects(file, source)
    _refuse_layout(records, key, what=what, source=source)
    found = []
    for row, record in records:
        source_row, items = f"{file.name}:{row}", record.get(key)
        if isinstance(items, list):
            found.append((source_row, record, items))
        else:
            faults.append(reject(source.name, source_row, f"発話の一覧 {key} がないため使いませんでした。"))
    return found, faults


def without_text(source: Source, source_row: str, key: str, *, n: int) -> list[dict]:
    """One reject that counts the `n` utterances of a recording whose text `key` is empty; none where all have words."""
    return [reject(source.name, source_row, f"本文 {key} のない発話 {n} 件を除きました。")] if n else []


def inner(record: dict, path: str) -> object:
    """The value under `path`, whose dots lead into nested objects; None where there is none."""
    if path in record:
        return record[path]
    value: object = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def own_fields(record: dict, source: Source) -> dict[str, str]:
    """What `[sources.columns]` names of the contact, dots leading into nested objects; empty values left out."""
    fields = {name: cell(inner(record, source.columns[name])) for name in _CONTACT if name in source.columns}
    return {name: value for name, value in fields.items() if value}


def named_fields(name: str, source: Source, *, timezone: str) -> dict[str, str]:
    """What the file's name tells: by `name_pattern`, else the date with a time that stands in it."""
    if source.name_pattern is not None:
        found = re.search(source.name_pattern, name)
        fields = {group: value for group, value in found.groupdict().items() if value} if found else {}
        written = fields.get("started_at", "")
        return fields | (_named_start(written, timezone) if parse_instant(written, timezone=timezone) is None else {})
    return _named_start(name.rpartition("/")[2], timezone)


def _named_start(name: str, timezone: str) -> dict[str, str]:
    """The first date with a time in `name`, without signs too (20250425_130500)."""
    found = _NAMED_START.search(name)
    if found is None:
        return {}
    year, month, day, hour, minute, second, zone = found.groups()
    written = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{'Z' if zone else ''}"
    return {"started_at": written} if parse_instant(written, timezone=timezone) else {}


def seconds(milliseconds: object) -> float | None:
    """Seconds of a count of milliseconds; None where it is no number or negative."""
    value = number(cell(milliseconds))
    return value / 1000 if value is not None and value >= 0 else None


def total_seconds(record: dict) -> str:
    """handle_seconds of an analysed call of Amazon Connect or Transcribe, as written; empty where it is not told."""
    duration = seconds(inner(record, "ConversationCharacteristics.TotalConversationDurationMillis"))
    return "" if duration is None else str(duration)


def one_call(
    file: RawFile, source: Source, spoken: Sequence[dict], *, fields: dict, source_row: str, timezone: str,
    started_at: datetime | None = None, also_named: str = "",
) -> Rows:  # fmt: skip
    """Contact, turns and rejects of one recording.

    `spoken`: who (word, None where nothing is said about it), text, start_seconds. A word that is not known keeps
    its turns as speaker unknown and is told. `fields`: values as written for contact_id, customer_id, started_at,
    queue, handle_seconds, n_transfers, wrapup, csat; what the file's name (or `also_named`) tells fills those that
    are empty, the start only where neither `fields` nor `started_at` give it.
    """
    # the contact's own number and time outrank what a file's name says
    named = named_fields(also_named, source, timezone=timezone) if also_named else {}
    named = named_fields(file.name, source, timezone=timezone) | named
    ours = ({} if started_at else named) | {key: value for key, value in named.items() if key != "started_at"}
    ours |= {key: value for key, value in fields.items() if value}
    written = cell(ours.get("started_at"))
    started_at = parse_instant(written, timezone=timezone) if written else started_at
    if started_at is None:
        reason = NO_START if not written else f"開始日時「{written[:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。"
        return Rows([], [], [reject(source.name, source_row, reason)])
    reasons: list[str] = []
    own_id = contact_id(source, cell(ours.get("contact_id")), source_row)
    contact = {
        "contact_id": own_id,
        "customer_id": identifier(cell(ours.get("customer_id"))) or None,
        "channel": source.channel or CHANNELS[source.format],
        "started_at": started_at,
        "queue": cell(ours.get("queue")) or None,
        "wrapup": cell(ours.get("wrapup")) or None,
        "handle_seconds": measure(ours, "handle_seconds", reasons),
        "n_transfers": measure(ours, "n_transfers", reasons),
        "csat": measure(ours, "csat", reasons),
        "source": source.name,
        "source_row": source_row,
    }
    turns, unknown = [], Counter()
    for position, item in enumerate(spoken):
        role = speaker(item["who"], source) if item["who"] else "unknown"
        if role is None:
            unknown[item["who"][:20]] += 1
        turns.append({
            "turn_id": turn_id(own_id, position), "contact_id": own_id, "position": position,
            "speaker": role or "unknown", "question": item.get("question"),
            "start_seconds": item.get("start_seconds"), "text": item["text"], "source_row": source_row,
        })  # fmt: skip
    if unknown:
        reasons.append(unknown_speakers(unknown))
    if not turns:
        reasons.append("発話が 1 つもない通話です。件数にだけ数えます。")
    return Rows([contact], turns, [reject(source.name, source_row, reason) for reason in reasons])


def joined(parts: Sequence[Rows], faults: Sequence[dict]) -> Rows:
    """The rows of all recordings of a file."""
    return Rows(
        [row for part in parts for row in part.contacts],
        [row for part in parts for row in part.turns],
        [*faults, *(row for part in parts for row in part.rejects)],
    )


def unknown_speakers(unknown: Counter) -> str:
    listed = "、".join(f"「{who}」{count} 件" for who, count in sorted(unknown.items())[:10])
    return (
        f"話者が分からない発話を「話者不明」として残しました: {listed}（使える値: {speaker_words()}。"
        f"ほかの言葉は [sources.speakers] \"{next(iter(sorted(unknown)))}\" = \"customer\" のように書けます）。"
    )


def plain_text(value: object) -> str:
    """A text of a JSON value without lone surrogates, which no table can hold; empty where it is no text."""
    return value.encode("utf-8", "ignore").decode().strip() if isinstance(value, str) else ""
