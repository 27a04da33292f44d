"""What one estimate is made of: usable rows, links, window and decisions, ready for the model."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from voc.config import Impact, Value
from voc.impact.effects import Effects, estimate_effects
from voc.impact.periods import ZONE, Window, as_of_day, window_of
from voc.impact.person_months import Panel, person_months
from voc.impact.records import Links, complete, link, usable_contacts, usable_customers
from voc.impact.reverse import Decisions, decide, undated
from voc.tables import CONTACTS, CUSTOMERS, MENTIONS, USAGE


@dataclass(frozen=True)
class Case:
    """The data of one estimate. `contacts` has sentiment (-1..1, NaN where unknown); `nps` customer_id, day, score.

    `left_out`: counts of the rows that were not used, by reason. `is_calibrated`: the mentions' probabilities were fitted to
    labels that people gave.
    """

    contacts: pd.DataFrame
    links: Links
    customers: pd.DataFrame
    usage: pd.DataFrame
    nps: pd.DataFrame | None
    issues: pd.DataFrame
    window: Window
    decisions: Decisions
    left_out: dict
    is_calibrated: bool = True


def case_of(
    contacts: pd.DataFrame, mentions: pd.DataFrame, customers: pd.DataFrame, usage: pd.DataFrame,
    issues: pd.DataFrame, *, impact: Impact, as_of: object, window: Window | None = None,
    sentiment: pd.Series | None = None, nps: pd.DataFrame | None = None, timezone: str = ZONE,
) -> Case:
    """Check and link the product tables; date the decisions. Arguments as in `voc.impact.estimation.estimate`."""
    end_day = window.end_day if window else as_of_day(as_of)
    issues = issues.drop_duplicates("issue_id").sort_values("issue_id", kind="stable", ignore_index=True)
    customers, left_out = usable_customers(complete(customers, CUSTOMERS), end_day=end_day)
    contacts, left = usable_contacts(complete(contacts, CONTACTS), customers, end_day=end_day, timezone=timezone)
    contacts["sentiment"] = np.nan if sentiment is None else contacts["contact_id"].map(sentiment).astype("float64")
    links, unlinked = link(complete(mentions, MENTIONS), contacts, list(issues["issue_id"]))
    window = window or window_of(contacts["day"].to_numpy(), end_day=end_day)
    decisions = (
        decide(contacts, links, customers, issues, impact=impact, end_day=window.end_day)
        if window.n_months and len(customers) else undated(issues, impact=impact)
    )
    return Case(
        contacts, links, customers, complete(usage, USAGE), nps, issues, window, decisions, {**left_out, **left, **unlinked}
    )


def panel_of(case: Case, *, impact: Impact, seed: int) -> Panel | None:
    """The panel at risk, or None where there is no full month or nobody at risk."""
    if not case.window.n_months or not len(case.customers):
        return None
    mood = case.contacts["sentiment"].to_numpy()
    panel = person_months(
        case.contacts, case.links, case.customers, case.usage, decision_day=case.decisions.day, window=case.window,
        n_issues=len(case.issues), impact=impact, seed=seed, sentiment=mood if np.isfinite(mood).any() else None,
        nps=case.nps, reverse=case.decisions.reverse,
    )
    return panel if len(panel.customer) else None


def estimate_case(
    case: Case, panel: Panel, *, controls: set[str], impact: Impact, value: Value, seed: int
) -> Effects:
    """Effects of every issue that is not reverse. Raises VocError where the model cannot be fitted."""
    modelled = np.setdiff1d(np.arange(len(case.issues)), case.decisions.reverse)
    return estimate_effects(
        panel, case.customers, case.window, modelled=modelled,
        controls=np.flatnonzero(case.issues["issue_id"].isin(controls)), is_calibrated=case.is_calibrated, impact=impact,
        value=value, seed=seed,
    )


def with_links(case: Case, keep: np.ndarray) -> Case:
    """The case with the links marked `keep` only; decisions stay as they are."""
    links = case.links
    return replace(case, links=Links(links.contact[keep], links.issue[keep], links.probability[keep]))
