"""Bring your own labels: contacts whose issues are known -> prevented churns, yen and contact cost per issue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from voc.config import Costs, Impact, Share, Value, Yen
from voc.errors import TableError
from voc.impact.at_stake import dearest_first, kinds_of, ltv_at_stake
from voc.impact.estimation import Estimate, estimate
from voc.impact.labelled_notices import result_notices, unknown_issues
from voc.impact.labelled_tables import (
    COLUMNS,
    REJECT_COLUMNS,
    labels_of,
    read_columns,
    read_dates,
    refuse,
    without_repeats,
)
from voc.impact.periods import Window, day_of_date, day_of_instant, timestamp, usual_days, window_between
from voc.impact.sensitivity import sensitivity
from voc.tables import IMPACT_SENSITIVITY, REJECTS, check, empty

OUT = (
    "issue_id", "churns_prevented_per_month", "lo", "hi", "yen_per_month", "contact_cost_per_month", "tier", "flag",
)
"""Columns of the result."""
KEYS = {"contacts": ["contact_id"], "customers": ["customer_id"], "issues": ["issue_id"], "usage": ["customer_id", "month"]}
DOUBTFUL, TOO_MANY = 0.1, 0.5  # share of customers or contacts without use: from here no 推定値, no churn number
MISSING_DAYS = 61  # without any contact at an end of the stated window: they were not handed over
REVERSE_KIND, OTHER_KIND = "解約", "その他"


def _day(value: object) -> object:
    """A day from any spelling; what is none is left to the validator."""
    if value is None or isinstance(value, date):
        return value
    found, unread = read_dates(pd.Series([str(value)]))
    return value if unread[0] else found[0].date()


class Params(BaseModel):
    """What the tables do not say. Yen per hour, margin 0..1, monthly churn 0..1 by plan or for all plans."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    window_start: Annotated[date | None, BeforeValidator(_day)] = None
    window_end: Annotated[date | None, BeforeValidator(_day)] = None
    gross_margin: Share = Value().gross_margin
    yen_per_hour: dict[str, Yen] | Yen = Costs().yen_per_hour
    transfer_yen: Yen = Costs().transfer_yen
    plan_monthly_churn: dict[str, Share] | Share | None = None
    concurrency: dict[str, Annotated[float, Field(gt=0)]] = {}
    labels_calibrated: bool = True


@dataclass(frozen=True)
class LabelledEstimate:
    """`table`: OUT, one row per issue, the highest yen first. `rejects`: REJECTS, every row or value not used.

    `notices`: Japanese lines about what was done and what limits the result. `sensitivity`: IMPACT_SENSITIVITY, empty
    where it was not asked for. `estimate`: everything that the product knows of the same data.
    """

    table: pd.DataFrame
    rejects: pd.DataFrame
    notices: list[str]
    sensitivity: pd.DataFrame
    estimate: Estimate


def estimate_labelled(
    contacts: pd.DataFrame, customers: pd.DataFrame, issues: pd.DataFrame, *, usage: pd.DataFrame | None = None,
    nps: pd.DataFrame | None = None, params: Mapping | None = None, impact: Impact | None = None, seed: int = 42,
    with_sensitivity: bool = False,
) -> LabelledEstimate:
    """What each issue costs, from tables with labels; `voc.impact.estimate`, and `voc impact FOLDER` from files.

    contacts: contact_id, customer_id, time, channel, handle_seconds, transfers, sentiment, issues (`I08:0.804|I20:0.09`).
    customers: customer_id, plan, segment, mrr (yen a month), contract_start, churn_date. issues: issue_id, name,
    negative_control (1: cannot cause churn), cancel_procedure (1: asked after the decision to leave). usage:
    customer_id, month, logins. nps: customer_id, date, score. params: window_start, window_end (not included),
    gross_margin, yen_per_hour (by channel), transfer_yen, plan_monthly_churn, labels_calibrated (false: nobody compared the
    probabilities with people's labels, so intervals are wider); all optional.

    Figures are means per month over the full months of the window; without one, over the full months of the contacts;
    months at the ends of the window without any contact are left out.
    yen_per_month is the shrunken LTV at stake (0 where it is negative) + contact cost, or the contact cost alone where
    churn is not answered.
    Below the company-level minimum of `impact` (months, churns, contacts) no tier is above 参考値. The churn columns are
    empty only for the tier データ不足 and the flag reverse. Raises TableError for missing columns and wrong params.
    """
    impact = impact or Impact()
    stated, notices = _params(params)
    given = {"contacts": contacts, "customers": customers, "issues": issues, "usage": usage, "nps": nps}
    rows, refused = {}, []
    for name, frame in given.items():
        if frame is not None:
            rows[name], told = _clean(frame, name)
            refused.append(told)
    known = rows["issues"]["issue_id"].tolist()
    links, told = labels_of(rows["contacts"], known)
    refused += [told, *_of_unknown_customers(rows)]
    window, told, wrong = _window(stated, rows["contacts"]["time"])
    notices += told
    faults, doubts = _losses(given, rows, refused)
    value, costs = _value(stated, rows["customers"]), _costs(stated, rows["contacts"])
    named = rows["issues"].loc[rows["issues"]["negative_control"], "issue_id"].tolist()
    found = estimate(
        **_tables(rows, links), impact=impact, value=value, costs=costs, as_of=timestamp(window.end_day), seed=seed,
        controls=named, window=window, sentiment=_sentiment(rows["contacts"]), nps=_answers(rows.get("nps")),
        below_minimum="reference", doubts=doubts, faults=(*wrong, *faults), is_calibrated=stated.labels_calibrated,
    )
    lines = empty(IMPACT_SENSITIVITY)
    if with_sensitivity:
        lines = sensitivity(found, impact=impact, value=value, seed=seed, controls=named)
    told = pd.concat([part for part in refused if len(part)] or [pd.DataFrame(columns=REJECT_COLUMNS)])
    return LabelledEstimate(
        _result(found), check(told.drop_duplicates(), REJECTS), [*notices, *unknown_issues(refused), *result_notices(found, rows, controls=named)], lines,
        found,
    )


def _clean(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, parts = read_columns(frame, name)
    parts = [parts]
    if name in KEYS:
        rows, told = without_repeats(rows, name, KEYS[name])
        parts.append(told)
    if name == "customers":
        backwards = (rows["churn_date"] < rows["contract_start"]).to_numpy()
        rows, told = refuse(rows, backwards, name, "解約日（churn_date）が契約日（contract_start）より前のため、この顧客は使いませんでした。")
        parts.append(told)
    return rows, pd.concat(parts, ignore_index=True)


def _of_unknown_customers(rows: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Rejects of rows whose customer is not known. Contacts stay for their cost; usage and NPS answers go."""
    parts, known = [], rows["customers"]["customer_id"]
    for name, told in (
        ("contacts", "費用にだけ数え、解約の推定には使いませんでした。"), ("usage", "使いませんでした。"), ("nps", "使いませんでした。"),
    ):
        if name in rows:
            bad = ~rows[name]["customer_id"].isin(known).to_numpy() & (rows[name]["customer_id"] != "").to_numpy()
            left, part = refuse(rows[name], bad, name, f"顧客番号が customers の使える行にないため、{told}")
            parts.append(part)
            if name != "contacts":
                rows[name] = left
    return parts


def _losses(given: dict, rows: dict, refused: list[pd.DataFrame]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Faults and doubts (Japanese) where too much of the tables could not be used."""
    n_people = len(given["customers"])
    lost = {"顧客（customers）の行": 1 - len(rows["customers"]) / n_people if n_people else 0.0}
    contacts, known = rows["contacts"], rows["customers"]["customer_id"]
    named = contacts["customer_id"] != ""
    stranger = named & ~contacts["customer_id"].isin(known)
    lost["問い合わせ（contacts）の顧客番号"] = float(stranger.sum()) / max(int(named.sum()), 1)
    labels = given["contacts"]["issues"].notna().sum() if len(given["contacts"]) else 0
    broken = sum(int(part["reason"].str.startswith("issues の").sum()) for part in refused if len(part))
    lost["問い合わせに付いた課題"] = min(broken / max(int(labels), 1), 1.0)
    told = {name: f"{name}の {share:.0%} が使えませんでした。棄却した行の理由を見て直してください。" for name, share in lost.items()}
    faults = tuple(told[name] for name, share in lost.items() if share > TOO_MANY)
    return faults, tuple(told[name] for name, share in lost.items() if DOUBTFUL < share <= TOO_MANY)


def _params(params: Mapping | None) -> tuple[Params, list[str]]:
    """The parameters and notices on those that are not known. Raises TableError that lists every fault."""
    given = dict(params or {})
    try:
        stated = Params.model_validate(given)
    except ValidationError as error:
        faults = sorted({f"{item['loc'][0]}（現在の値: {str(given.get(item['loc'][0]))[:60]}）" for item in error.errors()})
        raise TableError(
            f"params に正しくない値があります: {'、'.join(faults)}。window_start と window_end は 2025-04-01 のような日付、"
            "gross_margin と plan_monthly_churn は 0〜1、yen_per_hour と transfer_yen は 0 以上の円で書いてください。"
        ) from None
    if (stated.window_start is None) != (stated.window_end is None):
        raise TableError("params の window_start と window_end は、両方書くか、両方とも書かないでください。")
    if stated.window_start and stated.window_end <= stated.window_start:
        raise TableError(
            f"params の window_end（{stated.window_end}）は window_start（{stated.window_start}）より後の日にしてください。")
    unknown = sorted(str(name) for name in given if name not in Params.model_fields)
    return stated, [f"params の {'、'.join(unknown)} は使いません。"] if unknown else []


def _window(stated: Params, times: pd.Series) -> tuple[Window, list[str], list[str]]:
    """(window, notices, faults): the stated one without months at its ends from which no contact was handed over.

    Who left in such months had no chance to be seen asking, and means over them would be too low. A single contact with a
    wrong date does not make a month.
    """
    days = day_of_instant(times)
    first, last = usual_days(days) if len(days) else (0, 0)
    if not stated.window_start:
        return window_between(first, last + 1), [], []
    start, end = (int(np.datetime64(day, "D").astype("int64")) for day in (stated.window_start, stated.window_end))
    asked = f"{stated.window_start} から {stated.window_end} の前日まで"
    if not len(days):
        return window_between(start, end), [], []
    found = f"{timestamp(first):%Y-%m-%d} から {timestamp(last):%Y-%m-%d} まで"
    if not ((days >= start) & (days < end)).any():
        return window_between(start, end), [], [
            f"指定の期間（{asked}）に問い合わせがありません。問い合わせは {found}です。params の window_start と window_end を直してください。"]
    cut_start = first if first - start > MISSING_DAYS else start
    cut_end = last + 1 if end - last > MISSING_DAYS else end
    told = [f"指定の期間（{asked}）のうち、問い合わせのある {found}だけを使います。"] if (cut_start, cut_end) != (start, end) else []
    return window_between(cut_start, cut_end), told, []


def _value(stated: Params, customers: pd.DataFrame) -> Value:
    churn = stated.plan_monthly_churn
    if churn is not None and not isinstance(churn, dict):
        churn = dict.fromkeys(sorted(set(customers["plan"])), churn)
    return Value(gross_margin=stated.gross_margin, plan_monthly_churn=churn or {})


def _costs(stated: Params, contacts: pd.DataFrame) -> Costs:
    """Rates by channel; a contact without handling time takes the median of its channel."""
    rate = stated.yen_per_hour
    if not isinstance(rate, dict):
        rate = dict.fromkeys(sorted(set(contacts["channel"])), rate)
    usual = contacts.dropna(subset="handle_seconds").groupby("channel")["handle_seconds"].median()
    return Costs(
        yen_per_hour=rate, default_handle_seconds=usual.to_dict(), concurrency=stated.concurrency,
        transfer_yen=stated.transfer_yen,
    )


def _tables(rows: dict[str, pd.DataFrame], links: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The product's tables. Only `cancel_procedure` names reverse issues here, never the words of a name."""
    contacts, people, issues = rows["contacts"], rows["customers"], rows["issues"]
    usage = rows.get("usage", pd.DataFrame(columns=list(COLUMNS["usage"])))
    return {
        "contacts": pd.DataFrame({
            "contact_id": contacts["contact_id"], "customer_id": contacts["customer_id"].replace("", None),
            "channel": contacts["channel"], "started_at": contacts["time"], "handle_seconds": contacts["handle_seconds"],
            "n_transfers": contacts["transfers"], "source": "contacts", "source_row": contacts["source_row"],
            "content_sha": "",
        }),
        "mentions": links.assign(sentence_id=links["contact_id"], mentioned_at=pd.NaT),
        "customers": pd.DataFrame({
            "customer_id": people["customer_id"], "plan": people["plan"].replace("", None),
            "segment": people["segment"].replace("", None), "monthly_price_yen": people["mrr"],
            "started_on": people["contract_start"], "ended_on": people["churn_date"],
        }),
        "usage": pd.DataFrame({
            "customer_id": usage["customer_id"], "month_on": pd.to_datetime(usage["month"]),
            "n_logins": usage["logins"].astype("float64"),
        }),
        "issues": pd.DataFrame({
            "issue_id": issues["issue_id"], "label": "",
            "kind": np.where(issues["cancel_procedure"], REVERSE_KIND, OTHER_KIND),
        }),
    }


def _sentiment(contacts: pd.DataFrame) -> pd.Series | None:
    """-1..1 by contact; another scale (1 to 5, 0 to 100) is stretched from its lowest to its highest value."""
    mood = contacts.set_index("contact_id")["sentiment"]
    if not mood.notna().any():
        return None
    low, high = mood.min(), mood.max()
    if low >= -1 and high <= 1:
        return mood
    return (mood - low) / (high - low) * 2 - 1 if high > low else None


def _answers(nps: pd.DataFrame | None) -> pd.DataFrame | None:
    if nps is None or nps.empty:
        return None
    return pd.DataFrame({
        "customer_id": nps["customer_id"], "day": day_of_date(nps["date"], empty=0), "score": nps["score"]})


def _result(found: Estimate) -> pd.DataFrame:
    """OUT, dearest first."""
    table = found.impact[found.impact["issue_id"] != ""]
    controls = found.controls.loc[found.controls["is_confirmed"], "issue_id"]
    yen = ltv_at_stake(table, kinds_of(found.case.issues), controls) + table["contact_cost_yen"].to_numpy()
    result = pd.DataFrame({
        "issue_id": table["issue_id"], "churns_prevented_per_month": table["churns_prevented"],
        "lo": table["churns_low"], "hi": table["churns_high"], "yen_per_month": yen,
        "contact_cost_per_month": table["contact_cost_yen"], "tier": table["tier"], "flag": table["flag"],
    })
    return result.iloc[dearest_first(table, yen)].reset_index(drop=True)[list(OUT)]
