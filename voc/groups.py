"""Issues in any table of texts, without configuration, customers and store: `voc group`."""

from collections.abc import Callable, Sequence

import pandas as pd

from voc.config import Issues
from voc.embeddings import embed, join_vectors
from voc.issues.ledger import LedgerUpdate, update_ledger
from voc.issues.prototypes import reported
from voc.japanese import Word
from voc.tables import ISSUE_EVENTS, ISSUES, empty

GROUPED = ("row", "issue_id", "label", "kind", "probability")
"""Columns of what `group` gives."""
_MODELS = ("e5", "use")
_SMALLEST = 5  # sentences of an issue: a table of some hundred rows has small ones


def find_groups(
    sentences: pd.DataFrame, opinions: pd.DataFrame, *, n_issues: int | None, seed: int,
    parse: Callable[[Sequence[str]], list[list[Word]]],
) -> LedgerUpdate:  # fmt: skip
    """A ledger of `sentences` (SENTENCES with row, said_at) that were judged as `opinions`, row by row.

    With `n_issues` only so many issues stay, those with most sentences.
    """
    distinct = sentences["text"].drop_duplicates().tolist()
    vectors = join_vectors({model: embed(distinct, model=model) for model in _MODELS})
    voices = sentences.assign(customer_id=None, started_at=sentences["said_at"])
    update = update_ledger(
        voices, opinions, vectors[pd.Index(distinct).get_indexer(sentences["text"])], issues=empty(ISSUES),
        events=empty(ISSUE_EVENTS), settings=Issues(min_sentences=_SMALLEST), seed=seed, at=sentences["said_at"].max(), parse=parse,
        any_text=True,
    )  # fmt: skip
    issues = reported(update.issues).sort_values(["n_sentences", "issue_id"], ascending=[False, True], kind="stable")
    issues = issues[issues["n_sentences"] > 0].head(n_issues if n_issues is not None else len(issues))
    mentions = update.mentions[update.mentions["issue_id"].isin(issues["issue_id"])]
    return LedgerUpdate(issues.reset_index(drop=True), update.events, mentions.reset_index(drop=True), update.unassigned_share)


def grouped_rows(n_rows: int, sentences: pd.DataFrame, update: LedgerUpdate) -> pd.DataFrame:
    """The columns GROUPED: every row 0..n_rows-1 at least once, its likeliest issue first, empty where none took it."""
    said = update.mentions.merge(sentences[["sentence_id", "row"]], on="sentence_id")
    best = said.groupby(["row", "issue_id"], as_index=False)["probability"].max()
    best = best.merge(update.issues[["issue_id", "label", "kind"]], on="issue_id")
    every = pd.DataFrame({"row": range(n_rows)}).merge(best, on="row", how="left")
    every = every.sort_values(["row", "probability", "issue_id"], ascending=[True, False, True], kind="stable")
    return every[list(GROUPED)].reset_index(drop=True)
