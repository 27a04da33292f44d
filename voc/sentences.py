"""Customers' turns cut into sentences and clauses, with offsets into the masked text.

Speech has no punctuation and mail breaks lines inside sentences, so besides 。！？ a cut is made after a
polite sentence end (です, ます, ました, ません, … with か/ね/よ) that nothing grammatical follows, and after a
contrastive けど/が that joins two predicates.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pandas as pd

from voc.japanese import Token, content_terms
from voc.set_aside import MASK, reason_to_set_aside
from voc.tables import SENTENCES, check

_FULL_STOP = re.compile(r"[。．！？!?♪☆]|\n\s*\n")
_CONTRAST = {"けど", "けれど", "けれども", "が", "けども"}
_PREDICATE = {"動詞", "形容詞", "助動詞", "形状詞"}
_BOUND = {"助詞", "助動詞", "接尾辞", "補助記号"}
_VOICES = ("customer", "unknown")
_WRAPPED_LINE = 24  # a mail line at least so long may have been broken by the mailer, not by the writer
_MIN_CLAUSE = 6
_PREAMBLE_RIGHT = 20  # 「変更したいのですが、どこからできますか」 is one matter; a long right side is a second one


def split_sentences(
    turns: pd.DataFrame, *, tokenize: Callable[[Iterable[str]], list[list[Token]]]
) -> pd.DataFrame:
    """Sentences of the customers in `turns` (table TURNS) as table SENTENCES.

    `text` equals the turn's text from `start` to `end`. `terms` are normalised content words. `set_aside`
    names why a sentence carries no voice. Turns of operators and bots are context and give no rows; turns of an
    unknown speaker are read as the customer's. Each distinct turn text is analysed once.
    """
    voices = turns.loc[turns["speaker"].isin(_VOICES), ["turn_id", "contact_id", "text"]]
    texts = voices["text"].drop_duplicates().tolist()
    pieces = {text: _pieces(text, tokens) for text, tokens in zip(texts, tokenize(texts), strict=True)}
    rows = voices.assign(piece=voices["text"].map(pieces)).drop(columns="text").explode("piece").dropna(subset=["piece"])
    parts = pd.DataFrame(rows.pop("piece").tolist(), index=rows.index, columns=["start", "end", "text", "terms", "set_aside"])
    rows = pd.concat([rows, parts], axis=1)
    rows["position"] = rows.groupby("turn_id").cumcount()
    rows["sentence_id"] = rows["turn_id"] + "-" + rows["position"].astype(str).str.zfill(3)
    return check(rows, SENTENCES)


def _pieces(text: str, tokens: Sequence[Token]) -> list[tuple]:
    rows, masks = [], [match.span() for match in MASK.finditer(text)]
    cuts = [0, *sentence_ends(text, tokens), len(text)]
    for begin, stop in pairwise(cuts):
        piece = text[begin:stop]
        start = begin + len(piece) - len(piece.lstrip())
        end = begin + len(piece.rstrip())
        if start < end:
            own = [t for t in tokens if t.start >= start and t.end <= end]
            words = [t for t in own if not any(left <= t.start < right for left, right in masks)]
            reason = reason_to_set_aside(text[start:end], own)
            rows.append((start, end, text[start:end], content_terms(words), reason))
    return rows


def sentence_ends(text: str, tokens: Sequence[Token]) -> list[int]:
    """Offsets in `text` after which a new sentence or clause begins (without the end of the text)."""
    ends, last = [], 0
    for i, token in enumerate(tokens[:-1]):
        following = tokens[i + 1]
        cut = (
            _FULL_STOP.search(token.surface) is not None
            or (_is_polite_end(tokens, i) and following.pos not in _BOUND and following.surface not in {"の", "と"})
            or _is_contrast(tokens, i, last)
            or ("\n" in token.surface and _line_ends_here(text, tokens, i))
        )
        if cut and following.pos == "補助記号" and _FULL_STOP.search(following.surface):
            cut = False  # 「！！」 and 「です。」 end once, after the last mark
        if cut:
            ends.append(token.end)
            last = token.end
    return ends


def _is_polite_end(tokens: Sequence[Token], i: int) -> bool:
    while i > 0 and tokens[i].detail == "終助詞":
        i -= 1
    token = tokens[i]
    if token.pos != "助動詞" or not token.form.startswith(("終止形", "意志推量形")):
        return False
    if token.normal in {"です", "ます"}:
        return True
    return i > 0 and tokens[i - 1].normal in {"です", "ます"}  # でした, ました, ません, ましょう


def _is_contrast(tokens: Sequence[Token], i: int, last: int) -> bool:
    token = tokens[i]
    if i and tokens[i].surface in {"、", "，"}:
        i -= 1
        token = tokens[i]
    elif i + 1 < len(tokens) and tokens[i + 1].surface in {"、", "，"}:
        return False  # cut after the comma, not before it
    if token.surface not in _CONTRAST or token.pos != "助詞" or token.detail != "接続助詞":
        return False
    right = tokens[i + 1 :]
    is_preamble = i > 1 and tokens[i - 2].surface in {"の", "ん"} and tokens[i - 1].normal in {"です", "だ"}
    return (
        token.end - last >= _MIN_CLAUSE
        and tokens[-1].end - token.end >= (_PREAMBLE_RIGHT if is_preamble else _MIN_CLAUSE)
        and any(t.pos in _PREDICATE for t in right)
    )


def _line_ends_here(text: str, tokens: Sequence[Token], i: int) -> bool:
    line = text[: tokens[i].start].rsplit("\n", 1)[-1]
    if len(line.strip()) < _WRAPPED_LINE:
        return True
    before = tokens[i - 1] if i else None
    return before is None or (before.pos not in {"助詞", "名詞", "接頭辞", "連体詞"} and before.surface not in {"、", "，"})
