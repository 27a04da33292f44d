"""The estimate against simulated companies in which every effect is known; tests/benchmarks/impact.py has the means."""

import numpy as np
import pytest

from tests.benchmarks.impact import judge, ours
from tests.benchmarks.worlds import WORLDS, simulate
from voc.config import Costs, Impact, Value
from voc.demo.catalogue import load_catalogue
from voc.demo.world import labels
from voc.demo.world import simulate as demo_world
from voc.impact.estimation import estimate
from voc.ranking import rank

pytestmark = pytest.mark.slow


def figures(name: str, seed: int = 1) -> dict[str, float]:
    world = simulate(WORLDS[name], seed)
    return judge(ours(world), world.truth)


@pytest.mark.parametrize("name, cover, claim, rmse, ndcg", [
    ("plain", 0.80, 0.15, 0.50, 0.90),
    ("strong", 0.75, 0.25, 0.75, 0.85),
    ("month8", 0.75, 0.15, 0.50, 0.90),
])
def test_known_truth(name, cover, claim, rmse, ndcg):
    got = figures(name)
    assert got["cover"] >= cover and got["claim"] <= claim and got["rmse"] <= rmse and got["ndcg"] >= ndcg
    assert got["reverse"] == 0 and got["answered"] >= 0.8 and got["cost"] <= 0.15
    assert 0.6 <= got["sum"] <= 1.3 and got["found"] >= 0.6


def test_where_nothing_has_an_effect_hardly_anything_is_claimed():
    got = figures("zero")
    assert got["claim"] <= 0.15 and got["cover"] >= 0.85 and got["abs_rmse"] < 1.5


def test_five_hundred_customers_are_too_few_for_an_estimate():
    assert figures("tiny")["sure"] == 0


@pytest.fixture(scope="module")
def demo():
    catalogue = load_catalogue()
    world = demo_world(catalogue, seed=1, n_customers=10_000, n_months=18)
    tables = labels(world, accuracy=0.85, seed=1)
    controls = catalogue.loc[catalogue["role"] == "control", "key"].tolist()
    result = estimate(
        **tables, impact=Impact(), value=Value(), costs=Costs(), as_of="2026-05-01", seed=1, controls=controls)
    truth = world.truth.set_index("key")[["role", "prevented_12", "stake_yen_12"]]
    return world, result, truth.join(result.impact.set_index("issue_id")), rank(
        result, tables["issues"], audience="product")


def test_the_reverse_issues_of_the_demo_are_found_and_no_other(demo):
    assert demo[1].diagnostics["reverse"] == ["cancel_procedure", "data_export"]


def test_harmful_issues_of_the_demo_stand_above_harmless_ones(demo):
    table = demo[2][demo[2]["role"].isin(["harmful", "zero", "control"])]
    value = table["churns_prevented"].fillna(0.0)
    harmful = (table["role"] == "harmful").to_numpy()
    pairs = value[harmful].to_numpy()[:, None] - value[~harmful].to_numpy()
    assert (pairs > 0).mean() > 0.85


def test_intervals_of_the_demo_hold_the_truth(demo):
    told = demo[2][demo[2]["churns_prevented"].notna()]
    inside = (told["churns_low"] <= told["prevented_12"]) & (told["prevented_12"] <= told["churns_high"])
    assert inside.mean() >= 0.8
    harmless = told["role"].isin(["zero", "control"])
    assert (told.loc[harmless, "churns_low"] > 0).mean() <= 0.1


def test_prevented_churns_of_the_demo_are_nearer_the_truth_than_none(demo):
    table = demo[2][demo[2]["role"] != "reverse"]
    error = np.sqrt(((table["churns_prevented"].fillna(0.0) - table["prevented_12"]) ** 2).mean())
    assert error < 0.6 * np.sqrt((table["prevented_12"] ** 2).mean())


def test_the_costliest_issues_of_the_demo_are_near_the_top(demo):
    _, _, truth, ranking = demo
    best = truth[truth["role"] != "reverse"].nlargest(8, "stake_yen_12").index
    assert len(set(best) & set(ranking.nsmallest(10, "rank")["issue_id"])) >= 6


def test_company_months_of_the_demo_are_the_real_ones(demo):
    shown = demo[1].company_months.set_index("month_on")
    real = demo[0].months.set_index("month_on")
    assert shown["n_customers"].tolist() == real["n_customers"].tolist()
    assert shown["n_churned"].tolist() == real["n_churned"].tolist()
