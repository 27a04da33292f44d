"""What a perfect analysis of the demo company would report."""

import numpy as np
import pandas as pd

from voc.demo.contacts import Course
from voc.demo.population import DAYS_PER_MONTH, PLANS

GROSS_MARGIN, CHURN_FLOOR, CAP_MONTHS = 0.7, 0.005, 60.0
YEN_PER_HOUR = {"call": 3600.0, "email": 3600.0, "chat": 3600.0, "survey": 0.0}
CONCURRENCY = {"chat": 2.0}
TRANSFER_YEN = 400.0


def contact_cost_yen(contacts: pd.DataFrame) -> pd.Series:
    """Yen per contact: handling time at 3,600 yen an hour, two chats at once, 400 yen a transfer."""
    hourly = contacts["channel"].map(YEN_PER_HOUR) / contacts["channel"].map(CONCURRENCY).fillna(1.0)
    return contacts["handle_seconds"] / 3600 * hourly + contacts["n_transfers"] * TRANSFER_YEN


def plan_ltv_yen(people, ended: np.ndarray, end_day: int) -> pd.DataFrame:
    """Per plan: monthly churn that came true in the window, and price x margin / churn (floor 0.5 %, cap 60 months)."""
    days = np.clip(np.minimum(ended, end_day) - np.maximum(people.start_day, 0), 0, None)
    at_risk = np.bincount(people.plan, days, len(PLANS)) / DAYS_PER_MONTH
    churned = np.bincount(people.plan, ended < end_day, len(PLANS))
    churn_share = churned / np.maximum(at_risk, 1e-9)
    lifetime = np.minimum(1 / np.maximum(churn_share, CHURN_FLOOR), CAP_MONTHS)
    return PLANS[["plan", "monthly_price_yen"]].assign(
        churn_share=churn_share, ltv_yen=PLANS["monthly_price_yen"] * GROSS_MARGIN * lifetime)


def issue_truth(course: Course, contacts: pd.DataFrame, starts: pd.DatetimeIndex) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Per issue, and per issue and month, the true numbers.

    Per issue: key, topic, kind, role, log_odds, report_share, n_contacts, n_customers, is_low_volume (fewer contacts
    than the median issue), then per month over the last 12 months (suffix _12) and over the whole window (_all):
    prevented (churns that would not have been decided without the issue, reported encounters only),
    prevented_with_silent (all encounters), mrr_yen, ltv_yen, contact_cost_yen, stake_yen (ltv + contact cost).
    """
    issues = course.issues
    plans = plan_ltv_yen(course.people, course.ended, course.end_day)
    price, ltv = plans["monthly_price_yen"].to_numpy(), plans["ltv_yen"].to_numpy()
    months = pd.MultiIndex.from_product([issues["key"], starts[:-1]], names=["key", "month_on"]).to_frame(index=False)
    months["prevented"] = course.reported.sum(axis=2).ravel()
    months["prevented_with_silent"] = course.total.sum(axis=2).ravel()
    months["mrr_yen"] = (course.reported @ price).ravel()
    months["ltv_yen"] = (course.reported @ ltv).ravel()
    spoken = _spoken(contacts)
    counted = spoken.groupby(["key", "month_on"]).agg(
        n_contacts=("contact_id", "nunique"), contact_cost_yen=("cost_yen", "sum"))
    months = months.merge(counted.reset_index(), on=["key", "month_on"], how="left")
    months[["n_contacts", "contact_cost_yen"]] = months[["n_contacts", "contact_cost_yen"]].fillna(0.0)
    months["n_contacts"] = months["n_contacts"].astype(int)
    months["stake_yen"] = months["ltv_yen"] + months["contact_cost_yen"]
    truth = issues[["key", "topic", "kind", "role", "log_odds"]].assign(report_share=course.report)
    by_key = spoken.groupby("key")
    truth["n_contacts"] = truth["key"].map(by_key["contact_id"].nunique()).fillna(0).astype(int)
    truth["n_customers"] = truth["key"].map(by_key["customer_id"].nunique()).fillna(0).astype(int)
    truth["is_low_volume"] = truth["n_contacts"] < truth["n_contacts"].median()
    measures = ["prevented", "prevented_with_silent", "mrr_yen", "ltv_yen", "contact_cost_yen", "stake_yen"]
    for suffix, first in (("12", starts[-13] if len(starts) > 12 else starts[0]), ("all", starts[0])):
        mean = months[months["month_on"] >= first].groupby("key")[measures].mean()
        for measure in measures:
            truth[f"{measure}_{suffix}"] = truth["key"].map(mean[measure])
    return truth, months


def _spoken(contacts: pd.DataFrame) -> pd.DataFrame:
    """One row per contact and issue; a contact with two issues is split equally."""
    local = contacts["started_at"].dt.tz_convert("Asia/Tokyo").dt.tz_localize(None)
    rows = pd.DataFrame({
        "contact_id": contacts["contact_id"], "customer_id": contacts["customer_id"], "key": contacts["issues"],
        "month_on": local.dt.to_period("M").dt.to_timestamp(),
        "cost_yen": contact_cost_yen(contacts) / np.maximum(contacts["issues"].map(len), 1),
    })
    return rows.explode("key").dropna(subset=["key"])
