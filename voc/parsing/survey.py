"""Surveys: one row per response -> one contact, one turn per answered free text."""

import math

import pandas as pd

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.records import CHANNELS, Rows, cell, contact_id, number, reject, turn_id
from voc.parsing.scales import WORDS, five_step
from voc.parsing.tabular import read_table
from voc.raw import RawFile

_HIGHEST = {"csat": math.inf, "nps": 10.0, "rating": math.inf}


def parse_survey(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one survey file (CSV, Excel, JSON lines).

    `[sources.columns]` names started_at and, where there are any, contact_id, customer_id, csat, nps, rating;
    `[sources.texts]` the free texts with the questions asked; `[sources.scales]` the numbers of worded answers;
    without it csat and rating in the words of a 5-step scale count 1 to 5 (voc.parsing.scales).
    A response without free text stays, its scores count. Raises SourceError where needed columns are missing.
    """
    frame, faults = read_table(file, source)
    # the file's names are matched by the reader's spelling, so widths and spaces need not agree
    questions = {column: source.texts[original] for column, original in _text_columns(frame.columns, source).items()}
    scales = {score: _scale(frame, score, source) for score in _HIGHEST}
    contacts, turns = [], []
    for record in frame.to_dict("records"):
        source_row = record["source_row"]
        started_at = parse_instant(record["started_at"], timezone=timezone)
        if started_at is None:
            reason = f"回答日時「{record['started_at'][:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。"
            faults.append(reject(source.name, source_row, reason))
            continue
        reasons: list[str] = []
        own_id = contact_id(source, cell(record.get("contact_id")), source_row)
        contacts.append({
            "contact_id": own_id,
            "customer_id": identifier(cell(record.get("customer_id"))) or None,
            "channel": source.channel or CHANNELS["survey"],
            "started_at": started_at,
            "source": source.name,
            "source_row": source_row,
        } | {score: _score(record, score, scales[score], source, reasons) for score in _HIGHEST})  # fmt: skip
        faults += [reject(source.name, source_row, reason) for reason in reasons]
        answered = [(column, record[column]) for column in questions if record[column].strip()]
        turns += [
            {"turn_id": turn_id(own_id, position), "contact_id": own_id, "position": position, "speaker": "customer",
             "question": questions[column], "text": text, "source_row": source_row}
            for position, (column, text) in enumerate(answered)
        ]  # fmt: skip
    return Rows(contacts, turns, faults)


def _text_columns(columns, source: Source) -> dict[str, str]:
    spelled = {identifier(original): original for original in source.texts}
    return {column: spelled[identifier(column)] for column in columns if identifier(column) in spelled}


def _scale(frame: pd.DataFrame, score: str, source: Source) -> dict[str, float]:
    """Answer -> number: as configured, else by the usual words."""
    if score in source.scales:
        return {identifier(word): value for word, value in source.scales[score].items()}
    if score == "nps" or score not in frame:
        return {}
    return dict(five_step({identifier(cell(answer)) for answer in frame[score].unique()}))


def _score(record: dict, score: str, scale: dict[str, float], source: Source, reasons: list[str]) -> float | None:
    """The number of an answer, by `scale` where worded."""
    answer = cell(record.get(score))
    if not answer:
        return None
    value = scale.get(identifier(answer), number(answer))
    if value is None or not 0 <= value <= _HIGHEST[score]:
        allowed = "0〜10 の数" if score == "nps" else "0 以上の数"
        words = "、".join(source.scales.get(score, {})) or (WORDS if score != "nps" else "")
        reasons.append(
            f"{score} の値「{answer[:30]}」は使えないため空にしました（使える値: {allowed}{f'、{words}' if words else ''}。"
            f"ほかの言葉や段階は [sources.scales.{score}] \"{answer[:30]}\" = 数 のように書けます）。"
        )
        return None
    return value
