"""Requests of sentences as one normalised phrase: what is to change, in plain Japanese."""

from collections.abc import Callable, Sequence

import pandas as pd

from voc.clauses import Clause, main_clause
from voc.japanese import Word
from voc.tables import REQUESTS, check, empty

_IS_REQUEST = 0.5
_IMPLIED = ("できず", "出来ず", "できなくて", "ないので不便", "なくて不便", "れず")


def normalise_requests(
    sentences: pd.DataFrame, opinions: pd.DataFrame, *, parse: Callable[[Sequence[str]], list[list[Word]]]
) -> pd.DataFrame:
    """Table REQUESTS for the sentences that ask for a change (p_request >= 0.5) or imply one (〜できず不便).

    `parse` is `voc.japanese.parse`; it sees each distinct text once. `phrase` is 〜の追加 / 〜を止める, `object` the
    thing, `change` what is wished of it. Sentences whose structure names neither give no row.
    """
    asked = opinions.loc[opinions["p_request"] >= _IS_REQUEST, ["sentence_id"]].assign(is_implied=False)
    texts = sentences[["sentence_id", "text"]]
    implied = opinions.loc[(opinions["p_complaint"] >= _IS_REQUEST) & (opinions["p_request"] < _IS_REQUEST), ["sentence_id"]]
    implied = implied.merge(texts, on="sentence_id")
    implied = implied.loc[implied["text"].map(lambda text: any(mark in text for mark in _IMPLIED)), ["sentence_id"]]
    rows = pd.concat([asked, implied.assign(is_implied=True)], ignore_index=True).merge(texts, on="sentence_id")
    if rows.empty:
        return empty(REQUESTS)
    distinct = rows["text"].drop_duplicates().tolist()
    found = {text: _request(main_clause(words)) for text, words in zip(distinct, parse(distinct), strict=True)}
    rows["found"] = rows["text"].map(found)
    rows = rows.dropna(subset=["found"])
    parts = pd.DataFrame(rows["found"].tolist(), index=rows.index, columns=["phrase", "object", "change", "place"])
    return check(pd.concat([rows[["sentence_id", "is_implied"]], parts], axis=1), REQUESTS)


def _request(clause: Clause | None) -> tuple[str, str | None, str, str | None] | None:
    if clause is None or (not clause.arguments and len(clause.predicate) < 4):
        return None
    thing = clause.case("を", "が", "の")
    place = clause.case("で", "から", "に")
    change = clause.predicate
    if thing and change.endswith("する") and not clause.is_negative:
        return f"{thing}の{change.removesuffix('する')}", thing, change.removesuffix("する"), place
    return clause.text(), thing, change, place
