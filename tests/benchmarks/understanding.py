"""How well voc understands sentences, on real Japanese data with labels.

    python tests/benchmarks/understanding.py FOLDER

FOLDER holds `<name>.jsonl.gz` (id, text, label, ...): intent_hand_labelled, sentiment_fukui_survey, sts_jsts.
Nothing is trained or tuned on them but the baselines marked so. A text of several sentences is judged as one.
"""

import argparse
import gzip
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from voc.embeddings import embed
from voc.lexicon import FEATURES, is_asking, read_evidence
from voc.models_folder import models_folder
from voc.opinions import judge

_CLASSES = ["complaint", "request", "praise", "other"]  # questions (2 rows) are kept as a wrong answer to give
# The labels know four classes: a question is no opinion, who leaves complains.
_AS_LABELLED = {"question": "other", "cancel": "complaint"}


def read(folder: Path, name: str) -> pd.DataFrame:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return pd.DataFrame([json.loads(line) for line in file])


def characters() -> object:
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )


def measure_intent(folder: Path) -> list[tuple[str, str, float, str]]:
    rows = read(folder, "intent_hand_labelled")
    rows = rows[~rows["ambiguous"]].reset_index(drop=True)
    gold, texts = rows["label"], rows["text"].tolist()
    opinions = judge(texts)
    asked = rows["labels"].map(lambda labels: "request" in labels).to_numpy()

    def score(name: str, guess: pd.Series | np.ndarray) -> tuple[str, str, float, str]:
        return "intent", name, f1_score(gold, guess, labels=_CLASSES, average="macro"), f"macro-F1, n={len(rows)}"

    own = pd.read_csv(models_folder() / "opinions" / "sentences.tsv", sep="\t", dtype=str, keep_default_na=False)
    own_intent = own["intents"].str.split("|").str[0].replace(_AS_LABELLED)
    folds = KFold(5, shuffle=True, random_state=0)
    single = opinions[[f"p_{name}" for name in _CLASSES]].to_numpy()
    results = [
        score("voc", opinions["intent"].replace(_AS_LABELLED)),
        score("voc, likeliest of the four", np.array(_CLASSES)[single.argmax(axis=1)]),
        score("words and grammar by rule", _by_rule(texts)),
        score("characters, our sentences", characters().fit(own["text"], own_intent).predict(texts)),
        score("characters, 5 folds of these labels", cross_val_predict(characters(), texts, gold, cv=folds)),
    ]
    hit = (opinions["p_request"] >= 0.5).to_numpy()
    by_grammar = np.array([intent == "request" for intent in _by_rule(texts)])
    for name, guess in (("voc", hit), ("words and grammar by rule", by_grammar)):
        results.append(("request", name, (guess & asked).sum() / max(guess.sum(), 1), "precision"))
        results.append(("request", name, (guess & asked).sum() / asked.sum(), "recall"))
    results.append(("intent", "voc", opinions["is_abstained"].mean(), "share undecided"))
    results.append(("sentiment", "voc, by hand", accuracy_score(rows["sentiment"], opinions["polarity"]), "accuracy"))
    per_class = f1_score(gold, opinions["intent"].replace(_AS_LABELLED), labels=_CLASSES, average=None)
    results += [("intent", f"voc, {name}", value, "F1") for name, value in zip(_CLASSES, per_class, strict=True)]
    return results


def _by_rule(texts: list[str]) -> list[str]:
    """The intent without a model: a construction of asking, else the balance of good and bad words."""
    evidence = read_evidence(texts)
    balance = evidence.values[:, FEATURES.index("balance")]
    return list(np.select([is_asking(evidence), balance < 0, balance > 0], ["request", "complaint", "praise"], "other"))


def measure_sentiment(folder: Path) -> list[tuple[str, str, float, str]]:
    rows = read(folder, "sentiment_fukui_survey")
    texts, gold = rows["text"].tolist(), rows["label"]
    started = time.process_time()
    opinions = judge(texts)
    speed = len(texts) / (time.process_time() - started)
    started = time.process_time()
    evidence = read_evidence(texts)
    lexicon_speed = len(texts) / (time.process_time() - started)
    balance = evidence.values[:, FEATURES.index("balance")]
    by_words = np.select([balance < 0, balance > 0], ["negative", "positive"], "neutral")
    own = pd.read_csv(models_folder() / "opinions" / "sentences.tsv", sep="\t", dtype=str, keep_default_na=False)
    by_characters = characters().fit(own["text"], own["polarity"]).predict(texts)
    folds = KFold(5, shuffle=True, random_state=0)
    guesses = {
        "voc": opinions["polarity"],
        "balance of good and bad words": by_words,
        "characters, our sentences": by_characters,
        "characters, 5 folds of these labels": cross_val_predict(characters(), texts, gold, cv=folds),
    }
    results = [
        ("sentiment", name, accuracy_score(gold, guess), f"accuracy, n={len(rows)}") for name, guess in guesses.items()
    ]
    results.append(("sentiment", "voc", f1_score(gold, opinions["polarity"], average="macro"), "macro-F1"))
    results += [
        ("speed", "judge", speed, "texts per CPU-second, E5 included"),
        ("speed", "words and grammar", lexicon_speed, "texts per CPU-second"),
    ]
    return results


def measure_similarity(folder: Path) -> list[tuple[str, str, float, str]]:
    rows = read(folder, "sts_jsts")
    pairs = {model: [embed(rows[column], model=model) for column in ("text", "text2")] for model in ("use", "e5")}
    pairs["use and e5"] = [
        np.hstack([pairs[m][side] - np.vstack(pairs[m]).mean(axis=0) for m in ("use", "e5")]) for side in (0, 1)
    ]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit([*rows["text"], *rows["text2"]])
    pairs["characters"] = [vectorizer.transform(rows[column]).toarray() for column in ("text", "text2")]
    results = []
    for name, (a, b) in pairs.items():
        cosine = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-12)
        results.append(("similarity", name, spearmanr(cosine, rows["label"]).statistic, f"Spearman, n={len(rows)}"))
    for model in ("use", "e5"):
        started = time.process_time()
        embed(rows["text"], model=model)
        results.append(
            ("speed", model, rows["text"].nunique() / (time.process_time() - started), "texts per CPU-second")
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    results = measure_intent(folder) + measure_sentiment(folder) + measure_similarity(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.append(("memory", "peak of this run", peak, "MB"))
    for task, name, value, unit in results:
        print(f"{task:<11} {name:<38} {value:8.3f}  {unit}")


if __name__ == "__main__":
    main()
