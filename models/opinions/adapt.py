"""Adapt the upper half of E5 to polarity and intents: writes adapter.npz and readings.npz beside it.

    python models/opinions/adapt.py [--processes 2]

Low-rank changes (LoRA, Hu et al. 2021) of the linear maps of layers 6 to 11, trained on sentences.tsv and rated.tsv
together with a linear reading of the mean vector, which starts from a linear probe of the plain vectors: polarity and
intents of a sentence, and the rating that the writer of a whole text would give, which both files teach. Once on all
rows (what is shipped) and once for each group of industries left out: readings.npz holds what those say of the rows
that they have not seen, and train.py builds on these. Seeded, one thread a process: the same rows give the same files
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
from sentences import (
    FOLDER,
    GROUPS,
    RATED,
    digest,
    intents_of,
    join_neighbours,
    polarity_of,
    read_rated,
    read_sentences,
)
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from voc.e5 import mean_state, run_layers, token_ids, word_states
from voc.e5_file import E5, load_e5
from voc.embeddings import model_files
from voc.opinions import INTENTS, POLARITIES

FIRST_LAYER, RANK, EPOCHS, BATCH, RATE, WEIGHT_DECAY = 6, 8, 3, 32, 1e-3, 0.01
JOINED_EVERY = (
    3  # of the texts made of two sentences, so many to one is trained on: real units often hold more than one
)
JOINED_WEIGHT, SMOOTHING, DROPOUT, INTENT_SHARE = 0.5, 0.05, 0.1, 0.5
RATED_WEIGHT, SENTENCE_AS_RATED = 3.0, 0.3  # for the rating: few rows are rated, many have a polarity
N_SENTENCE = len(POLARITIES) + len(INTENTS)  # readings of a sentence; those of the rating follow
VECTOR_SCALE = 12.0  # unit vectors of E5 spread little
MAX_TOKENS = 128
PROBE_C = 0.03
SEED = 20261122


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=1)
    torch.set_num_threads(1)
    rows, rated = read_sentences(), read_rated()
    prepared = prepare(rows, rated)
    units = [(), *GROUPS]
    with ProcessPoolExecutor(parser.parse_args().processes, mp_context=get_context("spawn")) as pool:
        shipped, *others = pool.map(adapt, units, repeat(prepared))
    industry = pd.concat([rows["industry"], rated["industry"]])
    scores = np.full((len(industry), N_SENTENCE + len(POLARITIES)), np.nan, dtype=np.float32)
    for group, result in zip(GROUPS, others, strict=True):
        scores[industry.isin(group).to_numpy()] = result["scores"]
    np.savez(FOLDER / "adapter.npz", **{name: value.astype(np.float16) for name, value in shipped["changes"].items()})
    reading = {name: shipped[name].astype(np.float32) for name in ("mean", "weights", "bias")}
    of_rows = {"scores": scores[: len(rows)], "rated_scores": scores[len(rows) :]}
    digests = {"sentences": np.array(digest()), "rated": np.array(digest(RATED))}
    np.savez(FOLDER / "readings.npz", **of_rows, **digests, **reading)


def prepare(rows: pd.DataFrame, rated: pd.DataFrame) -> dict:
    """What every training starts from: labels and weights, and the states of each text below the adapted layers.

    The texts are the sentences, the rated ones and the joined ones; of a rated text no intent is known.
    """
    joined = join_neighbours(rows)[::JOINED_EVERY]
    labelled = pd.concat([rows, joined], ignore_index=True)
    everything = pd.concat([rows, rated, joined], ignore_index=True)
    intents = np.zeros((len(everything), len(INTENTS)), dtype=bool)
    is_rated = np.repeat([False, True, False], [len(rows), len(rated), len(joined)])
    intents[~is_rated] = intents_of(labelled)
    weights = np.repeat([1.0, 0.0, JOINED_WEIGHT], [len(rows), len(rated), len(joined)])
    states, plain = lower_states(everything["text"].tolist(), load_e5(model_files("e5")[0]))
    return {
        "n": len(rows), "n_known": len(rows) + len(rated), "industry": everything["industry"].to_numpy(),
        "polarity": polarity_of(everything), "intents": intents, "weights": weights,
        "rating_weights": np.where(is_rated, RATED_WEIGHT, SENTENCE_AS_RATED * weights),
        "states": [state.numpy() for state in states], "plain": plain,
    }  # fmt: skip


def adapt(left_out: tuple[str, ...], prepared: dict) -> dict:
    """Train without the industries of `left_out`: changes, reading (mean, weights, bias), scores of the left out."""
    torch.set_num_threads(1)
    model, plain = load_e5(model_files("e5")[0]), prepared["plain"]
    states = [torch.from_numpy(state) for state in prepared["states"]]
    mean = plain[: prepared["n"]].mean(axis=0)
    is_seen = ~np.isin(prepared["industry"], left_out)
    seen = np.flatnonzero(is_seen)
    labels = {name: prepared[name][seen] for name in ("polarity", "intents", "weights", "rating_weights")}
    start = probe((plain[seen] - mean) * VECTOR_SCALE, **labels)
    changes, reading = fit([states[i] for i in seen], **labels, mean=mean, start=start, model=model, name=str(left_out))
    adapted = replace(model, layers={**model.layers, **changes})
    unseen = np.flatnonzero(~is_seen[: prepared["n_known"]])
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


def probe(
    features: np.ndarray, polarity: np.ndarray, intents: np.ndarray, weights: np.ndarray, rating_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Linear reading of the plain vectors: weights (12, 384) and bias (12): three polarities, six intents, the rating
    in three steps."""
    is_sentence = weights > 0
    of_sentence = {"X": features[is_sentence], "sample_weight": weights[is_sentence]}
    models = [LogisticRegression(C=PROBE_C, max_iter=1000).fit(y=polarity[is_sentence], **of_sentence)]
    for intent in intents[is_sentence].T:
        models.append(LogisticRegression(C=PROBE_C, max_iter=1000).fit(y=intent, **of_sentence))
    models.append(LogisticRegression(C=PROBE_C, max_iter=1000).fit(features, polarity, sample_weight=rating_weights))
    return np.vstack([m.coef_ for m in models]), np.hstack([m.intercept_ for m in models])


def fit(
    states, *, polarity, intents, weights, rating_weights, mean, start, model: E5, name: str
) -> tuple[dict, tuple]:
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
    weights, rating_weights = (torch.tensor(w, dtype=torch.float32) for w in (weights, rating_weights))
    n_steps, step = EPOCHS * -(-len(states) // BATCH), 0
    lengths = np.array([len(s) for s in states])
    for epoch in range(EPOCHS):
        total = 0.0
        for at in shuffled_batches(lengths, generator):
            vectors = upper([states[i] for i in at], adapted)
            features = functional.dropout((vectors - centre) * VECTOR_SCALE, DROPOUT)
            z = features @ reading[0].T + reading[1]
            z_intents, z_rating = z[:, 3:N_SENTENCE], z[:, N_SENTENCE:]
            loss = functional.cross_entropy(z[:, :3], polarity[at], reduction="none", label_smoothing=SMOOTHING)
            each = functional.binary_cross_entropy_with_logits(z_intents, wanted[at], reduction="none")
            rating = functional.cross_entropy(z_rating, polarity[at], reduction="none", label_smoothing=SMOOTHING)
            loss = (loss + INTENT_SHARE * each.sum(dim=1)) * weights[at] + rating * rating_weights[at]
            loss = loss.sum() / len(at)
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
