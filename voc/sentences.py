"""Customers' turns cut into sentences and clauses, with offsets into the masked text.

Speech has no punctuation and mail breaks lines inside sentences, so besides 。！？ a cut is made after a
polite sentence end (です, ます, ました, ません, … with か/ね/よ) that nothing grammatical follows, and where two
opinions are joined (voc.joints).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pandas as pd

from voc.japanese import Token, content_terms
from voc.joints import is_joint
from voc.set_aside import MASK, reason_to_set_aside
from voc.tables import SENTENCES, check
from voc.terms import Terms, find_terms

_FULL_STOP = re.compile(r"[。．！？!?♪☆]|\n\s*\n")
_BOUND = {"助詞", "助動詞", "接尾辞", "補助記号"}
_NOUN_LIKE = frozenset("事 物 時 際 為 様 筈 所 方 件 旨 為る 上 中 場合 間 通り 訳 儘".split())
_FREED = {"courtesy", "hold", "backchannel", "greeting"}  # 「サービスの件です」 where the company's product is so named
VOICES = ("customer", "unknown")
"""Speakers of TURNS whose words count as a customer's."""
_WRAPPED_LINE = 24  # a mail line at least so long may have been broken by the mailer, not by the writer


def split_sentences(
    turns: pd.DataFrame, *, tokenize: Callable[[Iterable[str]], list[list[Token]]], terms: Terms | None = None
) -> pd.DataFrame:
    """Sentences of the customers in `turns` (table TURNS) as table SENTENCES.

    `text` equals the turn's text from `start` to `end`. `terms` are normalised content words. `set_aside`
    names why a sentence carries no voice. Turns of operators and bots are context and give no rows; turns of an
    unknown speaker are read as the customer's. Each distinct turn text is analysed once. With `terms`, the company's
    dictionary, its names are content words under one spelling, and a sentence that names one is no mere courtesy.
    """
    voices = turns.loc[turns["speaker"].isin(VOICES), ["turn_id", "contact_id", "text"]]
    texts = voices["text"].drop_duplicates().tolist()
    pieces = {text: _pieces(text, tokens, terms) for text, tokens in zip(texts, tokenize(texts), strict=True)}
    rows = voices.assign(piece=voices["text"].map(pieces)).drop(columns="text").explode("piece").dropna(subset=["piece"])
    parts = pd.DataFrame(rows.pop("piece").tolist(), index=rows.index, columns=["start", "end", "text", "terms", "set_aside"])
    rows = pd.concat([rows, parts], axis=1)
    rows["position"] = rows.groupby("turn_id").cumcount()
    rows["sentence_id"] = rows["turn_id"] + "-" + rows["position"].astype(str).str.zfill(3)
    return check(rows, SENTENCES)


def _pieces(text: str, tokens: Sequence[Token], terms: Terms | None) -> list[tuple]:
    found = [] if terms is None else find_terms(text, tokens, terms=terms)
    rows, masks = [], [match.span() for match in MASK.finditer(text)]
    cuts = [0, *sentence_ends(text, tokens), len(text)]
    for begin, stop in pairwise(cuts):
        piece = text[begin:stop]
        start = begin + len(piece) - len(piece.lstrip())
        end = begin + len(piece.rstrip())
        if start < end:
            own = [t for t in tokens if t.start >= start and t.end <= end]
            words = [t for t in own if not any(left <= t.start < right for left, right in masks)]
            named = [f for f in found if f.start >= start and f.end <= end]
            reason = reason_to_set_aside(text[start:end], own)
            if named and reason in _FREED:
                reason = None
            plain = [t for t in words if not any(f.start <= t.start < f.end for f in named)]
            names = list(dict.fromkeys(f.term for f in named))
            rows.append((start, end, text[start:end], [*names, *content_terms(plain)], reason))
    return rows


def sentence_ends(text: str, tokens: Sequence[Token]) -> list[int]:
    """Offsets in `text` after which a new sentence or clause begins (without the end of the text)."""
    ends, last = [], 0
    for i, token in enumerate(tokens[:-1]):
        following = tokens[i + 1]
        cut = (
            _FULL_STOP.search(token.surface) is not None
            or (_is_polite_end(tokens, i) and _begins(following))
            or is_joint(tokens, i, last)
            or ("\n" in token.surface and _line_ends_here(text, tokens, i))
        )
        if cut and following.pos == "補助記号" and _FULL_STOP.search(following.surface):
            cut = False  # 「！！」 and 「です。」 end once, after the last mark
        if cut:
            ends.append(token.end)
            last = token.end
    return ends


def _begins(token: Token) -> bool:
    """Whether a new sentence may begin with `token`; a mask ([氏名1]) is a noun."""
    return (token.pos not in _BOUND or token.surface == "[") and token.surface not in {"の", "と"} and token.normal not in _NOUN_LIKE


def _is_polite_end(tokens: Sequence[Token], i: int) -> bool:
    while i > 0 and tokens[i].detail == "終助詞":
        i -= 1
    token = tokens[i]
    # without punctuation 「思います|他社は」 is read as 思います before a noun; 〜ております商品 does stand before one
    is_read_on = token.form.startswith("連体形") and token.normal in {"です", "ます"} and i > 0 and tokens[i - 1].normal not in {"居る", "御座る", "頂く"}
    if token.pos != "助動詞" or not (token.form.startswith(("終止形", "意志推量形")) or is_read_on):
        return False
    if token.normal in {"です", "ます"}:
        return True
    return i > 0 and tokens[i - 1].normal in {"です", "ます"}  # でした, ました, ません, ましょう


def _line_ends_here(text: str, tokens: Sequence[Token], i: int) -> bool:
    line = text[: tokens[i].start].rsplit("\n", 1)[-1]
    if len(line.strip()) < _WRAPPED_LINE:
        return True
    before = tokens[i - 1] if i else None
    return before is None or (before.pos not in {"助詞", "名詞", "接頭辞", "連体詞"} and before.surface not in {"、", "，"})
