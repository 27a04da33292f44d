import numpy as np
import pytest

from voc.impact.calibration import (
    against_silent,
    calibrated_draws,
    e_value,
    hidden_bias,
    label_log_odds_sd,
    loading,
    shrunken_draws,
)


def rng():
    return np.random.default_rng(0)


def bias_of(log_odds, se, loads=None, n_draws=4000, others=()):
    """Bias of controls with these estimates, and of further issues that load so much."""
    n = len(log_odds)
    loads = [*(np.zeros(n) if loads is None else loads), *others]
    return hidden_bias(
        np.array([*log_odds, *np.zeros(len(others))]), np.array([*se, *np.ones(len(others))]),
        is_control=np.arange(len(loads)) < n, loads=np.array(loads), n_draws=n_draws, rng=rng())


@pytest.mark.parametrize(
    "ratio, expected", [(2.0, 2 + 2**0.5), (1.0, 1.0), (0.5, 1.0), (3.9, 3.9 + (3.9 * 2.9) ** 0.5)])
def test_e_value(ratio, expected):
    assert e_value(np.array([ratio]))[0] == pytest.approx(expected)


def test_without_controls_nothing_is_shifted_only_widened():
    bias = bias_of([0.8], [0.1], n_draws=20_000, others=(0.5,))
    assert (bias.shift_mean, bias.spread_mean, bias.slope_mean) == (0.0, 0.2, 0.0)
    assert bias.shift.shape == (2, 20_000) and bias.shift.std() == pytest.approx(0.1, rel=0.05)


def test_controls_above_zero_pull_estimates_down():
    bias = bias_of([0.30, 0.35, 0.40, 0.32], [0.05] * 4)
    assert 0.2 < bias.shift_mean < 0.4
    seen, draws = calibrated_draws(np.full(4, 0.35), 0.01 * np.eye(4), bias, rng=rng())
    assert seen.mean() == pytest.approx(0.35, abs=0.02) and seen.std(axis=1) == pytest.approx(np.full(4, 0.1), rel=0.1)
    assert (np.quantile(draws, 0.05, axis=1) < 0).all() and (np.quantile(draws, 0.95, axis=1) > 0).all()


def test_controls_that_disagree_widen():
    near, far = bias_of([0.0, 0.02, -0.02, 0.01], [0.1] * 4), bias_of([0.7, -0.6, 0.5, -0.7], [0.1] * 4)
    assert far.spread_mean > 2 * near.spread_mean


def test_an_issue_told_in_worse_moods_than_the_controls_is_shifted_more():
    bias = bias_of([0.2, 0.2, 0.2], [0.05] * 3, others=(0.3, -0.3))
    assert bias.shift[3].mean() == pytest.approx(bias.shift_mean + 0.3 * bias.slope_mean, abs=0.02)
    assert bias.shift[3].mean() > bias.shift[0].mean() > bias.shift[4].mean()


def test_the_slope_is_learned_where_controls_load_differently():
    loads = np.array([-0.5, -0.25, 0.0, 0.25, 0.5])
    steep, flat = bias_of(1.8 * loads, [0.03] * 5, loads), bias_of(0.0 * loads, [0.03] * 5, loads)
    assert steep.slope_mean > 1.5 and flat.slope_mean < 0.3


def test_loading_is_nothing_where_ratios_differ_by_chance_only():
    variance = np.full(4, 0.04)
    assert loading(np.column_stack([[0.1, -0.1, 0.15, -0.15], variance])).tolist() == [0.0] * 4
    clear = loading(np.column_stack([[1.0, -1.0, 1.0, -1.0], variance]))
    assert clear == pytest.approx([0.96, -0.96, 0.96, -0.96])  # 1 - 0.04 of 1 is between the issues


def test_silent_customers_among_the_unexposed_by_hand():
    # half of those who have it tell it: with 10 % told, 10 % of the others have it; odds ratio 3 looks like 3 / 1.2
    seen = np.full((1, 5), np.log(3.0 / (0.9 + 0.1 * 3.0)))
    corrected = against_silent(seen, np.array([0.1]), reporting_rate=(0.5, 0.5), rng=rng())
    assert corrected == pytest.approx(np.full((1, 5), np.log(3.0)))
    everyone = against_silent(seen, np.array([0.1]), reporting_rate=(1.0, 1.0), rng=rng())
    assert everyone == pytest.approx(seen)


def test_the_correction_for_silent_customers_is_limited_and_keeps_the_sign():
    draws = np.array([[3.0, 1.0, 0.0, -1.0]])
    changed = against_silent(draws, np.array([0.4]), reporting_rate=(0.2, 0.2), rng=rng())
    assert changed[0, 0] == pytest.approx(3.0 + np.log(2)) and changed[0, 2] == 0.0 and changed[0, 3] < -1.0


def test_shrinkage_keeps_the_clear_and_pulls_the_rest_to_zero():
    estimate = np.array([1.2, 0.15, -0.1, 0.05, 0.0, -0.2, 0.1, 0.9])
    drawn = shrunken_draws(estimate, np.full(8, 0.15), n_draws=4000, rng=rng()).mean(axis=1)
    assert drawn[0] == pytest.approx(1.2, abs=0.15) and abs(drawn[1]) < 0.1
    assert (np.abs(drawn) <= np.abs(estimate) + 0.02).all()


def test_no_issues():
    assert shrunken_draws(np.zeros(0), np.zeros(0), n_draws=5, rng=rng()).shape == (0, 5)
    assert loading(np.zeros((0, 2))).shape == (0,)


def test_uncalibrated_labels_widen_strong_effects_most():
    extra = label_log_odds_sd(np.array([0.0, 0.5, -1.0]))
    assert extra == pytest.approx([0.15, np.hypot(0.15, 0.1), np.hypot(0.15, 0.2)])


def test_wrong_labels_blur_the_cause_and_not_what_was_counted():
    bias = bias_of([0.0, 0.0], [0.05] * 2, n_draws=4_000)
    (sharp, plain), (blurred, wide) = (
        calibrated_draws(np.array([1.0, 0.0]), 0.01 * np.eye(2), bias, rng=rng(), label_sd=sd) for sd in (0.0, np.array([1.0, 0.0])))
    assert (sharp == blurred).all() and (wide[1] == plain[1]).all()
    assert wide[0].std() > 3 * plain[0].std()
