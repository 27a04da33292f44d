"""The lives behind a simulated company: who is a customer, what they meet and tell, when they decide to leave."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

MONTH = 30.4375
START = pd.Timestamp("2023-04-01")
PLANS = ("basic", "standard", "premium")
PLAN_PRICE, PLAN_ETA = np.array([3000.0, 9000.0, 30000.0]), np.array([-3.85, -4.15, -4.55])
SEGMENTS = ("small", "middle", "large")
TENURE_EDGES, TENURE_ETA = np.array([1.5, 3, 6, 12, 24, 48]), np.array([0.6, 0.45, 0.25, 0.1, 0.0, -0.15, -0.3])
SEASON_ETA = {3: 0.25, 4: 0.15, 12: 0.1, 8: -0.1}
CHANNELS, HANDLE, RATE = ("call", "email", "chat"), np.array([480.0, 540.0, 600.0]), np.array([3600.0, 3000.0, 2400.0])
TRANSFER_YEN = 400.0
ROLES = ("harmful", "protective", "control", "reverse", "zero")
NEVER, LEAVE_DAYS = -30_000, 35


@dataclass(frozen=True)
class Setting:
    """What a world is like; see `WORLDS`."""

    n_customers: int = 10_000
    n_months: int = 18
    n_issues: int = 30
    hidden: float = 0.4
    accuracy: float = 0.85
    overconfident: bool = False
    rare_share: float = 0.2
    has_effects: bool = True
    effect_months: float = 4.0
    control_loading: float = 0.5
    annual: bool = False
    contacts_per_month: float = 0.10
    fading: bool = False


@dataclass
class People:
    start: np.ndarray
    plan: np.ndarray
    segment: np.ndarray
    silent: np.ndarray
    mood: np.ndarray
    engagement: np.ndarray


def draw_issues(rng, setting: Setting) -> pd.DataFrame:
    k = setting.n_issues
    n_harmful, n_control = round(0.3 * k), max(5, k // 6)
    role = np.repeat(ROLES, [n_harmful, 2, n_control, 2, k - n_harmful - n_control - 4])
    log_odds = np.zeros(k)
    log_odds[role == "harmful"] = rng.permutation(np.linspace(0.4, 1.5, n_harmful))
    log_odds[role == "protective"] = [-0.4, -0.8]
    loading = np.select([role == "control", role == "protective"], [setting.control_loading, -0.5], rng.uniform(0.6, 1.4, k))
    volume = np.exp(rng.normal(0, 0.8, k))
    open_rows = np.flatnonzero(np.isin(role, ["harmful", "zero", "control"]))
    rare = rng.choice(open_rows, round(setting.rare_share * k), replace=False)
    total = setting.contacts_per_month * setting.n_customers * setting.n_months
    volume[role == "reverse"] = 0.0
    volume[rare] = 0.0
    volume *= total / volume.sum()
    volume[rare] = np.exp(rng.uniform(np.log(5), np.log(50), len(rare)))
    frame = pd.DataFrame({
        "role": role, "log_odds": log_odds * setting.has_effects, "loading": loading, "volume": volume,
        "report": rng.uniform(0.3, 0.8, k), "handle": np.exp(rng.normal(0, 0.3, k))})
    frame = frame.sample(frac=1, random_state=int(rng.integers(2**31)), ignore_index=True)
    frame.insert(0, "issue_id", [f"I{number:02d}" for number in range(1, k + 1)])
    return frame


def draw_people(rng, setting: Setting, first_days: np.ndarray) -> People:
    n_new = rng.poisson(0.024 * setting.n_customers, setting.n_months)
    old = -1 - np.minimum(rng.exponential(22 * MONTH, setting.n_customers), 90 * MONTH).astype(int)
    new = rng.integers(np.repeat(first_days[:-1], n_new), np.repeat(first_days[1:], n_new))
    start = np.concatenate([old, new])
    n = len(start)
    segment = rng.choice(3, n, p=[0.5, 0.35, 0.15])
    chance = np.array([[0.7, 0.27, 0.03], [0.3, 0.55, 0.15], [0.1, 0.45, 0.45]])[segment]
    plan = (rng.random((n, 1)) > chance.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return People(start, plan, segment, rng.random(n) < 0.4, _ar(rng, n, setting.n_months, 0.85),
                   _ar(rng, n, setting.n_months, 0.9))


def _ar(rng, n: int, n_months: int, keep: float) -> np.ndarray:
    values = rng.standard_normal((n, n_months))
    for month in range(1, n_months):
        values[:, month] = keep * values[:, month - 1] + np.sqrt(1 - keep**2) * values[:, month]
    return values


def encounters(rng, setting: Setting, issues: pd.DataFrame, people: People, first_days: np.ndarray) -> pd.DataFrame:
    report, loading = issues["report"].to_numpy(), issues["loading"].to_numpy() * setting.hidden
    # U raises reporting too, so the mean rate is set from reported encounters of the 60 % who ever tell
    rate = issues["volume"].to_numpy() / (setting.n_customers * setting.n_months * 0.6 * report)
    affinity = np.exp(rng.normal(0, 0.5, (3, len(issues))))
    season = rng.uniform(0, 0.5, len(issues)), rng.uniform(0, 12, len(issues))
    parts = []
    for month in range(setting.n_months):
        mood, zest = people.mood[:, [month]], people.engagement[:, [month]]
        wave = np.exp(season[0] * np.cos(2 * np.pi * (month - season[1]) / 12))
        mean = rate * wave * affinity[people.segment] * np.exp(
            0.6 * loading * mood - (0.6 * loading) ** 2 / 2 + 0.25 * zest - 0.03)
        customer, issue = np.nonzero(rng.random(mean.shape) < 1 - np.exp(-mean))
        tells = rng.random(len(customer)) < expit(
            np.log(report / (1 - report))[issue] + loading[issue] * people.mood[customer, month])
        parts.append(pd.DataFrame({
            "customer": customer, "issue": issue, "reported": tells & ~people.silent[customer],
            "day": rng.integers(first_days[month], first_days[month + 1], len(customer))}))
    met = pd.concat(parts, ignore_index=True)
    return met[met["day"] >= people.start[met["customer"]]].sort_values("day", kind="stable", ignore_index=True)


def _base_eta(setting: Setting, people: People, month: int, day: int) -> np.ndarray:
    tenure = np.maximum(day - people.start, 0) / MONTH
    eta = (PLAN_ETA[people.plan] + TENURE_ETA[np.searchsorted(TENURE_EDGES, tenure)]
           + SEASON_ETA.get((START.month + month - 1) % 12 + 1, 0.0)
           + setting.hidden * people.mood[:, month] - 0.3 * people.engagement[:, month] - setting.hidden**2 / 2)
    if setting.annual:  # four of five decisions fall in the two months before a contract year is over
        to_renewal = (12 - tenure) % 12
        eta = eta + np.where(to_renewal < 2, 1.6, -1.6)
    return eta


def live(rng, setting: Setting, issues, people: People, *, met, first_days) -> tuple[np.ndarray, ...]:
    """Decision day per customer, truth (issues x plans, sum over the window), exposed decisions per issue, and how
    many harmful issues are at work (customers x months)."""
    n, beta = len(people.start), issues["log_odds"].to_numpy()
    last, last_told = np.full((n, len(beta)), NEVER), np.full((n, len(beta)), NEVER)
    decision, prevented, events = np.full(n, 10**6), np.zeros((len(beta), len(PLANS))), np.zeros(len(beta))
    at_work = np.zeros((n, setting.n_months))
    reach = round(setting.effect_months * MONTH)
    span = 2 * reach if setting.fading else reach
    limits = np.searchsorted(met["day"], np.arange(first_days[-1] + 1))
    who, what, tells = met["customer"].to_numpy(), met["issue"].to_numpy(), met["reported"].to_numpy()
    effective = np.flatnonzero(beta)
    for month in range(setting.n_months):
        base = _base_eta(setting, people, month, first_days[month])
        for day in range(first_days[month], first_days[month + 1]):
            now = slice(limits[day], limits[day + 1])
            last[who[now], what[now]] = day
            last_told[who[now][tells[now]], what[now][tells[now]]] = day
            here = np.flatnonzero((people.start <= day) & (decision > day))
            row, cell = np.nonzero(last[np.ix_(here, effective)] >= day - span)
            issue = effective[cell]
            age = day - last[here[row], issue]
            push = beta[issue] * (1.5 * np.exp(-age / reach) if setting.fading else 1.0)
            eta = base[here] + np.bincount(row, push, len(here))
            chance = expit(eta) / MONTH
            gain = (chance[row] - expit(eta[row] - push) / MONTH) * (last_told[here[row], issue] >= day - span)
            np.add.at(prevented, (issue, people.plan[here[row]]), gain)
            leaves = here[rng.random(len(here)) < chance]
            decision[leaves] = day
            events += (last_told[leaves] >= day - 4 * MONTH).sum(axis=0)
        at_work[:, month] = (last[:, beta > 0] >= first_days[month + 1] - 60).sum(axis=1)
    return decision, prevented, events, at_work


def reverse_contacts(rng, people: People, decision, ended, *, issue: int, share: float) -> pd.DataFrame:
    leaver = np.flatnonzero((decision < 10**6) & ~people.silent)
    leaver = leaver[rng.random(len(leaver)) < share]
    day = decision[leaver] + np.floor(rng.random(len(leaver)) * (ended[leaver] - decision[leaver])).astype(int)
    return pd.DataFrame({"customer": leaver, "issue": issue, "day": day})
