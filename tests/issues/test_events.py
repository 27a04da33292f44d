"""The ledger follows from its events alone."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.issues.ledgers import AT, TODAY, births, day, ledger, mentions
from voc.errors import TableError
from voc.issues.edits import Edit, EditError, edit_rows
from voc.issues.events import (
    MEASURED,
    advance,
    append_events,
    birth_rows,
    event_row,
    fix_actions,
    replay,
    restored,
    survivors,
)
from voc.issues.prototypes import restate_mentions
from voc.tables import ISSUE_EVENTS, ISSUES, check


def changed(issues, events, *edits):
    return advance(issues, events, edit_rows(edits, issues, events, at=day("2026-06-15"), by="佐藤", today=TODAY))


def test_a_birth_carries_all_that_an_issue_is():
    issues, _ = ledger("画面が白い")
    row = issues.iloc[0]
    assert (row["issue_id"], row["label"], row["label_by"], row["kind"], row["status"]) == ("VOC-0001", "画面が白い", "voc", "不具合", "candidate")
    assert list(row["centroid"]) == [1.0, 0.0] and row["threshold"] == 0.8 and row["first_seen_at"] == AT + pd.Timedelta(days=1)


def test_the_same_event_twice_is_one():
    _, events = ledger("画面が白い")
    row = event_row("VOC-0001", "rename", at=AT, by="佐藤", old="画面が白い", to="真っ白")
    once = append_events(events, [row])
    pd.testing.assert_frame_equal(append_events(once, [row]), once)
    assert len(once) == len(events) + 1


def test_a_merge_keeps_the_row_and_takes_the_first_day():
    issues, events = changed(*ledger("一", "二", "三"), Edit("merge", "VOC-0001", "VOC-0002"), Edit("merge", "VOC-0002", "VOC-0003"))
    assert issues["status"].tolist() == ["merged", "merged", "candidate"]
    assert survivors(issues) == dict.fromkeys(["VOC-0001", "VOC-0002", "VOC-0003"], "VOC-0003")
    assert issues["first_seen_at"].iloc[2] == AT + pd.Timedelta(days=1)
    assert events["kind"].value_counts()["merge"] == 2


def test_mentions_of_all_times_go_to_the_survivor_once_a_sentence():
    issues, _ = changed(*ledger("一", "二"), Edit("merge", "VOC-0001", "VOC-0002"))
    before = mentions(("VOC-0001", "a", "2025-01-01", 0.7), ("VOC-0002", "a", "2025-01-01", 0.6), ("VOC-0001", "b", "2024-01-01"))
    after = restate_mentions(before, issues)
    assert after[["issue_id", "sentence_id", "probability"]].to_numpy().tolist() == [["VOC-0002", "a", 0.7], ["VOC-0002", "b", 0.9]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (event_row("VOC-0009", "lock", at=AT, by="佐藤", to="locked"), "台帳にありません"),
        (event_row("VOC-0001", "merge", at=AT, by="佐藤", to="VOC-0001"), "自分自身"),
        (event_row("VOC-0001", "merge", at=AT, by="佐藤", to="VOC-0009"), "VOC-0009"),
        (event_row("VOC-0001", "rename", at=AT, by="voc", to="別名"), "自動では"),
        (event_row("VOC-0001", "recentre", at=AT, by="voc", definition={"centroid": [0, 1], "threshold": 0.5}), "自動では"),
        (birth_rows(births("もう一つ"), at=AT)[0], "使用済み"),
    ],
)
def test_an_event_that_does_not_fit_is_refused(row, told):
    issues, events = ledger("一", status="locked")
    with pytest.raises(TableError, match=told):
        advance(issues, events, [row])


def test_a_run_may_move_a_candidate_but_not_rename_after_a_person():
    issues, events = changed(*ledger("一"), Edit("rename", "VOC-0001", "人の名前"))
    moved, _ = advance(issues, events, [event_row("VOC-0001", "recentre", at=AT, by="voc", definition={"centroid": [0.6, 0.8], "threshold": 0.7})])
    assert list(moved["centroid"][0]) == [0.6, 0.8]
    with pytest.raises(TableError, match="人が付けた名前"):
        advance(issues, events, [event_row("VOC-0001", "rename", at=AT, by="voc", to="機械の名前")])


def test_a_birth_of_an_older_version_is_told():
    _, events = ledger("一")
    with pytest.raises(TableError, match="古い版"):
        replay(events.assign(definition=None))


def test_measured_columns_come_from_the_store_and_everything_else_from_the_events():
    issues, events = ledger("一", "二")
    stored = issues.assign(n_sentences=[5, 7], exemplar_ids=[["a"], ["b", "c"]], label=["古い", "古いまま"])
    _, events = changed(issues, events, Edit("rename", "VOC-0002", "新しい"))
    found = restored(events, stored.iloc[:1])
    assert found["label"].tolist() == ["一", "新しい"] and found["n_sentences"].tolist() == [5, 0]
    assert found["exemplar_ids"].tolist() == [["a"], []]


def test_actions_follow_a_merge():
    issues, events = changed(*ledger("一", "二"), Edit("fix", "VOC-0001", "2026-03-01", "画面を直した"))
    issues, events = changed(issues, events, Edit("merge", "VOC-0001", "VOC-0002"))
    actions = fix_actions(events, issues)
    assert actions[["issue_id", "note", "by"]].to_numpy().tolist() == [["VOC-0002", "画面を直した", "佐藤"]]
    assert actions["done_on"][0] == pd.Timestamp("2026-03-01") and actions["recorded_at"][0] == day("2026-06-15")


def test_empty_history_is_an_empty_ledger():
    assert replay(check(pd.DataFrame(columns=list(ISSUE_EVENTS.columns)), ISSUE_EVENTS)).empty


def _plain(issues):
    rows = issues.drop(columns=list(MEASURED))
    rows["centroid"] = rows["centroid"].map(list)
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


@pytest.mark.slow
@given(st.data())
def test_replay_gives_the_ledger_that_people_and_runs_made(data):
    """Against a model of its own: labels, statuses and unions in plain dicts."""
    issues, events = ledger("一", "二", "三")
    label, status, root = ({f"VOC-{i:04d}": value for i, value in enumerate(values, start=1)} for values in (["一", "二", "三"], ["candidate"] * 3, [f"VOC-{i:04d}" for i in (1, 2, 3)]))
    for step in range(data.draw(st.integers(1, 8))):
        live = [name for name in label if root[name] == name]
        name, other = data.draw(st.sampled_from(live)), data.draw(st.sampled_from(live))
        what = data.draw(st.sampled_from(["rename", "merge", "birth", "locked", "open", "excluded", "closed", "back", "split"]))
        at = AT + pd.Timedelta(days=step)
        if what == "birth":
            born = births(*label, f"新{step}").tail(1)
            rows, new = birth_rows(born, at=at), born["issue_id"].iloc[0]
            label[new], status[new], root[new] = f"新{step}", "candidate", new
        elif what == "split":
            born = births(*label, f"片{step}").tail(1).assign(status="open")
            new = born["issue_id"].iloc[0]
            rows = [event_row(name, "split", at=at, by="佐藤", to=new, definition={"centroid": [0.6, 0.8], "threshold": 0.7, "moved": {}}),
                    *birth_rows(born, at=at, by="佐藤", old=name)]  # fmt: skip
            label[new], status[new], root[new] = f"片{step}", "open", new
        else:
            to = {"rename": f"名{step}", "merge": other}.get(what, what)
            kind = what if what in {"rename", "merge"} else "set_status"
            try:
                rows = edit_rows([Edit(kind, name, to)], issues, events, at=at, by="佐藤", today=TODAY)
            except EditError:
                assert (what == "merge" and name == other) or to == status[name] or (to == "back" and status[name] not in {"excluded", "closed"})
                continue
            if what == "rename":
                label[name] = to
            elif what == "merge":
                status[name] = "merged"
                root = {key: other if value == name else value for key, value in root.items()}
            else:
                status[name] = to if to != "back" else rows[0]["to"]
        issues, events = advance(issues, events, rows)
        issues = check(issues.sample(frac=1, random_state=step), ISSUES)
    shuffled = events.sample(frac=1, random_state=1)
    assert _plain(replay(shuffled)) == _plain(issues)
    assert dict(zip(issues["issue_id"], issues["label"], strict=True)) == label
    assert dict(zip(issues["issue_id"], issues["status"], strict=True)) == status
    assert survivors(issues) == root
