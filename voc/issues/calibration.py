"""Match probabilities corrected by sentences that people have labelled.

Uncalibrated labels bias every later number: over-confident ones more than rare ones. A few hundred sentences
are enough, since issues share one curve and each departs from it only as far as its own labels bear out.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from voc.errors import VocError
from voc.issues.events import survivors
from voc.tables import ISSUE_CALIBRATION, ISSUE_LABELS, check

COMMON = "*"  # the row that serves issues without labels
COLUMNS = {"label": "課題", "text": "文", "context": "前後の文", "answer": "合っている", "sentence_id": "文番号", "issue_id": "課題番号",
           "probability": "確率", "weight": "重み"}  # fmt: skip
"""The sheet that people fill in: ours -> theirs. 合っている: はい or いいえ."""
READ = ("answer", "sentence_id", "issue_id", "probability", "weight")
"""The columns that are read back; a person may take out the others."""
_ANSWERS = dict.fromkeys("はい ○ 〇 ◯ 1 yes true".split(), True) | dict.fromkeys("いいえ × ✕ x 0 no false".split(), False)
_EDGES = (0.5, 0.7, 0.9)  # strata of probability: from each to the next
_SPREAD = 0.7  # of an issue's departure from the common curve, on the log-odds scale
_COMMON_SPREAD = (1.0, 0.5)  # of the common intercept and slope around 0 and 1
ENOUGH = 100
"""Labels that a ledger needs to count as calibrated."""
_TOLD = 20  # wrong rows that one message names
_LEAST_SLOPE = 0.1  # a flatter curve could not be undone, as a later sample needs


def choose_sample(
    mentions: pd.DataFrame, voices: pd.DataFrame, issues: pd.DataFrame, *, n: int, seed: int, calibration: pd.DataFrame | None = None
) -> pd.DataFrame:
    """At most `n` mentions to be labelled, as the columns COLUMNS with empty answers, in an order mixed by `seed`.

    Strata are issue x probability (0.5-0.7, 0.7-0.9, 0.9-1); each gets the same number as far as it has mentions, so
    that rare issues and doubtful matches are seen. `weight`: mentions of the stratum for each one chosen. `voices` have
    sentence_id, text and, to be shown, context. With the `calibration` that the mentions were made with, `probability`
    is the one before it, which a new calibration must start from.
    """
    rows = mentions.sort_values(["issue_id", "sentence_id"], ignore_index=True)
    rows["stratum"] = rows["issue_id"] + "/" + np.searchsorted(_EDGES, rows["probability"], side="right").astype(str)
    if calibration is not None:
        rows["probability"] = uncalibrated(rows["probability"].to_numpy(), rows["issue_id"], calibration)
    mixed = rows.iloc[np.random.default_rng(seed).permutation(len(rows))]
    turn = mixed.groupby("stratum").cumcount()
    # one of each stratum, then a second of each, ...: the last round is cut where n is reached
    chosen = mixed.assign(turn=turn).sort_values("turn", kind="stable").head(n)
    size, taken = rows["stratum"].value_counts(), chosen["stratum"].value_counts()
    chosen = chosen.assign(weight=(chosen["stratum"].map(size) / chosen["stratum"].map(taken)).round(4))
    chosen = chosen.merge(voices[["sentence_id", "text", *voices.columns.intersection(["context"])]], on="sentence_id")
    chosen = chosen.merge(issues[["issue_id", "label"]], on="issue_id")
    # rows of one issue stand together: who has its matter in mind answers faster and more evenly
    chosen = chosen.sort_values(["issue_id", "turn", "sentence_id"], kind="stable", ignore_index=True)
    return chosen.assign(answer="").reindex(columns=list(COLUMNS), fill_value="").rename(columns=COLUMNS)


def read_answers(sheet: pd.DataFrame, *, known: Collection[str]) -> pd.DataFrame:
    """issue_id, sentence_id, probability, weight, is_right of the answered rows of a filled sheet.

    `known`: the issues of the ledger. Raises VocError naming the columns that are missing, or with all wrong rows:
    answers that cannot be read, numbers that were changed, unknown issues, rows that contradict each other.
    """
    missing = [COLUMNS[name] for name in READ if COLUMNS[name] not in sheet]
    if missing:
        raise VocError(f"確認の表に列がありません: {'、'.join(missing)}。voc issues sample が書いた表の見出しを変えずに使ってください。")
    rows = sheet.rename(columns={theirs: ours for ours, theirs in COLUMNS.items()}).reset_index(drop=True)
    answer = rows["answer"].fillna("").astype(str).str.normalize("NFKC").str.strip().str.lower().str.removesuffix(".0")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce") for name in ("probability", "weight")}
    ids = {name: rows[name].fillna("").astype(str).str.strip() for name in ("issue_id", "sentence_id")}
    is_given = answer != ""
    read = pd.DataFrame({**ids, **numbers, "is_right": answer.map(_ANSWERS)})
    several = read[is_given].groupby(["issue_id", "sentence_id"])["is_right"].transform("nunique").reindex(read.index, fill_value=0) > 1
    faults = {
        "「合っている」に「はい」か「いいえ」を書いてください": ~answer.isin(_ANSWERS),
        "確率と重みは変えないでください": ~numbers["probability"].between(0, 1) | ~(numbers["weight"] > 0),
        "課題番号が台帳にありません": ~ids["issue_id"].isin(known), "文番号が空です": ids["sentence_id"] == "",
        "同じ文と課題に「はい」と「いいえ」があります": several,
    }  # fmt: skip
    told = [
        f"{number + 2} 行目「{str(rows['answer'].iloc[number])[:20]}」: {fault}"
        for fault, is_wrong in faults.items() for number in np.flatnonzero(is_wrong & is_given)
    ]  # fmt: skip
    if told:
        more = [f"ほか {len(told) - _TOLD:,} 件"] if len(told) > _TOLD else []
        lines = "\n".join(f"  - {line}" for line in told[:_TOLD] + more)
        raise VocError(f"確認の表に {len(told):,} 件の誤りがあるため、何も取り込んでいません。\n{lines}")
    return read[is_given].drop_duplicates(["issue_id", "sentence_id"]).astype({"is_right": bool}).reset_index(drop=True)


def add_labels(before: pd.DataFrame, answers: pd.DataFrame, *, at: pd.Timestamp, by: str) -> pd.DataFrame:
    """ISSUE_LABELS with `answers` (of `read_answers`); an older answer to the same sentence and issue is replaced."""
    rows = pd.concat([part for part in (before, answers.assign(labelled_at=at, by=by)) if len(part)] or [before], ignore_index=True)
    return check(rows.drop_duplicates(["issue_id", "sentence_id"], keep="last"), ISSUE_LABELS)


def labels_of_now(labels: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """ISSUE_LABELS with the labels of merged issues under their survivor; of two on one sentence the latest stays."""
    home = survivors(issues)
    moved = labels.assign(issue_id=labels["issue_id"].map(home).fillna(labels["issue_id"]))
    moved = moved.sort_values(["labelled_at", "issue_id", "sentence_id"], kind="stable")
    return check(moved.drop_duplicates(["issue_id", "sentence_id"], keep="last"), ISSUE_LABELS)


def fit_calibration(labels: pd.DataFrame, *, at: pd.Timestamp) -> pd.DataFrame:
    """ISSUE_CALIBRATION from `labels` (issue_id, probability, weight, is_right): log-odds' = intercept + slope x log-odds.

    Platt's curve with one slope for all and an intercept per issue, drawn to the common one (normal, spread 0.7): an
    issue with few labels stays near the others. The row `COMMON` serves issues without labels. `at` dates it.
    """
    if labels.empty:
        raise VocError("ラベルが 1 件もありません。「合っている」の列に「はい」か「いいえ」を書いてから取り込んでください。")
    ids = sorted(labels["issue_id"].unique())
    number = labels["issue_id"].map({issue_id: i for i, issue_id in enumerate(ids)}).to_numpy()
    odds, truth = _log_odds(labels["probability"].to_numpy()), labels["is_right"].to_numpy(dtype=float)
    weight = labels["weight"].to_numpy() / labels["weight"].mean()

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        intercept, slope, own = values[0], values[1], values[2:]
        score = intercept + own[number] + slope * odds
        error = weight * (1 / (1 + np.exp(-score)) - truth)
        prior = np.r_[intercept / _COMMON_SPREAD[0] ** 2, (slope - 1) / _COMMON_SPREAD[1] ** 2, own / _SPREAD**2]
        slip = np.r_[intercept, slope - 1, own]
        total = (weight * (np.logaddexp(0, score) - truth * score)).sum() + 0.5 * (prior * slip).sum()
        return total, prior + np.r_[error.sum(), (error * odds).sum(), np.bincount(number, error, minlength=len(ids))]

    found = minimize(loss, np.r_[0.0, 1.0, np.zeros(len(ids))], jac=True, method="L-BFGS-B").x.round(4)
    counts = np.bincount(number, minlength=len(ids))
    return check(
        pd.DataFrame({
            "issue_id": [COMMON, *ids], "intercept": found[0] + np.r_[0.0, found[2:]], "slope": max(found[1], _LEAST_SLOPE),
            "n_labels": np.r_[0, counts], "labelled_at": at,
        }), ISSUE_CALIBRATION,
    )  # fmt: skip


def calibrated(probabilities: np.ndarray, issue_ids: Sequence[str], calibration: pd.DataFrame) -> np.ndarray:
    """(n, k) probabilities after ISSUE_CALIBRATION; unchanged where there is none. Zeros stay zero."""
    if calibration.empty:
        return probabilities
    own = _curves(issue_ids, calibration)
    score = own["intercept"].to_numpy()[None, :] + own["slope"].to_numpy()[None, :] * _log_odds(probabilities)
    return np.where(probabilities > 0, 1 / (1 + np.exp(-score)), 0.0)


def uncalibrated(probabilities: np.ndarray, issue_ids: Sequence[str], calibration: pd.DataFrame) -> np.ndarray:
    """(n,) what `calibrated` was given, for one probability and issue a row."""
    if calibration.empty:
        return probabilities
    own = _curves(issue_ids, calibration)
    score = (_log_odds(probabilities) - own["intercept"].to_numpy()) / own["slope"].to_numpy()
    return np.round(1 / (1 + np.exp(-score)), 4)


def is_calibrated(calibration: pd.DataFrame) -> bool:
    """Whether people have labelled enough sentences; else intervals are to be widened and reports say 「未校正」."""
    return int(calibration["n_labels"].sum()) >= ENOUGH


def _curves(issue_ids: Sequence[str], calibration: pd.DataFrame) -> pd.DataFrame:
    curve = calibration.set_index("issue_id")[["intercept", "slope"]]
    return curve.reindex(list(issue_ids)).fillna(curve.loc[COMMON])


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    inside = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))
