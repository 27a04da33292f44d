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


def lives(months: float, *, effect: float = 2.5, n: int = 6000, seed: int = 0):
    """One row per customer at day 400, one contact each before it; an effect that lasts so many months."""
    rng = np.random.default_rng(seed)
    day = 400 - rng.integers(0, 400, n)
    chance = 1 / (1 + np.exp(2.5 - effect * (400 - day < exposure_days(months))))
    return np.arange(n) * SPAN + 400, rng.random(n) < chance, day, links(*((k, 0, 1.0) for k in range(n)))


@pytest.mark.parametrize("months", [1, 2, 4, 8])
def test_the_window_is_learned(months):
    rows, event, day, said = lives(months)
    n = len(rows)
    got = learned_window(
        rows, np.ones((n, 1)), said, is_event=event, is_learned=np.ones(n, dtype=bool), owner=np.arange(n), day=day,
        modelled=np.array([0]), n_issues=1, lag=0, seed=1)
    assert got == months


def test_without_an_effect_or_without_events_the_default_window_stands():
    rows, event, day, said = lives(4, effect=0.0)
    n = len(rows)
    for events in (event, np.zeros(n, dtype=bool)):
        got = learned_window(
            rows, np.ones((n, 1)), said, is_event=events, is_learned=np.ones(n, dtype=bool), owner=np.arange(n), day=day,
            modelled=np.array([0]), n_issues=1, lag=0, seed=1)
        assert got == DEFAULT_WINDOW


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
