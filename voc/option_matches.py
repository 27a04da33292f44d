"""Requests that an option of the catalogue already grants: who asked, on which plan, and the words for an FAQ link."""

import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from voc.config import Matches
from voc.impact.records import LIKELY
from voc.issues.kinds import matter_part

REQUEST, NOT_ASKED = "要望", ("称賛", "解約")
REQUEST_SHARE = 0.3  # an issue of another kind counts where so many of its sentences ask for a change
MAX_OPTIONS = 3
COLUMNS = [
    "issue_id", "option_id", "option_name", "similarity", "n_customers", "n_on_plan", "n_other_plan", "plans", "words",
]  # fmt: skip


def option_matches(
    issues: pd.DataFrame, mentions: pd.DataFrame, requests: pd.DataFrame, customers: pd.DataFrame, catalogue: pd.DataFrame, *,
    meanings: Callable[[list[str]], np.ndarray], matches: Matches,
) -> pd.DataFrame:
    """OPTION_MATCHES: options near an issue that is asked for (ISSUES, MENTIONS, REQUESTS, CUSTOMERS, CATALOGUE).

    Asked for: kind 要望, or at least 30 % of the sentences (probability >= 0.5) are requests; never praise or leaving.
    similarity: cosine of the issue to name and description, at least `matches.option`; at most three options an issue.
    n_customers asked (of a 要望 all who mention it, else those with a request in it); n_on_plan of them have a plan
    that holds the option already, n_other_plan another plan; those without a known plan are in neither.
    `words`: what an FAQ or an answer may say, to be confirmed by a person. It names plans and sells nothing.
    """
    likely = mentions[mentions["probability"] >= LIKELY]
    asks = likely["sentence_id"].isin(requests["sentence_id"])
    kind = issues.set_index("issue_id")["kind"]
    share = asks.groupby(likely["issue_id"]).mean().reindex(kind.index).fillna(0.0)
    wanted = ((kind == REQUEST) | (share >= REQUEST_SHARE)) & ~kind.isin(NOT_ASKED)
    rows = np.flatnonzero(wanted.to_numpy(dtype=bool))
    if not len(rows) or catalogue.empty:
        return pd.DataFrame(columns=COLUMNS)
    options = catalogue.sort_values("option_id", kind="stable", ignore_index=True)
    texts = [f"{name}。{description or ''}" for name, description in
             zip(options["name"], options["description"].astype(object).where(options["description"].notna(), None), strict=True)]  # fmt: skip
    cosines = matter_part(issues["centroid"])[rows] @ meanings(texts).T
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :MAX_OPTIONS]
    row = np.repeat(np.arange(len(rows)), near.shape[1])
    column = near.ravel()
    keep = cosines[row, column] >= matches.option
    asked = likely[asks | likely["issue_id"].map(kind).eq(REQUEST)].dropna(subset="customer_id")
    asked = asked[["issue_id", "customer_id"]].drop_duplicates()
    asked["plan"] = asked["customer_id"].map(customers.set_index("customer_id")["plan"])
    askers = dict(list(asked.groupby("issue_id")["plan"]))
    found = [
        _match(issues["issue_id"].iloc[rows[i]], options.iloc[j], cosines[i, j], askers)
        for i, j in zip(row[keep], column[keep], strict=True)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _match(issue_id: str, option: pd.Series, similarity: float, askers: dict[str, pd.Series]) -> dict:
    plans = list(option["plans"])
    asked = askers.get(issue_id, pd.Series([], dtype="object"))
    known = asked.dropna().map(_plain)
    has = known.isin({_plain(plan) for plan in plans})
    return {
        "issue_id": issue_id, "option_id": option["option_id"], "option_name": option["name"], "similarity": float(similarity),
        "n_customers": len(asked), "n_on_plan": int(has.sum()), "n_other_plan": int((~has).sum()), "plans": plans,
        "words": _words(option["name"], plans),
    }  # fmt: skip


def _words(name: str, plans: list[str]) -> str:
    where = f"{'・'.join(plans)}プランでお使いいただけます" if plans else "お使いいただけるプランは FAQ でご確認ください"
    return f"ご要望に近い機能として「{name}」があります。{where}。使い方は FAQ でご案内しています。"


def _plain(plan: str) -> str:
    """One spelling of a plan's name: widths, case and 「プラン」 at its end do not count."""
    return unicodedata.normalize("NFKC", str(plan)).casefold().strip().removesuffix("プラン").strip()
