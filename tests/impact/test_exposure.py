import numpy as np
import pandas as pd
import pytest

from voc.impact.exposure import DEFAULT_WINDOW, SPAN, crowding, exposure, exposure_days, learned_window
from voc.impact.records import Links


def links(*rows):
    """Rows (contact, issue, probability)."""
    contact, issue, probability = zip(*rows, strict=True)
    return Links(np.array(contact), np.array(issue), np.array(probability, dtype="float64"))


def test_exposure_is_the_highest_probability_in_the_window():
    said = links((0, 0, 0.4), (1, 0, 0.9), (1, 1, 0.1), (2, 0, 1.0))
    day = np.array([100, 130, 200])
    rows = np.array([1, 1, 2]) * SPAN + np.array([140, 260, 140])
    got = exposure(rows, np.ones(4, dtype=int), day[said.contact], said, n_issues=2, within=(7, 122)).toarray()
    assert got.tolist() == [[0.9, 0.1], [1.0, 0.0], [0.0, 0.0]]


def lives(months: float, *, effect: float = 2.5, n: int = 6000, seed: int = 0) -> dict:
    """One row per customer at day 400, one contact before it about issue 0 or 1; 0 drives away for so many months."""
    rng = np.random.default_rng(seed)
    day, issue = 400 - rng.integers(0, 400, n), rng.integers(0, 2, n)
    chance = 1 / (1 + np.exp(2.5 - effect * ((400 - day < exposure_days(months)) & (issue == 0))))
    return {
        "rows": np.arange(n) * SPAN + 400, "covariates": np.ones((n, 1)), "links": Links(np.arange(n), issue, np.ones(n)),
        "is_event": rng.random(n) < chance, "is_learned": np.ones(n, dtype=bool), "owner": np.arange(n), "day": day,
        "modelled": np.array([0, 1]), "n_issues": 2, "lag": 0, "seed": 1}


@pytest.mark.parametrize("months", [1, 2, 4, 8])
def test_the_window_is_learned(months):
    assert learned_window(**lives(months)) == months


def test_a_gain_that_a_few_customers_make_moves_no_window():
    few = lives(4, effect=1.2, n=1500, seed=9)  # twelve months gain more than MIN_GAIN here
    assert learned_window(**few) == DEFAULT_WINDOW


def test_without_an_effect_or_without_events_the_default_window_stands():
    flat = lives(2, effect=0.0)
    assert learned_window(**flat) == DEFAULT_WINDOW
    assert learned_window(**{**flat, "is_event": np.zeros(6000, dtype=bool)}) == DEFAULT_WINDOW


def test_what_all_contacts_share_says_nothing_of_the_window():
    world = lives(1)
    recent = 400 - world["day"] < 30  # whoever has decided asks about this and that
    rng = np.random.default_rng(5)
    event = rng.random(6000) < np.where(recent, 0.6, 0.08)
    assert learned_window(**{**world, "is_event": event}) == DEFAULT_WINDOW


def test_crowding_by_hand():
    # customer 0 speaks of issue 1 ten days before issue 0; customer 1 of issue 1 alone; customer 2 of issue 2 alone
    contacts = pd.DataFrame({"customer": [0, 0, 1, 2, 2], "day": [100, 110, 150, 150, 158]})
    said = links((0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0), (3, 2, 1.0), (4, 2, 1.0))
    people = pd.DataFrame({"plan": ["A"] * 3, "segment": ["S"] * 3, "start": [0, 0, 0]})
    shared = {"start_day": 0, "n_issues": 3}
    got = crowding(contacts, said, people, decision_day=np.full(3, 10**6), **shared)
    # 2 of 5 contacts have one before; one pair is about the same issue: found 1, 0, 0; expected .4 x (.8, 2 x .6, 2 x .6)
    expected = np.array([0.8, 1.2, 1.2]) / 3.2
    assert got[:, 0] == pytest.approx(np.log((np.array([1.0, 0.0, 0.0]) + 2) / (expected + 2)))
    assert got[:, 1] == pytest.approx(1 / (expected + 2))
    decided = crowding(contacts, said, people, decision_day=np.array([105, 10**6, 10**6]), **shared)
    assert decided[0, 0] == pytest.approx(0.0)  # after the decision to leave nothing counts


def test_crowding_of_nothing():
    contacts = pd.DataFrame({"customer": np.zeros(0, dtype=int), "day": np.zeros(0, dtype=int)})
    people = pd.DataFrame({"plan": ["A"], "segment": ["S"], "start": [0]})
    none = Links(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0))
    got = crowding(contacts, none, people, decision_day=np.array([10**6]), start_day=0, n_issues=2)
    assert got[:, 0].tolist() == [0.0, 0.0]
