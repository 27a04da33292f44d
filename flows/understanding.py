"""Masked turns -> what customers say: sentences, vectors, opinions, requests, calls. Only what is new is computed.

Each step takes the rows that hold (voc/increment.py) from its stored table and computes the rest by distinct text, in
chunks. Its table is written as soon as it is whole, vectors chunk by chunk, so a run that was cut off goes on from there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from flows.chunks import OPINION_MODEL, PLAIN_E5, opinion_chunk_task, sentence_chunk_task, wish_chunk_task
from flows.compute import RunChunks
from flows.fingerprints import changed_parts, fingerprints, made_by_rows, marks_by, part_fingerprint
from flows.record import RunRecord
from flows.tasks import edge_task, read_table_task, replace_table_task, task
from flows.vectors import Vectors, keep, stored_vectors, vectors_of, write_vectors
from voc.calls import CHANNELS, summarise_calls
from voc.config import Config
from voc.embeddings import dimension, join_vectors, registry
from voc.increment import chunks_by_length, holds, place_of, talk_marks, text_marks, turn_marks
from voc.issue_space import models_of
from voc.opinions import load_heads
from voc.parts import configured_parts
from voc.requests import request_rows, requested
from voc.run_words import NEW_VECTORS
from voc.sources.dictionary import load_terms
from voc.store import clear_table, read_table
from voc.tables import (
    CALLS,
    MADE_BY,
    OPINIONS,
    REQUESTS,
    SENTENCES,
    UNFINISHED,
    WISHES,
    Table,
    check,
    empty,
)
from voc.terms import Terms

_TURNS, _TEXTS = 2000, 1000  # texts in a chunk: light work, and work for models
_VOICES = ("customer", "unknown")

write_vectors_task = edge_task(write_vectors, name="ベクトルの保存")
load_terms_task = edge_task(load_terms, name="用語集の読み込み")
summarise_calls_task = task(summarise_calls, name="通話の要約")


@dataclass(frozen=True)
class Understood:
    """`voices`: sentences that carry a voice; `opinions` stand in their order. `meanings`: a vector of each distinct text of
    the voices, in the space of the issues; `place`: the row there of each voice."""

    sentences: pd.DataFrame
    voices: pd.DataFrame
    place: np.ndarray
    meanings: np.ndarray
    opinions: pd.DataFrame
    requests: pd.DataFrame


def understand(
    contacts: pd.DataFrame, read_turns: Callable[[], pd.DataFrame], config: Config, *, base: Path, store: str, run_chunks: RunChunks, record: RunRecord
) -> Understood:
    """Bring SENTENCES, EMBEDDINGS, OPINIONS, WISHES, REQUESTS and CALLS of `store` up to `contacts` and their turns (no copies).

    Turns and sentences are read when they are wanted: while the models work, a month of calls needs the memory for their vectors.
    """
    path = base / config.japanese.terms if config.japanese.terms else None
    terms = load_terms_task(path) if path else None
    own, models = config.parts, models_of(config.parts.embedder)
    parts = fingerprints(terms=path, parts=own)
    by, changed = marks_by(parts), changed_parts(read_table(MADE_BY, store=store), parts)
    for stage, names in changed.items():
        record.tell(f"  {stage}: {'、'.join(names)} が変わったため、すべて計算し直します。")
    if own.embedder in changed:
        record.notices.append(f"埋め込み {own.embedder} が前回から変わりました。ベクトルの意味が変わったのなら、台帳の課題とずれます。新しい保存先で作り直してください。")
    with record.stage("sentences"):
        sentences = _sentences(read_turns(), terms, by=by["sentences"], store=store, run_chunks=run_chunks, record=record)
    voices = sentences[sentences["set_aside"].isna() & (sentences["terms"].map(len) > 0)].reset_index(drop=True)
    _count_sentences(sentences, voices, record=record)
    del sentences
    texts = _texts(voices, contacts)
    with record.stage("embeddings"):
        vectors = partial(vectors_of, texts["text"], store=store, run_chunks=run_chunks, record=record)
        found = {} if own.opinions else {"use": vectors("use", by=by["use"])}
    with record.stage("opinions"):
        opinions, found[OPINION_MODEL], plain = _opinions(
            texts, found.get("use"), terms, judge=own.opinions, wants_plain=PLAIN_E5 in models,
            by=by, store=store, run_chunks=run_chunks, record=record,
        )  # fmt: skip
    with record.stage("embeddings"):
        found |= {name: vectors(name, by=by[name], known=plain if name == PLAIN_E5 else None) for name in models if name not in found}
    with record.stage("store"):
        write_vectors_task(texts["sentence_id"], found, store=store)
        clear_table(UNFINISHED, store=store)
    del vectors, plain, found[OPINION_MODEL]  # gigabytes in a month of calls
    meanings = join_vectors({name: found[name].values for name in models})
    del found
    place = pd.Index(texts["text"]).get_indexer(voices["text"])
    opinions = _of_voices(opinions, place, voices, record=record)
    with record.stage("requests"):
        requests = _requests(voices, texts, opinions, terms, by=by["wishes"], store=store, run_chunks=run_chunks, record=record)
    with record.stage("calls"):
        sentences = _stored_sentences(store)
        calls = _calls(contacts, read_turns(), sentences, opinions, by=by["calls"], store=store, record=record)
    with record.stage("store"):
        for frame, table in ((opinions, OPINIONS), (requests, REQUESTS), (calls, CALLS), (made_by_rows(parts), MADE_BY)):
            replace_table_task(frame, table, store=store)
    record.models = {name: entry.get("sha256", "") for name, entry in registry().items()}
    record.models |= {setting: part_fingerprint(name) for setting, name, _ in configured_parts(own, config.value)}
    return Understood(sentences, voices, place, meanings, opinions, requests)


def _texts(voices: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """(sentence_id, text) of each distinct text of `voices`, under the sentence that said it first: what comes later does not
    change it, so that the vectors and wishes of a new night are added and those that are stored stay as they are."""
    said = voices[["text", "sentence_id"]].assign(at=voices["contact_id"].map(contacts.set_index("contact_id")["started_at"]))
    first = said.sort_values(["at", "sentence_id"], kind="stable").drop_duplicates("text").set_index("text")["sentence_id"]
    texts = voices["text"].drop_duplicates().reset_index(drop=True)
    return pd.DataFrame({"sentence_id": first.loc[texts].to_numpy(), "text": texts})


def _sentences(turns: pd.DataFrame, terms: Terms | None, *, by: str, store: str, run_chunks: RunChunks, record: RunRecord) -> pd.DataFrame:
    stored = _stored_sentences(store)
    voiced = turns.loc[turns["speaker"].isin(_VOICES), ["turn_id", "contact_id", "speaker", "text"]]
    marks = turn_marks(voiced, by=by).set_axis(voiced["turn_id"])
    kept = stored[holds(stored, stored["turn_id"], marks)]
    new = voiced[~voiced["turn_id"].isin(kept["turn_id"])]
    record.counts["new_turns"] = len(new)
    # each distinct text once: it takes the place of a turn, and what it gives becomes that of all its turns
    texts = new["text"].drop_duplicates().reset_index(drop=True)
    own = pd.DataFrame({"turn_id": texts.index.astype("str"), "contact_id": "", "position": 0, "speaker": _VOICES[0], "text": texts})
    chunks = chunks_by_length(texts, _TURNS)
    found = _run(sentence_chunk_task, ({"turns": own.iloc[rows], "terms": terms} for rows in chunks), run_chunks, record, stage="sentences", n_chunks=len(chunks))
    made = [empty(SENTENCES), *(part for part in found if len(part))]
    pieces = pd.concat(made[1:] or made, ignore_index=True).rename(columns={"turn_id": "place"})
    place = pd.DataFrame({"text": texts, "place": own["turn_id"]})
    rows = new[["turn_id", "contact_id", "text"]].merge(place, on="text").drop(columns="text")
    rows = rows.merge(pieces.drop(columns=["contact_id", "sentence_id", "made_from"]), on="place").drop(columns="place")
    rows["sentence_id"] = rows["turn_id"] + "-" + rows["position"].astype("str").str.zfill(3)
    rows["made_from"] = marks.reindex(rows["turn_id"]).to_numpy(dtype=object)
    sentences = _joined(kept, rows, SENTENCES)
    replace_table_task(sentences, SENTENCES, store=store)
    return sentences


def _stored_sentences(store: str) -> pd.DataFrame:
    return _lists(read_table_task(SENTENCES, store=store), "terms")


def _opinions(
    texts: pd.DataFrame, use: Vectors | None, terms: Terms | None, *, judge: str | None, wants_plain: bool,
    by: dict[str, str], store: str, run_chunks: RunChunks, record: RunRecord,
) -> tuple[pd.DataFrame, Vectors, np.ndarray | None]:  # fmt: skip
    """(OPINIONS of `texts` in their order; vectors of the adapted E5, NaN where a text needs none; where `wants_plain` those of
    E5 itself as far as they are stored or came with the adapted ones)."""
    stored = _lists(read_table_task(OPINIONS, store=store), "flags")
    marks = text_marks(texts["text"], by=by["opinions"])
    adapted = stored_vectors(texts["text"], OPINION_MODEL, by=by["opinions_vectors"], width=len(load_heads().mean), store=store)
    none = np.empty((len(texts), 0), dtype=np.float32)
    near = none if use is None else use.values
    plain = stored_vectors(texts["text"], PLAIN_E5, by=by[PLAIN_E5], width=dimension(PLAIN_E5), store=store) if wants_plain else Vectors(none, adapted.marks)
    place = place_of(stored, marks)
    is_new = place < 0
    record.counts["new_texts"] = int(is_new.sum())
    rows = np.flatnonzero(is_new)
    chunks = [rows[members] for members in chunks_by_length(texts["text"].iloc[rows], _TEXTS)]
    calls = ({"texts": texts.iloc[own], "use": near[own], "known": adapted.values[own], "plain": plain.values[own], "terms": terms, "judge": judge} for own in chunks)
    made, values = [stored.iloc[place[~is_new]].drop(columns="sentence_id").assign(row=np.flatnonzero(~is_new))], adapted.values
    for own, (judged, found, beside) in zip(chunks, _run(opinion_chunk_task, calls, run_chunks, record, stage="opinions", n_chunks=len(chunks)), strict=True):
        made.append(judged.drop(columns="sentence_id").assign(row=own, made_from=marks.iloc[own].to_numpy(dtype=object)))
        is_made = ~np.isnan(found[:, 0]) & np.isnan(values[own, 0])
        came = ~np.isnan(beside).any(axis=1) & np.isnan(plain.values[own]).any(axis=1)
        if len(chunks) > 1:
            keep(adapted.marks[own[is_made]], found[is_made], OPINION_MODEL, store=store)
            keep(plain.marks[own[came]], beside[came], PLAIN_E5, store=store)
        values[own] = found  # a vector that is no longer needed goes
        plain.values[own] = beside
        record.add(f"{NEW_VECTORS}{PLAIN_E5}", int(came.sum()))
    opinions = pd.concat([part for part in made if len(part)] or made[:1], ignore_index=True)
    opinions = opinions.set_index("row").sort_index().assign(sentence_id=texts["sentence_id"].to_numpy(dtype=object))
    record.counts["decided_quickly"] = 0 if judge else int(np.isnan(values[:, 0]).sum())
    return check(opinions, OPINIONS).set_index("sentence_id").loc[texts["sentence_id"]].reset_index(), adapted, plain.values if wants_plain else None


def _of_voices(opinions: pd.DataFrame, place: np.ndarray, voices: pd.DataFrame, *, record: RunRecord) -> pd.DataFrame:
    """OPINIONS of all voices in their order; voices of one text have one opinion, the row `place` of `opinions`."""
    if voices.empty:
        return empty(OPINIONS)
    opinions = opinions.iloc[place].assign(sentence_id=voices["sentence_id"].to_numpy(dtype=object)).reset_index(drop=True)
    record.counts["opinions"] = opinions["intent"].value_counts().sort_index().to_dict()
    return check(opinions, OPINIONS).set_index("sentence_id").loc[voices["sentence_id"]].reset_index()


def _requests(
    voices: pd.DataFrame, texts: pd.DataFrame, opinions: pd.DataFrame, terms: Terms | None, *,
    by: str, store: str, run_chunks: RunChunks, record: RunRecord,
) -> pd.DataFrame:  # fmt: skip
    stored, rows = read_table_task(WISHES, store=store), requested(voices, opinions)
    texts = texts[texts["text"].isin(rows["text"])].reset_index(drop=True)
    marks = text_marks(texts["text"], by=by)
    place = place_of(stored, marks)
    old = stored.iloc[place[place >= 0]].assign(sentence_id=texts["sentence_id"].to_numpy()[place >= 0], text=texts["text"].to_numpy()[place >= 0])
    new = texts[place < 0].reset_index(drop=True)
    chunks = chunks_by_length(new["text"], _TEXTS)
    calls = ({"texts": new["text"].iloc[own], "terms": terms} for own in chunks)
    made = list(_run(wish_chunk_task, calls, run_chunks, record, stage="requests", n_chunks=len(chunks)))
    if made:
        found = pd.concat(made, ignore_index=True).merge(new.assign(made_from=marks[place < 0].to_numpy(dtype=object)), on="text")
        old = pd.concat([part for part in (old, found) if len(part)] or [old], ignore_index=True)
    replace_table_task(check(old.drop(columns="text"), WISHES), WISHES, store=store)
    record.counts["new_wishes"] = len(new)
    requests = request_rows(rows, old)
    record.counts["requests"] = len(requests)
    return requests


def _calls(
    contacts: pd.DataFrame, turns: pd.DataFrame, sentences: pd.DataFrame, opinions: pd.DataFrame, *, by: str, store: str, record: RunRecord
) -> pd.DataFrame:
    stored = read_table_task(CALLS, store=store)
    talks = contacts.loc[contacts["channel"].isin(CHANNELS), "contact_id"]
    said = turns[turns["contact_id"].isin(talks)]
    marks = talk_marks(said, by=by)
    kept = stored[holds(stored, stored["contact_id"], marks)]
    new = set(marks.index) - set(kept["contact_id"])
    own = contacts[contacts["contact_id"].isin(new)]
    said, told = said[said["contact_id"].isin(new)], sentences[sentences["contact_id"].isin(new)]
    made = summarise_calls_task(own, said, told, opinions[opinions["sentence_id"].isin(told["sentence_id"])])
    calls = _joined(kept, made.assign(made_from=marks.reindex(made["contact_id"]).to_numpy(dtype=object)), CALLS)
    record.counts["calls"] = calls["outcome"].value_counts().sort_index().to_dict()
    return calls


def _run(chunk_task, calls: Iterable[dict], run_chunks: RunChunks, record: RunRecord, *, stage: str, n_chunks: int):
    for done, result in enumerate(run_chunks(chunk_task, calls), start=1):
        record.progress(stage, done, n_chunks)
        yield result


def _joined(kept: pd.DataFrame, made: pd.DataFrame, table: Table) -> pd.DataFrame:
    return check(pd.concat([part for part in (kept, made) if len(part)] or [kept], ignore_index=True), table)


def _lists(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Lists as a stage makes them, where the store gives arrays."""
    return frame.assign(**{column: pd.Series([list(items) for items in frame[column]], index=frame.index, dtype="object")})


def _count_sentences(sentences: pd.DataFrame, voices: pd.DataFrame, *, record: RunRecord) -> None:
    record.counts["sentences"] = len(sentences)
    record.counts["set_aside"] = sentences["set_aside"].value_counts().sort_index().to_dict()
    record.counts["voices"] = len(voices)
    # 「どうすればいいですか」 alone: neither courtesy nor a matter; kept in `sentences`, judged by no stage
    record.counts["without_content"] = int(sentences["set_aside"].isna().sum()) - len(voices)
