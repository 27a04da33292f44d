"""What customers of the demo company say to it and when: first contacts, repeats, surveys, cancellation questions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.demo.population import Population

CHANNELS = ("call", "email", "chat", "survey")
_CHANNEL_SHARE = np.array([[0.42, 0.18, 0.40], [0.46, 0.24, 0.30], [0.40, 0.42, 0.18]])  # segment x call, email, chat
_HANDLE_MEDIAN = {"call": 430.0, "email": 480.0, "chat": 560.0, "survey": 0.0}
_RESOLVED = {"harmful": 0.55, "zero": 0.85, "control": 0.94, "reverse": 0.92, "protective": 1.0, "none": 0.9}
_REVERSE = {"cancel_procedure": (0.62, 0.30), "data_export": (0.45, 0.18)}  # share of reporters, of silent customers
_SECOND_ISSUE = 0.07
_NO_ISSUE = 0.035
_REPEAT = 0.45
_COLUMNS = ["customer", "day", "channel", "issue", "second", "is_resolved", "nps", "parent"]


@dataclass(frozen=True)
class Course:
    """The world while it runs: people, issues, and what changes from day to day (arrays over customers x issues).

    `chunks` are contacts in the order they were drawn; `parent` is the row of the contact repeated, or -1.
    `met_queue` holds rows (day, customer, issue), `told_queue` rows (day, customer, issue, day met) still to come.
    """

    people: Population
    issues: pd.DataFrame
    start_on: pd.Timestamp
    month_days: np.ndarray
    hidden: float
    effect_days: int
    report: np.ndarray  # per issue: share of encounters that reporters report
    met: np.ndarray  # day of the last encounter
    told: np.ndarray  # the same, reported encounters only
    decision: np.ndarray  # per customer: day
    ended: np.ndarray
    reported: np.ndarray  # prevented churns through reported encounters, issues x months x plans
    total: np.ndarray  # the same through all encounters
    expected: np.ndarray  # churns expected per month
    chunks: list
    met_queue: list
    told_queue: list

    @property
    def end_day(self) -> int:
        return int(self.month_days[-1])


def add_month(rng, course: Course, met: pd.DataFrame) -> None:
    """Turn the month's encounters into contacts (reported ones, up to two days later) and their repeats."""
    people, issues = course.people, course.issues
    _expect(course, met)
    told = met[met["is_reported"]].reset_index(drop=True)
    told["encounter_day"], told["day"] = told["day"], told["day"] + rng.integers(0, 3, len(told))
    told["second"] = _second_issue(rng, told, issues)
    idle = rng.random(len(told)) < _NO_ISSUE
    extra = told[idle].assign(issue=-1, second=-1, day=lambda rows: rows["day"] + 3)
    contacts = pd.concat([told, extra], ignore_index=True)
    contacts["parent"], contacts["nps"] = -1, np.nan
    contacts["channel"] = _channels(rng, people.segment[contacts["customer"]], contacts["day"], course.start_on)
    contacts["is_resolved"] = rng.random(len(contacts)) < _resolved_share(issues, contacts["issue"])
    _expect_told(course, contacts)
    row_numbers = _add(course, contacts)
    for _ in range(2):
        again = (~contacts["is_resolved"].to_numpy(bool)) & (rng.random(len(contacts)) < _REPEAT)
        parents, contacts = row_numbers[again], contacts[again].reset_index(drop=True)
        contacts["parent"], contacts["second"] = parents, -1
        contacts["day"] = contacts["day"] + rng.integers(1, 7, len(contacts))
        contacts["encounter_day"] = contacts["day"]
        contacts["channel"] = _channels(rng, people.segment[contacts["customer"]], contacts["day"], course.start_on)
        contacts["is_resolved"] = rng.random(len(contacts)) < _resolved_share(issues, contacts["issue"]) + 0.1
        _expect(course, contacts)  # an unsolved issue is met again
        _expect_told(course, contacts)
        row_numbers = _add(course, contacts)


def _add(course: Course, rows: pd.DataFrame) -> np.ndarray:
    first = sum(map(len, course.chunks))
    course.chunks.append(rows[_COLUMNS])
    return np.arange(first, first + len(rows))


def _expect(course: Course, rows: pd.DataFrame) -> None:
    course.met_queue.append(_events(rows, ["day", "customer", "issue"]))


def _expect_told(course: Course, rows: pd.DataFrame) -> None:
    course.told_queue.append(_events(rows, ["day", "customer", "issue", "encounter_day"]))
    course.told_queue.append(_events(rows, ["day", "customer", "second", "encounter_day"]))
    course.met_queue.append(_events(rows, ["encounter_day", "customer", "second"]))


def _events(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    events = rows[columns].to_numpy(dtype=int)
    return events[events[:, 2] >= 0]


def due(queue: list, before_day: int) -> np.ndarray:
    """Take the events before `before_day` out of `queue`."""
    events = np.vstack(queue)
    is_due = events[:, 0] < before_day
    queue[:] = [events[~is_due]]
    return events[is_due]


def _second_issue(rng, told: pd.DataFrame, issues: pd.DataFrame) -> np.ndarray:
    """Another issue named in the same contact, or -1."""
    weight = issues["volume"].to_numpy() * issues["role"].isin(["harmful", "zero"]).to_numpy()
    other = rng.choice(len(issues), len(told), p=weight / weight.sum())
    small = issues["segment"].to_numpy()[other] == "any"
    named = (rng.random(len(told)) < _SECOND_ISSUE / 0.7) & small & (other != told["issue"].to_numpy())
    return np.where(named, other, -1)


def _channels(rng, segment: np.ndarray, day: pd.Series, start_on: pd.Timestamp) -> np.ndarray:
    """No calls at weekends and from 29 December to 3 January: the phone is not answered then."""
    share = _CHANNEL_SHARE[segment].copy()
    on = start_on + pd.to_timedelta(np.asarray(day), unit="D")
    new_year = ((on.month == 12) & (on.day >= 29)) | ((on.month == 1) & (on.day <= 3))
    share[(on.day_of_week >= 5) | new_year, 0] = 0.0
    share /= share.sum(axis=1, keepdims=True)
    picked = (rng.random((len(share), 1)) > share.cumsum(axis=1)).sum(axis=1)
    return np.array(CHANNELS, dtype=object)[np.minimum(picked, 2)]


def _resolved_share(issues: pd.DataFrame, issue: pd.Series) -> np.ndarray:
    role = np.append(issues["role"].to_numpy(), "none")[issue.to_numpy(int)]
    return pd.Series(role).map(_RESOLVED).to_numpy()


def survey_contacts(rng, state: Course, month: int, day: int) -> None:
    """Quarterly survey: NPS falls with mood and harmful issues at work; 0-2 issues of the last 45 days are named."""
    people, issues, hidden = state.people, state.issues, state.hidden
    invited = np.flatnonzero((people.start_day < day) & (state.ended > day + 10) & ~people.is_silent)
    answer = invited[rng.random(len(invited)) < 0.095 * np.exp(0.2 * hidden * people.mood[invited, month])]
    named = (state.met[answer] >= day - 45) & (rng.random((len(answer), len(issues))) < 0.6)
    named &= issues["role"].isin(["harmful", "zero", "protective"]).to_numpy()
    praise = np.flatnonzero(issues["role"] == "protective")
    happy = rng.random((len(answer), len(praise))) < 0.10 * np.exp(-0.8 * hidden * people.mood[answer, month])[:, None]
    named[:, praise] |= happy
    order = np.argsort(~named + rng.random(named.shape) * 0.5, axis=1)[:, :2]
    chosen = np.where(np.take_along_axis(named, order, axis=1), order, -1)
    at_work = state.met[answer] >= day - state.effect_days
    effect = at_work @ np.where(issues["log_odds"] > 0, -1.2, np.where(issues["log_odds"] < 0, 0.9, 0.0))
    score = 7.3 - 2.2 * hidden * people.mood[answer, month] + effect + rng.normal(0, 1.7, len(answer))
    for column in range(2):
        said = chosen[:, column] >= 0
        customer, issue = answer[said], chosen[said, column]
        met_day = np.where(state.met[customer, issue] >= day - 45, state.met[customer, issue], day)
        np.maximum.at(state.met, (customer, issue), met_day)
        np.maximum.at(state.told, (customer, issue), met_day)
    _add(state, pd.DataFrame({
        "customer": answer, "day": day + rng.integers(0, 10, len(answer)), "channel": "survey", "issue": chosen[:, 0],
        "second": chosen[:, 1], "is_resolved": pd.NA, "nps": np.clip(np.round(score), 0, 10), "parent": -1,
    }))


def reverse_contacts(rng, course: Course) -> None:
    """Between decision and end: how do I cancel, how do I take my data out. An effect of leaving, never a cause."""
    people, issues, decision, ended = course.people, course.issues, course.decision, course.ended
    leaver = np.flatnonzero(decision < course.end_day)
    for issue in np.flatnonzero(issues["role"] == "reverse"):
        reporters, silent = _REVERSE[issues["key"].iloc[issue]]
        asks = leaver[rng.random(len(leaver)) < np.where(people.is_silent[leaver], silent, reporters)]
        day = decision[asks] + (rng.random(len(asks)) * (ended[asks] - decision[asks])).astype(int)
        channel = _channels(rng, people.segment[asks], pd.Series(day), course.start_on)
        _add(course, pd.DataFrame({
            "customer": asks, "day": day, "channel": channel, "issue": issue, "second": -1,
            "is_resolved": rng.random(len(asks)) < _RESOLVED["reverse"], "nps": np.nan, "parent": -1,
        }))


def contact_frame(rng, course: Course, customer_ids: np.ndarray) -> pd.DataFrame:
    """Contacts within the window and the contract, in order of time, with clock, handling time and transfers.

    Columns: contact_id, customer_id, channel, started_at (UTC), handle_seconds, n_transfers, is_resolved, repeat_of,
    nps, issues (tuple of 0-2 keys), is_muttering (general displeasure is voiced, more often in a dark mood).
    """
    people, issues = course.people, course.issues
    rows = pd.concat(course.chunks, ignore_index=True)
    rows["parent"] = rows["parent"].astype(int)
    rows["is_resolved"] = rows["is_resolved"].astype("boolean")
    customer = rows["customer"].to_numpy()
    last = np.minimum(course.ended[customer], course.end_day)
    kept = (rows["day"] < last) & (rows["day"] >= np.maximum(people.start_day[customer], 0))
    rows["seconds"] = _clock(rng, rows["channel"].to_numpy())
    factor = np.append(issues["handle"].to_numpy(float), 0.8)[rows["issue"].to_numpy(int)]
    factor = factor * np.where(rows["second"] >= 0, 1.35, 1.0) * np.where(rows["is_resolved"].fillna(True), 1.0, 1.2)
    median = rows["channel"].map(_HANDLE_MEDIAN).to_numpy() * factor
    rows["handle_seconds"] = np.round(median * np.exp(rng.normal(0, 0.4, len(rows))))
    transfers = rng.poisson(np.where(rows["is_resolved"].fillna(True), 0.12, 0.35))
    rows["n_transfers"] = np.where((rows["channel"] == "call") & (rows["issue"] >= 0), np.minimum(transfers, 3), 0).astype(float)
    mood = course.hidden * people.mood[customer, np.searchsorted(course.month_days, rows["day"], side="right").clip(
        1, len(course.month_days) - 1) - 1]
    rows["is_muttering"] = rng.random(len(rows)) < np.clip(0.09 * np.exp(2.2 * mood), 0, 0.6)
    rows = rows[kept].sort_values(["day", "seconds", "customer"], kind="stable")
    ids = pd.Series([f"C{number:06d}" for number in range(1, len(rows) + 1)], index=rows.index)
    keys = [*issues["key"], None]
    since_start = pd.to_timedelta(rows["day"] * 86_400 + rows["seconds"], unit="s")
    started = course.start_on.tz_localize("Asia/Tokyo") + since_start
    return pd.DataFrame({
        "contact_id": ids,
        "customer_id": customer_ids[rows["customer"]],
        "channel": rows["channel"],
        "started_at": started.dt.tz_convert("UTC").astype("datetime64[us, UTC]"),
        "handle_seconds": rows["handle_seconds"],
        "n_transfers": rows["n_transfers"],
        "is_resolved": rows["is_resolved"],
        "repeat_of": ids.reindex(rows["parent"]).to_numpy(),
        "nps": rows["nps"],
        "is_muttering": rows["is_muttering"],
        "issues": [tuple(keys[i] for i in pair if i >= 0) for pair in zip(rows["issue"], rows["second"], strict=True)],
    }).reset_index(drop=True)


def _clock(rng, channel: np.ndarray) -> np.ndarray:
    """Seconds of the day: phone 9-18 with a dip at noon, chat 9-21, mail and survey 7-24."""
    low = np.select([channel == "call", channel == "chat"], [9.0, 9.0], 7.0)
    high = np.select([channel == "call", channel == "chat"], [18.0, 21.0], 24.0)
    hour = low + (high - low) * rng.beta(1.6, 1.7, len(channel))
    noon = (channel == "call") & (hour >= 12) & (hour < 13) & (rng.random(len(channel)) < 0.5)
    return np.floor(np.where(noon, hour + 1.5, hour) * 3600).astype(int)
