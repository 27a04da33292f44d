"""Reviews and posts: one row per review, with a rating where there is one."""

import re
import unicodedata

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.dates import ALLOWED, parse_instant
from voc.parsing.records import CHANNELS, Rows, cell, contact_id, number, reject, turn_id
from voc.parsing.scales import five_step
from voc.parsing.tabular import read_table
from voc.raw import RawFile

_STARS = re.compile(r"^([★⭐]*)[☆✩]*$")
_OUT_OF = re.compile(r"^(?:星|評価|★)?\s?(\d{1,2}(?:\.\d{1,2})?)\s?(?:/\s?\d{1,3}|つ星?|点満点中?|stars?)?$", re.IGNORECASE)


def parse_review(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """Contacts and turns of one table of reviews or posts (CSV, Excel, JSON).

    `[sources.columns]`: started_at, text and, where there are any, contact_id, customer_id, subject (the title) and
    rating: a number, 4/5, 星4, ★★★★☆, or a word of `[sources.scales]` or of a 5-step scale. A review without words
    stays, its rating counts. Raises SourceError where needed columns are missing.
    """
    frame, faults = read_table(file, source)
    answers = {identifier(cell(answer)) for answer in frame["rating"].unique()} if "rating" in frame else set()
    scale = {identifier(word): value for word, value in source.scales.get("rating", five_step(answers)).items()}
    contacts, turns = [], []
    for record in frame.to_dict("records"):
        source_row = record["source_row"]
        started_at = parse_instant(record["started_at"], timezone=timezone)
        if started_at is None:
            reason = f"投稿日時「{record['started_at'][:30]}」を読めないため使いませんでした（書き方: {ALLOWED}）。"
            faults.append(reject(source.name, source_row, reason))
            continue
        own_id = contact_id(source, cell(record.get("contact_id")), source_row)
        written = cell(record.get("rating"))
        rating = scale.get(identifier(written), _rating(written)) if written else None
        if written and rating is None:
            allowed = "数、4/5、星4、★★★★☆、または [sources.scales] rating に書いた言葉"
            reason = f"rating の値「{written[:30]}」は使えないため空にしました（使える値: {allowed}）。"
            faults.append(reject(source.name, source_row, reason))
        contacts.append({
            "contact_id": own_id, "customer_id": identifier(cell(record.get("customer_id"))) or None,
            "channel": source.channel or CHANNELS["review"], "started_at": started_at, "rating": rating,
            "subject": cell(record.get("subject")) or None, "source": source.name, "source_row": source_row,
        })  # fmt: skip
        if record["text"]:
            turns.append({
                "turn_id": turn_id(own_id, 0), "contact_id": own_id, "position": 0, "speaker": "customer",
                "text": record["text"], "source_row": source_row,
            })  # fmt: skip
    return Rows(contacts, turns, faults)


def _rating(written: str) -> float | None:
    plain = unicodedata.normalize("NFKC", written).strip()
    stars = _STARS.match(plain.replace("\ufe0f", ""))
    if stars:
        return float(len(stars[1]))
    scored = _OUT_OF.match(plain)
    value = number(scored[1]) if scored else number(plain)
    return value if value is not None and value >= 0 else None
