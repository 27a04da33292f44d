"""Contacts that are kept no longer go before anything is made of them, and a run that is cut off there is put right."""

from pathlib import Path

import pandas as pd
import pytest

from flows.record import RunRecord
from flows.recovery import close_unfinished, current_versions, is_expiring, ledger_versions, restore_ledger
from voc import removal
from voc.config import Config
from voc.increment import text_marks
from voc.runs import FAILED, RUNNING
from voc.store import append_rows, read_table, read_version, table_version, versions, write_table
from voc.tables import CONTACTS, ISSUE_EVENTS, ISSUES, MENTIONS, RUNS, SENTENCES, TURNS, UNFINISHED, check, empty

SOURCES = [{"name": "calls", "format": "transcript", "path": "x"}]


def contacts(**started):
    rows = [{"contact_id": name, "channel": "call", "source": "calls", "source_row": name, "started_at": pd.Timestamp(at, tz="UTC"),
             "content_sha": ""} for name, at in started.items()]  # fmt: skip
    return check(pd.DataFrame(rows), CONTACTS)


def put(store, **started):
    """A store with a turn, a sentence, a mention and a vector in UNFINISHED for each contact, written twice: there is a history."""
    known = contacts(**started)
    ids = known["contact_id"]
    turns = pd.DataFrame({"turn_id": "T" + ids, "contact_id": ids, "position": 0, "speaker": "customer", "text": "声" + ids})
    sentences = turns.rename(columns={"text": "text"}).drop(columns="speaker").assign(sentence_id="S" + ids, start=0, end=2, terms=[[] for _ in ids])
    mentions = pd.DataFrame({"issue_id": "VOC-1", "sentence_id": "S" + ids, "contact_id": ids, "mentioned_at": known["started_at"], "probability": 1.0})
    left = pd.DataFrame({"made_from": text_marks(sentences["text"], by="x"), "model": "use", "vector": [[1.0] for _ in ids]})
    for _ in range(2):
        for frame, table in ((known, CONTACTS), (turns, TURNS), (sentences, SENTENCES), (mentions, MENTIONS), (left, UNFINISHED),
                             (empty(ISSUES), ISSUES), (empty(ISSUE_EVENTS), ISSUE_EVENTS)):  # fmt: skip
            write_table(check(frame, table), table, store=store)


@pytest.fixture
def night(tmp_path, monkeypatch):
    """`night(months=12, ...)` -> (record, whether anything was to go) of a run that began at noon of 10 April 2026."""
    from flows import retention
    from flows.run import _begin

    monkeypatch.setattr(retention, "expire_task", retention.expire_task.fn)
    monkeypatch.setattr(retention, "_vector_marks", lambda texts, **_: set(text_marks(texts, by="x")))
    store = str(tmp_path / "store")

    def run(hour=3, *, months=12, **company):
        config = Config(sources=SOURCES, privacy={"retention_months": months}, company=company)
        record = RunRecord(config, started_at=pd.Timestamp(f"2026-04-10T{hour:02d}:00Z").to_pydatetime(), is_quiet=True)
        _begin(record, store=store)
        is_any = retention.expire_contacts(config, read_table(CONTACTS, store=store), base=Path(), store=store, record=record)
        return record, is_any

    run.store = store
    return run


def ids(store, table=CONTACTS):
    return read_table(table, store=store)["contact_id"].tolist()


def test_a_night_on_which_nothing_grew_too_old_keeps_history_and_unfinished_vectors(night):
    put(night.store, a="2026-04-01", b="2025-05-01")
    before = versions(store=night.store)
    record, is_any = night()
    assert not is_any and record.counts["expired"] == {}
    assert {name: number for name, number in versions(store=night.store).items() if name != RUNS.name} == before
    assert len(read_table(UNFINISHED, store=night.store)) == 2
    assert read_version(MENTIONS, record.settings["ledger_versions"][MENTIONS.name], store=night.store) is not None


def test_what_is_too_old_goes_and_the_run_goes_on_from_the_ledger_after_it(night):
    put(night.store, a="2026-04-01", old="2025-03-01")
    record, is_any = night()
    assert is_any and record.counts["expired"][CONTACTS.name] == 1 and ids(night.store) == ids(night.store, MENTIONS) == ["a"]
    assert read_version(MENTIONS, 0, store=night.store) is None
    stored = read_table(RUNS, store=night.store)
    assert stored["status"].tolist() == [RUNNING] and not is_expiring(store=night.store)
    write_table(empty(MENTIONS), MENTIONS, store=night.store)  # the ledger of this run, which is then cut off
    close_unfinished(store=night.store)
    versions_before = ledger_versions(store=night.store)
    assert versions_before == record.settings["ledger_versions"] and restore_ledger(versions_before, store=night.store)
    assert ids(night.store, MENTIONS) == ["a"]


def test_vectors_of_what_stays_are_kept_while_the_days_go_on(night):
    put(night.store, a="2026-04-01", old="2025-03-01")
    night()
    assert read_table(UNFINISHED, store=night.store)["made_from"].tolist() == text_marks(pd.Series(["声a"]), by="x").tolist()
    assert table_version(UNFINISHED, store=night.store) and read_version(UNFINISHED, 0, store=night.store) is None


@pytest.mark.parametrize("step", ["write", "forget"])
@pytest.mark.parametrize("then", ["killed", "failed"])
def test_a_run_that_is_cut_off_while_it_removes_is_put_right_by_the_next(night, monkeypatch, step, then):
    put(night.store, a="2026-04-01", old="2025-03-01")
    with monkeypatch.context() as patch:
        if step == "write":  # after the contacts, which tell who is gone, before any history
            patch.setattr(removal, "forget_history", _cut)
        else:
            patch.setattr(removal, "write_table", _after(removal.write_table, 2))
        with pytest.raises(KeyboardInterrupt):
            night(3)
    assert is_expiring(store=night.store)
    if then == "failed":
        stored = read_table(RUNS, store=night.store)
        append_rows(stored.assign(status=FAILED), RUNS, store=night.store)
    night(4)
    assert ids(night.store) == ids(night.store, MENTIONS) == ids(night.store, SENTENCES) == ["a"]
    for table in (CONTACTS, TURNS, SENTENCES, MENTIONS):
        assert read_version(table, 0, store=night.store) is None
    assert not is_expiring(store=night.store)
    assert ledger_versions(store=night.store) == current_versions(store=night.store)


def _cut(*_, **__):
    raise KeyboardInterrupt


def _after(do, limit):
    done = []

    def step(*arguments, **options):
        done.append(do(*arguments, **options))
        if len(done) == limit:
            raise KeyboardInterrupt

    return step


@pytest.mark.parametrize("given", [None, "2062-05-01"])
def test_a_wrong_date_far_ahead_takes_nothing_away(night, given):
    put(night.store, a="2026-04-01", b="2062-04-01")
    _, is_any = night(**({"as_of_on": given} if given else {}))
    assert not is_any and ids(night.store) == ["a", "b"]
