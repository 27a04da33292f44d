"""The demo's planted truth beside what the product found: only benchmarks and tests read it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from voc.config import load_config
from voc.parsing.records import contact_id
from voc.store import read_table
from voc.tables import CONTACTS, IMPACT, ISSUES, MENTIONS, RANKING, SENTENCES

_SAME = 0.5  # share of character pairs that a found sentence and a planted one must have in common


def planted_sentences(folder: Path) -> pd.DataFrame:
    """sentence_id, key, role of each found sentence that holds a planted one (the nearest in its contact)."""
    store = str(folder / "store")
    truth = pd.DataFrame([json.loads(line) for line in (folder / "truth" / "sentences.jsonl").open(encoding="utf-8")])
    truth["contact_id"] = _product_ids(truth, folder, store)
    found = read_table(SENTENCES, store=store)
    found = found[found["set_aside"].isna()][["sentence_id", "contact_id", "text"]]
    pairs = found.merge(truth[["contact_id", "text", "key", "role"]], on="contact_id", suffixes=("", "_planted"))
    pairs["common"] = [_common(a, b) for a, b in zip(pairs["text"], pairs["text_planted"], strict=True)]
    pairs = pairs[pairs["common"] >= _SAME].sort_values(["sentence_id", "common"], ascending=[True, False], kind="stable")
    return pairs.drop_duplicates("sentence_id")[["sentence_id", "contact_id", "key", "role"]].reset_index(drop=True)


def _product_ids(truth: pd.DataFrame, folder: Path, store: str) -> pd.Series:
    config = load_config(folder / "voc.toml")
    sources = {source.path.split("/")[1]: source for source in config.sources if source.path.startswith("raw/")}
    contacts = read_table(CONTACTS, store=store)
    by_file = contacts.set_index("source_row")["contact_id"].to_dict()
    room = truth["file"].str.split("/").str[1]
    return pd.Series(
        [
            by_file.get(file) if folder_name == "mails" else contact_id(sources[folder_name], native, "")
            for file, folder_name, native in zip(truth["file"], room, truth["contact_id"], strict=True)
        ],
        index=truth.index,
    )


def _common(one: str, other: str) -> float:
    a, b = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (one, other))
    return len(a & b) / max(min(len(a), len(b)), 1)


def issue_of_key(folder: Path) -> pd.DataFrame:
    """issue_id, key, purity: the planted issue that most core sentences of each ledger entry belong to."""
    planted = planted_sentences(folder)
    mentions = read_table(MENTIONS, store=str(folder / "store"))
    joined = mentions.merge(planted[planted["role"] == "core"], on="sentence_id")
    counts = joined.groupby(["issue_id", "key"]).size().rename("n").reset_index()
    total = counts.groupby("issue_id")["n"].transform("sum")
    counts["purity"] = counts["n"] / total
    return counts.sort_values(["issue_id", "n"], ascending=[True, False]).drop_duplicates("issue_id")


def pairwise_f1(truth: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """(F1, precision, recall) over pairs of sentences that are put together."""
    table = pd.crosstab(truth, found).to_numpy(dtype=float)
    pairs = (table * (table - 1) / 2).sum()
    together = lambda sums: (sums * (sums - 1) / 2).sum()  # noqa: E731
    precision, recall = pairs / max(together(table.sum(axis=0)), 1), pairs / max(together(table.sum(axis=1)), 1)
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


def scores(folder: Path) -> dict:
    """Bars of the spine on one demo folder that `voc demo` or `voc run` has finished.

    recovered: planted issues that are the majority of some entry. top8_in_top10: of the 8 planted issues with the
    largest true LTV + contact cost a month (reverse ones left out: nothing can be saved there), how many are the
    majority of an entry in the product's top 10; by_count the same for entries ranked by number of contacts.
    auc: planted harmful against harmless (zero, control), by the churns prevented of their entries (0 where none).
    """
    store = str(folder / "store")
    truth = pd.read_csv(folder / "truth" / "issues.csv")
    keys = issue_of_key(folder)
    issues = read_table(ISSUES, store=store).merge(keys, on="issue_id", how="left")
    mentions = read_table(MENTIONS, store=store)
    planted = planted_sentences(folder)
    core = planted[planted["role"] == "core"]
    best = mentions.sort_values("probability", ascending=False).drop_duplicates("sentence_id")
    both = core.merge(best[["sentence_id", "issue_id"]], on="sentence_id", how="left")
    taken = both.dropna(subset=["issue_id"])
    f1, precision, recall = pairwise_f1(taken["key"].to_numpy(), taken["issue_id"].to_numpy())
    ranking = read_table(RANKING, store=store)
    product = ranking[ranking["audience"] == "product"].sort_values("rank")
    top = truth[truth["role"] != "reverse"].nlargest(8, "stake_yen_12")
    by_count = mentions.groupby("issue_id")["contact_id"].nunique().sort_values(ascending=False)
    key_of = keys.set_index("issue_id")["key"]
    impact = read_table(IMPACT, store=store).assign(key=lambda d: d["issue_id"].map(key_of))
    churns = impact.groupby("key")["churns_prevented"].sum(min_count=1).reindex(truth["key"]).fillna(0.0).to_numpy()
    harmful, harmless = truth["role"].eq("harmful").to_numpy(), truth["role"].isin(["zero", "control"]).to_numpy()
    return {
        "entries": len(issues),
        "recovered": int(keys["key"].nunique()),
        "coverage_core": round(len(taken) / max(len(both), 1), 3),
        "pair_f1": round(f1, 3), "pair_precision": round(precision, 3), "pair_recall": round(recall, 3),
        "top8_low_volume": int(top["is_low_volume"].sum()),
        "top8_in_top10": int(top["key"].isin(key_of.reindex(product["issue_id"].head(10))).sum()),
        "top8_in_top10_by_count": int(top["key"].isin(key_of.reindex(by_count.index[:10])).sum()),
        "auc": round(_auc(churns[harmful], churns[harmless]), 3),
    }  # fmt: skip


def _auc(positive: np.ndarray, negative: np.ndarray) -> float:
    wins = (positive[:, None] > negative[None, :]).mean() + 0.5 * (positive[:, None] == negative[None, :]).mean()
    return float(wins)
