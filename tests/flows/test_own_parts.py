"""A small survey run with a company's own parts, from its configuration to the table `runs`; a wrong part stops at once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from voc.embeddings import registry
from voc.store import read_table
from voc.tables import EMBEDDINGS, ISSUES, LTV_FACTORS, OPINIONS, RUNS

pytestmark = pytest.mark.slow
SURVEY = Path(__file__).parent / "survey"
COMPANY = '''
"""Parts of a company that knows its own words best."""

import zlib

import numpy as np
import pandas as pd


def letters(texts):
    """Counts of two letters in a row, in 64 boxes."""
    found = np.full((len(texts), 64), 1e-3)
    for row, text in zip(found, texts, strict=True):
        for i in range(len(text) - 1):
            row[zlib.crc32(text[i : i + 2].encode()) % 64] += 1.0
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def words(texts):
    is_bad = np.array([any(word in text for word in ("ない", "少な", "高い", "不便", "待ち", "遅")) for text in texts], dtype=bool)
    bad = np.where(is_bad, 0.9, 0.1)
    frame = pd.DataFrame({"p_negative": bad, "p_neutral": (1 - bad) / 2, "p_positive": (1 - bad) / 2, "p_complaint": bad})
    for name in ("request", "question", "praise", "cancel"):
        frame["p_" + name] = 0.05
    return frame.assign(
        p_other=1 - bad, polarity=np.where(is_bad, "negative", "neutral"), strength=frame["p_positive"] - bad, is_abstained=False,
        intent=np.where(is_bad, "complaint", "other"), flags=[[] for _ in texts],
    )


def by_letter(terms, vectors, *, min_cluster_size, seed):
    """One cluster for each of the four heaviest boxes."""
    boxes = np.argsort(-vectors.sum(axis=0), kind="stable")[:4]
    found = np.argmax(vectors[:, boxes], axis=1) if len(vectors) >= min_cluster_size else np.full(len(vectors), -1)
    return found, found.copy()


def yearly(price_yen, monthly_churn):
    return price_yen * np.minimum(1 / monthly_churn, 12)


def lists(texts):
    return letters(texts).tolist()
'''
PARTS = """
[parts]
embedder = "{name}:{embedder}"
opinions = "{name}:words"
clusterer = "{name}:by_letter"

[value]
formula = "{name}:yearly"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ourparts.py").write_text(COMPANY, encoding="utf-8")
    shutil.copytree(SURVEY, tmp_path / "survey")
    return tmp_path


@pytest.fixture
def command(folder):
    """`command(*arguments)` -> the console program with the company's folder on the path."""

    def run(*arguments):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HF_", "VOC_"))}
        path = os.pathsep.join([str(Path(__file__).parents[2]), str(folder)])
        return subprocess.run([sys.executable, "-m", "flows.cli", *arguments], cwd=folder / "survey", capture_output=True, text=True,
                              timeout=600, check=False, env={**clean, "HOME": str(folder), "PYTHONPATH": path})  # fmt: skip

    return run


def swapped(folder, embedder="letters"):
    before = (SURVEY / "voc.toml").read_text(encoding="utf-8")
    (folder / "survey" / "voc.toml").write_text(before + PARTS.format(name="ourparts", embedder=embedder), encoding="utf-8")


def test_a_run_with_own_parts_ends_and_says_so(folder, command):
    swapped(folder)
    checked = command("check", "voc.toml")
    assert checked.returncode == 0 and "✓ 部品（[parts] clusterer）" in checked.stdout, checked.stdout + checked.stderr
    done = command("run", "voc.toml")
    assert done.returncode == 0, done.stderr[-3000:]
    store = str(folder / "survey" / "store")
    models = json.loads(read_table(RUNS, store=store)["models"].iloc[-1])
    assert set(models) - set(registry()) == {"[parts] embedder", "[parts] opinions", "[parts] clusterer", "[value] formula"}
    assert "ourparts:letters" in str(models["[parts] embedder"])
    vectors = read_table(EMBEDDINGS, store=store)
    assert set(vectors["model"]) == {"ourparts:letters"} and vectors["vector"].map(len).eq(64).all()
    issues = read_table(ISSUES, store=store)
    assert len(issues) and issues["centroid"].map(len).eq(64 + 8).all()
    assert set(read_table(OPINIONS, store=store)["p_request"]) == {0.05}
    assert read_table(LTV_FACTORS, store=store)["note"].str.contains("自社の式").all()

    # the same again computes nothing; another embedder does not find its way about this ledger
    again = command("run", "voc.toml")
    assert again.returncode == 0 and read_table(ISSUES, store=store)["issue_id"].tolist() == issues["issue_id"].tolist()
    assert json.loads(read_table(RUNS, store=store)["counts"].iloc[-1])["new_vectors_ourparts:letters"] == 0
    shutil.copy(SURVEY / "voc.toml", folder / "survey" / "voc.toml")
    other = command("run", "voc.toml")
    assert other.returncode != 0 and "ourparts:letters" in other.stderr and "新しい保存先" in other.stderr
    assert "Traceback" not in other.stderr


def test_a_wrong_part_stops_the_run_before_it_reads_a_voice(folder, command):
    swapped(folder, embedder="lists")
    checked = command("check", "voc.toml")
    assert checked.returncode != 0 and "NumPy 配列" in checked.stdout
    done = command("run", "voc.toml")
    assert done.returncode != 0 and "ourparts:lists" in done.stderr and "NumPy 配列" in done.stderr and "Traceback" not in done.stderr
    assert not (folder / "survey" / "store").exists()
