"""How well voc understands sentences, on real Japanese data with labels.

    python tests/benchmarks/understanding.py FOLDER

FOLDER holds `<name>.jsonl.gz` (id, text, label, ...): intent_hand_labelled, sentiment_fukui_survey, sts_jsts, and
dialogues (id, turns) for the share of customer turns that needs no vector. Nothing is trained or tuned on them but the
baselines marked so. A text of several sentences is judged as one. `whole texts` is what `voc judge --level text`
gives: E5 for all of them, and the polarity as a rating; else clear texts are left to the quick heads. Intervals: 95 %, 1,000 resamples of the rows.
"""

import argparse
import gzip
import json
import resource
import time
from collections.abc import Callable
from functools import cache
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
from voc.japanese import tokenize
from voc.lexicon import FEATURES, read_evidence
from voc.models_folder import models_folder
from voc.opinions import decided_quickly, judge, load_heads
from voc.sentences import split_sentences

_CLASSES = ["complaint", "request", "praise", "other"]  # questions (2 rows) are kept as a wrong answer to give
# The labels know four classes: a question is no opinion, who leaves complains.
_AS_LABELLED = {"question": "other", "cancel": "complaint"}
_RESAMPLES = 1000
_Result = tuple[str, str, float, str]


def read(folder: Path, name: str) -> pd.DataFrame:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return pd.DataFrame([json.loads(line) for line in file])


def characters() -> object:
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )


def interval(score: Callable[[np.ndarray], float], n: int) -> str:
    """The middle 95 % of `score` over resampled rows; `score` takes row numbers."""
    draw = np.random.default_rng(0)
    low, high = np.quantile([score(draw.integers(0, n, n)) for _ in range(_RESAMPLES)], [0.025, 0.975])
    return f"[{low:.3f}, {high:.3f}]"


@cache
def own_sentences() -> pd.DataFrame:
    path = models_folder() / "opinions" / "sentences.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


@cache
def own_vectors() -> np.ndarray:
    return embed(own_sentences()["text"], model="e5")


def nearest(texts: list[str], labels: pd.Series) -> np.ndarray:
    """The label of our sentence whose plain E5 vector is nearest."""
    at = (embed(texts, model="e5") @ own_vectors().T).argmax(axis=1)
    return labels.to_numpy()[at]


def measure_intent(folder: Path) -> list[_Result]:
    rows = read(folder, "intent_hand_labelled")
    rows = rows[~rows["ambiguous"]].reset_index(drop=True)
    gold, texts = rows["label"], rows["text"].tolist()
    opinions, whole = judge(texts), judge(texts, as_whole=True)
    asked = rows["labels"].map(lambda labels: "request" in labels).to_numpy()

    def score(name: str, guess: pd.Series | np.ndarray) -> _Result:
        truth, guess = gold.to_numpy(dtype=str), np.asarray(guess, dtype=str)

        def macro(at: np.ndarray) -> float:
            return f1_score(truth[at], guess[at], labels=_CLASSES, average="macro", zero_division=0)

        at_all = np.arange(len(rows))
        return "intent", name, macro(at_all), f"macro-F1, n={len(rows)} {interval(macro, len(rows))}"

    own = own_sentences()
    own_intent = own["intents"].str.split("|").str[0].replace(_AS_LABELLED)
    folds = KFold(5, shuffle=True, random_state=0)
    single = opinions[[f"p_{name}" for name in _CLASSES]].to_numpy()
    results = [
        score("voc", opinions["intent"].replace(_AS_LABELLED)),
        score("voc, whole texts", whole["intent"].replace(_AS_LABELLED)),
        score("voc, likeliest of the four", np.array(_CLASSES)[single.argmax(axis=1)]),
        score("words and grammar by rule", _by_rule(texts)),
        score("characters, our sentences", characters().fit(own["text"], own_intent).predict(texts)),
        score("nearest of our sentences", nearest(texts, own_intent)),
        score("characters, 5 folds of these labels", cross_val_predict(characters(), texts, gold, cv=folds)),
    ]
    guesses = {name: (found["p_request"] >= 0.5).to_numpy() for name, found in (("voc", opinions), ("voc, whole texts", whole))}
    guesses["words and grammar by rule"] = np.array([intent == "request" for intent in _by_rule(texts)])
    for name, guess in guesses.items():
        for measure, of in (("precision", guess), ("recall", asked)):

            def share(at: np.ndarray, guess: np.ndarray = guess, of: np.ndarray = of) -> float:
                return (guess & asked)[at].sum() / max(of[at].sum(), 1)

            spread = interval(share, len(rows))
            results.append(("request", name, share(np.arange(len(rows))), f"{measure} {spread}"))
    results.append(("intent", "voc", opinions["is_abstained"].mean(), "share undecided"))
    for name, guess in (("voc", opinions), ("voc, whole texts", whole)):
        results += [
            ("by hand", name, accuracy_score(rows["sentiment"], guess["polarity"]), "accuracy of the polarity"),
            ("by hand", name, f1_score(rows["sentiment"], guess["polarity"], average="macro"), "macro-F1 of the polarity"),
        ]
    per_class = f1_score(gold, opinions["intent"].replace(_AS_LABELLED), labels=_CLASSES, average=None)
    results += [("intent", f"voc, {name}", value, "F1") for name, value in zip(_CLASSES, per_class, strict=True)]
    return results


def _by_rule(texts: list[str]) -> list[str]:
    """The intent without a model: a construction of asking, else the balance of good and bad words."""
    evidence = read_evidence(texts)
    balance = evidence.values[:, FEATURES.index("balance")]
    return list(np.select([evidence.values[:, FEATURES.index("asks")] > 0, balance < 0, balance > 0], ["request", "complaint", "praise"], "other"))


def measure_sentiment(folder: Path) -> list[_Result]:
    rows = read(folder, "sentiment_fukui_survey")
    texts, gold = rows["text"].tolist(), rows["label"]
    started = time.process_time()
    opinions = judge(texts, as_whole=True)
    speed = len(texts) / (time.process_time() - started)
    started = time.process_time()
    evidence = read_evidence(texts)
    lexicon_speed = len(texts) / (time.process_time() - started)
    balance = evidence.values[:, FEATURES.index("balance")]
    by_words = np.select([balance < 0, balance > 0], ["negative", "positive"], "neutral")
    own = own_sentences()
    by_characters = characters().fit(own["text"], own["polarity"]).predict(texts)
    folds = KFold(5, shuffle=True, random_state=0)
    guesses = {
        "voc": opinions["polarity"],
        "voc, as a sentence": judge(texts)["polarity"],
        "balance of good and bad words": by_words,
        "characters, our sentences": by_characters,
        "nearest of our sentences": nearest(texts, own["polarity"]),
        "characters, 5 folds of these labels": cross_val_predict(characters(), texts, gold, cv=folds),
    }
    results = []
    for name, guess in guesses.items():
        is_right = gold.to_numpy(dtype=str) == np.asarray(guess, dtype=str)
        spread = interval(lambda at, is_right=is_right: is_right[at].mean(), len(rows))
        results.append(("sentiment", name, is_right.mean(), f"accuracy, n={len(rows)} {spread}"))
    results.append(("sentiment", "voc", f1_score(gold, opinions["polarity"], average="macro"), "macro-F1"))
    results += [
        ("speed", "judge", speed, "texts per CPU-second, E5 included"),
        ("speed", "words and grammar", lexicon_speed, "texts per CPU-second"),
    ]
    return results


def measure_filter(folder: Path) -> list[_Result]:
    """Share of the customers' turns of dialogues that hold a sentence for E5, as the analysis picks them: voices with
    a word of content, judged once each."""
    heads, results = load_heads(), []
    for name in ("dialogues_asdc_operator_customer", "dialogues_jmultiwoz"):
        said = read(folder, name)["text"].str.extractall(r"(?ms)^customer: (.*?)(?=^\w+: |\Z)")[0].dropna().str.strip()
        number = pd.Series(np.arange(len(said)), dtype=str).to_numpy()
        turns = pd.DataFrame({"turn_id": number, "contact_id": number, "speaker": "customer", "text": said.to_numpy()})
        sentences = split_sentences(turns, tokenize=tokenize)
        voices = sentences[sentences["set_aside"].isna() & (sentences["terms"].map(len) > 0)]
        distinct = voices["text"].drop_duplicates().tolist()
        words = decided_quickly(distinct, heads=heads).mean()
        results.append(("filter", name, words, f"of {len(distinct)} distinct voices are decided without E5"))
        spoken = voices["turn_id"].nunique() / len(turns)
        results.append(("filter", name, spoken, f"of {len(turns)} customer turns hold a voice"))
        asks = voices["turn_id"][~decided_quickly(voices["text"].tolist(), heads=heads)].nunique()
        results.append(("filter", name, asks / len(turns), f"of {len(turns)} customer turns hold a sentence for E5"))
    return results


def measure_similarity(folder: Path) -> list[_Result]:
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
    for measure in (measure_intent, measure_sentiment, measure_filter, measure_similarity):
        for task, name, value, unit in measure(folder):
            print(f"{task:<11} {name:<38} {value:8.3f}  {unit}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'memory':<11} {'peak of this run':<38} {peak:8.3f}  MB")


if __name__ == "__main__":
    main()
