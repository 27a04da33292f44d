import numpy as np
import pandas as pd
import pytest

from tests.issues.ledgers import AT
from voc.issues.areas import FEWEST, MOST, area_rows, cluster_topics, name_areas, topic_parts
from voc.issues.events import advance, append_events, birth_rows, event_row, replay
from voc.issues.kinds import KINDS
from voc.japanese import Token
from voc.tables import ISSUE_EVENTS, empty

TOPICS = ("請求書", "連携", "ログイン", "電話", "値上げ", "権限")


def tokenize(texts):
    """One noun a word between blanks: the tests need no dictionary."""
    return [[Token(word, word, word, "名詞", "普通名詞-一般", "", 0, 0) for word in text.split()] for text in texts]


def place(topic, kind, *, spread=0.1, seed=0):
    rng = np.random.default_rng(seed)
    vector = np.zeros(20)
    vector[topic] = 1
    vector += rng.normal(size=20) * spread
    return [*(vector / np.linalg.norm(vector)), *(0.4 * np.eye(len(KINDS))[kind])]


def ledger(topics, *, parents=None, by="voc", per=3):
    born = pd.DataFrame([
        {"issue_id": f"VOC-{n + 1:04d}", "label": f"{TOPICS[topic % 6]} その{n}", "kind": KINDS[n % 3], "status": "candidate",
         "parent": parents[n] if parents else None, "first_seen_at": AT, "centroid": place(topic, n % 3, seed=n), "threshold": 0.5}
        for n, topic in enumerate(np.repeat(topics, per))
    ])  # fmt: skip
    events = append_events(empty(ISSUE_EVENTS), birth_rows(born, at=AT, by=by, category="x", examples_sha="x"))
    return replay(events), events


def placed(issues, events):
    return advance(issues, events, area_rows(issues, events, at=AT, tokenize=tokenize))


def test_issues_of_one_topic_share_an_area_whatever_their_kind():
    issues, _ = placed(*ledger(range(6)))
    areas = issues["parent"].to_numpy().reshape(6, 3)
    assert all(len(set(row)) == 1 for row in areas) and len(set(areas[:, 0])) == FEWEST
    assert all(TOPICS[topic] in area for topic, area in enumerate(areas[:, 0]) if list(areas[:, 0]).count(area) == 1)


def test_an_area_stays_and_the_same_ledger_gives_no_event():
    issues, events = placed(*ledger(range(6)))
    assert area_rows(issues, events, at=AT, tokenize=tokenize) == []


def add(issues, events, number, topic):
    born = pd.DataFrame([{"issue_id": f"VOC-{number:04d}", "label": f"新しい {TOPICS[topic % 6]}", "kind": "要望", "status": "candidate",
                          "parent": None, "first_seen_at": AT, "centroid": place(topic, 3, seed=number), "threshold": 0.5}])  # fmt: skip
    return advance(issues, events, birth_rows(born, at=AT))


def test_a_new_issue_joins_the_nearest_area():
    issues, _ = placed(*add(*placed(*ledger(range(6))), 99, 2))
    areas = issues.set_index("issue_id")["parent"]
    assert areas["VOC-0099"] == areas["VOC-0007"]


def test_a_new_issue_like_no_other_founds_an_area_while_there_is_room():
    issues, events = placed(*ledger(range(4), per=4))
    issues, events = placed(*add(issues, events, 99, 11))
    assert issues.set_index("issue_id").at["VOC-0099", "parent"] not in TOPICS[:4]


def test_a_person_wins():
    issues, events = placed(*ledger(range(6)))
    third = issues["parent"].iloc[2]
    rows = [event_row("VOC-0001", "set_parent", at=AT, by="佐藤", to="経理"), event_row("VOC-0002", "set_parent", at=AT, by="佐藤", to=None)]
    issues, events = placed(*advance(issues, events, rows))
    assert issues["parent"].head(3).fillna("").tolist() == ["経理", "", third]


def test_the_companys_own_areas_are_the_only_ones():
    issues, events = ledger([0, 1], parents=["お金", "お金", "お金", "画面", "画面", "画面"], by="categories")
    for number, topic in ((90, 0), (91, 1), (92, 7)):
        issues, events = add(issues, events, number, topic)
    issues, _ = placed(issues, events)
    assert issues["parent"].tolist()[6:8] == ["お金", "画面"] and issues["parent"].iloc[8] in {"お金", "画面"}


def test_the_history_replays_to_the_same_areas():
    issues, events = placed(*ledger(range(6)))
    assert replay(events)["parent"].tolist() == issues["parent"].tolist()


@pytest.mark.parametrize(("n", "low", "high"), [(1, 1, 1), (3, 1, 3), (40, FEWEST, MOST), (150, MOST, MOST)])
def test_number_of_areas(n, low, high):
    vectors = np.random.default_rng(2).normal(size=(n, 30))
    found = cluster_topics(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    assert low <= len(set(found)) <= high


def test_a_mixed_area_is_named_after_two_of_its_topics():
    issues = pd.DataFrame({"label": ["名義", "名義 住所", "パスワード", "値上げ"], "keywords": [[], [], [], []]})
    assert name_areas(np.array([0, 0, 0, 1]), issues, np.ones(4), taken=[], tokenize=tokenize) == ["名義", "値上げ"]
    issues["label"] = ["名義", "住所", "パスワード", "値上げ"]
    first, second = name_areas(np.array([0, 0, 0, 1]), issues, np.ones(4), taken=["住所"], tokenize=tokenize)
    assert set(first.split("・")) == {"名義", "パスワード"} and second == "値上げ"


def test_issues_without_a_noun_are_other():
    issues = pd.DataFrame({"label": ["方法", "手続き"], "keywords": [[], []]})
    assert name_areas(np.array([0, 0]), issues, np.ones(2), taken=[], tokenize=tokenize) == ["その他"]


def test_order_of_rows_does_not_matter():
    issues, events = ledger(range(5))
    assert area_rows(issues[::-1], events, at=AT, tokenize=tokenize) == area_rows(issues, events, at=AT, tokenize=tokenize)


def test_topics_are_read_without_kinds():
    issues, _ = ledger([0, 1, 2], per=1)
    assert topic_parts(issues).shape == (3, 20)
