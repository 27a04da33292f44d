"""Companies with a planted truth for judging the impact estimate: labelled tables, no text, seconds per world.

Each day a customer who has not decided to leave decides with probability sigmoid(eta) / 30.44. eta adds plan, tenure,
season, engagement, an unobserved dissatisfaction U (AR(1), unit variance) and the log-odds of every issue met in the
last `effect_months`. U also raises encounters and their reporting. The contract ends 0-35 days after the decision, and
in between leavers ask two kinds of questions that look like causes and are none (one is not named as such).
Truth of an issue: sum of h - h without the issue over factual person-days with a reported encounter at work.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.lives import (
    CHANNELS,
    HANDLE,
    LEAVE_DAYS,
    MONTH,
    PLAN_PRICE,
    PLANS,
    RATE,
    SEGMENTS,
    START,
    TRANSFER_YEN,
    Setting,
    draw_issues,
    draw_people,
    encounters,
    live,
    reverse_contacts,
)

WORLDS = {
    "plain": Setting(),
    "noise": Setting(accuracy=0.7),
    "strong": Setting(hidden=0.9),
    "rare": Setting(rare_share=0.7),
    "zero": Setting(has_effects=False),
    "tiny": Setting(n_customers=500, n_months=12),
    "small": Setting(n_customers=2000),
    "month1": Setting(effect_months=1.0),
    "month8": Setting(effect_months=8.0),
    "loaded": Setting(hidden=0.7, control_loading=1.6),
    "annual": Setting(annual=True),
    "fading": Setting(fading=True),
    "overconfident": Setting(accuracy=0.7, overconfident=True),
    "no_hidden": Setting(hidden=0.0),
    "severe": Setting(hidden=1.8),
    "overloaded": Setting(hidden=1.2, control_loading=2.2),
}


@dataclass(frozen=True)
class World:
    """Tables as a company would hand them over, and `truth`: one row per issue.

    customers: customer_id, plan, segment, mrr, contract_start, churn_date. contacts: contact_id, customer_id, time,
    channel, handle_seconds, transfers, sentiment; links: contact (position), issue (position), probability.
    usage: customer_id, month, logins. nps: customer_id, date, score. issues: issue_id, name, negative_control,
    cancel_procedure. truth: issue_id, role, log_odds, n_contacts, exposed_events (decisions within four months after
    a reported encounter), and per month over the window prevented, ltv_yen, cost_yen.
    What no company knows: decided_on per customer (empty: stays), said (true issue per contact).
    """

    setting: Setting
    customers: pd.DataFrame
    contacts: pd.DataFrame
    links: pd.DataFrame
    usage: pd.DataFrame
    nps: pd.DataFrame
    issues: pd.DataFrame
    truth: pd.DataFrame
    window_start: pd.Timestamp = START
    window_end: pd.Timestamp = START
    decided_on: pd.Series | None = None
    said: np.ndarray | None = None


def simulate(setting: Setting, seed: int) -> World:
    """One world; the same setting and seed give the same tables."""
    rng = np.random.default_rng([seed, 20_26])
    first_days = (pd.date_range(START, periods=setting.n_months + 1, freq="MS") - START).days.to_numpy()
    issues = draw_issues(rng, setting)
    people = draw_people(rng, setting, first_days)
    met = encounters(rng, setting, issues, people, first_days)
    decision, prevented, events, at_work = live(
        rng, setting, issues, people, met=met, first_days=first_days)
    n = len(decision)
    ended = np.where(decision < first_days[-1], decision + 1 + rng.integers(0, LEAVE_DAYS, n), 10**6)
    told = met[met["reported"] & (met["day"] < ended[met["customer"]])][["customer", "issue", "day"]]
    asked = [reverse_contacts(rng, people, decision, ended, issue=issue, share=share)
             for issue, share in zip(np.flatnonzero(issues["role"] == "reverse"), rng.uniform(0.3, 0.6, 2), strict=True)]
    told = pd.concat([told, *asked], ignore_index=True)
    told = told[told["day"] < np.minimum(ended[told["customer"]], first_days[-1])]
    told = told.sort_values(["day", "customer", "issue"], kind="stable", ignore_index=True)
    contacts, cost = _contacts(rng, issues, people, told, first_days)
    ids = np.array([f"K{number:06d}" for number in range(n)], dtype=object)
    customers = _customers(rng, people, ended, ids, first_days)
    truth = issues[["issue_id", "role", "log_odds"]].assign(
        prevented=prevented.sum(axis=1) / setting.n_months, exposed_events=events,
        ltv_yen=prevented @ plan_ltv_yen(customers, first_days) / setting.n_months,
        cost_yen=np.bincount(told["issue"], cost, len(issues)) / setting.n_months,
        n_contacts=np.bincount(told["issue"], minlength=len(issues)))
    return World(
        setting, customers, contacts.assign(customer_id=ids[told["customer"]]),
        _labels(rng, told["issue"].to_numpy(), len(issues), setting),
        _usage(rng, people, at_work, ended=ended, ids=ids, first_days=first_days),
        _nps(rng, people, at_work, ended=ended, ids=ids, first_days=first_days, hidden=setting.hidden),
        _issue_table(issues), truth,
        START, START + pd.Timedelta(days=int(first_days[-1])),
        pd.Series(START + pd.to_timedelta(np.minimum(decision, first_days[-1]), unit="D")).where(
            pd.Series(ended) < first_days[-1]), told["issue"].to_numpy())


def _issue_table(issues: pd.DataFrame) -> pd.DataFrame:
    reverse = np.flatnonzero(issues["role"] == "reverse")
    return pd.DataFrame({
        "issue_id": issues["issue_id"], "name": "課題 " + issues["issue_id"],
        "negative_control": (issues["role"] == "control").astype(int),
        "cancel_procedure": (issues.index == reverse[0]).astype(int)})


def _contacts(rng, issues, people, told, first_days) -> tuple[pd.DataFrame, np.ndarray]:
    n = len(told)
    customer, issue = told["customer"].to_numpy(), told["issue"].to_numpy()
    month = np.searchsorted(first_days, told["day"], side="right") - 1
    channel = rng.choice(3, n, p=[0.55, 0.3, 0.15])
    seconds = np.round(HANDLE[channel] * issues["handle"].to_numpy()[issue] * np.exp(rng.normal(0, 0.4, n)))
    transfers = np.where(channel == 0, rng.poisson(0.2, n), 0)
    tone = np.select([issues["log_odds"] > 0, issues["log_odds"] < 0, issues["role"] == "control"], [-0.35, 0.3, 0.0], -0.15)
    sentiment = np.clip(tone[issue] - 0.2 * people.mood[customer, month] + rng.normal(0, 0.3, n), -1, 1)
    frame = pd.DataFrame({
        "contact_id": [f"C{number:07d}" for number in range(n)],
        "time": START + pd.to_timedelta(told["day"].to_numpy() * 86_400 + rng.integers(9 * 3600, 18 * 3600, n), unit="s"),
        "channel": np.array(CHANNELS, dtype=object)[channel], "handle_seconds": seconds, "transfers": transfers,
        "sentiment": sentiment.round(3)})
    return frame, seconds / 3600 * RATE[channel] + transfers * TRANSFER_YEN


def _labels(rng, true: np.ndarray, n_issues: int, setting: Setting) -> pd.DataFrame:
    """Posterior of a classifier with Gaussian evidence, right as often as `accuracy`; small probabilities left out."""
    prior = np.bincount(true, minlength=n_issues) / max(len(true), 1)
    noise = rng.standard_normal((len(true), n_issues))
    hit = np.arange(n_issues)[None, :] == true[:, None]

    def posterior(strength: float, sharp: float = 1.0) -> np.ndarray:
        with np.errstate(divide="ignore"):
            known = np.zeros(n_issues) if setting.overconfident else np.log(prior)
        score = known + sharp * strength * (noise + strength * hit)
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)

    low, high = 0.01, 12.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if (posterior(middle).argmax(axis=1) == true).mean() < setting.accuracy else (low, middle)
    found = posterior(high, 1.6 if setting.overconfident else 1.0)
    contact, issue = np.nonzero(found >= 0.02)
    return pd.DataFrame({"contact": contact, "issue": issue, "probability": found[contact, issue].round(3)})


def _customers(rng, people, ended, ids, first_days) -> pd.DataFrame:
    dates = (START + pd.to_timedelta(np.minimum(ended, first_days[-1]), unit="D"))
    return pd.DataFrame({
        "customer_id": ids, "plan": np.array(PLANS, dtype=object)[people.plan],
        "segment": np.array(SEGMENTS, dtype=object)[people.segment],
        "mrr": np.round(PLAN_PRICE[people.plan] * np.exp(rng.normal(0, 0.2, len(ids)))),
        "contract_start": START + pd.to_timedelta(people.start, unit="D"),
        "churn_date": pd.Series(dates).where(pd.Series(ended) < first_days[-1])})


def plan_ltv_yen(customers: pd.DataFrame, first_days: np.ndarray) -> np.ndarray:
    """Per plan: mean price x gross margin 0.7 / monthly churn (floor 0.5 %, at most 60 months)."""
    end = START + pd.Timedelta(days=int(first_days[-1]))
    days = (customers["churn_date"].fillna(end) - customers["contract_start"].clip(lower=START)).dt.days
    of_plan = customers.assign(days=days, left=customers["churn_date"].notna()).groupby("plan")
    churn = of_plan["left"].sum() / (of_plan["days"].sum() / MONTH)
    return (of_plan["mrr"].mean() * 0.7 * np.minimum(1 / churn.clip(lower=0.005), 60)).reindex(PLANS).to_numpy()


def _usage(rng, people, at_work, *, ended, ids, first_days) -> pd.DataFrame:
    parts = []
    for month in range(len(first_days) - 1):
        here = np.flatnonzero((people.start < first_days[month + 1]) & (ended > first_days[month]))
        mean = np.array([10.0, 16.0, 30.0])[people.segment[here]] * np.exp(
            0.5 * people.engagement[here, month] - 0.15 * at_work[here, month])
        parts.append(pd.DataFrame({
            "customer_id": ids[here], "month": START + pd.DateOffset(months=month),
            "logins": rng.poisson(mean * rng.gamma(4.0, 0.25, len(here)))}))
    return pd.concat(parts, ignore_index=True)


def _nps(rng, people, at_work, *, ended, ids, first_days, hidden: float) -> pd.DataFrame:
    parts = []
    for month in range(2, len(first_days) - 1, 3):
        day = first_days[month] + rng.integers(0, 28, len(ids))
        here = np.flatnonzero((people.start < day) & (ended > day) & (rng.random(len(ids)) < 0.15))
        score = (7.2 - (0.4 + 1.2 * hidden) * people.mood[here, month] - 0.9 * at_work[here, month]
                 + rng.normal(0, 1.7, len(here)))
        parts.append(pd.DataFrame({
            "customer_id": ids[here], "date": START + pd.to_timedelta(day[here], unit="D"),
            "score": np.clip(np.round(score), 0, 10).astype(int)}))
    return pd.concat(parts, ignore_index=True)


def labelled_contacts(world: World) -> pd.DataFrame:
    """Contacts with their labels as text, `I08:0.804|I20:0.090`."""
    said = [[] for _ in range(len(world.contacts))]
    issue_id = world.issues["issue_id"].to_numpy()[world.links["issue"]]
    for contact, issue, probability in zip(world.links["contact"], issue_id, world.links["probability"], strict=True):
        said[contact].append(f"{issue}:{probability:.3f}")
    return world.contacts.assign(issues=["|".join(words) for words in said])


def parameters(world: World) -> dict:
    """What params.json says."""
    return {"window_start": str(world.window_start.date()), "window_end": str(world.window_end.date()),
            "gross_margin": 0.7, "transfer_yen": TRANSFER_YEN,
            "yen_per_hour": dict(zip(CHANNELS, RATE.tolist(), strict=True))}


def write_folder(world: World, folder: Path) -> None:
    """The CSV files and params.json that `voc impact FOLDER` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    labelled_contacts(world).to_csv(folder / "contacts.csv", index=False)
    world.customers.to_csv(folder / "customers.csv", index=False, date_format="%Y-%m-%d")
    world.usage.assign(month=world.usage["month"].dt.strftime("%Y-%m")).to_csv(folder / "usage.csv", index=False)
    world.nps.to_csv(folder / "nps.csv", index=False, date_format="%Y-%m-%d")
    world.issues.to_csv(folder / "issues.csv", index=False)
    (folder / "params.json").write_text(json.dumps(parameters(world)), encoding="utf-8")


def named(name: str, **changes) -> Setting:
    """A setting of `WORLDS`, with changes."""
    return replace(WORLDS[name], **changes)
