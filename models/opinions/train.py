"""Train the opinion heads on sentences.tsv, rated.tsv and readings.npz: writes heads.npz and CARD.md beside it.

    python models/opinions/train.py

Features of a sentence: what the adapted E5 reads (nine numbers, adapt.py) and the evidence of `voc.lexicon`. The quick
heads, which spare E5, read the evidence and the vector of USE, the rating of a whole text reads all of these. Every
figure is measured on industries left out, here and in the adapter. Same files in, same files out: no randomness.
"""

import hashlib

import numpy as np
import pandas as pd
from card import write_card
from scipy.optimize import minimize, minimize_scalar
from sentences import FOLDER, GROUPS, RATED, digest, intents_of, polarity_of, read_rated, read_sentences
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from voc.embeddings import embed
from voc.lexicon import FEATURES, read_evidence
from voc.opinions import INTENTS, choose_intents, is_clear

VECTOR_SCALE, USE_SCALE = 12.0, 6.0  # the first as in adapt.py
N_SENTENCE = 9  # readings of a sentence: three polarities, six intents
RATED_WEIGHT = 8.0  # of a rated text against a sentence: few texts are rated
# Strength of the ridge penalty, chosen on the left-out industries among 0.01, 0.03, 0.1; the curve is flat there.
POLARITY_C, INTENT_C, QUICK_C, RATING_C = 0.03, 0.1, 0.1, 0.01
READING_SCALE = 0.5  # brings the readings (logits) to the spread of the evidence
# An intent that asks the company to act is missed at a cost: there a lower probability may count as 0.5. The rare
# classes lose little calibration by it, complaint and praise would lose the bound of 0.05.
ACTED_ON, CUTS = ("request", "question", "cancel"), (0.35, 0.4, 0.45, 0.5)
ABSTAIN_TARGET = 0.5  # below the threshold, fewer than this share of the named intents are right
QUICK_LOSS = 0.005  # of accuracy and of mean F1, that leaving clear sentences to the quick heads may cost


def main() -> None:
    rows, rated = read_sentences(), read_rated()
    with np.load(FOLDER / "readings.npz", allow_pickle=False) as stored:
        readings = dict(stored)
    if (str(readings["sentences"]), str(readings["rated"])) != (digest(), digest(RATED)):
        raise SystemExit("readings.npz is of other sentences: run adapt.py first")
    with threadpool_limits(1):
        arrays, measured = train(rows, rated, readings)
        measured["baselines"] = measure_baselines(rows)
    adapter = hashlib.sha256((FOLDER / "adapter.npz").read_bytes()).hexdigest()
    np.savez(FOLDER / "heads.npz", features=np.array(FEATURES), adapter=np.array(adapter), **arrays)
    report = write_card(rows, rated, measured)
    (FOLDER / "CARD.md").write_text(report, encoding="utf-8")
    print(report)


def train(rows: pd.DataFrame, rated: pd.DataFrame, readings: dict[str, np.ndarray]) -> tuple[dict, dict]:
    """The arrays of `voc.opinions.Heads`, and what the card tells: left-out probabilities with and without vector."""
    evidence = read_evidence(rows["text"].tolist()).values.astype(np.float64)
    industry, polarity, intents = rows["industry"].to_numpy(), polarity_of(rows), intents_of(rows)
    spread = np.maximum(evidence.std(axis=0), 0.1)
    words, use = evidence / spread, embed(rows["text"], model="use").astype(np.float64)
    use_mean = use.mean(axis=0)
    meaning = (use - use_mean) * USE_SCALE
    both = np.hstack([readings["scores"][:, :N_SENTENCE].astype(np.float64) * READING_SCALE, words])
    quick = np.hstack([words, meaning])

    groups = group_of(industry)
    kinds = {
        "both": polarity_head(both, polarity, industry, POLARITY_C),
        "words": polarity_head(words, polarity, industry, POLARITY_C),
        "quick": polarity_head(quick, polarity, groups, QUICK_C),
    }
    heads: dict[str, list] = {"both": [], "words": [], "quick": []}
    reads_vector = []
    for j in range(len(INTENTS)):
        cuts, label = CUTS if INTENTS[j] in ACTED_ON else (0.5,), intents[:, j]
        own = {name: intent_head(x, label, industry, INTENT_C, cuts=cuts) for name, x in (("both", both), ("words", words))}
        # a head that reads the vector has to earn it against grammar and words alone
        quality = {name: f1_score(label, head[2] >= 0.5) for name, head in own.items()}
        reads_vector.append(quality["both"] > quality["words"])
        heads["words"].append(own["words"])
        heads["both"].append(own["both"] if reads_vector[-1] else without_reading(own["words"], both.shape[1]))
        heads["quick"].append(intent_head(quick, label, groups, QUICK_C, cuts=cuts))
    out = {name: np.column_stack([head[2] for head in parts]) for name, parts in heads.items()}
    rating, of_rated = train_rating(rated, readings, evidence=evidence, meaning=meaning, use_mean=use_mean, spread=spread,
                                    industry=industry, polarity=polarity, sentence_head=kinds["both"])  # fmt: skip
    clear_above = clear_threshold(kinds, out, polarity, intents)
    arrays = {
        "mean": readings["mean"],
        "vector_scale": np.float64(VECTOR_SCALE),
        "use_mean": use_mean,
        "use_scale": np.float64(USE_SCALE),
        "evidence_scale": spread,
        **through_reading("polarity", kinds["both"][0], kinds["both"][1], readings, N_SENTENCE),
        **through_reading("intents", *stack(heads["both"]), readings, N_SENTENCE),
        **through_reading("rating", *rating, readings, len(readings["weights"])),
        "quick_polarity": kinds["quick"][0],
        "quick_polarity_bias": kinds["quick"][1],
        "quick_intents": stack(heads["quick"])[0],
        "quick_intents_bias": stack(heads["quick"])[1],
        "clear_above": np.float64(clear_above),
        "abstain_below": np.float64(abstain_threshold(out["both"], intents)),
    }
    arrays = {
        name: np.asarray(value, dtype=np.float32 if np.ndim(value) else np.float64) for name, value in arrays.items()
    }
    measured = {
        "polarity": polarity, "intents": intents, "out": out, "reads_vector": reads_vector, "rated": of_rated,
        "polarity_out": {name: head[2] for name, head in kinds.items()},
        "abstain_below": float(arrays["abstain_below"]), "clear_above": clear_above,
        "clear_quality": [mixed_quality(is_clear(kinds["quick"][2], out["quick"], above), kinds, out, polarity, intents)
                          for above in (np.inf, clear_above)],
    }  # fmt: skip
    return arrays, measured


def train_rating(
    rated: pd.DataFrame, readings: dict, *, evidence, meaning, use_mean, spread, industry, polarity, sentence_head
) -> tuple[tuple[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """Weights and bias of the rating over [readings, evidence, USE], learnt from the rated texts and, at less weight,
    from the sentences; and the probabilities that it and the polarity of sentences give the rated texts, left out."""
    own = read_evidence(rated["text"].tolist()).values / spread
    own_meaning = (embed(rated["text"], model="use") - use_mean) * USE_SCALE
    scores = np.vstack([readings["scores"], readings["rated_scores"]]).astype(np.float64) * READING_SCALE
    features = np.hstack([scores, np.vstack([evidence / spread, own]), np.vstack([meaning, own_meaning])])
    labels = np.concatenate([polarity, polarity_of(rated)])
    groups = group_of(np.concatenate([industry, rated["industry"].to_numpy()]))
    n = len(polarity)
    weights = np.concatenate([np.ones(n), np.full(len(rated), RATED_WEIGHT)])
    left = left_out(features, labels, groups, RATING_C, weights)[n:]
    temperature = fit_temperature(left, labels[n:])
    model = fit(features, labels, RATING_C, weights)
    as_sentence = np.hstack([scores[n:, :N_SENTENCE], own]) @ sentence_head[0].T + sentence_head[1]
    out = {"rating": softmax(left / temperature), "polarity of sentences": softmax(as_sentence), "truth": labels[n:]}
    return (model.coef_ / temperature, model.intercept_ / temperature), out


def group_of(industry: np.ndarray) -> np.ndarray:
    """The group that an industry is left out with; heads of many features are left out by groups, which is faster."""
    return np.array([next(i for i, group in enumerate(GROUPS) if name in group) for name in industry])


def polarity_head(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, c: float) -> tuple:
    """Weights (3, d) and bias at the temperature that fits the left-out industries, and their probabilities there."""
    scores = left_out(features, labels, groups, c)
    temperature = fit_temperature(scores, labels)
    model = fit(features, labels, c)
    return model.coef_ / temperature, model.intercept_ / temperature, softmax(scores / temperature)


def intent_head(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, c: float, *, cuts: tuple[float, ...]
) -> tuple:
    """Weights (d,) and bias calibrated (Platt) on the left-out industries, and the probabilities there.

    An intent counts from 0.5 on; that is laid where, of the probabilities `cuts`, F1 is best.
    """
    scores = left_out(features, labels.astype(int), groups, c)[:, 0]
    slope, shift = fit_platt(scores, labels)
    quality = {cut: f1_score(labels, slope * scores + shift >= np.log(cut / (1 - cut))) for cut in cuts}
    best = max(cuts, key=lambda cut: (round(quality[cut], 3), cut))
    shift -= np.log(best / (1 - best))
    model = fit(features, labels.astype(int), c)
    return model.coef_[0] * slope, model.intercept_[0] * slope + shift, 1 / (1 + np.exp(-(slope * scores + shift)))


def without_reading(head: tuple, width: int) -> tuple:
    return np.hstack([np.zeros(width - len(head[0])), head[0]]), head[1], head[2]


def stack(heads: list[tuple]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([head[0] for head in heads]), np.array([head[1] for head in heads])


def through_reading(name: str, weights: np.ndarray, bias: np.ndarray, readings: dict, n: int) -> dict[str, np.ndarray]:
    """A head over the first `n` readings and more as one over the vector and more: a reading is linear in the vector."""
    of_reading = weights[:, :n] * READING_SCALE
    return {
        name: np.hstack([of_reading @ readings["weights"][:n], weights[:, n:]]),
        f"{name}_bias": bias + of_reading @ readings["bias"][:n],
    }


def fit(features: np.ndarray, labels: np.ndarray, c: float, weights: np.ndarray | None = None) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=3000, tol=1e-5).fit(features, labels, sample_weight=weights)


def left_out(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, c: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Scores (n, classes; 1 column for two classes), each by a model that has not seen the row's group."""
    table = None
    weights = np.ones(len(labels)) if weights is None else weights
    for group in np.unique(groups):
        unseen = groups == group
        values = fit(features[~unseen], labels[~unseen], c, weights[~unseen]).decision_function(features[unseen])
        values = values.reshape(unseen.sum(), -1)
        table = np.empty((len(labels), values.shape[1])) if table is None else table
        table[unseen] = values
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


def clear_threshold(kinds: dict, out: dict, polarity: np.ndarray, intents: np.ndarray) -> float:
    """The lowest of 0.10, 0.11 ... 1.00 such that leaving what the quick heads decide that surely to them costs little."""

    def costs_little(above: float) -> bool:
        clear = is_clear(kinds["quick"][2], out["quick"], above)
        return bool((mixed_quality(clear, kinds, out, polarity, intents) >= best - QUICK_LOSS).all())

    best = mixed_quality(np.zeros(len(polarity), dtype=bool), kinds, out, polarity, intents)
    steps = np.round(np.arange(0.1, 1.001, 0.01), 2)
    return float(min((s for s in steps if costs_little(s)), default=1.0))


def mixed_quality(clear: np.ndarray, kinds: dict, out: dict, polarity: np.ndarray, intents: np.ndarray) -> np.ndarray:
    """Accuracy of the polarity and mean F1 of the intents where the quick heads judge the rows of `clear`."""
    guess = np.where(clear, kinds["quick"][2].argmax(axis=1), kinds["both"][2].argmax(axis=1))
    hits = np.where(clear[:, None], out["quick"], out["both"]) >= 0.5
    return np.array([(guess == polarity).mean(), f1_score(intents, hits, average="macro")])


def measure_baselines(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (guessed polarity, guessed intents) by characters and by the nearest sentence, industries left out."""
    groups, polarity, intents = rows["industry"].to_numpy(), polarity_of(rows), intents_of(rows)
    vectors = embed(rows["text"], model="e5")
    guesses = {
        name: (np.empty_like(polarity), np.empty_like(intents)) for name in ("character 1-3-grams", "nearest neighbour")
    }
    for group in np.unique(groups):
        seen, unseen = groups != group, groups == group
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        known, new = vectorizer.fit_transform(rows["text"][seen]), vectorizer.transform(rows["text"][unseen])
        kinds, intent_guess = guesses["character 1-3-grams"]
        kinds[unseen] = fit(known, polarity[seen], 10).predict(new)
        for j in range(intents.shape[1]):
            intent_guess[unseen, j] = fit(known, intents[seen, j], 10).predict(new)
        nearest = (vectors[unseen] @ vectors[seen].T).argmax(axis=1)
        kinds, intent_guess = guesses["nearest neighbour"]
        kinds[unseen], intent_guess[unseen] = polarity[seen][nearest], intents[seen][nearest]
    return guesses


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    main()
