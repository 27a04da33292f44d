"""Issues in any table of texts, without configuration, customers and store: `voc group`."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from voc import topics
from voc.config import Issues
from voc.embeddings import Encoder
from voc.issue_space import text_vectors
from voc.issues.discovery import Clusterer
from voc.issues.kinds import kind_agreement, kind_shares
from voc.issues.ledger import LedgerUpdate, update_ledger
from voc.issues.prototypes import reported
from voc.japanese import Word
from voc.tables import ISSUE_EVENTS, ISSUES, empty

GROUPED = ("row", "issue_id", "label", "kind", "probability")
"""Columns of what `group` gives."""
_SMALLEST = 5  # sentences of an issue: a table of some hundred rows has small ones
_FAIR = 0.2  # a row's likeliest issue is told from this probability on; who wants sure ones only cuts the column higher
_NO_KINDS = 0.3  # `kind_agreement` below which the texts are no voices: news 0.13, requests to an assistant 0.69


def find_groups(
    sentences: pd.DataFrame, opinions: pd.DataFrame, *, n_issues: int | None, seed: int,
    parse: Callable[[Sequence[str]], list[list[Word]]], embedder: str | Encoder | None = None, cluster: Clusterer = topics.cluster,
) -> LedgerUpdate:  # fmt: skip
    """A ledger of `sentences` (SENTENCES with row, said_at) that were judged as `opinions`, row by row.

    Where the sentences bring no kinds (`kind_agreement`: news, encyclopedias), a row is one matter: it is read as a
    whole, and issues are topics of the kind 「その他」. `n_issues`: so many issues are made (fewer where the texts have
    no more). `embedder`, `cluster`: in place of voc's own (voc/parts.py).
    """
    vectors = _vectors_of(sentences["text"], embedder)
    if kind_agreement(vectors, kind_shares(sentences["text"], opinions)) < _NO_KINDS:
        sentences = _whole_rows(sentences)
        opinions, vectors = _without_kind(opinions, sentences), _vectors_of(sentences["text"], embedder)
    voices = sentences.assign(customer_id=None, started_at=sentences["said_at"])
    update = update_ledger(
        voices, opinions, vectors, issues=empty(ISSUES), events=empty(ISSUE_EVENTS), settings=Issues(min_sentences=_SMALLEST),
        seed=seed, at=sentences["said_at"].max(), parse=parse, any_text=True, n_issues=n_issues, keep=_FAIR, cluster=cluster,
    )  # fmt: skip
    issues = reported(update.issues).sort_values(["n_sentences", "issue_id"], ascending=[False, True], kind="stable")
    issues = issues[issues["n_sentences"] > 0].head(n_issues if n_issues is not None else len(issues))
    mentions = update.mentions[update.mentions["issue_id"].isin(issues["issue_id"])]
    return LedgerUpdate(issues.reset_index(drop=True), update.events, mentions.reset_index(drop=True), update.unassigned_share)


def _vectors_of(texts: pd.Series, embedder: str | Encoder | None) -> np.ndarray:
    distinct = texts.drop_duplicates().tolist()
    return text_vectors(distinct, embedder=embedder)[pd.Index(distinct).get_indexer(texts)]


def _whole_rows(sentences: pd.DataFrame) -> pd.DataFrame:
    """One line a row under the id of its first sentence; `text` and `terms` are those of all its sentences."""
    by_row = sentences.groupby("row", sort=True)
    first = sentences.drop_duplicates("row").sort_values("row", kind="stable", ignore_index=True)
    return first.assign(text=by_row["text"].agg("".join).to_numpy(), terms=by_row["terms"].agg(_all_terms).to_list())


def _all_terms(lists: pd.Series) -> list[str]:
    return [term for terms in lists for term in terms]


def _without_kind(opinions: pd.DataFrame, sentences: pd.DataFrame) -> pd.DataFrame:
    names = ("p_complaint", "p_request", "p_question", "p_praise", "p_cancel", "p_other")
    rows = opinions.set_index("sentence_id").loc[sentences["sentence_id"]].reset_index()
    return rows.assign(**{name: float(name == "p_other") for name in names}, intent="other")


def grouped_rows(n_rows: int, sentences: pd.DataFrame, update: LedgerUpdate) -> pd.DataFrame:
    """The columns GROUPED: every row 0..n_rows-1 at least once, its likeliest issue first, empty where none took it."""
    said = update.mentions.merge(sentences[["sentence_id", "row"]], on="sentence_id")
    best = said.groupby(["row", "issue_id"], as_index=False)["probability"].max()
    best = best.merge(update.issues[["issue_id", "label", "kind"]], on="issue_id")
    every = pd.DataFrame({"row": range(n_rows)}).merge(best, on="row", how="left")
    every = every.sort_values(["row", "probability", "issue_id"], ascending=[True, False, True], kind="stable")
    return every[list(GROUPED)].reset_index(drop=True)
