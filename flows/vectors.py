"""Vectors of distinct texts: those that are stored, and chunk by chunk those that are new."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from flows.chunks import vector_chunk_task
from flows.compute import RunChunks
from flows.record import RunRecord
from flows.tasks import edge_task
from voc.embeddings import dimension
from voc.increment import chunks_by_length, text_marks
from voc.run_words import NEW_VECTORS
from voc.store import add_rows, dataset, new_rows, write_parts
from voc.tables import EMBEDDINGS, UNFINISHED, Table

_TEXTS = 1000  # texts in a chunk
_PART = 10_000  # vectors that are written or read at a time

add_rows_task = edge_task(add_rows, name="途中結果の保存")


@dataclass(frozen=True)
class Vectors:
    """`values` float32 (n, dimension), one row per text, NaN where there is none; `marks`: what each was made from."""

    values: np.ndarray
    marks: np.ndarray


def stored_vectors(texts: pd.Series, model: str, *, by: str, width: int, store: str) -> Vectors:
    """Vectors of `texts` as far as they are stored: by the last run, or by one that was cut off."""
    marks = text_marks(texts, by=by).to_numpy(dtype=object)
    values = np.full((len(texts), width), np.nan, dtype=np.float32)
    for table in (UNFINISHED, EMBEDDINGS):
        fill_task(values, marks, model, table, store=store)
    return Vectors(values, marks)


def fill(values: np.ndarray, marks: np.ndarray, model: str, table: Table, *, store: str) -> None:
    """Write into the rows of `values` (n, width) the vectors that `table` has for their `marks`.

    Read in parts: a month of calls would need its gigabytes three times. Vectors of another width, which a company's own
    model may have had, are none.
    """
    stored, place = dataset(table, store=store), pd.Index(marks)
    if stored is None:
        return
    own = stored.scanner(
        columns=["made_from", "vector"], filter=pc.field("model") == model, batch_size=_PART, batch_readahead=1, fragment_readahead=1, use_threads=False
    )
    for batch in own.to_batches():
        vectors, width = batch.column("vector"), values.shape[1]
        fits = pc.fill_null(pc.equal(pc.list_value_length(vectors), width), fill_value=False)
        rows = place.get_indexer(batch.column("made_from").filter(fits).to_pandas().to_numpy(dtype=object))
        found = vectors.filter(fits).flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        values[rows[rows >= 0]] = found[rows >= 0]


fill_task = edge_task(fill, name="ベクトルの読み込み")


def vectors_of(
    texts: pd.Series, model: str, *, by: str, store: str, run_chunks: RunChunks, record: RunRecord,
    known: np.ndarray | None = None,
) -> Vectors:  # fmt: skip
    """Vectors of distinct `texts` under a model; a chunk that is new is kept in UNFINISHED at once.

    The chunks are those of the texts that EMBEDDINGS lacks, also where a run was cut off, so that each vector is computed
    beside the same texts. `known`: vectors of `texts` that an earlier step made, NaN elsewhere, for a model whose vectors do not depend on the texts beside them.
    """
    marks = text_marks(texts, by=by).to_numpy(dtype=object)
    values = np.full((len(texts), dimension(model)), np.nan, dtype=np.float32) if known is None else known
    fill_task(values, marks, model, EMBEDDINGS, store=store)
    rows = np.flatnonzero(np.isnan(values[:, 0]))
    fill_task(values, marks, model, UNFINISHED, store=store)
    chunks = [rows[members] for members in chunks_by_length(texts.iloc[rows], _TEXTS)]
    left = [own for own in chunks if np.isnan(values[own, 0]).any()]
    record.add(f"{NEW_VECTORS}{model}", sum(map(len, left)))
    found = run_chunks(vector_chunk_task, ({"texts": texts.iloc[own], "model": model} for own in left))
    for done, (own, made) in enumerate(zip(left, found, strict=True), start=1):
        is_new = np.isnan(values[own, 0])  # part of a chunk may have been left: it is kept already
        values[own] = made
        if len(left) > 1:
            keep(marks[own[is_new]], made[is_new], model, store=store)
        record.progress("embeddings", done, len(left))
    return Vectors(values, marks)


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
            for start in range(0, len(own), _PART):
                part = own.iloc[start : start + _PART]
                vectors = pd.Series(list(found[model].values[part["row"].to_numpy(dtype=int)]), index=part.index, dtype="object")
                yield part.drop(columns="row").assign(vector=vectors)

    if is_new is None or len(new):
        write_parts(parts, EMBEDDINGS, store=store, is_addition=is_new is not None)
