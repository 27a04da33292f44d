"""One dict per issue with everything that a report says about it: columns of `impact`, ranks, months, segments.

Amounts and counts of `impact` are read as per month (an average over the period of the row).
"""

import pandas as pd

from voc.issues.events import UNREPORTED
from voc.reports.formats import LABEL_LENGTH, NONE, SMALL_GROUP, customers, is_missing, month, percent, plain
from voc.reports.sources import address
from voc.reports.wording import attribute_name, group_name

MONTHS_SHOWN = 13


def complete_months(months: pd.Series, as_of_on: object) -> list[pd.Timestamp]:
    """Every calendar month from the first in `months` to the last one that ended by `as_of_on` (gaps filled)."""
    if months.empty:
        return []
    last = months.max()
    if not is_missing(as_of_on):
        as_of = pd.Timestamp(as_of_on).normalize()
        this = as_of.replace(day=1)
        last = min(last, this if as_of.is_month_end else this - pd.offsets.MonthBegin(1))
    return list(pd.date_range(months.min(), last, freq="MS"))


def issue_facts(tables: dict[str, pd.DataFrame], *, audience: str, as_of_on: object) -> list[dict]:
    """All issues of the report in the order of `ranking` for `audience`; unranked ones follow by volume.

    Each dict holds the columns of issues, impact, ranking (rank columns may be None) and SILENT (silent_churns_low …; None
    where the company gave no reporting rate) and: area, months
    (month, n_contacts), change, segments, top_segment, negative_share, nps, n_nps, n_customers_shown.
    """
    frame = tables["issues"].loc[~tables["issues"]["status"].isin(UNREPORTED), ["issue_id", "parent", "label", "kind", "status", "keywords"]]
    frame = frame.merge(tables["impact"], on="issue_id", how="left")
    ranking = tables["ranking"]
    frame = frame.merge(ranking.loc[ranking["audience"] == audience].drop(columns="audience"), on="issue_id", how="left")
    silent = tables["silent"].drop(columns="note").rename(columns=lambda name: name if name == "issue_id" else f"silent_{name}")
    frame = frame.merge(silent, on="issue_id", how="left").merge(_volumes(tables["mentions"]), on="issue_id", how="left")
    # An issue without a row in impact still has its voices.
    frame["n_customers"] = frame["n_customers"].fillna(frame.pop("counted_customers"))
    frame = frame.sort_values(["rank", "n_contacts", "issue_id"], ascending=[True, False, True], kind="stable")
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    months, segments = _months(tables, as_of_on), _segments(tables["issue_segments"])
    moods, scores = _moods(tables), _nps(tables)
    facts = []
    for record in records:
        issue_id = record["issue_id"]
        label = plain(record["label"], limit=LABEL_LENGTH) or issue_id
        series = months.get(issue_id, [])
        if record["n_contacts"] is None and series:
            record["n_contacts"] = sum(n for _, n in series) / len(series)
        # Of fewer than five customers nothing but the volume and the voices is told. An anonymous survey knows
        # no customers: there, each response counts as one.
        known = record["n_customers"] or 0
        small = (known or record["counted_contacts"] or 0) < SMALL_GROUP
        shares = [] if small else segments.get(issue_id, [])
        score = {} if small else scores.get(issue_id, {})
        facts.append({
            **record, "label": label, "area": plain(record["parent"], limit=20), "kind": plain(record["kind"], limit=20),
            "keywords": [plain(word, limit=20) for word in _listed(record["keywords"])[:6]],
            "reason": plain(record["reason"], limit=400), "notes": plain(record["notes"], limit=400) if record["flag"] in ("", None) else "",
            "months": series, "change": _change(series), "segments": shares, "top_segment": _top(shares),
            "n_customers_shown": customers(known) if known or small else "匿名",
            "negative_share": None if small else moods.get(issue_id), "nps": score.get("nps"),
            "n_nps": score.get("n_nps", 0),
        })
    return facts


def _listed(values: object) -> list:
    return [] if is_missing(values) else list(values)


def _volumes(mentions: pd.DataFrame) -> pd.DataFrame:
    return mentions.groupby("issue_id", as_index=False).agg(
        counted_customers=("customer_id", "nunique"), counted_contacts=("contact_id", "nunique"))


def _months(tables: dict[str, pd.DataFrame], as_of_on: object) -> dict[str, list[tuple[pd.Timestamp, float]]]:
    rows = tables["issue_months"]
    known = rows["month_on"] if tables["company_months"].empty else tables["company_months"]["month_on"]
    axis = complete_months(known, as_of_on)[-MONTHS_SHOWN:]
    if rows.empty or not axis:
        return {}
    wide = rows.pivot(index="issue_id", columns="month_on", values="n_contacts").reindex(columns=axis).fillna(0.0)
    return {issue_id: list(zip(axis, values, strict=True)) for issue_id, values in
            zip(wide.index, wide.to_numpy().tolist(), strict=True)}


def _change(months: list[tuple[pd.Timestamp, float]]) -> str:
    """Last three months against the three before: a word, so that the trend is readable without a picture."""
    if len(months) < 6:
        return NONE
    values = [n for _, n in months]
    now, before = sum(values[-3:]), sum(values[-6:-3])
    # Below ten contacts a month, a change is mostly chance.
    if now + before < 30:
        return "件数が少なく判断せず"
    if before == 0:
        return "新規"
    ratio = now / before - 1
    word = "増加" if ratio > 0.15 else "減少" if ratio < -0.15 else "横ばい"
    return f"{word}（{'+' if ratio > 0 else '−' if ratio < 0 else ''}{abs(ratio) * 100:.0f}%）"


def _segments(rows: pd.DataFrame) -> dict[str, list[dict]]:
    """Per issue the customer groups, most over-represented first; groups under five customers carry no numbers."""
    found: dict[str, list[dict]] = {}
    for row in rows.to_dict("records"):
        hidden = row["n_customers"] < SMALL_GROUP
        lift = row["share"] / row["base_share"] if row["base_share"] > 0 else None
        found.setdefault(row["issue_id"], []).append({
            "attribute": attribute_name(plain(row["attribute"], limit=20)), "value": plain(group_name(row["attribute"], row["value"]), limit=24),
            "hidden": hidden, "customers": customers(row["n_customers"]), "lift": None if hidden else lift,
            "share": None if hidden else row["share"], "base_share": row["base_share"],
            "share_text": customers(row["n_customers"]) if hidden else percent(row["share"], places=0),
            "base_text": percent(row["base_share"], places=0),
            "source": address("issue_segments", (row["issue_id"], plain(row["attribute"], limit=20), plain(row["value"], limit=24)), "share"),
        })
    for shares in found.values():
        shares.sort(key=lambda s: (s["hidden"], -(s["lift"] or 0), s["attribute"], s["value"]))
    return found


def _top(shares: list[dict]) -> str:
    """The group that stands out: at least 1.2 times its share among all customers."""
    best = next((s for s in shares if s["lift"] is not None and s["lift"] >= 1.2), None)
    return NONE if best is None else f"{best['value']}（全体の{best['lift']:.1f}倍）"


def _moods(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Share of an issue's sentences in which the negative reading is the most probable one (abstained left out)."""
    opinions = tables["opinions"]
    judged = opinions.loc[~opinions["is_abstained"].astype(bool), ["sentence_id", "p_negative", "p_neutral", "p_positive"]]
    joined = tables["mentions"][["issue_id", "sentence_id"]].merge(judged, on="sentence_id")
    if joined.empty:
        return {}
    joined["is_negative"] = joined["p_negative"] > joined[["p_neutral", "p_positive"]].max(axis=1)
    return joined.groupby("issue_id")["is_negative"].mean().to_dict()


def _nps(tables: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """NPS among contacts that mention the issue: share of 9-10 minus share of 0-6, in points; from five answers."""
    scored = tables["contacts"].loc[tables["contacts"]["nps"].notna(), ["contact_id", "nps"]]
    joined = tables["mentions"][["issue_id", "contact_id"]].drop_duplicates().merge(scored, on="contact_id")
    if joined.empty:
        return {}
    joined["points"] = 100.0 * ((joined["nps"] >= 9).astype(float) - (joined["nps"] <= 6).astype(float))
    grouped = joined.groupby("issue_id")["points"].agg(["mean", "size"])
    return {issue_id: {"nps": row["mean"] if row["size"] >= SMALL_GROUP else None, "n_nps": int(row["size"])}
            for issue_id, row in grouped.to_dict("index").items()}


def contact_month_label(months: list[tuple[pd.Timestamp, float]]) -> str:
    """A spoken summary of a trend picture."""
    if not months:
        return "月別の件数はありません"
    (first, n_first), (last, n_last) = months[0], months[-1]
    return f"{month(first)} {n_first:.0f}件から{month(last)} {n_last:.0f}件"
