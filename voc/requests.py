"""Requests of sentences as one normalised phrase: what is to change, as a product manager would write it."""

from collections.abc import Callable, Sequence

import pandas as pd

from voc.cleaning.fillers import bare_places, bare_text
from voc.japanese import Word
from voc.tables import REQUESTS, check, empty
from voc.terms import Terms, find_terms, fold_names
from voc.wish_words import REPORT, WISHING
from voc.wishes import Wish, read_wish

_IS_REQUEST = 0.5
_WISH = ["text", "phrase", "object", "change", "place", "words"]
_PLACE_KINDS = ("screen", "feature")
# すべて and ずっと, 開放せず (did not) and 片付いてなくて (is not) tell no wish to be able
_IMPLIED = r"(?:でき|出来|られ|[えけげねべめれ]|(?<![一-龥]{2})せ)(?:ず(?!っと|つ|いぶん)|ないので|ないため|なくて|なくって|ないのが|ないのは)"

# a question about the way is no wish for a change, however the heads score it
_HOW_TO = (
    r"(?:どう|どのように)(?:すれば|したら|やれば|やって|やったら|設定すれば|[^、。]{0,8}すれば)[^。]*(?:か|かな[^。]*|か[^。]{0,12}|いい|良い|よい)[。？?]*$"
    r"|(?:何|なに|どれ|どちら)(?:から|を|で)[^、。]{0,8}(?:ば|たら)[^。]{0,6}(?:いい|良い|よい|よろしい)"
    r"|(?:どの|どこ)[^、。]{0,14}(?:ば|たら)[^。]{0,6}(?:いい|良い|よい|よろしい)"
)


def normalise_requests(
    sentences: pd.DataFrame,
    opinions: pd.DataFrame,
    *,
    parse: Callable[[Sequence[str]], list[list[Word]]],
    terms: Terms | None = None,
) -> pd.DataFrame:
    """Table REQUESTS for the sentences that ask for a change (p_request >= 0.5) or imply one (〜できず不便).

    `parse` is `voc.japanese.parse`; it sees each distinct text once. `phrase` is the thing and the change as one
    noun phrase (請求書PDFの一括ダウンロード), `object` the thing, `change` the noun of the change, `place` the screen,
    step or feature (a screen or feature of `terms`, the company's dictionary, comes first and gives its own name to
    synonyms), `words` the words of the sentence that say so. A sentence whose structure names no change, and
    one that tells the speaker's own plan (また行きたい), gives no row.
    """
    rows = requested(sentences, opinions)
    return request_rows(rows, read_wishes(rows["text"].drop_duplicates().tolist(), parse=parse, terms=terms))


def requested(sentences: pd.DataFrame, opinions: pd.DataFrame) -> pd.DataFrame:
    """sentence_id, text, is_implied of the sentences that may hold a request: what `read_wishes` has to look at."""
    asked = opinions.loc[opinions["p_request"] >= _IS_REQUEST, ["sentence_id"]].assign(is_implied=False)
    texts = sentences[["sentence_id", "text"]]
    implied = opinions.loc[(opinions["p_complaint"] >= _IS_REQUEST) & (opinions["p_request"] < _IS_REQUEST), ["sentence_id"]]
    implied = implied.merge(texts, on="sentence_id")
    implied = implied.loc[implied["text"].str.contains(_IMPLIED), ["sentence_id"]]
    rows = pd.concat([asked, implied.assign(is_implied=True)], ignore_index=True).merge(texts, on="sentence_id")
    rows = rows[~rows["text"].str.contains(_HOW_TO)]
    return rows[~rows["text"].str.contains(REPORT) | rows["text"].str.contains(WISHING)].reset_index(drop=True)


def read_wishes(texts: Sequence[str], *, parse: Callable[[Sequence[str]], list[list[Word]]], terms: Terms | None = None) -> pd.DataFrame:
    """text, phrase, object, change, place, words, one row per text; all but `text` empty where it names no change."""
    parsed = parse([bare_text(text) for text in texts]) if len(texts) else []
    rows = [_row(text, read_wish(words), terms) for text, words in zip(texts, parsed, strict=True)]
    return pd.DataFrame(rows, columns=_WISH, dtype="object")


def request_rows(rows: pd.DataFrame, wishes: pd.DataFrame) -> pd.DataFrame:
    """Table REQUESTS from `requested` and the wishes (`read_wishes`) of its texts."""
    found = wishes[_WISH].dropna(subset=["phrase"])
    if rows.empty or found.empty:
        return empty(REQUESTS)
    return check(rows.merge(found, on="text").drop(columns="text"), REQUESTS)


def _row(text: str, wish: Wish | None, terms: Terms | None) -> tuple:
    if wish is None:
        return (text, *[None] * 5)
    places = bare_places(text)
    said = text[places[wish.start] : places[wish.end - 1] + 1]
    if terms is None:
        return text, wish.phrase, wish.thing, wish.change, wish.place, said
    phrase, thing, place = (part and fold_names(part, find_terms(part, [], terms=terms)) for part in (wish.phrase, wish.thing, wish.place))
    named = [f.term for f in find_terms(text, [], terms=terms) if f.kind in _PLACE_KINDS and f.term not in phrase]
    return text, phrase, thing, wish.change, next(iter(named), place), said
