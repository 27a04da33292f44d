"""Vectors chunk by chunk: a run that was cut off goes on from what it left, whatever that is."""

import numpy as np
import pandas as pd
import pytest

from voc.config import Config
from voc.increment import text_marks
from voc.store import add_rows, read_table
from voc.tables import UNFINISHED

TEXTS = pd.Series([f"{'長' * n}い文です" for n in range(6)])
CONFIG = Config(sources=[{"name": "calls", "format": "transcript", "path": "x"}])


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made()` -> the vectors of TEXTS in chunks of two; a vector is the length of its text."""
    from flows import vectors
    from flows.record import RunRecord

    for name in ("read_table_task", "add_rows_task"):
        monkeypatch.setattr(vectors, name, getattr(vectors, name).fn)
    monkeypatch.setattr(vectors, "_TEXTS", 2)
    monkeypatch.setattr(vectors, "dimension", lambda _: 1)
    store = str(tmp_path)

    def run():
        def lengths(task, calls):
            return [call["texts"].str.len().to_numpy(dtype=np.float32)[:, None] for call in calls]

        record = RunRecord(CONFIG, is_quiet=True)
        return vectors.vectors_of(TEXTS, "use", vectors.read_vectors(store=store), by="x", store=store, run_chunks=lengths, record=record)

    return run


def left(rows, store):
    own = TEXTS.iloc[rows]
    frame = pd.DataFrame({"made_from": text_marks(own, by="x"), "model": "use", "vector": [[float(len(text))] for text in own]})
    add_rows(frame, UNFINISHED, store=store)


def test_a_chunk_that_is_there_in_part_is_added_only_as_far_as_it_is_new(made, tmp_path):
    left([0, 1, 2], str(tmp_path))
    assert made().values[:, 0].tolist() == TEXTS.str.len().tolist()
    assert sorted(read_table(UNFINISHED, store=str(tmp_path))["made_from"]) == sorted(text_marks(TEXTS, by="x"))
    assert made().values[:, 0].tolist() == TEXTS.str.len().tolist()


def test_an_append_that_was_done_twice_is_read_once(made, tmp_path):
    left([0, 1], str(tmp_path))
    left([0, 1], str(tmp_path))
    assert len(read_table(UNFINISHED, store=str(tmp_path))) == 2
    assert made().values[:, 0].tolist() == TEXTS.str.len().tolist()
