"""The block 「増えている課題・減っている課題」: table issue_trends -> plain dicts."""

import pandas as pd

from voc.issues.trends import FALSE_SHARE, RECENT
from voc.reports.formats import plain
from voc.reports.wording import GROWING, SHRINKING, TREND_WORDS

SHOWN = 5  # of each direction
_STARS = {state: place for place, state in enumerate((*GROWING, *SHRINKING))}


def trend_block(trends: pd.DataFrame, issues: list[dict], *, sections: set[str]) -> dict:
    """`growing` and `shrinking` rows (at most SHOWN), `rest` (how many more; `rest_growing`: of the growing), the `note` that says how they were found.

    `issues`: facts in their order; `sections`: issues that have a part of their own in the report. Without any tested
    issue `note` is empty, and nothing is shown.
    """
    facts = {issue["issue_id"]: issue for issue in issues}
    rows = trends[trends["issue_id"].isin(facts)]
    if rows.empty:
        return {"growing": [], "shrinking": [], "rest": 0, "rest_growing": 0, "note": ""}
    # what came back first, then what is surest and largest
    rows = rows.assign(order=rows["state"].map(_STARS), size=-rows["n_recent"])
    rows = rows.dropna(subset="order").sort_values(["order", "q_value", "size", "issue_id"], kind="stable")
    lists = {name: rows[rows["state"].isin(states)] for name, states in (("growing", GROWING), ("shrinking", SHRINKING))}
    n_tested = int(trends["q_value"].notna().sum())
    note = (f"直近{RECENT}週の件数を、それまでの割合と声全体の量から見込まれる件数と比べました（{n_tested}課題）。"
            f"{n_tested}課題を同時に見ているため、偶然の増減が混じる割合を{FALSE_SHARE * 100:.0f}%以下に抑えて選んでいます。")  # fmt: skip
    return {
        **{name: [_line(row, facts[row["issue_id"]], sections) for row in found.head(SHOWN).to_dict("records")] for name, found in lists.items()},
        "rest": sum(max(len(found) - SHOWN, 0) for found in lists.values()), "note": note if n_tested else "",
        "rest_growing": max(len(lists["growing"]) - SHOWN, 0),
    }  # fmt: skip


def _line(row: dict, issue: dict, sections: set[str]) -> dict:
    return {
        "issue_id": row["issue_id"], "label": issue["label"], "area": issue["area"], "kind": issue["kind"], "state": row["state"],
        "word": TREND_WORDS[row["state"]], "evidence": plain(row["evidence"], limit=500), "has_section": row["issue_id"] in sections,
        "weeks": [(week, n) for week, n in enumerate(row["weeks"])],
    }  # fmt: skip
