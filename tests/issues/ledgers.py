"""Small ledgers for tests: 2-d centroids, one letter of time."""

import pandas as pd

from voc.issues.events import append_events, birth_rows, replay
from voc.tables import ISSUE_EVENTS, MENTIONS, check, empty

AT = pd.Timestamp("2026-01-01", tz="UTC")
TODAY = pd.Timestamp("2026-06-15")
PLACES = [([1.0, 0.0], 0.8), ([0.0, 1.0], 0.8), ([-1.0, 0.0], 0.8), ([0.0, -1.0], 0.8)]


def day(text):
    return pd.Timestamp(text, tz="UTC")


def births(*labels, status="candidate"):
    return pd.DataFrame([
        {"issue_id": f"VOC-{i:04d}", "label": label, "kind": "不具合", "status": status, "parent": None,
         "first_seen_at": AT + pd.Timedelta(days=i), "centroid": PLACES[(i - 1) % 4][0], "threshold": PLACES[(i - 1) % 4][1]}
        for i, label in enumerate(labels, start=1)
    ])  # fmt: skip


def ledger(*labels, status="candidate"):
    """(issues, events) with one birth a label."""
    events = append_events(empty(ISSUE_EVENTS), birth_rows(births(*labels, status=status), at=AT))
    return replay(events), events


def mentions(*rows):
    """(issue_id, sentence_id, day) or (..., probability): one contact a sentence."""
    frame = pd.DataFrame([
        {"issue_id": row[0], "sentence_id": row[1], "contact_id": f"C{row[1]}", "customer_id": None, "mentioned_at": day(row[2]),
         "probability": row[3] if len(row) > 3 else 0.9}
        for row in rows
    ])  # fmt: skip
    return check(frame, MENTIONS) if rows else empty(MENTIONS)
