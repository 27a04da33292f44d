"""Names that the corpus uses and the dictionary does not know yet, for a person to accept (`voc terms`)."""

import re
from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from voc.japanese import Token
from voc.set_aside import MASK
from voc.terms import Terms, fold, plain_reading

COLUMNS = ("term", "kind", "synonyms", "reading", "n_sentences", "example")
_MIN_COUNT = 5
_COMPOUND = re.compile(r".*[一-龥々].*[一-龥々].*[一-龥々].*[一-龥々].*")  # Sudachi keeps 口座振替 as one word
_KATAKANA = re.compile(r"[ァ-ヴー・]{4,}")
_ENTIRELY = re.compile(r"[0-9０-９一二三四五六七八九十百千万年月日時分秒円回件%％:：/]+")
_LONGEST = 20
_PARTS = ("名詞-普通名詞", "名詞-固有名詞-一般", "接尾辞-名詞的", "接頭辞")
_EVERYDAY = frozenset("こと もの ところ ため とき よう 方 お客様 自分 今回 場合 以上 本当 最近 先日 今日 昨日 明日 さん 様 氏 側 用 達 等 何度 一式 丸ごと 一通り 一括 再度 毎回 全部 全".split())


def propose_terms(
    sentences: pd.DataFrame,
    *,
    tokenize: Callable[[Iterable[str]], list[list[Token]]],
    terms: Terms | None = None,
    min_count: int = _MIN_COUNT,
) -> pd.DataFrame:
    """Candidates for the dictionary, most frequent first: term, kind (empty), synonyms, reading, n_sentences, example.

    A candidate is a longest run of nouns (口座振替設定), a compound or a long katakana word in at least `min_count` sentences that is no
    spelling of `terms`. Spellings with one reading or one normalised form, and a katakana word with its short form
    (サブスク, サブスクリプション), are one row: the most frequent is the term, the others stand in `synonyms`, joined by |.
    """
    counts = sentences.loc[sentences["set_aside"].isna(), "text"].value_counts()
    rows = []
    for text, tokens in zip(counts.index, tokenize(counts.index), strict=True):
        rows += [(*run, text) for run in _runs(text, tokens)]
    frame = pd.DataFrame(rows, columns=["spelling", "reading", "normal", "is_word", "text"]).drop_duplicates(["spelling", "text"])
    if frame.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    frame["n"] = frame["text"].map(counts)
    frame["length"] = frame["text"].str.len()
    frame = frame.sort_values(["spelling", "length", "text"])
    found = frame.groupby("spelling").agg(reading=("reading", "first"), normal=("normal", "first"), is_word=("is_word", "first"), n=("n", "sum"), example=("text", "first"))
    known = set() if terms is None else set(terms.spellings)
    found = found[[fold(spelling) not in known for spelling in found.index]]
    found["group"] = _groups(found)
    total = found.groupby("group")["n"].transform("sum")
    found = found[total >= min_count]
    return _table(found)


def _runs(text: str, tokens: Sequence[Token]) -> list[tuple[str, str, str, bool]]:
    """(spelling, reading, normalised form, whether it is one word) of the noun runs in one text, masks left out."""
    masks = [match.span() for match in MASK.finditer(text)]
    runs, run = [], []
    for before, token in zip([None, *tokens], [*tokens, None], strict=True):
        is_part = token is not None and _is_part(token, before)
        is_part = is_part and not any(left <= token.start < right for left, right in masks)
        if is_part and (not run or run[-1].end == token.start):
            run.append(token)
            continue
        runs.append(run)
        run = [token] if is_part else []
    named = [(run, "".join(t.surface for t in run)) for run in runs if run and run[0].pos != "接尾辞"]
    return [
        (name, "".join(t.reading for t in run), "".join(t.normal for t in run), len(run) == 1)
        for run, name in named
        if len(name) <= _LONGEST and (sum(t.pos == "名詞" for t in run) >= 2 or _KATAKANA.fullmatch(name) or _COMPOUND.match(name))
    ]


def _is_part(token: Token, before: Token | None) -> bool:
    is_name = f"{token.pos}-{token.detail}".startswith(_PARTS) and "副詞可能" not in token.detail
    is_counter = before is not None and before.detail.startswith("数詞")  # 一度口座: 度 belongs to the number
    return is_name and not is_counter and token.surface not in _EVERYDAY and not _ENTIRELY.fullmatch(token.surface)


def _groups(found: pd.DataFrame) -> list[str]:
    """One name for the spellings of a word: the same reading, normalised form, or katakana beginning."""
    plain = {spelling: plain_reading(row.reading) for spelling, row in zip(found.index, found.itertuples(), strict=True)}
    first: dict[str, str] = {}
    names = []
    by_count = found.sort_values(["n"], ascending=False, kind="stable").index
    short = sorted((s for s in found.index if _KATAKANA.fullmatch(s)), key=lambda s: (len(s), s))
    for spelling in by_count:
        for key in (plain[spelling], found.at[spelling, "normal"]):
            first.setdefault(key, spelling)
    for spelling in found.index:
        name = first[plain[spelling]] if first[plain[spelling]] != spelling else first[found.at[spelling, "normal"]]
        if found.at[spelling, "is_word"]:
            head = next((s for s in short if s != spelling and len(s) >= 4 and spelling.startswith(s) and len(spelling) >= len(s) + 2), None)
            name = first[plain[head]] if head else name
        names.append(name)
    return names


def _table(found: pd.DataFrame) -> pd.DataFrame:
    ordered = found.reset_index().sort_values(["group", "n", "spelling"], ascending=[True, False, True])
    groups = ordered.groupby("group", sort=True)
    table = groups.agg(
        term=("spelling", "first"), synonyms=("spelling", lambda names: "|".join(names.iloc[1:])),
        reading=("reading", "first"), n_sentences=("n", "sum"), example=("example", "first"),
    )  # fmt: skip
    table = table.assign(kind="").sort_values(["n_sentences", "term"], ascending=[False, True])
    return table.reset_index(drop=True)[list(COLUMNS)]
