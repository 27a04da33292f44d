"""The tables of decisions as the run makes them, from a small store and toy vectors."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from flows.payers import Payers
from tests.impact import tables as tiny
from voc.config import Config, Impact, Source
from voc.impact.estimation import estimate
from voc.issues.kinds import KINDS
from voc.store import write_table
from voc.tables import (
    CATALOGUE,
    CONTRASTS,
    CUSTOMERS,
    DRIVERS,
    FAQ,
    FAQ_TRIAGE,
    FIX_EFFECTS,
    ISSUE_EVENTS,
    OPINIONS,
    OPTION_MATCHES,
    PRICE_CHANGES,
    RECOMMENDATIONS,
    REQUESTS,
    SENTENCES,
    check,
    empty,
)  # fmt: skip

pytestmark = pytest.mark.slow  # imports Prefect
AS_OF = pd.Timestamp("2026-01-01")
CONFIG = Config(sources=[Source(name="x", format="customers", path="x.csv")], impact=Impact(controls=[]))


def vectors(texts, embedder=None):
    return np.array([[1.0, 0.0] if "領収" in text else [0.0, 1.0] for text in texts], dtype=np.float32)


@pytest.fixture
def decisions(monkeypatch):
    import flows.decisions as module

    for name in [name for name in dir(module) if name.endswith("_task")]:
        monkeypatch.setattr(module, name, getattr(module, name).fn)  # no Prefect server for a test of the wiring
    monkeypatch.setattr(module, "text_vectors", vectors)
    return module.decision_tables


def test_every_table_is_made_and_checked(decisions, tmp_path):
    store = str(tmp_path)
    rng = np.random.default_rng(1)
    people = check(tiny.customers(*((f"c{i:03d}", "プロ" if i % 2 else "ライト", 5000.0, "2023-01-01", None) for i in range(120))), CUSTOMERS)
    rows = [(f"k{i:04d}", f"c{rng.integers(120):03d}", f"2025-{1 + i % 12:02d}-10", 300, 0) for i in range(600)]
    contacts = tiny.contacts(*rows)
    contacts["nps"] = np.where(np.arange(600) % 3 == 0, rng.integers(0, 11, 600), np.nan)
    mentions = tiny.mentions(*((("VOC-0001", "VOC-0002")[i % 2], f"k{i:04d}", 0.9) for i in range(600)))
    mentions["customer_id"] = mentions["contact_id"].map(contacts.set_index("contact_id")["customer_id"])
    mentions["mentioned_at"] = mentions["contact_id"].map(contacts.set_index("contact_id")["started_at"])
    issues = tiny.issues(**{"VOC-0001": "使い方", "VOC-0002": "要望"}).assign(centroid=[[*v, *np.zeros(len(KINDS))] for v in ([1.0, 0], [0, 1.0])])
    events = check(pd.DataFrame([{"event_id": "e1", "position": 1, "issue_id": "VOC-0001", "kind": "fix", "at": pd.Timestamp(0, tz="UTC"),
                                  "by": "担当", "to": "2025-06-15", "note": "記事を直した"}]), ISSUE_EVENTS)  # fmt: skip
    for table, frame in (
        (CUSTOMERS, people), (FAQ, pd.DataFrame({"article_id": ["F1"], "title": ["領収書"], "body": ["領収書の出し方"]})),
        (CATALOGUE, pd.DataFrame({"option_id": ["O1"], "name": ["印鑑"], "description": ["印鑑"], "plans": [["プロ"]]})),
    ):
        write_table(check(frame, table), table, store=store)
    found = estimate(contacts, mentions, people, tiny.usage(), issues, impact=CONFIG.impact, value=CONFIG.value, costs=CONFIG.costs, as_of=AS_OF, seed=1)
    requests = check(mentions.loc[mentions["issue_id"] == "VOC-0002", ["sentence_id"]].assign(phrase="x", change="追加", is_implied=False), REQUESTS)
    before = {
        "impact": found.impact, "issue_months": found.issue_months, "company_months": found.company_months, "impact_controls": found.controls,
        "requests": requests, "opinions": empty(OPINIONS), "sentences": empty(SENTENCES),
    }  # fmt: skip
    moods = pd.DataFrame({"contact_id": contacts["contact_id"], "strength": 0.0})
    settings = {"is_calibrated": True, "window_months": None}
    record = SimpleNamespace(stage=lambda _: nullcontext(), counts={}, notices=[], settings=settings)
    made = decisions(before, contacts, SimpleNamespace(issues=issues, events=events, mentions=mentions), CONFIG, case=found.case,
                     moods=moods, payers=Payers(people, empty(PRICE_CHANGES), AS_OF, None), store=store, as_of_on=AS_OF, record=record)  # fmt: skip
    contracts = (DRIVERS, CONTRASTS, FAQ_TRIAGE, OPTION_MATCHES, FIX_EFFECTS, RECOMMENDATIONS)
    assert set(made) == {table.name for table in contracts}
    for table in contracts:
        pd.testing.assert_frame_equal(made[table.name], check(made[table.name], table))
    assert made["faq_triage"].set_index("issue_id")["state"].to_dict() == {"VOC-0001": "has_article"}
    assert made["option_matches"]["issue_id"].tolist() == ["VOC-0002"]
    fix = made["fix_effects"].iloc[0]
    assert (fix["issue_id"], fix["n_before_months"], fix["n_after_months"]) == ("VOC-0001", 4, 6)  # contacts begin on 10 January: no full month
    assert fix["low"] < 1 < fix["high"] and made["drivers"]["measure"].eq("nps").all() and len(made["drivers"]) == 2
    assert made["recommendations"]["issue_id"].tolist() == ["VOC-0001", "VOC-0002"]
    assert record.counts["decisions"]["drivers"] == 2
