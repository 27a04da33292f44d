"""What moves NPS, CSAT and ratings: each issue's part with the others held fixed, beside the leave-one-out number.

The leave-one-out number that many tools print (the mean without those who mentioned the issue minus the mean) blames
an issue for whatever its customers also met. Here one regression holds all issues, plan, segment, channel and month.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import t as student

from voc.config import Impact
from voc.impact.case import Case
from voc.impact.exposure import DEFAULT_WINDOW, SPAN, exposure, exposure_days
from voc.impact.periods import month_number
from voc.impact.records import LIKELY
from voc.impact.segments import MIN_CELL

MEASURES = ("nps", "csat", "rating")
MIN_SCORES = 30  # answers of one measure below which nothing is said
MAX_LEVELS = 10
LEVEL = 0.90
COLUMNS = [
    "measure", "issue_id", "effect", "low", "high", "gain", "gain_low", "gain_high", "leave_one_out", "n_customers", "n_scores",
]  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """Answers of one measure: customer (position, -1 unknown), day, contact (position, -1 none), points, group (cluster).

    `points`: 100, 0, -100 for NPS (promoter, passive, detractor), whose mean is the NPS; else the score itself.
    """

    customer: np.ndarray
    day: np.ndarray
    contact: np.ndarray
    points: np.ndarray
    group: np.ndarray


def drivers(case: Case, *, impact: Impact) -> pd.DataFrame:
    """DRIVERS: how much an answer with the issue differs, all issues adjusted for each other, with 90 % intervals.

    effect (low, high): points of NPS (csat, rating: of the score) per answer whose customer had the issue in the
    window before it or says it in the answer. gain (gain_low, gain_high): by how much the company's mean would rise
    without the issue = -effect x share of the answers with it, to be compared with leave_one_out = mean of the answers
    without the issue - mean of all. Association, not proof of cause. n_customers, n_scores: with the issue
    (probability >= 0.5); issues with fewer than 5 customers are left out, and effects are empty for a measure with
    fewer than 30 answers or one value only.
    """
    parts = [_of_measure(case, measure, impact=impact) for measure in MEASURES]
    parts = [part for part in parts if part is not None and len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _of_measure(case: Case, measure: str, *, impact: Impact) -> pd.DataFrame | None:
    answers = answers_of(case, measure)
    if not len(answers.points):
        return None
    met = met_before(case, answers, window_months=impact.window_months or DEFAULT_WINDOW)
    having = met >= LIKELY
    n_customers = np.array([len(np.unique(answers.group[column])) for column in having.T])
    chosen = np.flatnonzero(n_customers >= MIN_CELL)
    if not len(chosen):
        return None
    table = pd.DataFrame({
        "measure": measure, "issue_id": case.issues["issue_id"].to_numpy()[chosen], "n_customers": n_customers[chosen],
        "n_scores": having[:, chosen].sum(axis=0), "leave_one_out": leave_one_out(answers.points, having[:, chosen]),
    })
    if len(answers.points) >= MIN_SCORES and np.ptp(answers.points) > 0:
        effect, low, high = adjusted_effects(
            answers.points, met[:, chosen], _covariates(case, answers), groups=answers.group)
        share = met[:, chosen].mean(axis=0)
        table = table.assign(effect=effect, low=low, high=high, gain=-effect * share, gain_low=-high * share, gain_high=-low * share)
    return table.reindex(columns=COLUMNS)


def answers_of(case: Case, measure: str) -> Answers:
    """Every usable answer; NPS outside 0..10 and other scores that are not finite are left out."""
    contacts = case.contacts
    customer, day = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    score, contact = contacts[measure].to_numpy(dtype="float64"), np.arange(len(contacts))
    if measure == "nps" and case.nps is not None:
        more = pd.Index(case.customers["customer_id"]).get_indexer(case.nps["customer_id"].astype("object"))
        customer, day = np.concatenate([customer, more]), np.concatenate([day, case.nps["day"].to_numpy()])
        score = np.concatenate([score, case.nps["score"].to_numpy(dtype="float64")])
        contact = np.concatenate([contact, np.full(len(more), -1)])
    keep = np.isfinite(score) & (day < case.window.end_day)
    points = score
    if measure == "nps":
        keep &= (score >= 0) & (score <= 10)
        points = 100.0 * ((score >= 9) * 1.0 - (score <= 6))
    group = np.where(customer >= 0, customer, len(case.customers) + np.arange(len(customer)))  # a stranger is one alone
    return Answers(*(values[keep] for values in (customer, day, contact, points, group)))


def met_before(case: Case, answers: Answers, *, window_months: int) -> np.ndarray:
    """Answers x issues: highest probability of the customer's contacts of the window before it, the answer itself included."""
    n_issues, links = len(case.issues), case.links
    order = np.lexsort((answers.day, answers.customer))
    known = order[answers.customer[order] >= 0]
    rows = answers.customer[known] * SPAN + answers.day[known]
    owner, day = case.contacts["customer"].to_numpy(), case.contacts["day"].to_numpy()
    met = np.zeros((len(answers.points), n_issues))
    met[known] = exposure(
        rows, owner[links.contact], day[links.contact], links, n_issues=n_issues, within=(0, exposure_days(window_months)),
    ).toarray()
    own = sparse.csr_matrix((links.probability, (links.contact, links.issue)), shape=(len(case.contacts), n_issues))
    told = answers.contact >= 0
    met[told] = np.maximum(met[told], own[answers.contact[told]].toarray())
    return met


def leave_one_out(points: np.ndarray, having: np.ndarray) -> np.ndarray:
    """Mean without the answers that have an issue, minus the mean of all; NaN where no answer is left."""
    n_left = len(points) - having.sum(axis=0)
    without = (points.sum() - points @ having) / np.maximum(n_left, 1)
    return np.where(n_left > 0, without - points.mean(), np.nan)


def adjusted_effects(
    points: np.ndarray, met: np.ndarray, covariates: np.ndarray, *, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(effect, low, high): least squares of `points` on all issues together, 90 % intervals clustered by `groups`.

    Each issue has a prior N(0, sd(points)^2) (a ridge), covariates none. The variance is the larger of the
    cluster-robust one and that of the posterior; intervals by Student's t with groups - 1 degrees of freedom.
    `covariates` with an intercept; columns that say the same are allowed.
    """
    design = np.hstack([covariates, met])
    n_issues, spread = met.shape[1], float(np.var(points))
    fitted = np.linalg.lstsq(design, points, rcond=None)[0]
    rank = np.linalg.matrix_rank(design)
    noise = float(((points - design @ fitted) ** 2).sum() / max(len(points) - rank, 1))
    penalty = np.zeros(design.shape[1])
    penalty[-n_issues:] = noise / spread
    bread = np.linalg.pinv(design.T @ design + np.diag(penalty), hermitian=True)
    beta = bread @ (design.T @ points)
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    scores = np.zeros((n_groups, design.shape[1]))
    np.add.at(scores, group, design * (points - design @ beta)[:, None])
    small = n_groups / max(n_groups - 1, 1) * (len(points) - 1) / max(len(points) - rank, 1)
    sandwich = np.diag(bread @ (scores.T @ scores) @ bread) * small
    posterior = np.diag(bread) * noise
    error = np.sqrt(np.maximum(sandwich, posterior)[-n_issues:])
    effect, reach = beta[-n_issues:], student.ppf((1 + LEVEL) / 2, max(n_groups - 1, 1))
    return effect, effect - reach * error, effect + reach * error


def _covariates(case: Case, answers: Answers) -> np.ndarray:
    """Intercept, plan, segment, channel and month of each answer as columns of 0 and 1."""
    known, told = answers.customer >= 0, answers.contact >= 0
    columns = [np.ones(len(answers.points))]
    for name in ("plan", "segment"):
        values = np.full(len(known), "", dtype=object)
        values[known] = case.customers[name].to_numpy(dtype=object)[answers.customer[known]]
        columns += _levels(values)
    channel = np.full(len(told), "", dtype=object)
    channel[told] = case.contacts["channel"].to_numpy(dtype=object)[answers.contact[told]]
    columns += _levels(channel) + _levels(month_number(answers.day).astype(str).astype(object), most=len(told))
    return np.column_stack(columns)


def _levels(values: np.ndarray, *, most: int = MAX_LEVELS) -> list[np.ndarray]:
    """One column per frequent value but the most frequent one."""
    counted = pd.Series(values).value_counts()
    names = sorted(counted.index, key=lambda name: (-counted[name], str(name)))
    return [(values == name).astype("float64") for name in names[1 : most + 1]]
