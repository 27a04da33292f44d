"""The heavy work of a run on one chunk of texts: what a worker process does, with its models loaded once.

Whatever the chunk runs in (this process, another one, a Dask worker) it computes in one thread, so that the digits of
its results are the same. Frames and arrays go in and come out; lists would be looked through by Prefect item by item.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from flows.tasks import Unsaid, task
from voc import japanese
from voc.embeddings import embed, embed_e5_and_opinions
from voc.lexicon import read_evidence
from voc.opinions import decided_quickly, judge_opinions, load_heads
from voc.part_results import judged_rows
from voc.parts import load_part
from voc.privacy import mask_contacts
from voc.requests import read_wishes
from voc.sentences import split_sentences
from voc.terms import Terms, flag_competitors

OPINION_MODEL, PLAIN_E5 = "opinions", "e5"  # E5 adapted to the task, and as it is


def mask_chunk(
    contacts: pd.DataFrame, turns: pd.DataFrame, key: bytes, id_patterns: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]] | Unsaid:
    """`mask_contacts` of some contacts and their turns, names found by Sudachi and GiNZA; a fault is returned as Unsaid."""
    try:
        with threadpool_limits(1):
            return mask_contacts(contacts, turns, key=key, names=japanese.person_names, name_like=japanese.name_like, id_patterns=id_patterns)
    except Exception as error:  # noqa: BLE001 - of any fault the words may be a customer's
        return Unsaid(error)


def sentence_chunk(turns: pd.DataFrame, terms: Terms | None) -> pd.DataFrame:
    """SENTENCES of `turns`."""
    return split_sentences(turns, tokenize=japanese.tokenize, terms=terms)


def vector_chunk(texts: pd.Series, model: str) -> np.ndarray:
    """Vectors of `texts`, float32 (n, dimension)."""
    with threadpool_limits(1):
        return embed(texts.tolist(), model=model)


def opinion_chunk(
    texts: pd.DataFrame, *, use: np.ndarray, known: np.ndarray, plain: np.ndarray, terms: Terms | None, judge: str | None = None
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """(OPINIONS of `texts`, in their order; the vectors of the adapted E5 that they needed, NaN elsewhere; `plain` with those added that came with them).

    `texts`: sentence_id, text. `use`: their vectors of USE. `known`: their vectors of the adapted E5 as far as they are
    stored, NaN elsewhere; `plain`: those of E5 itself, of width 0 where nobody wants them. It has layers in common with the
    adapted one, so that both together cost three quarters. `judge`: module:function in place of voc's own heads, which needs none of these vectors.
    """
    if judge is not None:
        with threadpool_limits(1):
            opinions = judged_rows(load_part(judge), texts)
        return _flagged(opinions, texts, terms), np.full_like(known, np.nan), plain
    heads, words = load_heads(), texts["text"].tolist()
    with threadpool_limits(1):
        evidence = read_evidence(words)
        is_open = ~decided_quickly(words, heads=heads, use=use, evidence=evidence)
        vectors = np.where(is_open[:, None], known, np.float32(np.nan)).astype(np.float32)
        vectors, plain = _with_new(texts["text"].to_numpy(), is_open & np.isnan(vectors[:, 0]), vectors, plain)
        opinions = judge_opinions(texts, vectors, heads=heads, use=use, evidence=evidence)
    return _flagged(opinions, texts, terms), vectors, plain


def _with_new(texts: np.ndarray, is_new: np.ndarray, adapted: np.ndarray, plain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the vectors of the texts that are new; those of `plain` only where it lacks them."""
    plain = plain.copy()
    lacks_both = is_new & np.isnan(plain).any(axis=1)
    plain[lacks_both], adapted[lacks_both] = embed_e5_and_opinions(texts[lacks_both])
    is_left = is_new & ~lacks_both
    adapted[is_left] = embed(texts[is_left], model=OPINION_MODEL)
    return adapted, plain


def _flagged(opinions: pd.DataFrame, texts: pd.DataFrame, terms: Terms | None) -> pd.DataFrame:
    opinions = opinions if terms is None else flag_competitors(opinions, texts, terms=terms)
    return opinions.set_index("sentence_id").loc[texts["sentence_id"]].reset_index()


def wish_chunk(texts: pd.Series, terms: Terms | None) -> pd.DataFrame:
    """`read_wishes` of `texts`, parsed by GiNZA."""
    with threadpool_limits(1):
        return read_wishes(texts.tolist(), parse=japanese.parse, terms=terms)


mask_chunk_task = task(mask_chunk, name="マスク")
sentence_chunk_task = task(sentence_chunk, name="文への分割")
vector_chunk_task = task(vector_chunk, name="ベクトル化")
opinion_chunk_task = task(opinion_chunk, name="意見の判定")
wish_chunk_task = task(wish_chunk, name="要望の抽出")
