"""Texts -> vectors of E5-small, read from its file (voc/e5_file.py).

Where the processor multiplies 8-bit integers (VNNI, AMX), texts are read in those: 1.8 x as many a second as in float32,
mean cosine with its vectors .999. Each row of states has a scale of its own, so a text's vector is the same beside any
others; sums of integers are exact in any order.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from voc.e5_file import E5, Integers, dequantise

_PREFIX = "query: "  # the model card asks for it where texts are compared with each other
_TOKENS_PER_BATCH = 512  # so few that the states stay in the cache
_TOP = 127  # the largest 8-bit integer that has a negative


def precision() -> str:
    """What texts are read in on this processor: int8 where it multiplies such integers, else float32."""
    return "int8" if torch.cpu._is_vnni_supported() else "float32"


def in_integers(*models: E5) -> list[E5]:
    """`models` with the matrices of their layers rounded to 8 bits, a scale for each output; as they are where `precision`
    says so. A matrix that several share is rounded once and shared again."""
    if precision() != "int8":
        return list(models)
    made: dict[tuple[int, ...], Integers] = {}
    return [_in_integers(model, made) for model in models]


def _in_integers(model: E5, made: dict[tuple[int, ...], Integers]) -> E5:
    w, integers = model.layers, {}
    for i in range(model.n_layers):
        for name, parts in {"qkv": "qkv", "ao": ("ao",), "fi": ("fi",), "fo": ("fo",)}.items():
            weights, biases = ([w[f"l{i}.{part}.{kind}"] for part in parts] for kind in "wb")
            key = tuple(map(id, (*weights, *biases)))
            if key not in made:
                made[key] = _rounded(torch.cat(weights), torch.cat(biases))
            integers[f"l{i}.{name}"] = made[key]
    is_left = {name: "ln." in name or name.startswith("emb.") for name in w}
    return replace(model, layers={name: w[name] for name in w if is_left[name]}, integers=integers)


def _rounded(weights: torch.Tensor, bias: torch.Tensor) -> Integers:
    scales = weights.abs().amax(1) / _TOP
    return Integers((weights / scales[:, None]).round().to(torch.int8).t().contiguous(), scales, bias)


def encode_e5(texts: list[str], *, model: E5) -> np.ndarray:
    """Unit vectors float32 (n, 384) of `texts`; a text's vector does not depend on the texts beside it."""
    return encode_side_by_side(texts, models=[model])[0]


def encode_side_by_side(texts: list[str], *, models: Sequence[E5]) -> list[np.ndarray]:
    """`encode_e5` of `texts` under each of `models`, which differ in some of their last layers; the layers before those are read once.

    In floats a batch has one of few fixed shapes (rows x padded length), as the last digits depend on the shape; in
    integers they do not depend on the rows, so a batch is as it comes, with few or no filler.
    """
    first = models[0]
    ids = token_ids(texts, first)
    by_length: dict[int, list[int]] = {}
    for i, row in enumerate(ids):
        by_length.setdefault(_padded_length(len(row), first), []).append(i)
    vectors = [np.empty((len(texts), len(first.layers["emb.ln.w"])), dtype=np.float32) for _ in models]
    n_shared = _shared_layers(models)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # how work is shared out among threads would show in the last digits
    try:
        for batch, padded, lengths in _batches(ids, by_length, first):
            for own, found in zip(vectors, _forward(padded, lengths, models, n_shared), strict=True):
                own[batch] = found[: len(batch)]
    finally:
        torch.set_num_threads(n_threads)
    return vectors


def _shared_layers(models: Sequence[E5]) -> int:
    """How many layers, from the first on, all models have in common."""
    first, *others = models

    def is_shared(start: str) -> bool:
        return all(
            getattr(other, kind)[name] is tensor
            for other in others for kind in ("layers", "integers") for name, tensor in getattr(first, kind).items() if name.startswith(start)
        )  # fmt: skip

    if not is_shared("emb."):
        raise ValueError("the models read other words; give models that were adapted from one")
    return next((i for i in range(first.n_layers) if not is_shared(f"l{i}.")), first.n_layers)


def token_ids(texts: list[str], model: E5) -> list[list[int]]:
    """The pieces of each text, the prefix and the two marks included, cut at the model's length."""
    plain = [_PREFIX + " ".join(unicodedata.normalize("NFKC", text).split()) for text in texts]
    return [encoding.ids for encoding in model.tokenizer.encode_batch(plain)]


def _batches(ids: list[list[int]], by_length: dict[int, list[int]], model: E5) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    """(members, their padded ids, their lengths) of each batch."""
    for length, members in sorted(by_length.items()):
        n_rows = max(1, _TOKENS_PER_BATCH // length)
        for start in range(0, len(members), n_rows):
            batch = members[start : start + n_rows]
            shape = (len(batch) if model.integers else n_rows, length)
            padded = np.full(shape, model.pad, dtype=np.int64)
            lengths = np.ones(len(padded), dtype=np.int64)  # filler rows keep one token, so no mean divides by zero
            for row, i in enumerate(batch):
                padded[row, : len(ids[i])] = ids[i]
                lengths[row] = len(ids[i])
            yield batch, padded, lengths


def _padded_length(n_tokens: int, model: E5) -> int:
    """What a text of so many tokens is filled up to."""
    short = 1 if model.integers else 8
    step = short if n_tokens <= 64 else 32 if n_tokens <= 128 else 128
    return min(-(-n_tokens // step) * step, model.max_tokens)


@torch.inference_mode()
def _forward(ids: np.ndarray, lengths: np.ndarray, models: Sequence[E5], n_shared: int) -> list[np.ndarray]:
    mask = torch.from_numpy(np.arange(ids.shape[1])[None, :] < lengths[:, None])
    first = models[0]
    read = _read_in_integers if first.integers else run_layers
    x = read(word_states(ids, first), mask, first, range(n_shared))
    return [mean_state(read(x, mask, model, range(n_shared, model.n_layers)), mask).numpy() for model in models]


def word_states(ids: np.ndarray, model: E5) -> torch.Tensor:
    """What the first layer reads: (rows, length, 384) of the padded token ids."""
    w = model.layers
    rows, inverse = np.unique(ids, return_inverse=True)
    words = torch.from_numpy(dequantise(model.words[rows])[inverse.reshape(ids.shape)])
    x = words + w["emb.pos"][: ids.shape[1]] + w["emb.type"][0]
    return _norm(x, w, "emb.ln", model.eps)


def run_layers(x: torch.Tensor, mask: torch.Tensor, model: E5, layers: range) -> torch.Tensor:
    """Post-norm BERT with exact GELU: the states after `layers`; `mask` (rows, length) is False at filler."""
    w, (n_rows, length, hidden) = model.layers, x.shape
    attend = _attend(mask)
    for i in layers:
        q, k, v = (
            _linear(x, w, f"l{i}.{part}").view(n_rows, length, model.n_heads, -1).transpose(1, 2) for part in "qkv"
        )
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=attend)
        seen = seen.transpose(1, 2).reshape(n_rows, length, hidden)
        x = _norm(x + _linear(seen, w, f"l{i}.ao"), w, f"l{i}.aln", model.eps)
        x = _norm(x + _linear(functional.gelu(_linear(x, w, f"l{i}.fi")), w, f"l{i}.fo"), w, f"l{i}.oln", model.eps)
    return x


def _read_in_integers(x: torch.Tensor, mask: torch.Tensor, model: E5, layers: range) -> torch.Tensor:
    """`run_layers` with products of 8-bit integers."""
    w, m, (n_rows, length, hidden) = model.layers, model.integers, x.shape
    attend, x = _attend(mask), x.reshape(-1, hidden)
    for i in layers:
        q, k, v = _product(x, m[f"l{i}.qkv"]).view(n_rows, length, 3, model.n_heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=attend).transpose(1, 2).reshape(-1, hidden)
        x = _norm(x + _product(seen, m[f"l{i}.ao"]), w, f"l{i}.aln", model.eps)
        inner = functional.gelu(_product(x, m[f"l{i}.fi"]))
        x = _norm(x + _product(inner, m[f"l{i}.fo"]), w, f"l{i}.oln", model.eps)
    return x.view(n_rows, length, hidden)


def _attend(mask: torch.Tensor) -> torch.Tensor | None:
    return None if bool(mask.all()) else mask[:, None, None, :]


def _product(x: torch.Tensor, matrix: Integers) -> torch.Tensor:
    """x (tokens, inputs) times the matrix, plus its bias; each token is rounded by its own largest value."""
    largest = torch.maximum(x.amax(1, keepdim=True), x.amin(1, keepdim=True).neg_())  # in half the time of x.abs().amax()
    scales = largest.clamp_min_(1e-8).div_(_TOP)
    sums = torch._int_mm(x.div(scales).round_().to(torch.int8), matrix.values)
    return sums.float().mul_(matrix.scales).mul_(scales).add_(matrix.bias)


def mean_state(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens, unit length: (rows, 384)."""
    total = (x * mask[:, :, None]).sum(1)
    return functional.normalize(total / mask.sum(1, keepdim=True))


def _linear(x: torch.Tensor, w: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    y = functional.linear(x, w[name + ".w"], w[name + ".b"])
    if name + ".up" in w:  # a low-rank change that is being trained; `adapt_e5` adds a trained one to the weight
        y = y + functional.linear(functional.linear(x, w[name + ".down"]), w[name + ".up"])
    return y


def _norm(x: torch.Tensor, w: dict[str, torch.Tensor], name: str, eps: float) -> torch.Tensor:
    return functional.layer_norm(x, x.shape[-1:], w[name + ".w"], w[name + ".b"], eps)


def adapt_e5(model: E5, path: Path) -> E5:
    """`model` with the low-rank changes of a file that models/opinions/adapt.py wrote: weight + up x down.

    The layers that the file does not name are shared with `model`, not copied.
    """
    with np.load(path, allow_pickle=False) as stored:
        changes = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
    layers = dict(model.layers)
    for name in sorted({key.rpartition(".")[0] for key in changes}):
        change = changes[name + ".up"] @ changes[name + ".down"]
        layers[name + ".w"] = layers[name + ".w"] + change
    return replace(model, layers=layers)
