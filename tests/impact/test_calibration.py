import numpy as np
import pytest

from voc.impact.calibration import calibrated_draws, e_value, hidden_bias, shrunken_draws


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "ratio, expected", [(2.0, 2 + 2**0.5), (1.0, 1.0), (0.5, 1.0), (3.9, 3.9 + (3.9 * 2.9) ** 0.5)])
def test_e_value(ratio, expected):
    assert e_value(np.array([ratio]))[0] == pytest.approx(expected)


def test_without_controls_nothing_is_shifted_only_widened():
    bias = hidden_bias(np.array([0.8]), np.array([0.1]), n_draws=20_000, rng=rng())
    assert (bias.shift_mean, bias.spread_mean) == (0.0, 0.2)
    assert bias.shift.std() == pytest.approx(0.1, rel=0.05)


def test_controls_above_zero_pull_estimates_down():
    bias = hidden_bias(np.array([0.30, 0.35, 0.40, 0.32]), np.full(4, 0.05), n_draws=4000, rng=rng())
    assert 0.2 < bias.shift_mean < 0.4
    draws = calibrated_draws(np.array([0.35]), np.array([[0.01]]), bias, rng=rng())
    assert np.quantile(draws, 0.05) < 0 < np.quantile(draws, 0.95)


def test_controls_that_disagree_widen():
    near = hidden_bias(np.array([0.0, 0.02, -0.02, 0.01]), np.full(4, 0.1), n_draws=100, rng=rng())
    far = hidden_bias(np.array([0.7, -0.6, 0.5, -0.7]), np.full(4, 0.1), n_draws=100, rng=rng())
    assert far.spread_mean > 2 * near.spread_mean


def test_shrinkage_keeps_the_clear_and_pulls_the_rest_to_zero():
    estimate = np.array([1.2, 0.15, -0.1, 0.05, 0.0, -0.2, 0.1, 0.9])
    drawn = shrunken_draws(estimate, np.full(8, 0.15), n_draws=4000, rng=rng()).mean(axis=1)
    assert drawn[0] == pytest.approx(1.2, abs=0.15) and abs(drawn[1]) < 0.1
    assert (np.abs(drawn) <= np.abs(estimate) + 0.02).all()


def test_no_issues():
    assert shrunken_draws(np.zeros(0), np.zeros(0), n_draws=5, rng=rng()).shape == (0, 5)
