"""How the numbers change with the choices behind them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from voc.config import Impact, Value
from voc.errors import VocError
from voc.impact.case import Case, estimate_case, panel_of, with_links
from voc.impact.estimation import Estimate
from voc.impact.records import LIKELY
from voc.tables import IMPACT_SENSITIVITY, USAGE, check, empty

WINDOWS = (3, 6)
FIRST_CONTACT = "初回の問い合わせのみ"
NO_USAGE = "利用状況で調整しない"


def sensitivity(
    estimate: Estimate, *, impact: Impact, value: Value, seed: int, controls: tuple[str, ...] | list[str] = (),
) -> pd.DataFrame:
    """IMPACT_SENSITIVITY: prevented churns per month of the answered issues of `estimate` under other choices.

    Lines: "影響期間 3 か月" and "影響期間 6 か月" (how long a contact counts), "初回の問い合わせのみ" (less confounded, misses
    part), "利用状況で調整しない" (usage may carry part of the effect; only where there is usage). The rows, the decision
    days and the reverse issues are those of `estimate`; the other arguments are those that it was given. Empty where
    `estimate` gives no churn numbers; a line whose model cannot be fitted has empty numbers.
    """
    told = estimate.impact.loc[estimate.impact["churns_prevented"].notna(), "issue_id"]
    named = set(controls) | set(impact.controls)
    parts = [empty(IMPACT_SENSITIVITY)]
    same = impact.model_copy(update={"window_months": estimate.diagnostics["window_months"]})
    for line, case, options in _lines(estimate.case, same) if len(told) else ():
        panel = panel_of(case, impact=options, seed=seed)
        try:
            table = estimate_case(case, panel, controls=named, impact=options, value=value, seed=seed).table
        except (VocError, np.linalg.LinAlgError):  # this line alone has no answer
            table = pd.DataFrame(columns=["issue", "churns_prevented", "churns_low", "churns_high"], dtype="float64")
        ids = case.issues["issue_id"].to_numpy()[table["issue"].to_numpy(dtype="int64")]
        table = table.assign(issue_id=ids).set_index("issue_id").reindex(told).reset_index()
        parts.append(table.assign(line=line)[list(IMPACT_SENSITIVITY.columns)])
    return check(pd.concat(parts, ignore_index=True), IMPACT_SENSITIVITY)


def _lines(case: Case, impact: Impact) -> Iterator[tuple[str, Case, Impact]]:
    for months in WINDOWS:
        yield f"影響期間 {months} か月", case, impact.model_copy(update={"window_months": months})
    yield FIRST_CONTACT, with_links(case, is_first(case)), impact
    if len(case.usage):
        yield NO_USAGE, replace(case, usage=empty(USAGE)), impact


def is_first(case: Case) -> np.ndarray:
    """True for links up to each customer's first contact that probably has the issue; for all of unknown customers."""
    links, customer = case.links, case.contacts["customer"].to_numpy()[case.links.contact]
    at = pd.to_datetime(case.contacts["started_at"], utc=True).astype("int64").to_numpy()[links.contact]
    key = customer.astype("int64") * max(len(case.issues), 1) + links.issue
    likely = links.probability >= LIKELY
    keys, place = np.unique(key, return_inverse=True)
    first = np.full(len(keys), np.iinfo("int64").max)
    np.minimum.at(first, place[likely], at[likely])
    return (customer < 0) | (at <= first[place])
