"""Vectors of distinct texts: those that are stored, and chunk by chunk those that are new."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flows.chunks import vector_chunk_task
from flows.compute import RunChunks
from flows.record import RunRecord
from flows.tasks import edge_task
from voc.embeddings import dimension
from voc.increment import chunks_by_length, place_of, text_marks
from voc.run_words import NEW_VECTORS
from voc.store import add_rows, new_rows, read_table, write_parts
from voc.tables import EMBEDDINGS, UNFINISHED

_TEXTS = 1000  # texts in a chunk
_WRITTEN = 50_000  # vectors of a part that is written

read_table_task = edge_task(read_table, name="表の読み込み")
add_rows_task = edge_task(add_rows, name="途中結果の保存")


@dataclass(frozen=True)
class Vectors:
    """`values` float32 (n, dimension), one row per text, NaN where there is none; `marks`: what each was made from."""

    values: np.ndarray
    marks: np.ndarray


@dataclass(frozen=True)
class StoredVectors:
    """Frames (made_from) and matrices by model and dimension, which may change with a company's own one: of the last run, and of chunks that a run left that is not through."""

    whole: dict[tuple[str, int], tuple[pd.DataFrame, np.ndarray]]
    left: dict[tuple[str, int], tuple[pd.DataFrame, np.ndarray]]


def read_vectors(*, store: str) -> StoredVectors:
    """The vectors of EMBEDDINGS and UNFINISHED."""
    return StoredVectors(*(_by_model(read_table_task(table, store=store)) for table in (EMBEDDINGS, UNFINISHED)))


def stored_vectors(texts: pd.Series, model: str, stored: StoredVectors, *, by: str, width: int) -> Vectors:
    """Vectors of `texts` as far as they are stored."""
    marks = text_marks(texts, by=by)
    values = np.full((len(texts), width), np.nan, dtype=np.float32)
    for kept in (stored.left, stored.whole):
        _fill(values, marks, kept.get((model, width)))
    return Vectors(values, marks.to_numpy(dtype=object))


def vectors_of(
    texts: pd.Series, model: str, stored: StoredVectors, *, by: str, store: str, run_chunks: RunChunks, record: RunRecord,
    known: np.ndarray | None = None,
) -> Vectors:  # fmt: skip
    """Vectors of distinct `texts` under a model; a chunk that is new is kept in UNFINISHED at once.

    The chunks are those of the texts that EMBEDDINGS lacks, also where a run was cut off, so that each vector is computed
    beside the same texts. `known`: vectors of `texts` that an earlier step made, NaN elsewhere, for a model whose vectors do not depend on the texts beside them.
    """
    marks = text_marks(texts, by=by)
    values = np.full((len(texts), dimension(model)), np.nan, dtype=np.float32) if known is None else known
    key = (model, values.shape[1])
    _fill(values, marks, stored.whole.get(key))
    rows = np.flatnonzero(np.isnan(values[:, 0]))
    _fill(values, marks, stored.left.get(key))
    chunks = [rows[members] for members in chunks_by_length(texts.iloc[rows], _TEXTS)]
    left = [own for own in chunks if np.isnan(values[own, 0]).any()]
    record.add(f"{NEW_VECTORS}{model}", sum(map(len, left)))
    found = run_chunks(vector_chunk_task, ({"texts": texts.iloc[own], "model": model} for own in left))
    for done, (own, made) in enumerate(zip(left, found, strict=True), start=1):
        is_new = np.isnan(values[own, 0])  # part of a chunk may have been left: it is kept already
        values[own] = made
        if len(left) > 1:
            keep(marks.to_numpy(dtype=object)[own[is_new]], made[is_new], model, store=store)
        record.progress("embeddings", done, len(left))
    return Vectors(values, marks.to_numpy(dtype=object))


def keep(marks: np.ndarray, values: np.ndarray, model: str, *, store: str) -> None:
    """Add a finished chunk to UNFINISHED."""
    if len(marks):
        rows = pd.DataFrame({"made_from": marks, "model": model, "vector": pd.Series(list(values), dtype="object")})
        add_rows_task(rows, UNFINISHED, store=store)


def write_vectors(sentence_ids: pd.Series, found: Mapping[str, Vectors], *, store: str) -> None:
    """Make EMBEDDINGS hold `found` (a row of each model for each distinct text, under the sentence that said it first).

    One commit of many parts: a month of calls at once would need its gigabytes three times. What is there already is
    looked up first, so that it may be tried again after an append that came through.
    """
    ids, none = sentence_ids.to_numpy(dtype=object), pd.DataFrame(columns=["sentence_id", "model", "made_from", "row"])
    has = {model: np.flatnonzero(~np.isnan(own.values).any(axis=1)) for model, own in found.items()}
    wanted = pd.concat([none, *(
        pd.DataFrame({"sentence_id": ids[rows], "model": model, "made_from": found[model].marks[rows], "row": rows})
        for model, rows in has.items() if len(rows)
    )], ignore_index=True)  # fmt: skip
    is_new = new_rows(wanted, EMBEDDINGS, store=store)
    new = wanted if is_new is None else wanted[is_new]

    def parts() -> Iterator[pd.DataFrame]:
        for model, own in new.groupby("model", sort=False):
            for start in range(0, len(own), _WRITTEN):
                part = own.iloc[start : start + _WRITTEN]
                vectors = pd.Series(list(found[model].values[part["row"].to_numpy(dtype=int)]), index=part.index, dtype="object")
                yield part.drop(columns="row").assign(vector=vectors)

    if is_new is None or len(new):
        write_parts(parts, EMBEDDINGS, store=store, is_addition=is_new is not None)


def _fill(values: np.ndarray, marks: pd.Series, kept: tuple[pd.DataFrame, np.ndarray] | None) -> None:
    if kept is None or not len(kept[0]):
        return
    place = place_of(kept[0], marks)
    values[place >= 0] = kept[1][place[place >= 0]]


def _by_model(rows: pd.DataFrame) -> dict[tuple[str, int], tuple[pd.DataFrame, np.ndarray]]:
    return {
        (model, int(length)): (own[["made_from"]].reset_index(drop=True), np.vstack(own["vector"].to_list()).astype(np.float32, copy=False))
        for (model, length), own in rows.groupby([rows["model"], rows["vector"].map(len)])
    }
