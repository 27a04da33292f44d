"""The table 「課題と顧客層」: facts of issues -> plain dicts."""

from voc.reports.formats import NONE, SMALL_GROUP, percent

_COLUMNS_SHOWN = 8


def heat_table(issues: list[dict]) -> dict:
    """Issues x customer groups: share of the issue's customers, shaded by how many times the company's share it is."""
    groups: dict[tuple[str, str], float] = {}
    for issue in issues:
        for share in issue["segments"]:
            groups[(share["attribute"], share["value"])] = share["base_share"]
    # The largest groups, shown in a stable order by attribute.
    kept = sorted(sorted(groups, key=lambda group: (-groups[group], group))[:_COLUMNS_SHOWN],
                  key=lambda group: (group[0], -groups[group], group[1]))
    rows = []
    for issue in issues:
        cells = {(share["attribute"], share["value"]): share for share in issue["segments"]}
        if cells:
            rows.append({"label": issue["label"], "issue_id": issue["issue_id"], "cells": [_cell(cells.get(g)) for g in kept]})
    attributes = list(dict.fromkeys(attribute for attribute, _ in kept))
    return {"attributes": [{"name": a, "n": sum(1 for group in kept if group[0] == a)} for a in attributes],
            "columns": [{"value": value, "base": percent(groups[(a, value)], places=0)} for a, value in kept],
            "rows": rows, "hidden_below": SMALL_GROUP}


def _cell(share: dict | None) -> dict:
    if share is None:
        return {"text": NONE, "times": "", "level": 0, "source": ""}
    if share["hidden"] or share["lift"] is None:
        return {"text": share["share_text"], "times": "", "level": 0, "source": ""}
    level = next((n for n, bound in ((3, 2.0), (2, 1.5), (1, 1.2)) if share["lift"] >= bound), 0)
    return {"text": share["share_text"], "times": f"{share['lift']:.1f}倍", "level": level, "source": share["source"]}
