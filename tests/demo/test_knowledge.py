"""FAQ logs and options of the demo company: what is planted is there, and the same seed gives the same log."""

import pandas as pd
import pytest

from voc.demo.catalogue import load_catalogue
from voc.demo.knowledge import faq_log, load_faq_use, load_options
from voc.demo.letters import load_faq
from voc.demo.population import PLANS

KEYS = ("password_reset", "invoice_number_howto", "bank_sync_howto", "card_update")
FIRST, LAST = (pd.Timestamp(day, tz="Asia/Tokyo") for day in ("2024-11-01", "2025-11-01"))


@pytest.fixture(scope="module")
def log():
    at = pd.date_range("2024-12-01 10:00", "2025-09-30 10:00", periods=800, tz="Asia/Tokyo")
    contacts = pd.DataFrame({"contact_id": [f"C{i}" for i in range(800)], "at": at, "channel": "call", "issues": [(KEYS[i % 4],) for i in range(800)]})
    found = faq_log(contacts, seed=3, first=FIRST, last=LAST)
    pd.testing.assert_frame_equal(found, faq_log(contacts, seed=3, first=FIRST, last=LAST))
    assert not found.equals(faq_log(contacts, seed=4, first=FIRST, last=LAST))
    return found


def test_what_is_planted_refers_to_what_exists():
    keys, articles = set(load_catalogue()["key"]), set(load_faq()["article_id"])
    use, options = load_faq_use(), load_options()
    assert set(use["key"]) <= keys and set(use["article_id"]) - {""} <= articles and use["key"].is_unique
    assert set(options["key"]) - {""} <= keys
    assert {plan for plans in options["plans"] for plan in plans.split("、")} <= set(PLANS["plan"])
    assert (use["article_id"] == "").equals(use["state"] == "no_article")


def test_each_state_leaves_its_trace(log):
    lost = log[log["n_hits"] == "0"]["query"]
    use = load_faq_use().set_index("key")
    n_lost = {key: int(lost.isin(use.loc[key, "lost_query"]).sum()) for key in KEYS}
    n_read = {key: int((log["article_id"] == use.loc[key, "article_id"]).sum()) if use.loc[key, "article_id"] else 0 for key in KEYS}
    assert n_lost["card_update"] > 70 and n_lost["invoice_number_howto"] > 90 and n_lost["password_reset"] < 40
    assert n_read["card_update"] == 0 and n_read["password_reset"] > 300 and n_read["bank_sync_howto"] > 250


def test_every_row_is_a_search_or_a_view_within_the_window(log):
    assert ((log["query"] != "") ^ (log["article_id"] != "")).all()
    assert log["at"].between(FIRST, LAST).all() and log["at"].is_monotonic_increasing
    assert (log.loc[log["article_id"] != "", "n_hits"] == "").all()
