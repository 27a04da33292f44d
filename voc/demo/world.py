"""The numeric world of the demo company: customers, usage and contacts in which every effect is known.

Each day a customer who has not decided to leave decides with probability sigmoid(eta) / 30.44, where eta adds plan,
tenure, season, engagement, an unobserved dissatisfaction and `log_odds` of every issue met in the last months.
A share of what customers meet is never reported. The contract ends 0-35 days after the decision; in between
many ask about cancelling and exporting, which looks like a cause and is none.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.demo.contacts import Course, add_month, contact_frame, due, reverse_contacts, survey_contacts
from voc.demo.labels import labels
from voc.demo.population import (
    DAYS_PER_MONTH,
    PLANS,
    SEGMENTS,
    affinity,
    base_log_odds,
    draw_population,
    monthly_logins,
    season_factor,
)
from voc.demo.truth import issue_truth

__all__ = ["World", "labels", "simulate"]
START_ON = pd.Timestamp("2024-11-01")
_NEVER, _FOREVER = -32_000, 1_000_000
_LEAVE_DAYS = 35


@dataclass(frozen=True)
class World:
    """`truth` has one row per issue, `truth_months` one per issue and month, `months` one per month.

    `customers` and `contacts` hold what a company could know; `people` also what it could not (decided_on, is_silent).
    """

    catalogue: pd.DataFrame
    customers: pd.DataFrame
    usage: pd.DataFrame
    contacts: pd.DataFrame
    people: pd.DataFrame
    truth: pd.DataFrame
    truth_months: pd.DataFrame
    months: pd.DataFrame
    settings: dict


def simulate(catalogue: pd.DataFrame, *, seed: int, n_customers: int = 4000, n_months: int = 24, hidden: float = 0.4,
             effects: str = "planted", effect_months: float = 4.0, silent_share: float = 0.4,
             contact_rate: float = 0.055, rare_share: float | None = None) -> World:
    """Play `n_months` from 2024-11 and count the truth on the way.

    hidden: strength of the unobserved dissatisfaction (0, 0.4, 0.9). effects: "planted" or "zero".
    silent_share: customers who never contact. contact_rate: first contacts per customer and month.
    rare_share: this share of the harmful and zero issues is made rare (about 5-50 customers in the window).
    """
    if effects not in ("planted", "zero"):
        raise ValueError(f"effects is {effects!r}; allowed are 'planted' and 'zero'")
    rng = np.random.default_rng([seed, n_customers, n_months])
    starts = pd.date_range(START_ON, periods=n_months + 1, freq="MS")
    month_days = (starts - START_ON).days.to_numpy()
    issues = _planted(catalogue, rng, effects=effects, rare_share=rare_share,
                      n_contacts=contact_rate * n_customers * n_months)
    course = _begin(rng, issues, n_customers=n_customers, month_days=month_days, hidden=hidden,
                    silent_share=silent_share, effect_days=round(effect_months * DAYS_PER_MONTH))
    usage = []
    for month, start in enumerate(starts[:-1]):
        met = _meet_issues(rng, course, month, start.month, contact_rate=contact_rate / (1 - silent_share))
        add_month(rng, course, met)
        _live_month(rng, course, month, start.month)
        usage.append(_month_usage(rng, course, month, start))
    reverse_contacts(rng, course)
    frame = _customer_frame(course)
    contacts = contact_frame(rng, course, frame["customer_id"].to_numpy())
    months = _company_months(course, starts)
    truth, truth_months = issue_truth(course, contacts, starts)
    settings = {"seed": seed, "n_customers": n_customers, "n_months": n_months, "hidden": hidden, "effects": effects,
                "effect_months": effect_months, "silent_share": silent_share, "contact_rate": contact_rate,
                "rare_share": rare_share}
    kept = ["customer_id", "plan", "segment", "monthly_price_yen", "started_on", "ended_on"]
    usage = pd.concat(usage, ignore_index=True).sort_values(["customer", "month_on"], kind="stable", ignore_index=True)
    usage.insert(0, "customer_id", frame["customer_id"].to_numpy()[usage.pop("customer")])
    return World(issues, frame[kept], usage, contacts, frame, truth, truth_months, months, settings)


def _begin(rng, issues: pd.DataFrame, *, n_customers, month_days, hidden, silent_share, effect_days) -> Course:
    people = draw_population(rng, n_customers=n_customers, month_days=month_days, silent_share=silent_share)
    n, n_issues, n_months = len(people.start_day), len(issues), len(month_days) - 1
    course = Course(
        people, issues, START_ON, month_days, hidden, effect_days, report=rng.uniform(0.30, 0.80, n_issues),
        met=np.full((n, n_issues), _NEVER), told=np.full((n, n_issues), _NEVER),
        decision=np.full(n, _FOREVER), ended=np.full(n, _FOREVER),
        reported=np.zeros((n_issues, n_months, len(PLANS))), total=np.zeros((n_issues, n_months, len(PLANS))),
        expected=np.zeros(n_months), chunks=[], met_queue=[], told_queue=[])
    _already_leaving(rng, course)
    return course


def _already_leaving(rng, state: Course) -> None:
    """Customers who decided in the weeks before the window; without them the first month would have too few churns."""
    old = np.flatnonzero(state.people.start_day < -_LEAVE_DAYS)
    decided = old[rng.random(len(old)) < 0.022 * _LEAVE_DAYS / DAYS_PER_MONTH]
    day = -rng.integers(1, _LEAVE_DAYS + 1, len(decided))
    ended = day + 1 + rng.integers(0, _LEAVE_DAYS, len(decided))
    still = ended >= 0
    state.decision[decided[still]], state.ended[decided[still]] = day[still], ended[still]


def _planted(catalogue, rng, *, effects, rare_share, n_contacts) -> pd.DataFrame:
    issues = catalogue.copy()
    if effects == "zero":
        issues["log_odds"] = 0.0
    if rare_share is not None:
        open_rows = np.flatnonzero(issues["role"].isin(["harmful", "zero"]))
        rare = rng.choice(open_rows, round(rare_share * len(open_rows)), replace=False)
        total = issues["volume"].sum()
        wanted = np.exp(rng.uniform(np.log(6), np.log(45), len(rare))) / n_contacts * total
        issues.loc[issues.index[rare], "volume"] = np.minimum(issues["volume"].to_numpy()[rare], wanted)
    return issues


def _meet_issues(rng, course: Course, month: int, calendar_month: int, *, contact_rate: float) -> pd.DataFrame:
    """Encounters of one month: customer, issue, day, is_reported. Controls load on the mood less than the rest."""
    people, issues, report, hidden = course.people, course.issues, course.report, course.hidden
    span = course.month_days[month:month + 2]
    alive = np.flatnonzero((people.start_day < span[1]) & (course.ended > span[0]))
    volume = issues["volume"].to_numpy()
    issue_rate = contact_rate * volume / volume.sum() / report * season_factor(issues, calendar_month)
    loading = issues["role"].map({"control": 0.6, "protective": -0.8}).fillna(1.0).to_numpy() * hidden
    mood, zest = people.mood[alive, month][:, None], people.engagement[alive, month][:, None]
    # exp(c x - c^2 / 2) has mean 1: dissatisfaction moves contacts between people, not their number.
    rate = issue_rate * affinity(issues).T[people.segment[alive]] * np.exp(
        0.4 * loading * mood - (0.4 * loading) ** 2 / 2 + 0.25 * zest - 0.03)
    row, issue = np.nonzero(rng.random(rate.shape) < 1 - np.exp(-rate))
    customer = alive[row]
    day = rng.integers(span[0], span[1], len(row))
    log_odds = np.log(report / (1 - report))[issue] + loading[issue] * people.mood[customer, month]
    is_reported = (rng.random(len(row)) < 1 / (1 + np.exp(-log_odds))) & ~people.is_silent[customer]
    met = pd.DataFrame({"customer": customer, "issue": issue, "day": day, "is_reported": is_reported})
    return met[met["day"] >= people.start_day[customer]].reset_index(drop=True)


def _live_month(rng, state: Course, month: int, calendar_month: int) -> None:
    """Days in order: encounters take effect, customers decide, and the truth is added up."""
    people, span = state.people, state.month_days[month:month + 2]
    eta0 = base_log_odds(people, month, month_day=span[0], calendar_month=calendar_month, hidden=state.hidden)
    met, told = due(state.met_queue, span[1]), due(state.told_queue, span[1])
    survey_day = span[0] + 9 if month % 3 == 2 else -1
    for day in range(*span):
        today = met[met[:, 0] == day]
        np.maximum.at(state.met, (today[:, 1], today[:, 2]), day)
        today = told[told[:, 0] == day]
        np.maximum.at(state.told, (today[:, 1], today[:, 2]), today[:, 3])
        if day == survey_day:
            survey_contacts(rng, state, month, day)
        undecided = np.flatnonzero((people.start_day <= day) & (state.decision > day))
        chance = _churn_chance(state, month, day, undecided, eta0[undecided])
        state.expected[month] += chance.sum() / DAYS_PER_MONTH
        leaving = undecided[rng.random(len(undecided)) < chance / DAYS_PER_MONTH]
        state.decision[leaving] = day
        state.ended[leaving] = day + 1 + rng.integers(0, _LEAVE_DAYS, len(leaving))


def _churn_chance(state: Course, month: int, day: int, undecided: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Monthly probability of deciding to leave, per undecided customer; adds the day's truth to the state."""
    effective = np.flatnonzero(state.issues["log_odds"].to_numpy() != 0)
    beta = state.issues["log_odds"].to_numpy()[effective]
    cells = np.ix_(undecided, effective)
    at_work = state.met[cells] >= day - state.effect_days
    eta = eta + at_work @ beta
    chance = _sigmoid(eta)
    row, column = np.nonzero(at_work)
    prevented = (chance[row] - _sigmoid(eta[row] - beta[column])) / DAYS_PER_MONTH
    is_told = (state.told[cells] >= day - state.effect_days)[row, column]
    where = (effective[column], np.full(len(row), month), state.people.plan[undecided][row])
    np.add.at(state.total, where, prevented)
    np.add.at(state.reported, where, prevented * is_told)
    return chance


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _month_usage(rng, state: Course, month: int, start: pd.Timestamp) -> pd.DataFrame:
    people, issues, span = state.people, state.issues, state.month_days[month:month + 2]
    harmful = issues["log_odds"].to_numpy() > 0
    n_harmful = (state.met[:, harmful] >= span[1] - 60).sum(axis=1)
    first, last = np.maximum(people.start_day, span[0]), np.minimum(state.ended, span[1])
    active_share = np.clip((last - first) / (span[1] - span[0]), 0, 1)
    logins = monthly_logins(rng, people, month, n_harmful=n_harmful, has_decided=state.decision < span[1],
                            active_share=active_share, hidden=state.hidden)
    customer = np.flatnonzero(active_share > 0)
    return pd.DataFrame({"customer": customer, "month_on": start, "n_logins": logins[customer].astype(float)})


def _day_on(day: np.ndarray) -> pd.Series:
    return pd.Series((START_ON + pd.to_timedelta(day, unit="D")).astype("datetime64[us]"))


def _customer_frame(state: Course) -> pd.DataFrame:
    people, end_day = state.people, state.end_day
    n = len(people.start_day)
    ended, decided = _day_on(np.minimum(state.ended, end_day)), _day_on(np.minimum(state.decision, end_day))
    return pd.DataFrame({
        "customer_id": [f"M{100_000 + number:06d}" for number in range(1, n + 1)],
        "plan": PLANS["plan"].to_numpy()[people.plan],
        "segment": np.array(SEGMENTS, dtype=object)[people.segment],
        "monthly_price_yen": PLANS["monthly_price_yen"].to_numpy()[people.plan],
        "started_on": _day_on(people.start_day),
        "ended_on": ended.where(state.ended < end_day),
        "decided_on": decided.where(state.decision < end_day),
        "is_silent": people.is_silent,
    })


def _company_months(state: Course, starts: pd.DatetimeIndex) -> pd.DataFrame:
    people, first, last = state.people, state.month_days[:-1, None], state.month_days[1:, None]
    return pd.DataFrame({
        "month_on": starts[:-1],
        "n_customers": ((people.start_day < first) & (state.ended >= first)).sum(axis=1),
        "n_churned": ((state.ended >= first) & (state.ended < last)).sum(axis=1),
        "n_decided": ((state.decision >= first) & (state.decision < last)).sum(axis=1),
        "churns_expected": state.expected,
    })
