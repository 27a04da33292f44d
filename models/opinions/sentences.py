"""The training sentences of the opinion heads: read, joined in pairs, and put into groups of industries."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from voc.opinions import INTENTS, POLARITIES

FOLDER = Path(__file__).parent
SENTENCES = FOLDER / "sentences.tsv"
RATED = FOLDER / "rated.tsv"
POLARITY_OF_RATING = {"1": "negative", "2": "negative", "3": "neutral", "4": "positive", "5": "positive"}
MIN_ROWS = 1500
# Left out together when the adapter is trained; the heads are left out industry by industry.
GROUPS = (
    ("hotel", "game", "bank", "utilities"),
    ("ec", "transport", "municipal", "leisure"),
    ("saas", "telecom", "appliances"),
)


def read_sentences(path: Path = SENTENCES) -> pd.DataFrame:
    """The labelled sentences. Raises ValueError on a label or an industry outside the vocabulary."""
    rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)
    unknown = set(rows["intents"].str.split("|").explode()) - set(INTENTS) | set(rows["polarity"]) - set(POLARITIES)
    unknown |= set(rows["industry"]) - {industry for group in GROUPS for industry in group}
    if unknown or len(rows) < MIN_ROWS:
        raise ValueError(f"{path}: {len(rows)} rows (at least {MIN_ROWS} are wanted), unknown labels {sorted(unknown)}")
    return rows


def read_rated(path: Path = RATED) -> pd.DataFrame:
    """Whole answers with the rating of five steps that their writer would give: id, industry, rating, text, polarity.

    Raises ValueError on a rating or an industry outside the vocabulary.
    """
    rows = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)
    unknown = set(rows["rating"]) - set(POLARITY_OF_RATING)
    unknown |= set(rows["industry"]) - {industry for group in GROUPS for industry in group}
    if unknown:
        raise ValueError(f"{path}: unknown values {sorted(unknown)}")
    return rows.assign(polarity=rows["rating"].map(POLARITY_OF_RATING))


def digest(path: Path = SENTENCES) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def join_neighbours(rows: pd.DataFrame) -> pd.DataFrame:
    """Texts of two sentences of one industry with the labels of both; good beside bad has no clear polarity: left out.

    Sentences of an industry are paired in the order of their hash, so that neighbours have nothing to do with each
    other; each stands in one pair.
    """
    joined = []
    for industry, members in rows.groupby("industry"):
        order = members["text"].map(lambda text: hashlib.sha256(text.encode()).hexdigest()).sort_values().index
        shuffled = members.loc[order].to_dict("records")
        for first, second in zip(shuffled[::2], shuffled[1::2], strict=False):
            polarities = {first["polarity"], second["polarity"]}
            if polarities == {"positive", "negative"}:
                continue
            intents = {*first["intents"].split("|"), *second["intents"].split("|")}
            intents = intents - {"other"} or intents
            end = "" if first["text"][-1] in "。？！?!" else "。"
            polarity = next(iter(polarities - {"neutral"}), "neutral")
            joined.append((industry, first["text"] + end + second["text"], polarity, "|".join(sorted(intents))))
    return pd.DataFrame(joined, columns=["industry", "text", "polarity", "intents"])


def polarity_of(rows: pd.DataFrame) -> np.ndarray:
    """Position in POLARITIES."""
    return rows["polarity"].map(POLARITIES.index).to_numpy()


def intents_of(rows: pd.DataFrame) -> np.ndarray:
    """Boolean (n, 6) in the order of INTENTS."""
    return np.array([[name in cell.split("|") for name in INTENTS] for cell in rows["intents"]])
