import numpy as np
import pytest

from voc.impact.calibration import (
    EFFECT_SCALES,
    _drawn,
    against_silent,
    calibrated_draws,
    e_value,
    hidden_bias,
    label_log_odds_sd,
    loading,
    pooled_controls,
    shrunken_draws,
    silent_among_others,
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


@pytest.mark.parametrize("log_odds, low, high", [
    ([0.5, 0.5, 0.5], 0.5 - 1.645 * 0.1 / 3**0.5, 0.5 + 1.645 * 0.1 / 3**0.5),
    # Q = 50, between = (50 - 1) / (200 - 100) = 0.49, so each weighs 1 / 0.5 and the mean has se 0.5
    ([0.0, 1.0], 0.5 - 1.645 * 0.5, 0.5 + 1.645 * 0.5),
])
def test_pooled_controls_by_hand(log_odds, low, high):
    assert pooled_controls(np.array(log_odds), np.full(len(log_odds), 0.1)) == pytest.approx((low, high), abs=1e-4)
    bias = bias_of(log_odds, [0.1] * len(log_odds), n_draws=10)
    assert (bias.controls_low, bias.controls_high) == pytest.approx((low, high), abs=1e-4)


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


def silent(told, rate, n=5):
    return silent_among_others(np.array([told]), reporting_rate=rate, n_draws=n, rng=rng())


def test_silent_customers_among_the_unexposed_by_hand():
    # half of those who have it tell it: 10 % told, 10 % have it untold, so 1 in 9 of the 90 % that do not tell it
    share = silent(0.1, (0.5, 0.5))
    assert share == pytest.approx(np.full((1, 5), 1 / 9))
    # an odds ratio of 3 then looks like 3 / (8/9 + 1/9 x 3)
    seen = np.full((1, 5), np.log(3.0 / (8 / 9 + 3 / 9)))
    assert against_silent(seen, share) == pytest.approx(np.full((1, 5), np.log(3.0)))
    assert against_silent(seen, silent(0.1, (1.0, 1.0))) == pytest.approx(seen)


def test_an_unknown_rate_is_drawn_between_its_limits():
    drawn = silent(0.1, (0.2, 1.0), n=4000)
    assert drawn.min() >= 0 and drawn.max() <= 4 / 9 and drawn.mean() == pytest.approx(2 / 9, rel=0.05)


def test_the_correction_for_silent_customers_is_limited_and_keeps_the_sign_and_the_order():
    draws = np.array([[3.0, 1.0, 0.0, -1.0]])
    changed = against_silent(draws, silent(0.4, (0.2, 0.2), n=4))
    assert changed[0, 0] == pytest.approx(3.0 + np.log(2)) and changed[0, 2] == 0.0 and changed[0, 3] < -1.0
    assert (np.diff(changed[0]) < 0).all()


def shrunk(estimate, sd, shift=0.0, n_draws=4000):
    """Posterior draws where the shared bias is 0 +- `shift`."""
    moved = rng().normal(0.0, shift, n_draws) if shift else np.zeros(n_draws)
    return shrunken_draws(np.array(estimate)[:, None] - moved, np.full((len(estimate), n_draws), sd), rng=rng())


def test_shrinkage_keeps_the_clear_and_pulls_the_rest_to_zero():
    estimate = np.array([1.2, 0.15, -0.1, 0.05, 0.0, -0.2, 0.1, 0.9])
    drawn = shrunk(estimate, 0.15).mean(axis=1)
    assert drawn[0] == pytest.approx(1.2, abs=0.15) and abs(drawn[1]) < 0.1
    assert (np.abs(drawn) <= np.abs(estimate) + 0.02).all()


def test_an_error_that_all_issues_share_does_not_pull_each_of_them_to_zero():
    estimate = [1.2, 0.9, 0.8, 0.05, 0.0, -0.2, 0.1, 0.0]
    shared, own = shrunk(estimate, 0.15, shift=0.3), shrunk(estimate, np.hypot(0.15, 0.3))
    assert (shared.mean(axis=1)[:3] > own.mean(axis=1)[:3]).all()
    assert (shared.std(axis=1)[:3] > shrunk(estimate, 0.15).std(axis=1)[:3]).all()  # it stays in what is not known


def test_one_half_normal_by_hand():
    """A prior of one part, half-normal(0.4) above 0, and one estimate of 0 +- 0.3: the posterior is half-normal with
    sd 0.3 x 0.4 / 0.5 = 0.24, mean 0.24 x sqrt(2 / pi)."""
    weight = np.zeros(11)
    weight[1 + EFFECT_SCALES.index(0.4)] = 1.0
    drawn = _drawn(np.zeros(40_000), np.full(40_000, 0.3), weight, rng())
    assert drawn.min() >= 0 and drawn.mean() == pytest.approx(0.24 * np.sqrt(2 / np.pi), rel=0.02)


def test_no_issues():
    assert shrunken_draws(np.zeros((0, 5)), np.zeros((0, 5)), rng=rng()).shape == (0, 5)
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
