"""The contracts of swappable parts: a stranger's good part passes each, a wrong one fails with words that say why."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from voc.config import Config, Parts, Value
from voc.embeddings import embed, encoder, join_vectors
from voc.errors import ConfigError, VocError
from voc.impact.lifetime import formula_text, lifetime_value
from voc.issue_space import text_vectors
from voc.issues.discovery import find_candidates
from voc.part_results import PartError, judged_rows
from voc.parts import (
    check_clusterer,
    check_embedder,
    check_ltv,
    check_opinions,
    configured_parts,
    is_address,
    load_part,
)

SHIPPED_LTV = ("price_over_churn", "price_frequency_duration", "price_frequency_duration_margin")


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def raw(texts):
    """Counts of characters by code point: crude, and a vector of the text alone."""
    found = np.full((len(texts), 16), 0.01)
    for row, text in zip(found, texts, strict=True):
        np.add.at(row, [ord(letter) % 16 for letter in text], 1.0)
    return found


def letters(texts):
    return unit(raw(texts))


def with_call_count(function):
    calls = []

    def changed(*given, **options):
        calls.append(1)
        return function(len(calls), *given, **options)

    return changed


WRONG_EMBEDDERS = {
    "a list": (lambda texts: letters(texts).tolist(), "NumPy 配列"),
    "a row too few": (lambda texts: letters(texts)[1:], "NumPy 配列"),
    "one number a text": (lambda texts: letters(texts)[:, 0], "NumPy 配列"),
    "whole numbers": (lambda texts: raw(texts).astype(int), "float32 か float64"),
    "any length": (raw, "長さを 1"),
    "nan": (lambda texts: letters(texts) * np.nan, "NaN"),
    "another at each call": (with_call_count(lambda n, texts: unit(raw(texts) + n)), "2 回渡すと"),
    "centred by the batch": (lambda texts: unit(raw(texts) - raw(texts).mean(axis=0) + 1e-6), "一緒に渡す文"),
    "in sorted order": (lambda texts: letters(sorted(texts)), "順番を変える"),
    "place in the list": (lambda texts: unit(raw(texts) + np.arange(len(texts))[:, None]), "順番を変える"),
    "all the same": (lambda texts: unit(np.ones((len(texts), 8))), "どの文も同じ"),
    "no texts, no width": (lambda texts: letters(texts) if texts else np.zeros((0, 0)), "空のリスト"),
    "falls on no texts": (lambda texts: letters(texts) if texts else 1 / 0, "ZeroDivisionError"),
    "falls": (lambda texts: texts.encode(), "AttributeError"),
}


def test_a_strangers_embedder_passes():
    check_embedder(letters)


@pytest.mark.parametrize("wrong", WRONG_EMBEDDERS)
def test_a_wrong_embedder_is_told(wrong):
    part, told = WRONG_EMBEDDERS[wrong]
    with pytest.raises(PartError, match=told):
        check_embedder(part, name="mine:embed")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["use", "e5"])
def test_the_shipped_embedders_pass(name):
    check_embedder(lambda texts: embed(texts, model=name))


def opinions(texts):
    """A word decides."""
    bad = np.array([0.9 if "ない" in text or "解約" in text else 0.1 for text in texts])
    frame = pd.DataFrame({"p_negative": bad, "p_neutral": (1 - bad) / 2, "p_positive": (1 - bad) / 2})
    frame["polarity"] = np.where(bad > 0.5, "negative", "neutral")
    frame["strength"] = frame["p_positive"] - frame["p_negative"]
    for name in ("complaint", "request", "question", "praise", "cancel", "other"):
        frame[f"p_{name}"] = bad if name == "complaint" else 0.2
    frame["intent"] = np.where(bad > 0.5, "complaint", "other")
    frame["flags"] = [[] for _ in texts]
    return frame.assign(is_abstained=bad < 0.5)


WRONG_OPINIONS = {
    "a row too few": (lambda texts: opinions(texts).iloc[1:], "DataFrame"),
    "no p_cancel": (lambda texts: opinions(texts).drop(columns="p_cancel"), "p_cancel"),
    "percent": (lambda texts: opinions(texts).assign(p_request=20.0), "0〜1"),
    "empty": (lambda texts: opinions(texts).assign(p_request=np.nan), "0〜1"),
    "words for numbers": (lambda texts: opinions(texts).assign(p_request="高い"), "数に"),
    "sum": (lambda texts: opinions(texts).assign(p_positive=0.9), "和を 1"),
    "not the likeliest": (lambda texts: opinions(texts).assign(polarity="positive"), "最も高い"),
    "strength": (lambda texts: opinions(texts).assign(strength=0.0), "strength"),
    "own words": (lambda texts: opinions(texts).assign(polarity="悪い", intent="怒り"), "怒り"),
    "flags": (lambda texts: opinions(texts).assign(flags="urgency"), "flags"),
    "abstained": (lambda texts: opinions(texts).assign(is_abstained=0), "is_abstained"),
    "in sorted order": (lambda texts: opinions(sorted(texts)), "順番"),
    "another at each call": (with_call_count(lambda n, texts: opinions(texts).assign(p_request=n / 100)), "2 回"),
    "needs a text": (lambda texts: opinions(texts) if texts else pd.DataFrame(), "空のリスト"),
}


def test_a_strangers_opinions_pass_and_become_the_table():
    check_opinions(opinions)
    texts = pd.DataFrame({"sentence_id": ["b", "a"], "text": ["使えない", "はい"]})
    rows = judged_rows(opinions, texts)
    assert rows["sentence_id"].tolist() == ["b", "a"] and rows["polarity"].tolist() == ["negative", "neutral"]


@pytest.mark.parametrize("wrong", WRONG_OPINIONS)
def test_wrong_opinions_are_told(wrong):
    part, told = WRONG_OPINIONS[wrong]
    with pytest.raises(PartError, match=told):
        check_opinions(part, name="mine:judge")


@pytest.mark.slow
def test_the_shipped_opinions_pass():
    from voc.opinions import judge

    check_opinions(judge)


def blocks(terms, vectors, *, min_cluster_size, seed):
    """The largest number of the vector names the cluster."""
    broad = vectors.argmax(axis=1).astype(int) if len(vectors) > min_cluster_size else np.full(len(vectors), -1)
    return broad, broad.copy()


def in_place(terms, vectors, *, min_cluster_size, seed):
    vectors *= 2
    return blocks(terms, vectors, min_cluster_size=min_cluster_size, seed=seed)


def of(change):
    return lambda terms, vectors, **options: change(*blocks(terms, vectors, **options))


WRONG_CLUSTERERS = {
    "one array": (of(lambda *both: both[0]), "2 つの配列"),
    "lists": (of(lambda broad, fine: (broad.tolist(), fine)), "整数の配列"),
    "floats": (of(lambda broad, fine: (broad, fine.astype(float))), "整数の配列"),
    "too few": (of(lambda broad, fine: (broad[1:], fine)), "整数の配列"),
    "below -1": (of(lambda broad, fine: (broad - 2, fine)), "-1"),
    "another at each call": (with_call_count(lambda n, t, v, **o: ((blocks(t, v, **o)[0] + n) % max(len(v), 1),) * 2), "2 回渡すと"),
    "changes its input": (in_place, "書き換え"),
    "no seed": (lambda terms, vectors, *, min_cluster_size: blocks(terms, vectors, min_cluster_size=min_cluster_size, seed=0), "seed"),
    "falls on one row": (lambda t, v, **o: blocks(t, v, **o) if len(v) > 1 else 1 / 0, "ZeroDivisionError"),
}


def test_a_strangers_clusterer_passes():
    check_clusterer(blocks)
    check_clusterer(of(lambda broad, fine: (np.where(broad < 0, -1, broad + 1_000_000_000), fine)))  # any numbers are names



@pytest.mark.parametrize("wrong", WRONG_CLUSTERERS)
def test_a_wrong_clusterer_is_told(wrong):
    part, told = WRONG_CLUSTERERS[wrong]
    with pytest.raises(PartError, match=told):
        check_clusterer(part, name="mine:cluster")


@pytest.mark.slow
def test_the_shipped_clusterer_passes():
    from voc.topics import cluster

    check_clusterer(cluster)


@pytest.mark.slow
def test_voices_are_grouped_and_judged_with_own_parts():
    import voc

    texts = ["アプリが落ちて困っています。", "アプリがすぐ落ちます。", "アプリが落ちない日がない", "料金が高いです。", "料金が高すぎる", "値段が高いと思う"] * 6
    widths = []

    def noted(terms, vectors, **options):
        widths.append(vectors.shape[1])
        return blocks(terms, vectors, **options)

    frame = voc.group(texts, embedder=letters, clusterer=noted)
    assert len(frame["row"].unique()) == len(texts) and widths[-1] == 16 + 8  # letters and kinds
    judged = voc.judge(["アプリが使えないので困っています。", "はい"], opinions=opinions)
    assert judged["p_request"].eq(0.2).all() and judged["polarity"].tolist() == ["negative", "neutral"]
    with pytest.raises(PartError, match="2 つの配列"):
        voc.group(texts, clusterer=lambda *given, **_: given[1])
    with pytest.raises(PartError, match="DataFrame"):
        voc.judge(texts, opinions=list)


@pytest.mark.slow
def test_a_clusterer_takes_the_place_of_bertopic():
    n = 40
    sentences = pd.DataFrame({"sentence_id": [f"s{i:02d}" for i in range(n)], "terms": [[f"語{i}", "請求" if i % 2 else "検索"] for i in range(n)]})
    voices = np.hstack([np.eye(2)[np.arange(n) % 2], np.zeros((n, 8))])
    kinds = np.eye(8)[np.zeros(n, dtype=int)]
    seen = []

    def halves(terms, vectors, *, min_cluster_size, seed):
        seen.append((len(terms), vectors.shape, seed))
        return (vectors[:, 0] > 0.5).astype(int), (vectors[:, 0] > 0.5).astype(int)

    options = {"min_sentences": 5, "max_fit": 100, "seed": 3, "needs_kind": False}
    found = find_candidates(sentences, voices, kinds, cluster=halves, **options)
    assert seen == [(n, (n, 10), 3)] and sorted(len(one.members) for one in found) == [20, 20]
    with pytest.raises(PartError, match="clusterer"):
        find_candidates(sentences, voices, kinds, cluster=lambda *given, **_: given, **options)


def yearly(price_yen, monthly_churn):
    return price_yen * np.minimum(1 / monthly_churn, 12)


WRONG_LTV = {
    "a list": (lambda price, churn: yearly(price, churn).tolist(), "配列"),
    "one number": (lambda price, _: float(price.sum()), "配列"),
    "inf": (lambda price, churn: price / (churn * 0), "NaN、inf"),
    "debts": (lambda price, churn: yearly(price, churn) - 100_000, "0 円より小さい"),
    "dear is worth less": (lambda price, churn: 1e6 / (1 + price) / churn, "料金が高いほど"),
    "churn is good": (lambda price, churn: price * churn, "解約率が高いほど"),
    "nothing": (lambda price, _: price * 0, "0 円になります"),
    "beside the others": (lambda price, churn: yearly(price, churn) / max(len(price), 1), "一緒に渡す顧客"),
    "another at each call": (with_call_count(lambda n, price, churn: yearly(price, churn) * n), "2 回"),
    "swapped names": (lambda churn: churn, "TypeError"),
}


@pytest.mark.parametrize("formula", [yearly, *SHIPPED_LTV])
def test_good_formulas_pass(formula):
    check_ltv(formula if callable(formula) else lambda price, churn: lifetime_value(price, churn, value=Value(formula=formula)))


@pytest.mark.parametrize("wrong", WRONG_LTV)
def test_a_wrong_formula_is_told(wrong):
    part, told = WRONG_LTV[wrong]
    with np.errstate(all="ignore"), pytest.raises(PartError, match=told):
        check_ltv(part, name="mine:ltv")


@pytest.fixture
def company(tmp_path, monkeypatch):
    """A company's module on the path, with the parts of this file under their names."""
    name = f"company_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np\nWORD = 1\n\n\ndef ltv_margin(price_yen, monthly_churn):\n    return price_yen * np.minimum(1 / monthly_churn, 12)\n\n\n"
        "def embed(texts):\n    found = np.array([[1.0, len(text), text.count('ない')] for text in texts]).reshape(-1, 3)\n"
        "    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)\n", encoding="utf-8")  # fmt: skip
    (tmp_path / f"{name}_broken.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_an_own_formula_gets_the_churn_within_the_limits(company):
    value = Value(formula=f"{company}:ltv_margin", churn_floor=0.05, cap_months=10, gross_margin=0.5, discount_per_year=0.1)
    yen = lifetime_value(np.array([100.0, 100.0, np.nan, 100.0]), np.array([0.0, 0.5, 0.1, 0.5]), value=value,
                         duration_months=np.array([np.nan, np.nan, np.nan, 8.0]))  # fmt: skip
    np.testing.assert_allclose(yen, [1000, 200, np.nan, 800])
    assert f"{company}:ltv_margin" in formula_text(value)


def test_an_own_embedder_is_a_model(company):
    texts = ["使えない", "とても良い", "使えない"]
    vectors = embed(texts, model=f"{company}:embed")
    assert vectors.shape == (3, 3) and (vectors[0] == vectors[2]).all()
    np.testing.assert_allclose(text_vectors(texts, embedder=f"{company}:embed"), vectors, atol=2e-4)  # no centre: as they are
    np.testing.assert_allclose(embed(texts, model=load_part(f"{company}:embed")), vectors)
    with pytest.raises(PartError, match="長さを 1"):
        embed(texts, model=raw)


def test_what_has_no_centre_is_joined_as_it_is():
    vectors = letters(["使えない", "とても良い"])
    np.testing.assert_allclose(join_vectors({"mine:embed": vectors}), vectors, atol=1e-4)


@pytest.mark.parametrize(
    ("address", "told"),
    [("{}:nothing", "関数 nothing がありません。ある関数: ltv_margin、embed"), ("{}:WORD", "関数 WORD がありません"),
     ("{}_away:embed", "PYTHONPATH"), ("{}.inner:embed", "PYTHONPATH"), ("{}_broken:embed", "ZeroDivisionError")],
)  # fmt: skip
def test_a_part_that_cannot_be_loaded_is_told(company, address, told):
    with pytest.raises(VocError, match=told):
        load_part(address.format(company))


def test_a_fault_passes_from_a_worker():
    fault = pickle.loads(pickle.dumps(PartError("x:y", ["a", "b"])))  # noqa: S301 - our own
    assert fault.faults == ["a", "b"] and "x:y" in str(fault)


@pytest.mark.parametrize(("name", "expected"), [("a:b", True), ("a.b_1:c2", True), ("use", False), ("C:\\model", False), ("a:b c", False), ("a.:b", False)])
def test_addresses(name, expected):
    assert is_address(name) == expected


@pytest.mark.parametrize(
    "part", [{"parts": {"opinions": "kein address"}}, {"parts": {"clusterer": "hdbscan"}}, {"parts": {"embedder": "opinions"}},
             {"parts": {"embeder": "use"}}, {"value": {"formula": "price x churn"}}],
)  # fmt: skip
def test_the_configuration_refuses_what_names_no_part(part, tmp_path):
    from voc.config import load_config

    lines = "".join(f'[{name}]\n{key} = "{value}"\n' for name, own in part.items() for key, value in own.items())
    (tmp_path / "voc.toml").write_text('[[sources]]\nname = "s"\nformat = "chat"\npath = "x"\n' + lines, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "voc.toml")


def test_parts_that_are_swapped_are_named():
    assert configured_parts(Parts(), Value()) == [] and configured_parts(Parts(embedder="use"), Value()) == []
    named = configured_parts(Parts(embedder="a:e", opinions="a:o", clusterer="a:c"), Value(formula="a:f"))
    assert [(setting, name) for setting, name, _ in named] == [
        ("[parts] embedder", "a:e"), ("[parts] opinions", "a:o"), ("[parts] clusterer", "a:c"), ("[value] formula", "a:f")]  # fmt: skip
    assert Config(sources=[{"name": "s", "format": "chat", "path": "x"}]).parts == Parts()


def test_a_model_that_cannot_be_had_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("voc.embeddings.sentence_transformer", lambda name: Path(name).read_text())
    with pytest.raises(VocError, match="読み込めません"):
        encoder(str(tmp_path / "no_model"))
