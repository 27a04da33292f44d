"""The ledger's bars, beside plain BERTopic and k-means: `python tests/benchmarks/ledger.py --demo FOLDER ... --topics FILE ...`.

FOLDER: a demo company that `voc run` has read (phrasings held back: `write_company(..., use="held")`). FILE: gzip JSON
lines with `text` and `label` (SIB-200, xSID). Labels of issues are not made here: they have a benchmark of their own.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
from planted import pairwise_f1, planted_sentences
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, v_measure_score

from voc.config import Issues
from voc.doors import group
from voc.embeddings import join_vectors
from voc.issue_space import MODELS, text_vectors
from voc.issues.ledger import LedgerUpdate, update_ledger
from voc.store import read_table
from voc.tables import CONTACTS, EMBEDDINGS, ISSUE_EVENTS, ISSUES, OPINIONS, SENTENCES, empty

_SEEDS = range(5)
_SMALLEST = 15  # core sentences: a planted issue with fewer need not be found


def read_voices(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """(voices, opinions, vectors) of a store, as the run gave them to `update_ledger`."""
    store = str(folder / "store")
    sentences = read_table(SENTENCES, store=store)
    contacts = read_table(CONTACTS, store=store)[["contact_id", "customer_id", "started_at"]]
    opinions = read_table(OPINIONS, store=store)
    voices = sentences[sentences["sentence_id"].isin(opinions["sentence_id"])].merge(contacts, on="contact_id", how="left")
    opinions = opinions.set_index("sentence_id").loc[voices["sentence_id"]].reset_index()
    stored = read_table(EMBEDDINGS, store=store).merge(voices[["sentence_id", "text"]], on="sentence_id")
    parts, texts = {}, None
    for model, rows in stored[stored["model"].isin(MODELS)].sort_values("text").groupby("model"):
        texts, parts[model] = pd.Index(rows["text"]), np.vstack(rows["vector"].to_list())
    return voices, opinions, join_vectors(parts)[texts.get_indexer(voices["text"])]


def one_run(voices, opinions, vectors, *, at: pd.Timestamp, before: LedgerUpdate | None = None, seed: int = 42, **options) -> LedgerUpdate:
    return update_ledger(
        voices, opinions, vectors, issues=before.issues if before else empty(ISSUES),
        events=before.events if before else empty(ISSUE_EVENTS), settings=Issues(**options.pop("settings", {})), seed=seed, at=at,
        parse=lambda texts: [[] for _ in texts], **options,
    )  # fmt: skip


def top_issue(voices: pd.DataFrame, update: LedgerUpdate) -> pd.Series:
    best = update.mentions.sort_values("probability", ascending=False, kind="stable").drop_duplicates("sentence_id")
    return pd.Series(voices["sentence_id"].map(best.set_index("sentence_id")["issue_id"]).to_numpy(), index=voices["sentence_id"])


def month_by_month(voices, opinions, vectors) -> tuple[LedgerUpdate, float]:
    """The ledger after monthly runs on all data so far, and the share of sentences of unchanged issues that kept their id."""
    last = voices["started_at"].max() + pd.Timedelta(days=1)
    months = [*pd.date_range(voices["started_at"].min(), last, freq="MS", tz="UTC").normalize(), last]
    update, before, kept, of = None, None, 0, 0
    for at in months:
        rows = np.flatnonzero((voices["started_at"] < at).to_numpy())
        if not len(rows):
            continue
        own = voices.iloc[rows].reset_index(drop=True)
        update = one_run(own, opinions.iloc[rows].reset_index(drop=True), vectors[rows], at=at, before=update)
        now = top_issue(own, update)
        if before is not None:
            events = update.events[(update.events["at"] == at) & update.events["kind"].isin(["split", "merge"])]
            changed = set(events["issue_id"]) | set(events["to"].dropna().str.split(",").explode())
            known = before.dropna()
            known = known[~known.isin(changed).to_numpy()]
            kept, of = kept + int((now.reindex(known.index) == known).sum()), of + len(known)
        before = now
    return update, kept / max(of, 1)


def planted_scores(voices: pd.DataFrame, update: LedgerUpdate, planted: pd.DataFrame) -> dict:
    """Pairwise F1 over core sentences that an issue took and over all of them (one that no issue took is together with
    none), entries per planted issue found, calibration of probabilities."""
    truth = voices[["sentence_id"]].merge(planted[["sentence_id", "key", "role"]], on="sentence_id", how="left")
    issue = top_issue(voices, update)
    core, taken = (truth["role"] == "core").to_numpy(dtype=bool), issue.notna().to_numpy()
    key = truth["key"].fillna("").to_numpy(dtype=object)
    f1, precision, recall = pairwise_f1(key[core & taken], issue.to_numpy(dtype=object)[core & taken])
    alone = np.where(taken, issue.to_numpy(dtype=object), voices["sentence_id"].to_numpy(dtype=object))
    f1_all, _, recall_all = pairwise_f1(key[core], alone[core])
    main = pd.Series(key[core & taken]).groupby(issue.to_numpy(dtype=object)[core & taken]).agg(lambda keys: keys.value_counts().index[0])
    large = pd.Series(key[core]).value_counts()
    said = update.mentions.merge(truth, on="sentence_id")
    is_right = (said["key"].fillna("") == said["issue_id"].map(main)).to_numpy(dtype=float)
    return {
        "f1": f1, "precision": precision, "recall": recall, "f1_all": f1_all, "recall_all": recall_all, "coverage_core": (core & taken).sum() / core.sum(),
        "entries": update.mentions["issue_id"].nunique(), "found": main.nunique(), "planted": int((large >= _SMALLEST).sum()),
        "entries_each": update.mentions["issue_id"].nunique() / max(main.nunique(), 1),
        "calibration_error": calibration_error(said["probability"].to_numpy(), is_right), "unassigned": update.unassigned_share,
    }  # fmt: skip


def calibration_error(probability: np.ndarray, is_right: np.ndarray) -> float:
    """Expected calibration error over ten equal bins."""
    bins = np.minimum((probability * 10).astype(int), 9)
    return float(sum(abs(probability[bins == b].sum() - is_right[bins == b].sum()) for b in range(10)) / max(len(bins), 1))


def demo_scores(folder: Path) -> dict:
    voices, opinions, vectors = read_voices(folder)
    planted, at = planted_sentences(folder), voices["started_at"].max() + pd.Timedelta(days=1)
    whole = one_run(voices, opinions, vectors, at=at)
    shuffled = np.random.default_rng(0).permutation(len(voices))
    again = one_run(voices.iloc[shuffled].reset_index(drop=True), opinions.iloc[shuffled].reset_index(drop=True), vectors[shuffled], at=at)
    months, kept = month_by_month(voices, opinions, vectors)
    both = pd.DataFrame({"whole": top_issue(voices, whole), "months": top_issue(voices, months)}).dropna()
    return {
        "folder": folder.name, "voices": len(voices), "ids_kept": kept, "rand": adjusted_rand_score(both["whole"], both["months"]),
        "same_in_any_order": whole.mentions.equals(again.mentions),
        **{f"month_{name}": value for name, value in planted_scores(voices, months, planted).items()},
        **{f"whole_{name}": value for name, value in planted_scores(voices, whole, planted).items()},
    }  # fmt: skip


def topic_scores(path: Path) -> list[dict]:
    """V-measure of `voc.group`, as anyone would call it, beside plain BERTopic and k-means on the same vectors.

    Rows without an issue are one class. `lead`: V above the bar (BERTopic + 0.03 and k-means - 0.03, the higher).
    """
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = pd.DataFrame([json.loads(line) for line in handle])
    texts, gold = rows["text"].tolist(), rows["label"].to_numpy(dtype=object)
    k, vectors = len(set(gold)), text_vectors(texts).astype(float)
    methods = {
        "k-means at gold k": lambda seed: KMeans(k, n_init=3, random_state=seed).fit_predict(vectors),
        "plain BERTopic": lambda seed: _plain_bertopic(texts, vectors, seed=seed),
        "voc.group": lambda seed: _first_issue(group(texts, seed=seed)),
        "voc.group, issues = gold k": lambda seed: _first_issue(group(texts, seed=seed, n_issues=k)),
    }
    found = {name: [method(seed) for seed in _SEEDS] for name, method in methods.items()}
    scores = {name: [v_measure_score(gold, labels) for labels in runs] for name, runs in found.items()}
    bar = max(np.mean(scores["plain BERTopic"]) + 0.03, np.mean(scores["k-means at gold k"]) - 0.03)
    return [
        {"file": path.name, "method": name, "V": np.mean(scores[name]), "sd": np.std(scores[name]), "lead": np.mean(scores[name]) - bar,
         "coverage": np.mean([(labels >= 0).mean() for labels in runs]), "groups": np.mean([labels.max() + 1 for labels in runs])}
        for name, runs in found.items()
    ]  # fmt: skip


def _first_issue(frame: pd.DataFrame) -> np.ndarray:
    return pd.factorize(frame.drop_duplicates("row")["issue_id"])[0]


def _plain_bertopic(texts: list[str], vectors: np.ndarray, *, seed: int) -> np.ndarray:
    from bertopic import BERTopic
    from umap import UMAP

    reduce = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    return np.asarray(BERTopic(language="multilingual", embedding_model=None, umap_model=reduce).fit_transform(texts, vectors)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", type=Path, nargs="*", default=[])
    parser.add_argument("--topics", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    for folder in options.demo:
        print(pd.Series(demo_scores(folder)).to_string(float_format=lambda x: f"{x:.3f}"), "\n", flush=True)
    for path in options.topics:
        print(pd.DataFrame(topic_scores(path)).to_string(index=False, float_format=lambda x: f"{x:.3f}"), "\n", flush=True)


if __name__ == "__main__":
    main()
