"""Texts -> vectors of E5-small, read from its file (voc/e5_file.py).

Where the processor multiplies 8-bit integers (VNNI, AMX), texts are read in those: 1.8 x as many a second as in float32,
mean cosine with its vectors .999. Each row of states has a scale of its own, so a text's vector is the same beside any
others; sums of integers are exact in any order.
"""

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from voc.e5_file import E5, Integers, dequantise

_PREFIX = "query: "  # the model card asks for it where texts are compared with each other
_TOKENS_PER_BATCH = 512
"""So few that the states stay in the cache: 92 texts a processor second in place of 83 of twice as many, with the same vectors."""
_TOP = 127  # the largest 8-bit integer that has a negative


def precision() -> str:
    """What texts are read in on this processor: int8 where it multiplies such integers, else float32."""
    return "int8" if torch.cpu._is_vnni_supported() else "float32"


def in_integers(model: E5) -> E5:
    """`model` with the matrices of its layers rounded to 8 bits, a scale for each output; as it is where `precision` says so."""
    if precision() != "int8":
        return model
    w, integers = model.layers, {}
    for i in range(model.n_layers):
        integers[f"l{i}.qkv"] = _rounded(*(torch.cat([w[f"l{i}.{part}.{kind}"] for part in "qkv"]) for kind in "wb"))
        integers |= {name: _rounded(w[name + ".w"], w[name + ".b"]) for name in (f"l{i}.ao", f"l{i}.fi", f"l{i}.fo")}
    is_left = {name: "ln." in name or name.startswith("emb.") for name in w}
    return replace(model, layers={name: w[name] for name in w if is_left[name]}, integers=integers)


def _rounded(weights: torch.Tensor, bias: torch.Tensor) -> Integers:
    scales = weights.abs().amax(1) / _TOP
    return Integers((weights / scales[:, None]).round().to(torch.int8).t().contiguous(), scales, bias)


def encode_e5(texts: list[str], *, model: E5) -> np.ndarray:
    """Unit vectors float32 (n, 384) of `texts`. Every batch has one of few fixed shapes (rows x padded length),
    so a text's vector does not depend on the texts beside it."""
    ids = token_ids(texts, model)
    by_length: dict[int, list[int]] = {}
    for i, row in enumerate(ids):
        by_length.setdefault(_padded_length(len(row), model.max_tokens), []).append(i)
    vectors = np.empty((len(texts), len(model.layers["emb.ln.w"])), dtype=np.float32)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # how work is shared out among threads would show in the last digits
    try:
        _encode_by_length(ids, by_length, vectors, model)
    finally:
        torch.set_num_threads(n_threads)
    return vectors


def token_ids(texts: list[str], model: E5) -> list[list[int]]:
    """The pieces of each text, the prefix and the two marks included, cut at the model's length."""
    plain = [_PREFIX + " ".join(unicodedata.normalize("NFKC", text).split()) for text in texts]
    return [encoding.ids for encoding in model.tokenizer.encode_batch(plain)]


def _encode_by_length(ids: list[list[int]], by_length: dict[int, list[int]], vectors: np.ndarray, model: E5) -> None:
    for length, members in sorted(by_length.items()):
        n_rows = max(1, _TOKENS_PER_BATCH // length)
        for start in range(0, len(members), n_rows):
            batch = members[start : start + n_rows]
            padded = np.full((n_rows, length), model.pad, dtype=np.int64)
            lengths = np.ones(n_rows, dtype=np.int64)  # filler rows keep one token, so no mean divides by zero
            for row, i in enumerate(batch):
                padded[row, : len(ids[i])] = ids[i]
                lengths[row] = len(ids[i])
            vectors[batch] = _forward(padded, lengths, model)[: len(batch)]


def _padded_length(n_tokens: int, longest: int) -> int:
    step = 8 if n_tokens <= 64 else 32 if n_tokens <= 128 else 128
    return min(-(-n_tokens // step) * step, longest)


@torch.inference_mode()
def _forward(ids: np.ndarray, lengths: np.ndarray, model: E5) -> np.ndarray:
    mask = torch.from_numpy(np.arange(ids.shape[1])[None, :] < lengths[:, None])
    read = _read_in_integers if model.integers else run_layers
    x = read(word_states(ids, model), mask, model, range(model.n_layers))
    return mean_state(x, mask).numpy()


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
    attend = mask[:, None, None, :]
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
    attend, x = mask[:, None, None, :], x.reshape(-1, hidden)
    for i in layers:
        q, k, v = _product(x, m[f"l{i}.qkv"]).view(n_rows, length, 3, model.n_heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=attend).transpose(1, 2).reshape(-1, hidden)
        x = _norm(x + _product(seen, m[f"l{i}.ao"]), w, f"l{i}.aln", model.eps)
        inner = functional.gelu(_product(x, m[f"l{i}.fi"]))
        x = _norm(x + _product(inner, m[f"l{i}.fo"]), w, f"l{i}.oln", model.eps)
    return x.view(n_rows, length, hidden)


def _product(x: torch.Tensor, matrix: Integers) -> torch.Tensor:
    """x (tokens, inputs) times the matrix, plus its bias; each token is rounded by its own largest value."""
    scales = x.abs().amax(1, keepdim=True).clamp_min(1e-8) / _TOP
    sums = torch._int_mm((x / scales).round_().to(torch.int8), matrix.values)
    return torch.addcmul(matrix.bias, sums.float().mul_(matrix.scales), scales)


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
