"""The stack that one would put together from the same libraries, for comparison: each turn of a customer through the whole
GiNZA pipeline (`nlp.pipe`, two processes), the same E5 in float32 as a sentence-transformers model (two processes), and
BERTopic as it comes, but for `language="multilingual"` (its default deletes every Japanese character).

Texts are masked already, which the naive stack would have to do too. Models are loaded before the clock starts.
"""

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from voc.store import read_table
from voc.tables import TURNS

_MANY, _PART = 5_000, 10  # above so many texts, every tenth is timed
_PROCESSES = 2


@dataclass(frozen=True)
class NaiveStack:
    """`parts`: part, texts, timed, seconds and cpu_seconds (both for all texts). `topics`: turn_id, topic, -1 where BERTopic
    left the turn out."""

    parts: list[dict]
    topics: pd.DataFrame


def naive_stack(folder: Path) -> NaiveStack:
    """All masked turns of customers in the store of `folder`, grouped."""
    turns = read_table(TURNS, store=str(folder / "store"))
    turns = turns[turns["speaker"] == "customer"].sort_values("turn_id", ignore_index=True)
    texts = turns["text"].tolist()
    sample = texts[::_PART] if len(texts) > _MANY else texts
    parts = []
    for name, work in (("GiNZA, whole pipeline", parse), ("E5 float32", embed)):
        wall, cpu = work(sample)
        times = len(texts) / len(sample)
        parts.append({"part": name, "texts": len(texts), "timed": len(sample), "seconds": wall * times, "cpu_seconds": cpu * times})
        print(f"naive: {name}: {cpu * times:,.0f} processor s, {wall * times:,.0f} s", flush=True)
    topics, wall, cpu = group(texts)
    parts.append({"part": "BERTopic", "texts": len(texts), "timed": len(texts), "seconds": wall, "cpu_seconds": cpu})
    return NaiveStack(parts, turns[["turn_id"]].assign(topic=topics))


def parse(texts: list[str]) -> tuple[float, float]:
    """(seconds, processor seconds) of the whole pipeline of ja_ginza."""
    import spacy

    nlp = spacy.load("ja_ginza")
    begin, used = time.perf_counter(), _used()
    n_tokens = sum(len(doc) for doc in nlp.pipe(texts, n_process=_PROCESSES, batch_size=128))
    if not n_tokens:
        raise ValueError("GiNZA found no token")
    return time.perf_counter() - begin, _used() - used


def embed(texts: list[str]) -> tuple[float, float]:
    """(seconds, processor seconds) of E5 in float32, half of the texts in each of two processes."""
    parts = [texts[start::_PROCESSES] for start in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        times = list(pool.map(_embed_part, parts))
    return max(wall for wall, _ in times), sum(cpu for _, cpu in times)


def _embed_part(texts: list[str]) -> tuple[float, float]:
    import torch

    torch.set_num_threads(1)
    model = transformer()
    begin, used = time.perf_counter(), time.process_time()
    model.encode(texts, show_progress_bar=False)
    return time.perf_counter() - begin, time.process_time() - used


def transformer():
    """The registered E5 as `transformers.BertModel` in float32 behind sentence-transformers, its word table whole."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import InputModule
    from transformers import BertConfig, BertModel

    from voc.e5 import mean_state, token_ids
    from voc.e5_file import dequantise, load_e5
    from voc.embeddings import model_files

    own = load_e5(model_files("e5")[0])
    words = torch.from_numpy(dequantise(own.words))
    hidden, inner = words.shape[1], own.layers["l0.fi.w"].shape[0]
    config = BertConfig(
        vocab_size=len(words), hidden_size=hidden, num_hidden_layers=own.n_layers, num_attention_heads=own.n_heads,
        intermediate_size=inner, max_position_embeddings=len(own.layers["emb.pos"].reshape(-1, hidden)), type_vocab_size=1,
        layer_norm_eps=own.eps, pad_token_id=own.pad,
    )  # fmt: skip
    bert = BertModel(config, add_pooling_layer=False).eval()
    bert.load_state_dict(_state(own, words))

    class NaiveE5(InputModule):
        def preprocess(self, inputs: list[str], **_options: Any) -> dict[str, Any]:
            ids = token_ids(list(inputs), own)
            longest = max(map(len, ids))
            padded = torch.tensor([row + [own.pad] * (longest - len(row)) for row in ids])
            return {"input_ids": padded, "attention_mask": (padded != own.pad).long()}

        def forward(self, features: dict[str, Any], **_options: Any) -> dict[str, Any]:
            states = bert(input_ids=features["input_ids"], attention_mask=features["attention_mask"]).last_hidden_state
            return {**features, "sentence_embedding": mean_state(states, features["attention_mask"].bool())}

        def get_embedding_dimension(self) -> int:
            return hidden

        def save(self, output_path: str, *_options: Any, **_named: Any) -> None:
            raise NotImplementedError("a model of this benchmark is not saved")

    return SentenceTransformer(modules=[NaiveE5()], device="cpu")


def _state(own, words) -> dict:
    """The registered tensors under the names of `transformers.BertModel`."""
    layers = {name: tensor.float() for name, tensor in own.layers.items()}
    width = words.shape[1]
    names = {"emb.ln.w": "embeddings.LayerNorm.weight", "emb.ln.b": "embeddings.LayerNorm.bias"}
    inside = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm", "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    for layer in range(own.n_layers):
        for ours, theirs in inside.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{ours}.{end}"] = f"encoder.layer.{layer}.{theirs}.{kind}"
    return {theirs: layers[ours] for ours, theirs in names.items()} | {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": layers["emb.pos"].reshape(-1, width),
        "embeddings.token_type_embeddings.weight": layers["emb.type"].reshape(-1, width)[:1],
    }


def group(texts: list[str]) -> tuple[np.ndarray, float, float]:
    """(topic of each text, seconds, processor seconds) of BERTopic's defaults on vectors of the same E5.

    The vectors are the product's: they differ from the naive ones by 8-bit integers where the processor multiplies them, and their making
    is not timed here, `embed` is.
    """
    from bertopic import BERTopic

    from voc.embeddings import embed as own_embed

    vectors = own_embed(texts, model="e5")
    begin, used = time.perf_counter(), _used()
    topics, _ = BERTopic(language="multilingual").fit_transform(texts, vectors)
    return np.asarray(topics), time.perf_counter() - begin, _used() - used


def _used() -> float:
    """Processor seconds of this process and its ended children."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)
