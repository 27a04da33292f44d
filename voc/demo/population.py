"""Who the customers of the demo company are: plans, tenure, and the moods that nobody records."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

DAYS_PER_MONTH = 30.4375
PLANS = pd.DataFrame({
    "plan": ["ライト", "スタンダード", "プロ", "エンタープライズ"],
    "monthly_price_yen": [1980.0, 4980.0, 14800.0, 49800.0],
    "churn_log_odds": [-3.92, -4.22, -4.52, -4.95],
})
SEGMENTS = ("個人事業主", "小規模法人", "中堅企業")
_SEGMENT_SHARE = (0.50, 0.35, 0.15)
_PLAN_SHARE = np.array([[0.70, 0.28, 0.02, 0.00], [0.20, 0.62, 0.18, 0.00], [0.00, 0.15, 0.55, 0.30]])
_LOGINS = np.array([9.0, 16.0, 34.0])
# Churn log-odds by tenure in months: newcomers leave more, old customers less.
_TENURE_EDGES = np.array([1.5, 3, 6, 12, 24, 48])
_TENURE_LOG_ODDS = np.array([0.55, 0.45, 0.25, 0.05, 0.0, -0.15, -0.30])
_SEASON_LOG_ODDS = {3: 0.25, 4: 0.15, 12: 0.10, 8: -0.10}
# Affinity of an issue to the three segments, before it is scaled to mean 1 over the company.
_AFFINITY = {"any": (1.0, 1.0, 1.0), "small": (1.2, 1.0, 0.3), "mid": (0.1, 0.4, 4.0)}


@dataclass(frozen=True)
class Population:
    """Arrays over customers; days count from the start of the window, months from its first month."""

    start_day: np.ndarray
    segment: np.ndarray
    plan: np.ndarray
    is_silent: np.ndarray
    mood: np.ndarray  # customers x months: unobserved dissatisfaction, AR(1), variance 1
    engagement: np.ndarray  # customers x months: shows in logins, lowers churn, raises contacts


def draw_population(rng: np.random.Generator, *, n_customers: int, month_days: np.ndarray,
                    silent_share: float) -> Population:
    """`n_customers` at the start and about 2.4 % newcomers a month; `month_days`: first days, then the end."""
    n_months = len(month_days) - 1
    tenure_days = np.minimum(rng.exponential(22 * DAYS_PER_MONTH, n_customers), 72 * DAYS_PER_MONTH)
    n_new = rng.poisson(0.024 * n_customers, n_months)
    new_days = rng.integers(np.repeat(month_days[:-1], n_new), np.repeat(month_days[1:], n_new))
    start_day = np.concatenate([-1 - np.sort(tenure_days)[::-1].astype(int), np.sort(new_days)])
    n = len(start_day)
    segment = rng.choice(len(SEGMENTS), n, p=_SEGMENT_SHARE)
    plan = (rng.random((n, 1)) > _PLAN_SHARE.cumsum(axis=1)[segment]).sum(axis=1)
    return Population(start_day, segment, np.minimum(plan, len(PLANS) - 1), rng.random(n) < silent_share,
                      _autoregression(rng, n, n_months, keep=0.8), _autoregression(rng, n, n_months, keep=0.9))


def _autoregression(rng: np.random.Generator, n: int, n_months: int, *, keep: float) -> np.ndarray:
    noise = rng.standard_normal((n, n_months))
    values = np.empty((n, n_months))
    values[:, 0] = noise[:, 0]
    for month in range(1, n_months):
        values[:, month] = keep * values[:, month - 1] + np.sqrt(1 - keep**2) * noise[:, month]
    return values


def base_log_odds(people: Population, month: int, *, month_day: int, calendar_month: int, hidden: float) -> np.ndarray:
    """Monthly churn log-odds per customer without any issue."""
    tenure = np.maximum(month_day - people.start_day, 0) / DAYS_PER_MONTH
    return (PLANS["churn_log_odds"].to_numpy()[people.plan]
            + _TENURE_LOG_ODDS[np.searchsorted(_TENURE_EDGES, tenure)]
            + _SEASON_LOG_ODDS.get(calendar_month, 0.0)
            + hidden * people.mood[:, month] - 0.3 * people.engagement[:, month])


def affinity(catalogue: pd.DataFrame) -> np.ndarray:
    """Issues x segments, mean 1 over the company, so that `volume` stays the company's volume."""
    raw = np.array([_AFFINITY[word] for word in catalogue["segment"]])
    return raw / (raw @ np.array(_SEGMENT_SHARE))[:, None]


def season_factor(catalogue: pd.DataFrame, calendar_month: int) -> np.ndarray:
    """Per issue, mean 1 over a year; a seasonal issue is about four times its mean in its peak month."""
    peak = catalogue["season"].fillna(0).to_numpy(dtype=float)
    year = np.arange(1, 13)
    bump = 0.3 + np.exp(2.5 * (np.cos(2 * np.pi * (year[None, :] - peak[:, None]) / 12) - 1)) * 4
    return np.where(peak > 0, bump[:, calendar_month - 1] / bump.mean(axis=1), 1.0)


def monthly_logins(rng: np.random.Generator, people: Population, month: int, *, n_harmful: np.ndarray,
                   has_decided: np.ndarray, active_share: np.ndarray, hidden: float) -> np.ndarray:
    """Noisy logins: fewer with dissatisfaction, with harmful issues at work, and after the decision to leave."""
    mean = (_LOGINS[people.segment] * np.exp(0.55 * people.engagement[:, month] - 0.6 * hidden * people.mood[:, month]
                                             - 0.12 * n_harmful) * np.where(has_decided, 0.35, 1.0) * active_share)
    return rng.poisson(mean * rng.gamma(4.0, 0.25, len(mean)))
