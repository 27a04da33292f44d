"""The training sentences of the opinion heads keep the rules of models/opinions/GUIDE.md."""

import unicodedata
from collections import Counter, defaultdict

import pandas as pd
import pytest

from voc.models_folder import models_folder
from voc.opinions import INTENTS, POLARITIES


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    path = models_folder() / "opinions" / "sentences.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


@pytest.fixture(scope="module")
def rated() -> pd.DataFrame:
    path = models_folder() / "opinions" / "rated.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


def five_grams(text: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum() and c != "ー")
    return {plain[i : i + 5] for i in range(len(plain) - 4)}


def near_copies(texts: list[str]) -> list[tuple[str, str]]:
    """Pairs that share more than half of the 5-grams of the shorter one."""
    grams = [five_grams(text) for text in texts]
    holders, pairs = defaultdict(list), []
    for i, own in enumerate(grams):
        shared = Counter(j for gram in own for j in holders[gram])
        pairs += [(texts[j], texts[i]) for j, n in shared.items() if 2 * n > min(len(own), len(grams[j]))]
        for gram in own:
            holders[gram].append(i)
    return pairs


def test_a_near_copy_is_found():
    assert near_copies(["駅前の駐車場が狭いです", "駅前の駐車場が狭い", "窓口が遠い"]) == [
        ("駅前の駐車場が狭いです", "駅前の駐車場が狭い")
    ]


def test_no_two_texts_share_half_of_their_five_grams(rows, rated):
    assert near_copies([*rows["text"], *rated["text"]]) == []


def test_rated_texts_of_every_industry_and_step(rows, rated):
    assert list(rated.columns) == ["id", "industry", "rating", "text"]
    assert rated["id"].is_unique
    assert set(rated["industry"]) == set(rows["industry"])
    counts = rated.groupby(["industry", "rating"]).size().unstack(fill_value=0)
    assert list(counts.columns) == list("12345")
    assert counts.min().min() >= 5


def test_columns_and_labels(rows):
    assert list(rows.columns) == ["id", "industry", "register", "text", "polarity", "intents", "note"]
    assert rows["id"].is_unique
    assert rows["text"].is_unique
    assert set(rows["polarity"]) == set(POLARITIES)
    intents = rows["intents"].str.split("|")
    assert set(intents.explode()) == set(INTENTS)
    assert intents.map(lambda names: len(names) == len(set(names))).all()
    assert set(rows["register"]) == {"spoken", "written"}
    assert set(rows["note"].str.split(";").explode()) <= {"", "hard", "ambiguous"}
    assert rows["text"].str.len().between(4, 120).all()


def test_main_intent_and_polarity_agree(rows):
    main = rows["intents"].str.split("|").str[0]
    assert (rows["polarity"][main == "complaint"] == "negative").all()
    assert (rows["polarity"][main == "praise"] == "positive").all()


def test_enough_sentences_of_every_industry(rows):
    assert len(rows) >= 1500
    counts = rows["industry"].value_counts()
    assert len(counts) >= 10
    assert counts.min() >= 100
    assert rows["note"].str.contains("hard").sum() >= 200
    assert (rows["register"] == "spoken").sum() >= 300


def test_second_reading_is_of_these_sentences(rows):
    read = pd.read_csv(models_folder() / "opinions" / "second_reading.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert list(read.columns) == ["id", "polarity", "intents", "why"]
    assert read["id"].is_unique
    assert set(read["id"]) <= set(rows["id"])
    assert set(read["polarity"]) == set(POLARITIES)
    assert set(read["intents"].str.split("|").explode()) == set(INTENTS)
    assert (read["why"] == "sample").sum() == 300
    assert set(read["why"]) == {"sample", "model"}
