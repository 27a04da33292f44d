"""Where a figure comes from: the address `table|key|column` that every figure of a report carries.

key: the table's key with its parts joined by "/" (`issue_segments|VOC-0001/plan/ライト|share`); of `impact` the issue number
alone, for a run writes one period. Rows joined by "+" are added up; "A>B" compares row B with row A. Two columns, joined by a blank,
are the ends of an interval. A reader finds the figure in the store with it, and a test recomputes it from there.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from markupsafe import Markup, escape

from voc.reports.formats import SMALL_GROUP, count, customers, is_missing, people, people_range, yen, yen_range

_OF_ISSUE: tuple[tuple[Callable, str], ...] = (
    (people_range, "churns_low churns_high"), (people, "churns_prevented"), (people, "churns_shrunken"),
    (yen_range, "ltv_low_yen ltv_high_yen"), (yen, "ltv_yen"), (yen, "contact_cost_yen"), (yen, "repeat_cost_yen"),
    (yen_range, "deflectable_low_yen deflectable_high_yen"), (count, "n_contacts"), (customers, "n_customers"),
    (count, "n_exposed_events"), (lambda value: f"{value:.1f}倍", "e_value"),
)  # fmt: skip
_OF_SILENT: tuple[tuple[Callable, str], ...] = ((people_range, "churns_low churns_high"), (yen_range, "ltv_low_yen ltv_high_yen"))
_OF_TOTAL: tuple[tuple[Callable, str], ...] = (
    (people_range, "churns_low churns_high"), (people, "churns_prevented"), (yen, "ltv_yen"), (yen, "contact_cost_yen"),
)  # fmt: skip


def address(table: str, key: object, columns: str) -> str:
    """`table|key|column`; parts of the key (a tuple) are joined by "/"."""
    parts = key if isinstance(key, (tuple, list)) else [key]
    return "|".join([table, "/".join(str(part) for part in parts), columns])


def issue_amounts(issue: Mapping) -> dict[str, str]:
    """Written figures of one issue (columns of IMPACT and SILENT, see facts) -> address. Nothing where the issue has no row in `impact`."""
    if is_missing(issue.get("contact_cost_yen")):
        return {}
    shown = {**issue, "n_customers": issue["n_customers"] if (issue.get("n_customers") or 0) >= SMALL_GROUP else None}
    silent = {name.removeprefix("silent_"): value for name, value in issue.items() if name.startswith("silent_")}
    return (_amounts(silent, _OF_SILENT, table="silent", key=issue["issue_id"])
            | _amounts(shown, _OF_ISSUE, table="impact", key=issue["issue_id"]))


def total_amounts(total: Mapping | None) -> dict[str, str]:
    """Written figures of a row of IMPACT_TOTALS -> address."""
    return {} if total is None else _amounts(total, _OF_TOTAL, table="impact_totals", key=total["scope"])


def _amounts(row: Mapping, written: Iterable[tuple[Callable, str]], *, table: str, key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for write, columns in written:
        values = [row.get(column) for column in columns.split()]
        if not any(is_missing(value) for value in values):
            found.setdefault(write(*values), address(table, key, columns))
    return found


def _pattern(amounts: Mapping[str, str]) -> re.Pattern:
    # the longest first: an interval before its ends; no digit before it: 8.6名 does not stand in 18.6名
    return re.compile(r"(?<![\d,.−+〜])(?:" + "|".join(re.escape(one) for one in sorted(amounts, key=len, reverse=True)) + ")(?![\\d〜])")


def found_in(text: str, amounts: Mapping[str, str]) -> list[tuple[str, str]]:
    """(written figure, address) of each of `amounts` that stands in `text`, in the order of the text, once each."""
    return [(one, amounts[one]) for one in dict.fromkeys(_pattern(amounts).findall(text))] if amounts else []


def traced(text: object, amounts: Mapping[str, str] | None = None) -> Markup:
    """`text` escaped (unless it is Markup already), each of `amounts` in it as <span data-figure="address">."""
    html = str(escape(text))
    if not amounts:
        return Markup(html)  # noqa: S704 - escaped above
    told = _pattern(amounts).sub(lambda hit: f'<span data-figure="{escape(amounts[hit[0]])}">{hit[0]}</span>', html)
    return Markup(told)  # noqa: S704 - written figures hold nothing to escape
