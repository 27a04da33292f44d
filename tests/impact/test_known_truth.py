"""The estimate against a simulated company in which every effect is known."""

import numpy as np
import pandas as pd
import pytest

from voc.config import Costs, Impact, Value
from voc.demo.catalogue import load_catalogue
from voc.demo.world import labels, simulate
from voc.impact.estimate import estimate
from voc.ranking import rank

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judged():
    catalogue = load_catalogue()
    world = simulate(catalogue, seed=1, n_customers=10_000, n_months=18)
    tables = labels(world, accuracy=0.85, seed=1)
    controls = catalogue.loc[catalogue["role"] == "control", "key"].tolist()
    result = estimate(
        **tables, impact=Impact(), value=Value(), costs=Costs(), as_of="2026-05-01", seed=1, controls=controls)
    truth = world.truth.set_index("key")[["role", "prevented_12", "stake_yen_12"]]
    ranking = rank(result, tables["issues"], audience="product")
    return world, result, truth.join(result.impact.set_index("issue_id")), ranking


def test_reverse_issues_are_found_and_no_other(judged):
    assert judged[1].diagnostics["reverse"] == ["cancel_procedure", "data_export"]


def test_harmful_issues_stand_above_harmless_ones(judged):
    table = judged[2][judged[2]["role"].isin(["harmful", "zero", "control"])]
    value = table["churns_prevented"].fillna(0.0)
    harmful = (table["role"] == "harmful").to_numpy()
    pairs = value[harmful].to_numpy()[:, None] - value[~harmful].to_numpy()
    assert (pairs > 0).mean() > 0.85


def test_intervals_hold_the_truth_and_harmless_issues_are_not_claimed(judged):
    told = judged[2][judged[2]["churns_prevented"].notna()]
    inside = (told["churns_low"] <= told["prevented_12"]) & (told["prevented_12"] <= told["churns_high"])
    assert inside.mean() >= 0.8
    harmless = told["role"].isin(["zero", "control"])
    assert (told.loc[harmless, "churns_low"] > 0).mean() <= 0.1


def test_prevented_churns_are_nearer_the_truth_than_none(judged):
    table = judged[2][judged[2]["role"] != "reverse"]
    error = np.sqrt(((table["churns_prevented"].fillna(0.0) - table["prevented_12"]) ** 2).mean())
    assert error < 0.6 * np.sqrt((table["prevented_12"] ** 2).mean())


def test_the_costliest_issues_are_near_the_top(judged):
    _, _, truth, ranking = judged
    best = truth[truth["role"] != "reverse"].nlargest(8, "stake_yen_12").index
    assert len(set(best) & set(ranking.nsmallest(10, "rank")["issue_id"])) >= 6


def test_company_months_are_the_real_ones(judged):
    world, result, *_ = judged
    shown = result.company_months.set_index("month_on")
    real = world.months.set_index(pd.to_datetime(world.months["month_on"]))
    assert shown["n_customers"].tolist() == real["n_customers"].tolist()
    assert shown["n_churned"].tolist() == real["n_churned"].tolist()
