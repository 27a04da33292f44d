"""Tiny product tables for the impact tests."""

import pandas as pd

from voc.tables import CONTACTS, ISSUES, MENTIONS, USAGE, check, empty


def customers(*rows: tuple) -> pd.DataFrame:
    """Rows (customer_id, plan, price, started_on, ended_on), unchecked, as a hostile file could give them."""
    frame = pd.DataFrame(rows, columns=["customer_id", "plan", "monthly_price_yen", "started_on", "ended_on"])
    frame["monthly_price_yen"] = frame["monthly_price_yen"].astype("float64")
    return frame.assign(
        segment="小規模", started_on=pd.to_datetime(frame["started_on"]), ended_on=pd.to_datetime(frame["ended_on"]))


def contacts(*rows: tuple) -> pd.DataFrame:
    """Rows (contact_id, customer_id, day in Tokyo, handle_seconds, n_transfers)."""
    if not rows:
        return empty(CONTACTS)
    frame = pd.DataFrame(rows, columns=["contact_id", "customer_id", "on", "handle_seconds", "n_transfers"])
    noon = pd.to_datetime(frame.pop("on")) + pd.Timedelta(hours=12)
    return check(frame.assign(
        started_at=noon.dt.tz_localize("Asia/Tokyo"), channel="call", source="test", source_row=frame["contact_id"],
        content_sha=""), CONTACTS)


def mentions(*rows: tuple) -> pd.DataFrame:
    """Rows (issue_id, contact_id, probability); each is a sentence of its own."""
    if not rows:
        return empty(MENTIONS)
    frame = pd.DataFrame(rows, columns=["issue_id", "contact_id", "probability"])
    return check(frame.assign(
        sentence_id=[f"s{n}" for n in range(len(frame))], customer_id=None, mentioned_at=pd.Timestamp(0, tz="UTC"),
    ), MENTIONS)


def issues(**kinds: str) -> pd.DataFrame:
    """Issues by id and kind; the label is the id."""
    if not kinds:
        return empty(ISSUES)
    n = len(kinds)
    return check(pd.DataFrame({
        "issue_id": list(kinds), "label": list(kinds), "kind": list(kinds.values()), "status": "open",
        "first_seen_at": pd.Timestamp(0, tz="UTC"), "centroid": [[]] * n, "threshold": 0.5, "exemplar_ids": [[]] * n,
        "keywords": [[]] * n, "n_sentences": 1}), ISSUES)


def usage() -> pd.DataFrame:
    return empty(USAGE)
