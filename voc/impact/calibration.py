"""Shift and widen estimates by negative controls; shrink them for ranking; how strong a hidden cause must be."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import norm

SHIFT_SD = 0.25  # prior of the shift shared by all issues; 0.5 let a few rare controls move everything
SPREAD_SCALE = 0.2  # half-normal prior of the spread between issues
DEFAULT_SHIFT_SD, DEFAULT_SPREAD = 0.1, 0.2  # without controls: no correction, only wider
MIN_CONTROLS = 2
EFFECT_SCALES = (0.1, 0.2, 0.4, 0.8, 1.6)
# True over estimated log-odds: people who meet an issue and do not say so stand among the unexposed, and labels miss
# some contacts. In simulated companies the estimates were 0.83-0.90 of the truth; drawn uniformly from this range.
ATTENUATION = (1.0, 1.2)
NULL_WEIGHT = 10.0  # pseudo-issues without effect, the customary penalty of adaptive shrinkage
_SHIFTS = np.linspace(-1.5, 1.5, 121)
_SPREADS = np.linspace(0.005, 1.2, 120)


@dataclass(frozen=True)
class Bias:
    """Draws of the shift and the spread of hidden bias in log-odds, and their means."""

    shift: np.ndarray
    spread: np.ndarray
    shift_mean: float
    spread_mean: float
    n_controls: int


def hidden_bias(log_odds: np.ndarray, se: np.ndarray, *, n_draws: int, rng: np.random.Generator) -> Bias:
    """Bias learned from the controls' estimates: issues that cannot cause churn, so any effect of theirs is bias.

    b_j ~ N(shift, se_j^2 + spread^2), shift ~ N(0, 0.25^2), spread ~ half-normal(0.2), posterior on a grid (the
    empirical calibration of Schuemie et al. 2014). Fewer than two controls: shift ~ N(0, 0.1^2), spread 0.2.
    """
    if len(log_odds) < MIN_CONTROLS:
        shift = rng.normal(0.0, DEFAULT_SHIFT_SD, n_draws)
        return Bias(shift, np.full(n_draws, DEFAULT_SPREAD), 0.0, DEFAULT_SPREAD, len(log_odds))
    variance = se[:, None] ** 2 + _SPREADS**2
    likelihood = -0.5 * (log_odds[:, None, None] - _SHIFTS[:, None]) ** 2 / variance[:, None, :]
    logs = (likelihood - 0.5 * np.log(variance)[:, None, :]).sum(axis=0)
    logs += -0.5 * (_SHIFTS[:, None] / SHIFT_SD) ** 2 - 0.5 * (_SPREADS / SPREAD_SCALE) ** 2
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    cell = rng.choice(weight.size, size=n_draws, p=weight.ravel())
    shift = _SHIFTS[cell // len(_SPREADS)] + rng.uniform(-0.5, 0.5, n_draws) * (_SHIFTS[1] - _SHIFTS[0])
    return Bias(
        shift, _SPREADS[cell % len(_SPREADS)], float(weight.sum(axis=1) @ _SHIFTS),
        float(weight.sum(axis=0) @ _SPREADS), len(log_odds),
    )


def calibrated_draws(
    log_odds: np.ndarray, covariance: np.ndarray, bias: Bias, *, rng: np.random.Generator
) -> np.ndarray:
    """Issues x draws of log-odds: (estimate - shift + sampling noise + spread) x attenuation."""
    n, n_draws = len(log_odds), len(bias.shift)
    if not n:
        return np.zeros((0, n_draws))
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(n))
    noise = root @ rng.standard_normal((n, n_draws)) + bias.spread * rng.standard_normal((n, n_draws))
    return (log_odds[:, None] - bias.shift + noise) * rng.uniform(*ATTENUATION, n_draws)


def shrunken_draws(estimate: np.ndarray, sd: np.ndarray, *, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Issues x draws from the empirical-Bayes posterior of each log-odds, given estimates and their sd.

    Prior: a point at 0 and half-normals to both sides (unimodal at 0, the idea of Stephens 2017), weights by EM over
    all issues with NULL_WEIGHT - 1 pseudo-counts at 0.
    """
    if not len(estimate):
        return np.zeros((0, n_draws))
    scales = np.array(EFFECT_SCALES)
    side = np.repeat([1.0, -1.0], len(scales))
    scale = np.tile(scales, 2)
    total = np.sqrt(sd[:, None] ** 2 + scale**2)
    mean = estimate[:, None] * scale**2 / total**2
    width = sd[:, None] * scale / total
    density = 2 * norm.pdf(estimate[:, None], 0.0, total) * ndtr(side * mean / width)
    density = np.column_stack([norm.pdf(estimate, 0.0, sd), density]) + 1e-300
    weight = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(500):
        share = density * weight
        share /= share.sum(axis=1, keepdims=True)
        counts = share.sum(axis=0)
        counts[0] += NULL_WEIGHT - 1
        weight = counts / counts.sum()
    share = density * weight
    cumulative = np.cumsum(share / share.sum(axis=1, keepdims=True), axis=1)
    part = (rng.random((len(estimate), n_draws))[:, :, None] > cumulative[:, None, :-1]).sum(axis=2)
    pick = np.maximum(part - 1, 0)
    row = np.arange(len(estimate))[:, None]
    m, s, direction = mean[row, pick], width[row, pick], side[pick]
    inside = ndtr(direction * m / s)
    quantile = 1.0 - rng.random(m.shape) * inside
    drawn = direction * np.maximum(direction * m + s * ndtri(np.clip(quantile, 1e-15, 1 - 1e-15)), 0.0)
    return np.where(part == 0, 0.0, drawn)


def e_value(risk_ratio: np.ndarray) -> np.ndarray:
    """How strongly a hidden cause must be tied to both contact and churn: RR + sqrt(RR (RR - 1)); 1 where RR <= 1.

    VanderWeele & Ding 2017.
    """
    ratio = np.maximum(np.asarray(risk_ratio, dtype="float64"), 1.0)
    return ratio + np.sqrt(ratio * (ratio - 1.0))
