"""Vectors chunk by chunk: a run that was cut off goes on from what it left, whatever that is."""

import numpy as np
import pandas as pd
import pytest

from voc.config import Config
from voc.increment import text_marks
from voc.store import add_rows, read_table, table_version
from voc.tables import EMBEDDINGS, UNFINISHED

TEXTS = pd.Series([f"{'長' * n}い文です" for n in range(6)])
CONFIG = Config(sources=[{"name": "calls", "format": "transcript", "path": "x"}])


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made()` -> the vectors of TEXTS in chunks of two; a vector is the length of its text."""
    from flows import vectors
    from flows.record import RunRecord

    for name in ("fill_task", "add_rows_task"):
        monkeypatch.setattr(vectors, name, getattr(vectors, name).fn)
    monkeypatch.setattr(vectors, "_TEXTS", 2)
    monkeypatch.setattr(vectors, "dimension", lambda _: 1)
    store = str(tmp_path)

    def run():
        def lengths(task, calls):
            return [call["texts"].str.len().to_numpy(dtype=np.float32)[:, None] for call in calls]

        record = RunRecord(CONFIG, is_quiet=True)
        return vectors.vectors_of(TEXTS, "use", by="x", store=store, run_chunks=lengths, record=record)

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


def test_vectors_of_another_model_or_width_are_not_read(tmp_path):
    from flows import vectors

    marks = text_marks(TEXTS, by="x")
    frame = pd.DataFrame({"made_from": marks, "model": ["use", "e5", "use", "use", "use", "use"],
                          "vector": [[1.0], [2.0], [3.0, 3.0], [4.0], [5.0], [6.0]]})  # fmt: skip
    add_rows(frame[:4], UNFINISHED, store=str(tmp_path))
    vectors.write_vectors(pd.Series(["a"]), {"use": vectors.Vectors(np.array([[9.0]], dtype=np.float32), marks.to_numpy(dtype=object)[4:5])}, store=str(tmp_path))
    values = np.full((6, 1), np.nan, dtype=np.float32)
    for table in (UNFINISHED, EMBEDDINGS):
        vectors.fill(values, marks.to_numpy(dtype=object), "use", table, store=str(tmp_path))
    np.testing.assert_array_equal(values[:, 0], [1.0, np.nan, np.nan, 4.0, 9.0, np.nan])


def three(values):
    from flows.vectors import Vectors

    return {"use": Vectors(np.array(values, dtype=np.float32)[:, None], np.array([f"m{value}" for value in values], dtype=object))}


@pytest.mark.parametrize("first", [[1, 2, 3], [1, np.nan, 3], [9, 2, 3]])
def test_vectors_are_written_once_however_often_and_whatever_was_there(first, tmp_path, monkeypatch):
    from flows import vectors

    monkeypatch.setattr(vectors, "_PART", 2)
    ids, store = pd.Series(["a", "b", "c"]), str(tmp_path)
    vectors.write_vectors(ids, three(first), store=store)
    assert len(read_table(EMBEDDINGS, store=store)) == np.isfinite(first).sum()
    for _ in range(2):  # tried again after an append that came through
        vectors.write_vectors(ids, three([1, 2, 3]), store=store)
        found = read_table(EMBEDDINGS, store=store)
        assert [(row.sentence_id, float(row.vector[0])) for row in found.itertuples()] == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


def test_vectors_of_many_parts_are_one_commit(tmp_path, monkeypatch):
    from flows import vectors

    monkeypatch.setattr(vectors, "_PART", 1)
    vectors.write_vectors(pd.Series(["a", "b", "c"]), three([1, 2, 3]), store=str(tmp_path))
    assert table_version(EMBEDDINGS, store=str(tmp_path)) == 0


def test_no_vector_at_all_empties_the_table(tmp_path):
    from flows import vectors

    vectors.write_vectors(pd.Series(["a"]), three([1]), store=str(tmp_path))
    vectors.write_vectors(pd.Series([], dtype="str"), {}, store=str(tmp_path))
    assert read_table(EMBEDDINGS, store=str(tmp_path)).empty
