"""Days and months are the company's: what is the 1st in Tokyo is the day before in London."""

import pandas as pd
import pytest

from tests import test_faq_triage as faq
from tests.impact import tables
from voc.config import Impact, Matches
from voc.faq_triage import faq_triage
from voc.impact.case import case_of
from voc.impact.periods import timestamp


@pytest.mark.parametrize(("options", "day"), [({}, "2025-05-01"), ({"timezone": "Europe/London"}, "2025-04-30"), ({"timezone": "UTC"}, "2025-04-30")])
def test_a_contact_counts_on_the_companys_day(options, day):
    contacts = tables.contacts(("c1", None, "2025-05-01", 1, 0))
    contacts["started_at"] = pd.Timestamp("2025-05-01 03:00", tz="Asia/Tokyo").tz_convert("UTC")
    case = case_of(contacts, tables.mentions(), tables.customers(), tables.usage(), tables.issues(x="不具合"), impact=Impact(), as_of="2025-07-01", **options)
    assert timestamp(case.contacts["day"].item()) == pd.Timestamp(day)


@pytest.mark.parametrize(("options", "n_searches"), [({}, 1), ({"timezone": "UTC"}, 0)])
def test_a_search_counts_in_the_companys_period(options, n_searches):
    # six in the morning of New Year's Day in Tokyo is the old year in UTC
    found = faq_triage(
        faq.issues(receipt=("使い方", "領収")), faq.impact(("receipt", 10, 100, 200)), faq.mentions(), faq.ARTICLES,
        faq.logs(("2025-01-01 06:00", "領収", None, True), ("2025-06-01 06:00", "銀行", None, True)), meanings=faq.meanings, matches=Matches(),
        period=faq.PERIOD, **options)  # fmt: skip
    assert (found["n_searches"].item() > 0) == bool(n_searches)
