"""The ledger's core on small invented clouds; the bars themselves: tests/benchmarks/ledger.py."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from voc.config import Issues
from voc.errors import VocError
from voc.issues.events import replay
from voc.issues.ledger import update_ledger
from voc.tables import ISSUE_EVENTS, ISSUES, check, empty

AT = pd.Timestamp("2026-03-01", tz="UTC")
TOPICS = ("請求書", "連携", "画面", "領収書")


def world(each=40, topics=TOPICS, seed=0, first=0):
    """Complaints about `topics`: vectors around one direction a topic, words of their own."""
    rng = np.random.default_rng(seed)
    rows, vectors = [], []
    for column, topic in enumerate(TOPICS):
        for i in range(first, first + each if topic in topics else first):
            rows.append({"sentence_id": f"C{topic}{i:03d}-000-000", "contact_id": f"C{topic}{i:03d}", "customer_id": None,
                         "started_at": AT - pd.Timedelta(days=i), "text": f"{topic}が届きません{i}", "terms": [topic, f"語{i}"]})  # fmt: skip
            vectors.append(np.eye(24)[column] + 0.12 * rng.normal(size=24))
    voices = pd.DataFrame(rows)
    names = ("complaint", "request", "question", "praise", "cancel", "other")
    opinions = pd.DataFrame({"sentence_id": voices["sentence_id"], "intent": "complaint",
                             **{f"p_{name}": 0.95 if name == "complaint" else 0.01 for name in names}})  # fmt: skip
    vectors = np.array(vectors)
    return voices, opinions, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def run(data, before=None, **options):
    return update_ledger(
        *data, issues=before.issues if before else empty(ISSUES), events=before.events if before else empty(ISSUE_EVENTS),
        settings=Issues(), seed=1, at=options.pop("at", AT), parse=lambda texts: [[] for _ in texts], **options,
    )  # fmt: skip


@pytest.mark.slow
def test_topics_become_issues_that_keep_their_ids_when_a_new_one_comes():
    first = run(world(topics=TOPICS[:3]))
    second = run(world(), first, at=AT + pd.Timedelta(days=30), mentions_before=first.mentions)
    assert len(first.issues) == 3 and len(second.issues) == 4
    both = first.mentions.merge(second.mentions, on="sentence_id")
    assert len(both) >= 110 and (both["issue_id_x"] == both["issue_id_y"]).all()
    assert set(second.issues["issue_id"]) - set(first.issues["issue_id"]) == {"VOC-0004"}
    assert second.quality.set_index("issue_id").loc["*", "changed_share"] == 0
    pd.testing.assert_series_equal(replay(second.events)["issue_id"], second.issues["issue_id"])


def test_a_ledger_of_another_embedder_is_refused():
    data = world(each=3)
    row = {"issue_id": "VOC-0007", "label": "甲", "kind": "不具合", "status": "candidate", "first_seen_at": AT, "centroid": [1.0] * 40,
           "threshold": 0.5, "exemplar_ids": [], "keywords": [], "n_sentences": 0}  # fmt: skip
    before = SimpleNamespace(issues=check(pd.DataFrame([row]), ISSUES), events=empty(ISSUE_EVENTS))
    with pytest.raises(VocError, match="VOC-0007 の向きは 40 次元、今のモデルでは 32 次元.*新しい保存先"):
        run(data, before)


@pytest.mark.slow
def test_order_of_rows_does_not_matter():
    voices, opinions, vectors = world()
    order = np.random.default_rng(3).permutation(len(voices))
    one = run((voices, opinions, vectors))
    other = run((voices.iloc[order].reset_index(drop=True), opinions.iloc[order].reset_index(drop=True), vectors[order]))
    for name in ("issues", "events", "mentions", "quality"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_few_voices_make_no_issue_and_no_fault():
    found = run(world(each=3))
    assert found.issues.empty and found.mentions.empty and found.unassigned_share == 1


def test_a_month_without_voices():
    voices, opinions, vectors = world(each=3)
    found = run((voices.iloc[:0], opinions.iloc[:0], vectors[:0]))
    assert found.issues.empty and found.unassigned_share == 0
