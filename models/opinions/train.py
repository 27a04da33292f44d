"""Train the opinion heads on sentences.tsv: writes heads.npz and CARD.md beside it.

    python models/opinions/train.py

Every figure is measured on industries left out of the training (one at a time). Same sentences, same files: no
randomness is used.
"""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from threadpoolctl import threadpool_limits

from voc.embeddings import embed, registry
from voc.lexicon import FEATURES, GRAMMAR, read_evidence
from voc.opinions import INTENTS, POLARITIES, choose_intents

FOLDER = Path(__file__).parent
VECTOR_SCALE = 12.0  # unit vectors of E5 spread little; this brings both blocks of features to a like weight
# Strength of the ridge penalty, chosen on the left-out industries among 0.03, 0.1, 0.3; the curve is flat there.
POLARITY_C, INTENT_C = 0.03, 0.1
ABSTAIN_TARGET = 0.5  # below the threshold, fewer than this share of the named intents are right
MIN_ROWS = 1400
JOINED_WEIGHT = 0.3  # of a training text made of two sentences: real units often hold more than one


def main() -> None:
    rows = read_sentences(FOLDER / "sentences.tsv")
    with threadpool_limits(1):
        trained, report = train(rows, join_neighbours(rows))
    np.savez(FOLDER / "heads.npz", features=np.array(FEATURES), **trained)
    (FOLDER / "CARD.md").write_text(report, encoding="utf-8")
    print(report)


def read_sentences(path: Path) -> pd.DataFrame:
    """The labelled sentences, each text once. Raises ValueError on a label outside the vocabulary."""
    rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    rows = rows.drop_duplicates("text").reset_index(drop=True)
    unknown = set(rows["intents"].str.split("|").explode()) - set(INTENTS) | set(rows["polarity"]) - set(POLARITIES)
    if unknown or len(rows) < MIN_ROWS:
        raise ValueError(f"{path}: {len(rows)} rows (at least {MIN_ROWS} are wanted), unknown labels {sorted(unknown)}")
    return rows


def join_neighbours(rows: pd.DataFrame) -> pd.DataFrame:
    """Texts of two sentences of one industry with the labels of both; good beside bad has no clear polarity: left out.

    Sentences of an industry are paired in the order of their hash, so that neighbours have nothing to do with each other.
    """
    joined = []
    for industry, members in rows.groupby("industry"):
        order = members["text"].map(lambda text: hashlib.sha256(text.encode()).hexdigest()).sort_values().index
        shuffled = members.loc[order].to_dict("records")
        for first, second in pairwise(shuffled):
            polarities = {first["polarity"], second["polarity"]}
            if polarities == {"positive", "negative"}:
                continue
            intents = {*first["intents"].split("|"), *second["intents"].split("|")}
            intents = intents - {"other"} or intents
            end = "" if first["text"][-1] in "。？！?!" else "。"
            polarity = next(iter(polarities - {"neutral"}), "neutral")
            joined.append((industry, first["text"] + end + second["text"], polarity, "|".join(sorted(intents))))
    return pd.DataFrame(joined, columns=["industry", "text", "polarity", "intents"])


def train(rows: pd.DataFrame, joined: pd.DataFrame) -> tuple[dict, str]:
    """The arrays of `voc.opinions.Heads` and the model card. `joined` is trained on and never scored."""
    n = len(rows)
    texts = [*rows["text"], *joined["text"]]
    vectors = embed(texts, model="e5").astype(np.float64)
    evidence = read_evidence(texts).values.astype(np.float64)
    everything = pd.concat([rows, joined], ignore_index=True)
    groups = everything["industry"].to_numpy()
    all_polarity = everything["polarity"].map(POLARITIES.index).to_numpy()
    all_intents = np.array([[name in cell.split("|") for name in INTENTS] for cell in everything["intents"]])
    polarity, intents = all_polarity[:n], all_intents[:n]
    mean, spread = vectors[:n].mean(axis=0), np.maximum(evidence[:n].std(axis=0), 0.1)
    both = np.hstack([(vectors - mean) * VECTOR_SCALE, evidence / spread])
    only = np.hstack([np.zeros_like(vectors), evidence / spread])

    polarity_scores = left_out(both, all_polarity, groups, POLARITY_C, n=n)
    only_scores = left_out(only, all_polarity, groups, INTENT_C, n=n)
    temperature = fit_temperature(polarity_scores, polarity)
    polarity_model = fit(both, all_polarity, POLARITY_C, n=n)

    weights, biases, out, uses_vector = [], [], np.empty(intents.shape), []
    for j in range(len(INTENTS)):
        candidates = {}
        for name, matrix in (("both", both), ("only", only)):
            scores = left_out(matrix, all_intents[:, j].astype(int), groups, INTENT_C, n=n)[:, 0]
            slope, shift = fit_platt(scores, intents[:, j])
            candidates[name] = (sigmoid(slope * scores + shift), slope, shift)
        # a head that reads the vector has to earn it against grammar and words alone
        best = max(candidates, key=lambda name: f1_score(intents[:, j], candidates[name][0] >= 0.5))
        out[:, j], slope, shift = candidates[best]
        model = fit(both if best == "both" else only, all_intents[:, j].astype(int), INTENT_C, n=n)
        weights.append(model.coef_[0] * slope)
        biases.append(model.intercept_[0] * slope + shift)
        uses_vector.append((best, candidates["only"][0]))
    arrays = {
        "mean": mean,
        "vector_scale": np.float64(VECTOR_SCALE),
        "evidence_scale": spread,
        "polarity": polarity_model.coef_,
        "polarity_bias": polarity_model.intercept_,
        "temperature": np.float64(temperature),
        "intents": np.array(weights),
        "intents_bias": np.array(biases),
        "abstain_below": np.float64(abstain_threshold(out, intents)),
    }
    arrays = {
        name: np.asarray(value, dtype=np.float32 if np.ndim(value) else np.float64) for name, value in arrays.items()
    }
    polarity_out = softmax(polarity_scores / temperature)
    baselines = measure_baselines(rows, vectors[:n], polarity, intents)
    lines = [
        *card_head(rows, len(joined)),
        *card_polarity(polarity, polarity_out, only_scores, baselines, temperature),
        *card_intents(intents, out, uses_vector, baselines),
        *card_industries(rows, polarity_out.argmax(axis=1) == polarity, intents, out, float(arrays["abstain_below"])),
    ]
    return arrays, "\n".join(lines)


def fit(features: np.ndarray, labels: np.ndarray, c: float, *, n: int | None = None) -> LogisticRegression:
    """Logistic regression; rows from `n` on are joined texts and weigh less."""
    weights = np.where(np.arange(len(labels)) < (len(labels) if n is None else n), 1.0, JOINED_WEIGHT)
    return LogisticRegression(C=c, max_iter=2000, tol=1e-4).fit(features, labels, sample_weight=weights)


def left_out(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, c: float, *, n: int) -> np.ndarray:
    """Scores (n, classes; 1 column for two classes) of the first n rows, each by a model that has not seen its
    industry."""
    scores = {}
    for group in np.unique(groups):
        seen = groups != group
        model = fit(features[seen], labels[seen], c, n=int(seen[:n].sum()))
        scores[group] = model.decision_function(features[:n][~seen[:n]])
    columns = 1 if scores[groups[0]].ndim == 1 else scores[groups[0]].shape[1]
    table = np.empty((n, columns))
    for group, values in scores.items():
        table[groups[:n] == group] = values.reshape(len(values), columns)
    return table


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    def loss(log_temperature: float) -> float:
        p = softmax(scores / np.exp(log_temperature))
        return -np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-12)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def fit_platt(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope and shift of the probability 1 / (1 + exp(-(slope x score + shift)))."""

    def loss(parameters: np.ndarray) -> float:
        z = parameters[0] * scores + parameters[1]
        return np.logaddexp(0, np.where(labels, -z, z)).mean()

    slope, shift = minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(shift)


def abstain_threshold(probabilities: np.ndarray, intents: np.ndarray) -> float:
    """The highest of 0.20, 0.21 ... 0.50 such that sentences named with less are right less often than the target."""
    chosen = choose_intents(probabilities)
    at = np.arange(len(chosen))
    confidence, is_right = probabilities[at, chosen], intents[at, chosen]
    steps = np.round(np.arange(0.2, 0.501, 0.01), 2)
    fitting = [s for s in steps if (confidence < s).any() and is_right[confidence < s].mean() < ABSTAIN_TARGET]
    return float(max(fitting, default=steps[0]))


def measure_baselines(
    rows: pd.DataFrame, vectors: np.ndarray, polarity: np.ndarray, intents: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (guessed polarity, guessed intents) by characters and by the nearest sentence, industries left out."""
    groups = rows["industry"].to_numpy()
    guesses = {
        name: (np.empty_like(polarity), np.empty_like(intents)) for name in ("character 1-3-grams", "nearest neighbour")
    }
    for group in np.unique(groups):
        seen, unseen = groups != group, groups == group
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        known, new = (vectorizer.fit_transform(rows["text"][seen]), vectorizer.transform(rows["text"][unseen]))
        kinds, intent_guess = guesses["character 1-3-grams"]
        kinds[unseen] = fit(known, polarity[seen], 10).predict(new)
        for j in range(intents.shape[1]):
            intent_guess[unseen, j] = fit(known, intents[seen, j], 10).predict(new)
        nearest = (vectors[unseen] @ vectors[seen].T).argmax(axis=1)
        kinds, intent_guess = guesses["nearest neighbour"]
        kinds[unseen], intent_guess[unseen] = polarity[seen][nearest], intents[seen][nearest]
    return guesses


def calibration_error(probabilities: np.ndarray, is_true: np.ndarray) -> float:
    """Expected calibration error: mean |confidence - share true| over ten equally filled bins."""
    bins = np.array_split(np.argsort(probabilities, kind="stable"), 10)
    gaps = [abs(probabilities[b].mean() - is_true[b].mean()) * len(b) for b in bins]
    return float(sum(gaps) / len(probabilities))


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores))


def card_head(rows: pd.DataFrame, n_joined: int) -> list[str]:
    sha = hashlib.sha256((FOLDER / "sentences.tsv").read_bytes()).hexdigest()
    return [
        "# Opinion heads",
        "",
        "Polarity (3 classes) and six independent intents of one Japanese sentence: logistic regression on the vector of "
        f"{registry()['e5']['title']} and {len(FEATURES)} features of grammar ({len(GRAMMAR)} constructions) and words "
        "(`voc/lexicon.py`). Written by `train.py`; do not edit.",
        "",
        f"Training data: `sentences.tsv`, {len(rows)} sentences that we wrote, {rows['industry'].nunique()} industries, "
        f"and {n_joined} texts made by joining two of them (weight {JOINED_WEIGHT}). sha256 `{sha}`. "
        "Licence: as the project.",
        "",
        "All figures are for single sentences of an industry left out of the training. Penalty and calibration "
        "(temperature, Platt) were fitted on the same left-out scores, and the grammar was written with these sentences "
        "at hand, so the figures are somewhat too good. For real text see `tests/benchmarks/understanding.py`.",
        "",
    ]


def card_polarity(
    polarity: np.ndarray, out: np.ndarray, only_scores: np.ndarray, baselines: dict, temperature: float
) -> list[str]:
    guess, confidence = out.argmax(axis=1), out.max(axis=1)
    guesses = {
        "**heads**": guess,
        "grammar and words only": only_scores.argmax(axis=1),
        **{name: kinds for name, (kinds, _) in baselines.items()},
    }
    return [
        "| polarity | accuracy | macro-F1 |",
        "|---|---|---|",
        *[
            f"| {name} | {accuracy_score(polarity, values):.3f} | {f1_score(polarity, values, average='macro'):.3f} |"
            for name, values in guesses.items()
        ],
        "",
        f"Calibration error {calibration_error(confidence, guess == polarity):.3f} (temperature {temperature:.2f}).",
        "",
    ]


def card_intents(intents: np.ndarray, out: np.ndarray, uses_vector: list, baselines: dict) -> list[str]:
    names = [f"F1 {name}" for name in ("grammar and words only", *baselines)]
    lines = [
        "| intent | n | F1 | precision | recall | average precision | calibration error | "
        + " | ".join(names) + " | reads the vector |",
        "|" + "---|" * (8 + len(names)),
    ]  # fmt: skip
    for j, name in enumerate(INTENTS):
        truth, p, hit = intents[:, j], out[:, j], out[:, j] >= 0.5
        best, only = uses_vector[j]
        others = [f1_score(truth, only >= 0.5), *(f1_score(truth, guesses[:, j]) for _, guesses in baselines.values())]
        cells = [f1_score(truth, hit), (truth & hit).sum() / hit.sum(), (truth & hit).sum() / truth.sum(),
                 average_precision_score(truth, p), calibration_error(p, truth), *others]  # fmt: skip
        numbers = " | ".join(f"{value:.3f}" for value in cells)
        lines.append(f"| {name} | {truth.sum()} | {numbers} | {'yes' if best == 'both' else 'no'} |")
    return [*lines, ""]


def card_industries(
    rows: pd.DataFrame, polarity_right: np.ndarray, intents: np.ndarray, out: np.ndarray, abstain_below: float
) -> list[str]:
    chosen, at = choose_intents(out), np.arange(len(out))
    is_right, undecided = intents[at, chosen], out[at, chosen] < abstain_below
    lines = [
        f"The one named intent is among the labels in {is_right.mean():.3f} of the sentences. Undecided (likeliest below "
        f"{abstain_below:.2f}) are {undecided.mean():.3f}; of the decided {is_right[~undecided].mean():.3f} are right.",
        "",
        "| left-out industry | n | polarity accuracy | named intent right |",
        "|---|---|---|---|",
    ]
    for group, members in rows.groupby("industry").groups.items():
        lines.append(
            f"| {group} | {len(members)} | {polarity_right[members].mean():.3f} | {is_right[members].mean():.3f} |"
        )
    return [
        *lines,
        "",
        "Weak at: irony, praise that carries a blow, requests without any construction of asking (a bare noun), dialect, "
        "words of a trade that no training sentence has, and mild criticism that its writer would call neutral.",
        "",
    ]


if __name__ == "__main__":
    main()
