"""Match probabilities corrected by sentences that people have labelled.

Uncalibrated labels bias every later number: over-confident ones more than rare ones. A few hundred sentences
are enough, since issues share one curve and each departs from it only as far as its own labels bear out.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from voc.errors import VocError
from voc.tables import ISSUE_CALIBRATION, check

COMMON = "*"  # the row that serves issues without labels
COLUMNS = {"sentence_id": "文番号", "issue_id": "課題番号", "label": "課題", "text": "文", "probability": "確率", "weight": "重み",
           "answer": "合っている"}  # fmt: skip
"""The sheet that people fill in: ours -> theirs. 合っている: はい or いいえ."""
_ANSWERS = {"はい": True, "○": True, "1": True, "yes": True, "true": True, "いいえ": False, "×": False, "0": False, "no": False, "false": False}
_EDGES = (0.5, 0.7, 0.9)  # strata of probability: from each to the next
_SPREAD = 0.7  # of an issue's departure from the common curve, on the log-odds scale
_COMMON_SPREAD = (1.0, 0.5)  # of the common intercept and slope around 0 and 1
_ENOUGH = 100  # labels; with fewer the ledger counts as not calibrated


def choose_sample(mentions: pd.DataFrame, voices: pd.DataFrame, issues: pd.DataFrame, *, n: int, seed: int) -> pd.DataFrame:
    """At most `n` mentions to be labelled, as the columns COLUMNS with empty answers, in an order mixed by `seed`.

    Strata are issue x probability (0.5-0.7, 0.7-0.9, 0.9-1); each gets the same number as far as it has mentions, so
    that rare issues and doubtful matches are seen. `weight`: mentions of the stratum for each one chosen.
    """
    rows = mentions.sort_values(["issue_id", "sentence_id"], ignore_index=True)
    rows["stratum"] = rows["issue_id"] + "/" + np.searchsorted(_EDGES, rows["probability"], side="right").astype(str)
    mixed = rows.iloc[np.random.default_rng(seed).permutation(len(rows))]
    turn = mixed.groupby("stratum").cumcount()
    # one of each stratum, then a second of each, ...: the last round is cut where n is reached
    chosen = mixed.assign(turn=turn).sort_values("turn", kind="stable").head(n)
    size, taken = rows["stratum"].value_counts(), chosen["stratum"].value_counts()
    chosen = chosen.assign(weight=(chosen["stratum"].map(size) / chosen["stratum"].map(taken)).round(4))
    chosen = chosen.merge(voices[["sentence_id", "text"]], on="sentence_id").merge(issues[["issue_id", "label"]], on="issue_id")
    chosen = chosen.assign(answer="").sort_values(["turn", "issue_id", "sentence_id"], kind="stable", ignore_index=True)
    return chosen[list(COLUMNS)].rename(columns=COLUMNS)


def read_answers(sheet: pd.DataFrame) -> pd.DataFrame:
    """issue_id, sentence_id, probability, weight, is_right of the answered rows of a filled sheet.

    Raises VocError naming the columns that are missing, or every row whose answer or number cannot be read.
    """
    missing = [name for name in COLUMNS.values() if name not in sheet]
    if missing:
        raise VocError(f"ラベルの表に列がありません: {'、'.join(missing)}。voc issues sample が書いた表の見出しを変えずに使ってください。")
    rows = sheet.rename(columns={theirs: ours for ours, theirs in COLUMNS.items()})
    answer = rows["answer"].fillna("").astype(str).str.strip().str.lower().str.removesuffix(".0")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce") for name in ("probability", "weight")}
    is_wrong = (~answer.isin(_ANSWERS) | ~numbers["probability"].between(0, 1) | ~(numbers["weight"] > 0)) & (answer != "")
    if is_wrong.any():
        told = "、".join(f"{line + 2} 行目「{str(rows['answer'].iloc[line])[:20]}」" for line in np.flatnonzero(is_wrong)[:10])
        raise VocError(f"ラベルの表に読めない行が {int(is_wrong.sum())} 行あります: {told}。「合っている」には「はい」か「いいえ」を書き、確率と重みは変えないでください。")
    kept = (answer != "").to_numpy()
    return pd.DataFrame({
        "issue_id": rows["issue_id"].astype(str), "sentence_id": rows["sentence_id"].astype(str), **numbers,
        "is_right": answer.map(_ANSWERS),
    })[kept].reset_index(drop=True)  # fmt: skip


def fit_calibration(labels: pd.DataFrame, *, at: pd.Timestamp) -> pd.DataFrame:
    """ISSUE_CALIBRATION from `labels` (issue_id, probability, weight, is_right): log-odds' = intercept + slope x log-odds.

    Platt's curve with one slope for all and an intercept per issue, drawn to the common one (normal, spread 0.7): an
    issue with few labels stays near the others. The row `COMMON` serves issues without labels. `at` dates it.
    """
    if labels.empty:
        raise VocError("ラベルが 1 件もありません。「合っている」に「はい」か「いいえ」を書いてから取り込んでください。")
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
            "issue_id": [COMMON, *ids], "intercept": found[0] + np.r_[0.0, found[2:]], "slope": max(found[1], 0.0),
            "n_labels": np.r_[0, counts], "labelled_at": at,
        }), ISSUE_CALIBRATION,
    )  # fmt: skip


def calibrated(probabilities: np.ndarray, issue_ids: Sequence[str], calibration: pd.DataFrame) -> np.ndarray:
    """(n, k) probabilities after ISSUE_CALIBRATION; unchanged where there is none. Zeros stay zero."""
    if calibration.empty:
        return probabilities
    curve = calibration.set_index("issue_id")[["intercept", "slope"]]
    own = curve.reindex(list(issue_ids)).fillna(curve.loc[COMMON])
    score = own["intercept"].to_numpy()[None, :] + own["slope"].to_numpy()[None, :] * _log_odds(probabilities)
    return np.where(probabilities > 0, 1 / (1 + np.exp(-score)), 0.0)


def is_calibrated(calibration: pd.DataFrame) -> bool:
    """Whether people have labelled enough sentences; else intervals are to be widened and reports say 「未校正」."""
    return int(calibration["n_labels"].sum()) >= _ENOUGH


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    inside = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))
