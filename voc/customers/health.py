"""A customer's health: 100 points minus those of the stated rules that apply, with a Japanese reason for each."""

import numpy as np
import pandas as pd

from voc.config import Health
from voc.customers.signals import Signals, on_day
from voc.impact.lifetime import HIGH
from voc.impact.periods import timestamp

FULL = 100.0
DANGER, CAUTION, GOOD, NO_DATA = "危険", "注意", "良好", "データなし"
BANDS = (DANGER, CAUTION, GOOD, NO_DATA)
# In proportion to the log-odds of leaving within three months where one rule applies and the others do not: cancelling 2.3
# to 2.7 (40 points), three contacts 1.1, two 0.6, moods 0.5 and 0.9, little usage 0.2 and 0.4, NPS 0.2, a halved usage 0.1
# (simulated companies with and without a strong hidden dissatisfaction; a fall to three quarters was chance in counts of
# a month). Rules that those companies do not show (unresolved, repeated, effort, urgency) stand beside like ones.
POINTS = {
    "usage_drop": 5.0, "usage_fall": 0.0, "usage_none": 15.0, "usage_low": 5.0, "usage_very_low": 10.0, "contacts_two": 10.0,
    "contacts_many": 20.0, "contact_repeated": 5.0, "contact_unresolved": 10.0, "effort": 10.0, "urgency": 5.0,
    "sentiment_low": 10.0, "sentiment_very_low": 20.0, "detractor": 5.0, "cancel_asked": 40.0,
}  # fmt: skip
DROP, FALL = 0.5, 0.75  # usage at most so much of what it was
ENOUGH_LOGINS = 3.0  # a month; below, a fall is chance
LOW_SHARE, VERY_LOW_SHARE = 0.3, 0.1  # the part of the customers who use least
MANY = 3
LOW_STRENGTH, VERY_LOW_STRENGTH = -0.3, -0.6
DETRACTOR = 6
NO_TROUBLE = ("称賛",)  # kinds of issues that say nothing bad of a customer


def points_of(health: Health) -> dict[str, float]:
    """Rule -> points, as configured."""
    return {**POINTS, **health.points}


def judge_rules(known: pd.DataFrame) -> pd.DataFrame:
    """Rules (columns, bool) of each row of `voc.customers.signals.on_day`.

    Of the rules for a fall of usage one applies at most, and so of those for little usage (against all customers of
    that day; where most use alike nobody uses little), for contacts and for moods.
    """
    logins, before = known["logins"].to_numpy(), known["logins_before"].to_numpy()
    used = before >= ENOUGH_LOGINS
    none = used & (known["logins_last"].to_numpy() == 0)
    drop = used & (logins <= DROP * before) & ~none
    talks, strength = known["n_talks"].to_numpy(), known["strength"].to_numpy()
    very_low, low = (_among_least(logins, share) & ~none for share in (VERY_LOW_SHARE, LOW_SHARE))
    return pd.DataFrame({
        "usage_drop": drop, "usage_fall": used & (logins <= FALL * before) & ~drop & ~none, "usage_none": none,
        "usage_low": low & ~very_low, "usage_very_low": very_low, "contacts_two": talks == MANY - 1, "contacts_many": talks >= MANY,
        "contact_repeated": known["n_repeated"].to_numpy() > 0, "contact_unresolved": known["is_unresolved"].to_numpy(),
        "effort": known["n_effort"].to_numpy() > 0, "urgency": known["n_urgent"].to_numpy() > 0,
        "sentiment_low": (strength <= LOW_STRENGTH) & (strength > VERY_LOW_STRENGTH),
        "sentiment_very_low": strength <= VERY_LOW_STRENGTH, "detractor": known["nps"].to_numpy() <= DETRACTOR,
        "cancel_asked": known["n_cancel"].to_numpy() > 0,
    })


def _among_least(logins: np.ndarray, share: float) -> np.ndarray:
    recorded = logins[np.isfinite(logins)]
    if not len(recorded):
        return np.zeros(len(logins), dtype=bool)
    limit = np.quantile(recorded, share)
    return (logins <= limit) & (limit < np.median(recorded))


def score(known: pd.DataFrame, rules: pd.DataFrame, *, health: Health) -> tuple[np.ndarray, np.ndarray]:
    """(score 0..100, band). Of whom nothing is known (no usage, contact or answer) the score is NaN, the band データなし."""
    points = points_of(health)
    total = rules[list(points)].to_numpy(dtype="float64") @ np.array(list(points.values()))
    seen = known[["logins", "strength", "nps"]].notna().any(axis=1).to_numpy() | (known["n_talks"] > 0).to_numpy()
    value = np.where(seen, np.maximum(FULL - total, 0.0), np.nan)
    band = np.select([~seen, value < health.danger_below, value < health.caution_below], [NO_DATA, DANGER, CAUTION], GOOD)
    return value, band.astype(object)


def customer_health(
    signals: Signals, customers: pd.DataFrame, issues: pd.DataFrame, *, day: int, health: Health, test: pd.DataFrame
) -> pd.DataFrame:
    """CUSTOMER_HEALTH of every customer under contract on the morning of `day`.

    reasons: the rules that applied, strongest first, with what was found and the points. issue_id: of what the
    customer contacted about most in `health.days`, praise left out. churn_share: what part of the customers of that band
    left within 3 months (`test`: HEALTH_TEST); loss_yen = ltv_yen x churn_share. is_at_risk: band 危険 and LTV tier
    high (without any known price: band 危険). `customers`: as from voc.impact.lifetime.valued_customers.
    """
    known = on_day(signals, customers, day, days=health.days)
    rules = judge_rules(known)
    value, band = score(known, rules, health=health)
    person = customers.iloc[known["customer"].to_numpy()].reset_index(drop=True)
    shares = test[test["scope"] == "all"].set_index("band")["churn_share"] if len(test) else pd.Series(dtype="float64")
    table = pd.DataFrame({
        "customer_id": person["customer_id"], "as_of_on": timestamp(day), "tier": person["tier"], "ltv_yen": person["ltv"],
        "score": value, "band": band, "reasons": _reasons(known, rules, health), "churn_share": pd.Series(band).map(shares).astype("float64"),
        "issue_id": _main_issue(signals, known, issues, day, health),
    })
    table["loss_yen"] = table["ltv_yen"] * table["churn_share"]
    table["is_at_risk"] = (table["band"] == DANGER) & ((table["tier"] == HIGH) | table["tier"].isna().all())
    return table


def _main_issue(signals: Signals, known: pd.DataFrame, issues: pd.DataFrame, day: int, health: Health) -> np.ndarray:
    contacts = signals.contacts
    said = signals.said.assign(
        customer=contacts["customer"].to_numpy()[signals.said["contact"]], day=contacts["day"].to_numpy()[signals.said["contact"]])
    trouble = ~issues["kind"].isin(NO_TROUBLE).to_numpy()
    said = said[(said["day"] < day) & (said["day"] >= day - health.days) & (said["customer"] >= 0) & trouble[said["issue"]]]
    counts = said.groupby(["customer", "issue"]).agg(n=("day", "size"), last=("day", "max")).reset_index()
    best = counts.sort_values(["n", "last", "issue"], ascending=[False, False, True], kind="stable").drop_duplicates("customer")
    names = pd.Series(issues["issue_id"].to_numpy()[best["issue"]], index=best["customer"], dtype="object")
    return known["customer"].map(names).to_numpy(dtype=object)


def _reasons(known: pd.DataFrame, rules: pd.DataFrame, health: Health) -> list[list[str]]:
    points = points_of(health)
    days = health.days
    lines: list[list[str]] = [[] for _ in range(len(known))]
    for rule in sorted(points, key=lambda name: (-points[name], name)):
        rows = np.flatnonzero(rules[rule]) if points[rule] > 0 else []
        for row, told in zip(rows, _told(rule, known.iloc[rows], days), strict=True):
            lines[row].append(f"{told}（-{points[rule]:g}点）")
    return lines


def _told(rule: str, rows: pd.DataFrame, days: int) -> list[str]:
    """What was found, for each row to which `rule` applies."""
    pairs = list(zip(rows["logins_before"], rows["logins"], strict=True))
    if rule in ("usage_drop", "usage_fall"):
        return [f"利用が月平均 {before:.1f} 回から {now:.1f} 回に減少（直近3か月とその前3か月）" for before, now in pairs]
    if rule == "usage_none":
        return [f"先月の利用が 0 回（以前は月平均 {before:.1f} 回）" for before, _ in pairs]
    if rule in ("usage_low", "usage_very_low"):
        part = VERY_LOW_SHARE if rule == "usage_very_low" else LOW_SHARE
        return [f"利用が少ない（月平均 {now:.1f} 回、利用の少ない方から {part * 10:.0f} 割以内）" for _, now in pairs]
    if rule in ("contacts_two", "contacts_many"):
        return [f"問い合わせが {days} 日間に {n:.0f} 回" for n in rows["n_talks"]]
    if rule == "contact_repeated":
        return [f"同じ課題の再問い合わせが {days} 日間に {n:.0f} 回" for n in rows["n_repeated"]]
    if rule in ("sentiment_low", "sentiment_very_low"):
        return [f"直近 {days} 日の発言が否定的（平均 {value:.2f}、-1〜1）" for value in rows["strength"]]
    if rule == "detractor":
        return [f"直近の NPS 回答が {value:.0f} 点（批判者）" for value in rows["nps"]]
    fixed = {
        "contact_unresolved": "最後の問い合わせが未解決", "effort": f"「何度も」「また同じ」など手間の訴え（{days} 日以内）",
        "urgency": f"至急の訴え（{days} 日以内）", "cancel_asked": f"解約・退会に言及（{days} 日以内）",
    }
    return [fixed[rule]] * len(rows)
