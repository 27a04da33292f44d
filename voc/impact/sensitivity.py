"""How the numbers change with the choices behind them; slow, since each choice is a whole estimate."""

import pandas as pd

from voc.config import Costs, Impact, Value
from voc.impact.estimate import estimate
from voc.impact.records import LIKELY
from voc.tables import USAGE, empty


def sensitivity(
    contacts: pd.DataFrame, mentions: pd.DataFrame, customers: pd.DataFrame, usage: pd.DataFrame,
    issues: pd.DataFrame, *, impact: Impact, value: Value, costs: Costs, as_of: object, seed: int,
    controls: tuple[str, ...] | list[str] = (),
) -> pd.DataFrame:
    """Prevented churns per month under other choices; arguments as in `estimate`.

    Columns issue_id, choice, churns_prevented, churns_low, churns_high. Choices: "既定", "影響期間 3 か月",
    "影響期間 6 か月", "初回の問い合わせのみ" (less confounded, misses part), "利用状況で調整しない" (usage may carry the effect).
    """
    shared = {"value": value, "costs": costs, "as_of": as_of, "seed": seed, "controls": controls}
    choices = {
        "既定": (mentions, usage, impact),
        "影響期間 3 か月": (mentions, usage, impact.model_copy(update={"window_months": 3})),
        "影響期間 6 か月": (mentions, usage, impact.model_copy(update={"window_months": 6})),
        "初回の問い合わせのみ": (_first_only(mentions, contacts), usage, impact),
        "利用状況で調整しない": (mentions, empty(USAGE), impact),
    }
    parts = []
    for choice, (said, logins, options) in choices.items():
        table = estimate(contacts, said, customers, logins, issues, impact=options, **shared).impact
        table = table.loc[table["issue_id"] != "", ["issue_id", "churns_prevented", "churns_low", "churns_high"]]
        parts.append(table.assign(choice=choice))
    return pd.concat(parts, ignore_index=True)[["issue_id", "choice", "churns_prevented", "churns_low", "churns_high"]]


def _first_only(mentions: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Mentions up to each customer's first contact that probably has the issue; all of unknown customers."""
    known = contacts.drop_duplicates("contact_id").set_index("contact_id")
    said = mentions.assign(customer_id=mentions["contact_id"].map(known["customer_id"]),
                           at=mentions["contact_id"].map(known["started_at"]))
    likely = said[said["probability"] >= LIKELY]
    first = likely.groupby(["issue_id", "customer_id"])["at"].min().rename("first").reset_index()
    joined = said.merge(first, on=["issue_id", "customer_id"], how="left")
    return mentions[(joined["first"].isna() | (joined["at"] <= joined["first"])).to_numpy()]
