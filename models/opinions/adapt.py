"""Adapt the upper half of E5 to polarity and intents: writes adapter.npz and readings.npz beside it.

    python models/opinions/adapt.py [--processes 2]

Low-rank changes (LoRA, Hu et al. 2021) of the linear maps of layers 6 to 11, trained on sentences.tsv together with a
linear reading of the mean vector, which starts from a linear probe of the plain vectors. Once on all sentences (what
is shipped) and once for each group of industries left out: readings.npz holds what those say of the sentences that
they have not seen, and train.py builds on these. Seeded, one thread a process: the same sentences give the same files
up to the last digits of the processor's arithmetic. A quarter of an hour of one core.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from sentences import FOLDER, GROUPS, digest, intents_of, join_neighbours, polarity_of, read_sentences
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from voc.e5 import E5, load_e5, mean_state, run_layers, token_ids, word_states
from voc.embeddings import model_files

FIRST_LAYER, RANK, EPOCHS, BATCH, RATE, WEIGHT_DECAY = 6, 8, 3, 32, 1e-3, 0.01
JOINED_EVERY = (
    3  # of the texts made of two sentences, so many to one is trained on: real units often hold more than one
)
JOINED_WEIGHT, SMOOTHING, DROPOUT, INTENT_SHARE = 0.5, 0.05, 0.1, 0.5
VECTOR_SCALE = 12.0  # unit vectors of E5 spread little
MAX_TOKENS = 128
PROBE_C = 0.03
SEED = 20261122


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=1)
    torch.set_num_threads(1)
    rows = read_sentences()
    prepared = prepare(rows)
    units = [(), *GROUPS]
    with ProcessPoolExecutor(parser.parse_args().processes, mp_context=get_context("spawn")) as pool:
        shipped, *others = pool.map(adapt, units, repeat(prepared))
    scores = np.full((len(rows), 9), np.nan, dtype=np.float32)
    for group, result in zip(GROUPS, others, strict=True):
        scores[rows["industry"].isin(group).to_numpy()] = result["scores"]
    np.savez(FOLDER / "adapter.npz", **{name: value.astype(np.float16) for name, value in shipped["changes"].items()})
    reading = {name: shipped[name].astype(np.float32) for name in ("mean", "weights", "bias")}
    np.savez(FOLDER / "readings.npz", scores=scores, sentences=np.array(digest()), **reading)


def prepare(rows: pd.DataFrame) -> dict:
    """What every training starts from: labels, and the states of each text below the adapted layers."""
    joined = join_neighbours(rows)[::JOINED_EVERY]
    everything = pd.concat([rows, joined], ignore_index=True)
    states, plain = lower_states(everything["text"].tolist(), plain_model())
    return {
        "n": len(rows), "industry": everything["industry"].to_numpy(), "polarity": polarity_of(everything),
        "intents": intents_of(everything), "states": [state.numpy() for state in states], "plain": plain,
    }  # fmt: skip


def plain_model() -> E5:
    model = load_e5(model_files("e5")[0])
    return replace(model, dtype=torch.float32, layers={name: value.float() for name, value in model.layers.items()})


def adapt(left_out: tuple[str, ...], prepared: dict) -> dict:
    """Train without the industries of `left_out`: changes, reading (mean, weights, bias), scores of the left out."""
    torch.set_num_threads(1)
    model, n, plain = plain_model(), prepared["n"], prepared["plain"]
    states = [torch.from_numpy(state) for state in prepared["states"]]
    mean = plain[:n].mean(axis=0)
    is_seen = ~np.isin(prepared["industry"], left_out)
    seen = np.flatnonzero(is_seen)
    weights = np.where(seen < n, 1.0, JOINED_WEIGHT)
    polarity, intents = prepared["polarity"][seen], prepared["intents"][seen]
    start = probe((plain[seen] - mean) * VECTOR_SCALE, polarity, intents, weights)
    changes, reading = fit(
        [states[i] for i in seen], polarity, intents, weights, mean=mean, start=start, model=model, name=str(left_out)
    )
    adapted = replace(model, layers={**model.layers, **changes})
    unseen = np.flatnonzero(~is_seen[:n])
    scores = (upper_vectors([states[i] for i in unseen], adapted) - mean) * VECTOR_SCALE @ reading[0].T + reading[1]
    arrays = {name: value.detach().numpy() for name, value in changes.items()}
    return {"changes": arrays, "mean": mean, "weights": reading[0], "bias": reading[1], "scores": scores}


@torch.no_grad()
def lower_states(texts: list[str], model: E5) -> tuple[list[torch.Tensor], np.ndarray]:
    """Each text's states before the first adapted layer, and its plain vector."""
    ids = [row[:MAX_TOKENS] for row in token_ids(texts, model)]
    states, vectors = [torch.empty(0)] * len(ids), np.empty((len(ids), 384), dtype=np.float32)
    for at in batches_by_length(np.array([len(row) for row in ids])):
        padded = np.full((len(at), max(len(ids[i]) for i in at)), model.pad, dtype=np.int64)
        for row, i in enumerate(at):
            padded[row, : len(ids[i])] = ids[i]
        mask = torch.arange(padded.shape[1]) < torch.tensor([[len(ids[i])] for i in at])
        x = run_layers(word_states(padded, model), mask, model, range(FIRST_LAYER))
        for row, i in enumerate(at):
            states[i] = x[row, : len(ids[i])].clone()
        vectors[at] = mean_state(run_layers(x, mask, model, range(FIRST_LAYER, model.n_layers)), mask).numpy()
    return states, vectors


def upper(states: list[torch.Tensor], model: E5) -> torch.Tensor:
    lengths = torch.tensor([[len(state)] for state in states])
    mask = torch.arange(int(lengths.max())) < lengths
    x = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
    return mean_state(run_layers(x, mask, model, range(FIRST_LAYER, model.n_layers)), mask)


@torch.no_grad()
def upper_vectors(states: list[torch.Tensor], model: E5) -> np.ndarray:
    vectors = np.empty((len(states), 384), dtype=np.float32)
    for at in batches_by_length(np.array([len(s) for s in states])):
        vectors[at] = upper([states[i] for i in at], model).numpy()
    return vectors


def batches_by_length(lengths: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(lengths, kind="stable")
    return [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def probe(features: np.ndarray, polarity: np.ndarray, intents: np.ndarray, weights: np.ndarray) -> tuple:
    """Linear reading of the plain vectors: weights (9, 384) and bias (9): three polarities, six intents."""
    first = LogisticRegression(C=PROBE_C, max_iter=1000).fit(features, polarity, sample_weight=weights)
    others = [
        LogisticRegression(C=PROBE_C, max_iter=1000).fit(features, intents[:, j], sample_weight=weights)
        for j in range(intents.shape[1])
    ]
    return np.vstack([first.coef_, *(m.coef_ for m in others)]), np.hstack(
        [first.intercept_, *(m.intercept_ for m in others)]
    )


def fit(states, polarity, intents, weights, *, mean, start, model: E5, name: str) -> tuple[dict, tuple]:
    """The trained changes by name (l6.q.up, l6.q.down ...) and the reading (weights, bias)."""
    generator = torch.Generator().manual_seed(SEED)
    torch.manual_seed(SEED)  # dropout
    changes = new_changes(model, generator)
    reading = [torch.nn.Parameter(torch.tensor(part, dtype=torch.float32)) for part in start]
    parameters = [*changes.values(), *reading]
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=WEIGHT_DECAY)
    adapted = replace(model, layers={**model.layers, **changes})
    polarity, centre = torch.tensor(polarity), torch.tensor(mean)
    wanted = torch.tensor(intents, dtype=torch.float32) * (1 - SMOOTHING) + SMOOTHING / 4
    weights = torch.tensor(weights, dtype=torch.float32)
    n_steps, step = EPOCHS * -(-len(states) // BATCH), 0
    lengths = np.array([len(s) for s in states])
    for epoch in range(EPOCHS):
        total = 0.0
        for at in shuffled_batches(lengths, generator):
            vectors = upper([states[i] for i in at], adapted)
            features = functional.dropout((vectors - centre) * VECTOR_SCALE, DROPOUT)
            z = features @ reading[0].T + reading[1]
            loss = functional.cross_entropy(z[:, :3], polarity[at], reduction="none", label_smoothing=SMOOTHING)
            each = functional.binary_cross_entropy_with_logits(z[:, 3:], wanted[at], reduction="none")
            loss = ((loss + INTENT_SHARE * each.sum(dim=1)) * weights[at]).sum() / weights[at].sum()
            rate = RATE * min(1.0, step / (0.06 * n_steps)) * max(0.02, 1 - step / n_steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            step, total = step + 1, total + loss.item()
        print(f"without {name}: epoch {epoch + 1}, mean loss {total * EPOCHS / n_steps:.3f}", flush=True)
    return changes, tuple(part.detach().numpy() for part in reading)


def new_changes(model: E5, generator: torch.Generator) -> dict[str, torch.nn.Parameter]:
    """`up` starts at zero, so that training starts from the plain model."""
    changes = {}
    for i in range(FIRST_LAYER, model.n_layers):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            n_out, n_in = model.layers[f"l{i}.{part}.w"].shape
            down = torch.randn(RANK, n_in, generator=generator) / n_in**0.5
            changes[f"l{i}.{part}.down"] = torch.nn.Parameter(down)
            changes[f"l{i}.{part}.up"] = torch.nn.Parameter(torch.zeros(n_out, RANK))
    return changes


def shuffled_batches(lengths: np.ndarray, generator: torch.Generator) -> list[np.ndarray]:
    """Batches of texts of like length in random order: the texts are shuffled, then sorted eight batches at a time."""
    order = torch.randperm(len(lengths), generator=generator).numpy()
    batches = []
    for start in range(0, len(order), 8 * BATCH):
        part = order[start : start + 8 * BATCH]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


if __name__ == "__main__":
    main()
