"""From the panel to numbers per issue: log-odds, prevented churns and yen per month, with intervals and draws."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from voc.config import Impact, Value
from voc.impact.calibration import (
    UNKNOWN_RATE,
    Bias,
    against_silent,
    calibrated_draws,
    e_value,
    hidden_bias,
    label_log_odds_sd,
    loading,
    shrunken_draws,
    silent_among_others,
)
from voc.impact.hazard import fit_hazard, jointly_prevented, prevented, prevented_tables
from voc.impact.lifetime import valued_customers
from voc.impact.periods import Window
from voc.impact.person_months import Panel
from voc.impact.value import customer_counts
from voc.intervals import Z90

JOINT_DRAWS = 200


@dataclass(frozen=True)
class Effects:
    """`table`: one row per issue of the model (position `issue`); `ltv_draws`, `log_odds_draws`: its rows x draws;
    `corrected_draws`: the latter against customers without the issue instead of those who do not tell it (the same
    where the company gave its reporting rate)."""

    table: pd.DataFrame
    ltv_draws: np.ndarray
    log_odds_draws: np.ndarray
    corrected_draws: np.ndarray
    bias: Bias
    eta: np.ndarray
    exposure: object
    weights: np.ndarray
    n_months: float


def estimate_effects(
    panel: Panel, customers: pd.DataFrame, window: Window, *, modelled: np.ndarray, controls: np.ndarray,
    is_calibrated: bool, impact: Impact, value: Value, seed: int,
) -> Effects:
    """Fit the hazard, calibrate by `controls`, shrink, and add up over the period, scaled to the period's real churns.

    `modelled`, `controls`: positions of issues. Table columns, all per month: churns_prevented (median of the
    draws), churns_low, churns_high (5 and 95 %), churns_shrunken, the same for ltv (yen), mrr_yen; log_odds and
    log_odds_se as fitted, the latter widened where labels are not calibrated (fitted_se: not widened), e_value of their lower limit.

    Customers who have an issue and do not tell it stand among those it is compared with, which makes an effect look
    smaller. With `impact.reporting_rate` all figures are corrected for it. Without, none is raised by a rate that nobody
    knows: point and shrunken value stand at least (as if everybody told), and only the interval reaches as far as
    a rate between 20 and 100 % would take it.
    """
    learned = panel.is_learned
    fit = fit_hazard(
        panel.covariates[learned], panel.learning[learned][:, modelled], panel.is_event[learned],
        panel.customer[learned],
    )
    own = fitted_se = fit.se
    label_sd = np.zeros(len(own)) if is_calibrated else label_log_odds_sd(fit.log_odds)
    if not is_calibrated:
        own = np.hypot(own, label_log_odds_sd(np.zeros(len(own))))
        fit = replace(fit, se=np.hypot(fit.se, label_sd))
    rng = np.random.default_rng([seed, 2])
    bias = hidden_bias(
        fit.log_odds, fit.se, is_control=np.isin(modelled, controls), loads=loading(panel.crowding[modelled]),
        n_draws=impact.draws, rng=rng,
    )
    told_share = np.asarray(panel.learning[learned].mean(axis=0)).ravel()[modelled]
    silent = silent_among_others(told_share, reporting_rate=impact.reporting_rate or UNKNOWN_RATE, n_draws=impact.draws, rng=rng)
    seen, draws = calibrated_draws(fit.log_odds, fit.covariance, bias, rng=rng, label_sd=label_sd)
    slip = seen - fit.log_odds[:, None]
    # Wrong labels make an effect look smaller, never out of nothing: what grows with the effect is no reason to call it none.
    shrunken = shrunken_draws(fit.log_odds[:, None] - bias.shift, np.hypot(own[:, None], bias.spread), rng=rng)
    corrected = against_silent(draws, silent)
    if impact.reporting_rate:
        draws, shrunken = corrected, against_silent(shrunken, silent)

    counted = np.isin(panel.month, window.period_month_indices)
    exposure = panel.counting[counted][:, modelled]
    eta = panel.covariates[counted] @ fit.coefficients[:panel.covariates.shape[1]] + exposure @ fit.log_odds
    weights = row_weights(customers, window, value=value)[panel.customer[counted]]
    # Exposures that were not learned from, and ends that are not in yet, leave the sum of the model off the real sum.
    months = customer_counts(customers, window).iloc[window.period_month_indices]
    weights = weights * (months["n_churned"].sum() / expit(eta).sum())
    tables = prevented_tables(eta, exposure, weights, n_months=window.period_months)
    spread, cautious = prevented(tables, draws, slip=slip), prevented(tables, shrunken)
    middle = np.median(spread, axis=2)
    low, high = _limits(spread, prevented(tables, corrected, slip=slip))
    careful = cautious.mean(axis=2)
    table = pd.DataFrame({
        "issue": modelled, "churns_prevented": middle[:, 0], "churns_low": low[:, 0], "churns_high": high[:, 0],
        "churns_shrunken": careful[:, 0], "log_odds": fit.log_odds, "log_odds_se": fit.se,
        "e_value": e_value(np.exp(fit.log_odds - Z90 * fit.se)), "mrr_yen": middle[:, 1], "ltv_yen": middle[:, 2],
        "ltv_low_yen": low[:, 2], "ltv_high_yen": high[:, 2], "ltv_shrunken_yen": careful[:, 2], "fitted_se": fitted_se,
    })
    return Effects(table, spread[:, 2], draws, corrected, bias, eta, exposure, weights, window.period_months)


def _limits(*spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lowest 5 %, highest 95 %) over sets of draws (last axis)."""
    low, high = (np.stack([np.quantile(spread, q, axis=-1) for spread in spreads]) for q in (0.05, 0.95))
    return low.min(axis=0), high.max(axis=0)


def row_weights(customers: pd.DataFrame, window: Window, *, value: Value) -> np.ndarray:
    """Customers x (1, monthly price in yen, LTV in yen); a customer without any known price weighs 0 yen."""
    valued = customers if "ltv" in customers else valued_customers(customers, window, value=value)
    return np.column_stack([np.ones(len(valued)), valued["price"].fillna(0.0), valued["ltv"].fillna(0.0)])


def joint(effects: Effects, rows: np.ndarray, *, real_churns: float) -> dict[str, float]:
    """Churns and LTV prevented per month if the issues in `rows` of the table were all removed at once.

    Never more than the churns that really happened; the yen are cut by the same share.
    """
    if not len(rows):
        return {}
    draws = effects.log_odds_draws[rows]
    middle = np.median(draws, axis=1, keepdims=True)
    every = np.linspace(0, draws.shape[1] - 1, min(JOINT_DRAWS, draws.shape[1])).astype(int)
    result = jointly_prevented(
        effects.eta, effects.exposure[:, rows], effects.weights,
        np.hstack([middle, draws[:, every], effects.corrected_draws[rows][:, every]]), n_months=effects.n_months,
    )
    cut = np.minimum(1.0, real_churns / np.maximum(result[0], 1e-12))
    result = result * np.where(result[0] > 0, cut, 1.0)
    low, high = _limits(*np.split(result[:, 1:], 2, axis=1))
    point = np.clip(result[:, 0], low, high)
    return {
        "churns_prevented": point[0], "churns_low": low[0], "churns_high": high[0],
        "ltv_yen": point[2], "ltv_low_yen": low[2], "ltv_high_yen": high[2],
    }
