"""Only what is new is computed, and the tables are those of a run from scratch."""

import multiprocessing
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable

from voc.config import Config
from voc.store import add_rows, content_hashes, read_table, table_version
from voc.tables import CALLS, CONTACTS, EMBEDDINGS, OPINIONS, REQUESTS, SENTENCES, TURNS, UNFINISHED, WISHES, check

pytestmark = pytest.mark.slow
CONFIG = Config(sources=[{"name": "calls", "format": "transcript", "path": "x"}])
SAID = {
    "a": ["アプリが何度も落ちて困っています。請求書をまとめてダウンロードできるようにしてほしいです。", "解約したいです。"],
    "b": ["料金が高いです。", "検索が遅いので改善してください。料金が高いです。"],
    "c": ["とても使いやすくて助かっています。", "アプリが何度も落ちて困っています。"],
    "d": ["一括で登録できずに不便です。"],
}


def tables(said, days=None):
    days = [(days or {}).get(own, 1) for own in said]
    contacts = pd.DataFrame({"contact_id": list(said), "channel": "call", "started_at": [f"2026-04-{day:02d}T00:00Z" for day in days], "source": "s",
                             "source_row": list(said), "content_sha": ""})  # fmt: skip
    rows = [(f"{own}-{i}", own, i, "operator" if i % 2 else "customer", text)
            for own, texts in said.items() for i, text in enumerate(text for said in texts for text in (said, "承知しました。"))]  # fmt: skip
    turns = pd.DataFrame(rows, columns=["turn_id", "contact_id", "position", "speaker", "text"])
    return check(contacts, CONTACTS), check(turns, TURNS)


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    """`flow(said, store)` -> counts of the run."""
    from flows import settings

    settings.prepare(tmp_path_factory.mktemp("prefect"))
    from prefect import flow as prefect_flow

    from flows.compute import run_here
    from flows.record import RunRecord
    from flows.understanding import understand

    def run(said, store, *, config=CONFIG, base=Path(), days=None):
        record = RunRecord(config, is_quiet=True)
        contacts, turns = tables(said, days)
        options = {"base": base, "store": str(store), "run_chunks": run_here, "record": record}
        prefect_flow(lambda: understand(contacts, lambda: turns, config, **options), name="understand", persist_result=False)()
        return record.counts

    return run


@pytest.fixture(scope="module")
def scratch(flow, tmp_path_factory):
    store = tmp_path_factory.mktemp("scratch")
    flow(SAID, store)
    return content_hashes(store=str(store)), str(store)


def test_something_was_understood(scratch):
    _, store = scratch
    assert len(read_table(REQUESTS, store=store)) >= 2 and len(read_table(CALLS, store=store)) == len(SAID)
    assert set(read_table(EMBEDDINGS, store=store)["model"]) >= {"use", "e5"}
    for table in (SENTENCES, EMBEDDINGS, OPINIONS, WISHES, CALLS):
        assert read_table(table, store=store)["made_from"].notna().all()


@pytest.mark.parametrize(
    "before",
    [
        {"a": SAID["a"]},
        {**SAID, "z": ["この契約は消えます。", "料金が高いです。"]},
        {**SAID, "b": ["料金が安いです。", *SAID["b"][1:]], "a": SAID["a"][:1]},
        {"d": SAID["c"], "0": SAID["b"]},
    ],
    ids=["new contacts", "a contact vanishes", "turns change and come", "ids take other texts"],
)
def test_what_came_changed_or_went_ends_in_the_tables_of_a_run_from_scratch(before, flow, scratch, tmp_path):
    flow(before, tmp_path)
    flow(SAID, tmp_path)
    assert content_hashes(store=str(tmp_path)) == scratch[0]


def test_a_later_night_adds_its_rows_and_leaves_those_that_are_stored(flow, tmp_path):
    night = {"0": ["料金が高いです。検索が遅いので改善してください。", "画面を見やすくしてほしいです。"]}  # sorts before, and says again what was said

    def files():
        return {table.name: set(DeltaTable(str(tmp_path / table.name)).file_uris()) for table in (SENTENCES, EMBEDDINGS, OPINIONS, WISHES, REQUESTS, CALLS)}

    flow(SAID, tmp_path)
    before = files()
    flow(SAID | night, tmp_path, days={"0": 2})
    assert {name: before[name] < own for name, own in files().items()} == dict.fromkeys(before, True)
    flow(SAID | night, tmp_path / "scratch", days={"0": 2})
    assert content_hashes(store=str(tmp_path / "scratch")) == content_hashes(store=str(tmp_path))


def test_nothing_is_computed_or_written_where_nothing_is_new(flow, tmp_path):
    flow(SAID, tmp_path)
    stored = (SENTENCES, EMBEDDINGS, OPINIONS, WISHES, REQUESTS, CALLS)
    before = [table_version(table, store=str(tmp_path)) for table in stored]
    counts = flow(SAID, tmp_path)
    assert {name: count for name, count in counts.items() if name.startswith("new_") and count} == {}
    assert [table_version(table, store=str(tmp_path)) for table in stored] == before


def test_a_changed_dictionary_recomputes_what_reads_it_and_no_vector(flow, tmp_path):
    (tmp_path / "terms.csv").write_text("term,kind\n請求書,feature\n", encoding="utf-8")
    config = CONFIG.model_copy(update={"japanese": CONFIG.japanese.model_copy(update={"terms": "terms.csv"})})
    again = partial(flow, SAID, tmp_path / "store", config=config, base=tmp_path)
    again()
    (tmp_path / "terms.csv").write_text("term,kind\n請求書,feature\nアプリ,product\n", encoding="utf-8")
    counts = again()
    assert counts["new_turns"] > 0 and counts["new_texts"] > 0 and counts["new_wishes"] > 0
    assert counts["new_vectors_use"] == counts["new_vectors_e5"] == 0


def test_chunks_that_a_killed_run_left_are_not_computed_again(flow, scratch, tmp_path):
    hashes, store = scratch
    rows = read_table(EMBEDDINGS, store=store).query("model == 'e5'")
    add_rows(rows.drop(columns="sentence_id"), UNFINISHED, store=str(tmp_path))
    counts = flow(SAID, tmp_path)
    assert counts["new_vectors_e5"] == 0 and counts["new_vectors_use"] == len(rows)
    assert content_hashes(store=str(tmp_path)) == hashes
    assert read_table(UNFINISHED, store=str(tmp_path)).empty
    assert not [path for path in (tmp_path / UNFINISHED.name).glob("*.parquet") if path.stat().st_size > 5000]


def _entry():
    from flows import compute

    compute.whole()  # a flow goes to the workers with all that it closes over, so it closes over nothing


@pytest.mark.parametrize("options", [{}, {"dask": "local"}], ids=["processes", "dask"])
def test_other_processes_give_the_same_tables(options, flow, scratch, tmp_path, monkeypatch):
    from prefect import flow as prefect_flow

    from flows import compute, understanding, vectors
    from flows.record import RunRecord
    from voc.config import Compute

    if options:
        pytest.importorskip("prefect_dask")
    monkeypatch.setattr(compute, "_WORTH_IT", 1)
    for module in (understanding, vectors):
        monkeypatch.setattr(module, "_TEXTS", 3)
    contacts, turns = tables(SAID)
    pids = set()

    def whole():
        record = RunRecord(CONFIG, is_quiet=True)
        with compute.chunk_runner(Compute(workers=2, **options)) as run_chunks:
            pids.update(child.pid for child in multiprocessing.active_children())
            understanding.understand(contacts, lambda: turns, CONFIG, base=Path(), store=str(tmp_path), run_chunks=run_chunks, record=record)
            pids.update(child.pid for child in multiprocessing.active_children())

    monkeypatch.setattr(compute, "whole", whole, raising=False)
    prefect_flow(_entry, name="processes", persist_result=False)()
    assert content_hashes(store=str(tmp_path)) == scratch[0]
    assert len(pids) >= 2 and not any(Path(f"/proc/{pid}").exists() for pid in pids)
