"""After a run that was cut off: one process at a time, and the ledger counts nothing twice."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from flows.recovery import close_unfinished, ledger_versions, restore_ledger
from flows.store_lock import store_lock
from voc.errors import StoreError
from voc.runs import COMPLETED, INTERRUPTED, RUNNING
from voc.store import append_rows, forget_history, read_table, write_table
from voc.tables import ISSUE_EVENTS, ISSUE_LABELS, ISSUES, MENTIONS, RUNS, check, empty


def events(*rows):
    columns = {"position": range(len(rows)), "issue_id": "VOC-0001", "kind": "birth", "at": "2026-01-01T00:00Z"}
    return check(pd.DataFrame({"event_id": [own for own, _ in rows], "by": [by for _, by in rows], **columns}), ISSUE_EVENTS)


def run_row(run_id, status, settings="{}"):
    row = {"run_id": run_id, "as_of_on": "2026-01-01", "started_at": f"2026-01-{run_id}T00:00Z", "status": status, "config_sha": "", "seed": 1,
           **dict.fromkeys(("inputs", "versions", "models", "counts", "seconds"), "{}"), "settings": settings}  # fmt: skip
    return check(pd.DataFrame([row]), RUNS)


@pytest.fixture(params=["voc", "categories"])
def store(tmp_path, request):
    """A store whose ledger was begun, and a run that wrote to it (of itself, by the company's list) and was cut off."""
    place = str(tmp_path)
    write_table(events(("e1", "voc")), ISSUE_EVENTS, store=place)
    for table in (ISSUES, MENTIONS):
        write_table(empty(table), table, store=place)
    append_rows(run_row("01", COMPLETED), RUNS, store=place)
    versions = ledger_versions(store=place)
    append_rows(run_row("02", RUNNING, json.dumps({"ledger_versions": versions})), RUNS, store=place)
    write_table(events(("e1", "voc"), ("e2", request.param)), ISSUE_EVENTS, store=place)
    return place


def ledger(store):
    return read_table(ISSUE_EVENTS, store=store)["event_id"].tolist()


def test_the_ledger_goes_back_to_what_it_was_before_the_run_that_was_cut_off(store):
    assert close_unfinished(store=store) == 1
    assert read_table(RUNS, store=store)["status"].tolist() == [COMPLETED, INTERRUPTED]
    versions = ledger_versions(store=store)
    assert restore_ledger(versions, store=store) and ledger(store) == ["e1"]
    assert close_unfinished(store=store) == 0


def test_a_second_run_that_is_cut_off_goes_back_to_the_same_beginning(store):
    close_unfinished(store=store)
    versions = ledger_versions(store=store)
    append_rows(run_row("03", RUNNING, json.dumps({"ledger_versions": versions})), RUNS, store=store)
    restore_ledger(versions, store=store)
    write_table(events(("e1", "voc"), ("e9", "voc")), ISSUE_EVENTS, store=store)
    close_unfinished(store=store)
    assert ledger_versions(store=store) == versions
    restore_ledger(versions, store=store)
    assert ledger(store) == ["e1"]


def test_what_a_person_edited_since_is_never_taken_back(store):
    write_table(events(("e1", "voc"), ("e2", "voc"), ("e3", "佐藤")), ISSUE_EVENTS, store=store)
    close_unfinished(store=store)
    assert not restore_ledger(ledger_versions(store=store), store=store)
    assert ledger(store) == ["e1", "e2", "e3"]


@pytest.mark.parametrize(("labelled_at", "kept"), [("2026-01-01T12:00Z", ["e1"]), ("2026-01-02T12:00Z", ["e1", "e2"])])
def test_answers_of_people_since_keep_the_issues_that_they_name(store, labelled_at, kept):
    answer = {"issue_id": "VOC-0001", "sentence_id": "S1", "probability": 0.5, "weight": 1.0, "is_right": True, "by": "佐藤", "labelled_at": labelled_at}
    write_table(check(pd.DataFrame([answer]), ISSUE_LABELS), ISSUE_LABELS, store=store)
    close_unfinished(store=store)
    restore_ledger(ledger_versions(store=store), store=store)
    assert ledger(store) == kept


def test_after_an_erasure_the_ledger_stays_as_it_is(store):
    close_unfinished(store=store)
    for table in (ISSUE_EVENTS, ISSUES, MENTIONS):
        forget_history(table, store=store)
    assert not restore_ledger(ledger_versions(store=store), store=store)
    assert ledger(store) == ["e1", "e2"]


def test_after_a_whole_run_the_ledger_stays_as_it_is(store):
    append_rows(run_row("02", COMPLETED), RUNS, store=store)
    assert not restore_ledger(ledger_versions(store=store), store=store)
    assert ledger(store) == ["e1", "e2"]


@pytest.mark.parametrize("address", ["{}/store", "s3://bucket/store"])
def test_two_processes_exclude_each_other_and_a_dead_one_excludes_nobody(address, tmp_path):
    store = address.format(tmp_path)
    code = (f"import sys, time; from pathlib import Path; from flows.store_lock import store_lock\n"
            f"with store_lock({store!r}, base=Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(60)")  # fmt: skip
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match=f"プロセス番号 {other.pid}"), store_lock(store, base=tmp_path):
        pass
    other.kill()
    other.wait()
    with store_lock(store, base=tmp_path):
        pass
    with store_lock(store, base=tmp_path):
        pass


def test_a_store_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="書き込めません"), store_lock(str(tmp_path / "file/store"), base=tmp_path):
        pass
