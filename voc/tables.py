"""The tables of voc: names, columns, keys, and the one gate that checks them.

Closed words: turns.speaker is customer, operator, bot or unknown; channel is call, email, chat, survey or as configured.

Column words: `_id` key, `_at` instant (UTC), `_on` date, `_yen`, `_seconds`, `_share` 0..1,
`n_` count, `is_` boolean. A type followed by `?` may be empty. One name, one meaning everywhere.
`made_from`: mark of what a row was made from and by (voc/increment.py); empty: unknown, so the row is made anew.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from voc.errors import TableError

INSTANT = "datetime64[us, UTC]"
DATE = "datetime64[us]"
_PANDAS = {
    "text": "str",
    "int": "int64",
    "float": "float64",
    "bool": "boolean",
    "instant": INSTANT,
    "date": DATE,
    "texts": "object",
    "floats": "object",
}


@dataclass(frozen=True)
class Table:
    """One table: `columns` maps a name to text, int, float, bool, instant, date, texts or floats (+ `?`)."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]

    def type_of(self, column: str) -> str:
        return self.columns[column].rstrip("?")

    def may_be_empty(self, column: str) -> bool:
        return self.columns[column].endswith("?")


def _table(name: str, key: str, columns: str) -> Table:
    pairs = (item.split(":") for item in columns.split())
    return Table(name, tuple(key.split()), dict(pairs))


CUSTOMERS = _table("customers", "customer_id", """
    customer_id:text plan:text? segment:text? monthly_price_yen:float? started_on:date? ended_on:date?""")
CUSTOMER_KEYS = _table("customer_keys", "kind value customer_id", "kind:text value:text customer_id:text")
USAGE = _table("usage", "customer_id month_on", "customer_id:text month_on:date n_logins:float?")
FAQ = _table("faq", "article_id", "article_id:text title:text body:text url:text?")
FAQ_LOGS = _table("faq_logs", "log_id", """
    log_id:text at:instant query:text? article_id:text? is_found:bool? source:text source_row:text""")
CATALOGUE = _table("catalogue", "option_id", """
    option_id:text name:text description:text? plans:texts price_yen:float?""")
COUNTS_BY_HOUR = _table("counts_by_hour", "hour_at queue", """
    hour_at:instant queue:text? n_offered:int n_answered:int n_abandoned:float?""")
CONTACTS = _table("contacts", "contact_id", """
    contact_id:text customer_id:text? known_as:text? channel:text started_at:instant thread_id:text? episode_id:text?
    duplicate_of:text? queue:text? wrapup:text? handle_seconds:float? n_transfers:float? is_resolved:bool? csat:float?
    nps:float? rating:float? subject:text? source:text source_row:text content_sha:text""")
TURNS = _table("turns", "turn_id", """
    turn_id:text contact_id:text position:int speaker:text question:text? start_seconds:float? text:text""")
SENTENCES = _table("sentences", "sentence_id", """
    sentence_id:text turn_id:text contact_id:text position:int start:int end:int text:text terms:texts
    set_aside:text? made_from:text?""")
OPINIONS = _table("opinions", "sentence_id", """
    sentence_id:text p_negative:float p_neutral:float p_positive:float polarity:text strength:float
    p_complaint:float p_request:float p_question:float p_praise:float p_cancel:float p_other:float
    intent:text flags:texts is_abstained:bool cue:text? made_from:text?""")
WISHES = _table("wishes", "sentence_id", """
    sentence_id:text phrase:text? object:text? change:text? place:text? words:text? made_from:text""")
REQUESTS = _table("requests", "sentence_id", """
    sentence_id:text phrase:text object:text? change:text place:text? is_implied:bool words:text?""")
CALLS = _table("calls", "contact_id", """
    contact_id:text strength_first:float? strength_last:float? outcome:text cancel_reason:text? offer:text?
    is_kept:bool? made_from:text?""")
EMBEDDINGS = _table("embeddings", "sentence_id model", "sentence_id:text model:text vector:floats made_from:text?")
# vectors of a run that is not through: kept chunk by chunk, emptied when EMBEDDINGS is written
UNFINISHED = _table("unfinished", "made_from model", "made_from:text model:text vector:floats")
MADE_BY = _table("made_by", "table part", "table:text part:text value:text")
ISSUES = _table("issues", "issue_id", """
    issue_id:text parent:text? label:text kind:text status:text owner:text? first_seen_at:instant
    centroid:floats threshold:float effort:float? due_on:date? exemplar_ids:texts keywords:texts
    n_sentences:int label_by:text? merged_into:text? closed_on:date?""")
ISSUE_EVENTS = _table("issue_events", "event_id", """
    event_id:text position:int issue_id:text kind:text at:instant by:text from:text? to:text? note:text?
    definition:text?""")
ACTIONS = _table("actions", "action_id", """
    action_id:text issue_id:text done_on:date note:text? by:text recorded_at:instant""")
ISSUE_QUALITY = _table("issue_quality", "issue_id", """
    issue_id:text n_sentences:int share:float coherence:float? nearest_id:text? similarity:float? may_be_one:bool
    changed_share:float?""")
ISSUE_CALIBRATION = _table("issue_calibration", "issue_id", """
    issue_id:text intercept:float slope:float n_labels:int labelled_at:instant""")
ISSUE_LABELS = _table("issue_labels", "issue_id sentence_id", """
    issue_id:text sentence_id:text probability:float weight:float is_right:bool by:text labelled_at:instant""")
ISSUE_TRENDS = _table("issue_trends", "issue_id", """
    issue_id:text state:text n_recent:int expected:float? ratio:float? ratio_low:float? ratio_high:float?
    q_value:float? fixed_on:date? weeks:floats evidence:text""")
MENTIONS = _table("mentions", "issue_id sentence_id", """
    issue_id:text sentence_id:text contact_id:text customer_id:text? mentioned_at:instant probability:float""")
IMPACT = _table("impact", "issue_id period_start_on", """
    issue_id:text period_start_on:date period_end_on:date
    churns_prevented:float? churns_low:float? churns_high:float? churns_shrunken:float?
    n_exposed_events:float log_odds:float? log_odds_se:float? e_value:float? tier:text flag:text badge:text?
    mrr_yen:float? ltv_yen:float? ltv_low_yen:float? ltv_high_yen:float? ltv_shrunken_yen:float?
    n_contacts:float n_customers:int contact_cost_yen:float repeat_cost_yen:float
    deflectable_low_yen:float deflectable_high_yen:float months_to_answer:float? notes:text?""")
IMPACT_TOTALS = _table("impact_totals", "scope", """
    scope:text n_issues:int churns_prevented:float? churns_low:float? churns_high:float?
    ltv_yen:float? ltv_low_yen:float? ltv_high_yen:float? contact_cost_yen:float? note:text?""")
IMPACT_SENSITIVITY = _table("impact_sensitivity", "issue_id line", """
    issue_id:text line:text churns_prevented:float? churns_low:float? churns_high:float?""")
IMPACT_CONTROLS = _table("impact_controls", "issue_id", """
    issue_id:text is_confirmed:bool is_proposed:bool log_odds:float? log_odds_se:float?
    churns_prevented:float? churns_low:float? churns_high:float?""")
IMPACT_REVERSE = _table("impact_reverse", "issue_id", """
    issue_id:text basis:text is_overruled:bool churn_share:float? n_churns:float? later_churn_share:float?""")
ISSUE_MONTHS = _table("issue_months", "issue_id month_on", """
    issue_id:text month_on:date n_contacts:float n_customers:int contact_cost_yen:float""")
ISSUE_SEGMENTS = _table("issue_segments", "issue_id attribute value", """
    issue_id:text attribute:text value:text n_customers:int share:float base_share:float""")
COMPANY_MONTHS = _table("company_months", "month_on", """
    month_on:date n_customers:int n_churned:int churn_share:float? mrr_yen:float? mrr_lost_yen:float?
    mrr_downgraded_yen:float? mrr_churn_share:float? n_contacts:int contact_cost_yen:float nps:float? n_nps:int""")
LTV_FACTORS = _table("ltv_factors", "plan", """
    plan:text n_customers:int price_yen:float? frequency:float? gross_margin_share:float? churn_share:float?
    churn_used_share:float? is_churn_given:bool months:float? limit:text? paid_months:float? ltv_yen:float?
    ltv_less_churn_yen:float? price_ratio:float? frequency_ratio:float? months_ratio:float? note:text?""")
RETENTION = _table("retention", "issue_id group month", """
    issue_id:text group:text month:int n_at_risk:int survived_share:float""")
COST_PARTS = _table("cost_parts", "scope issue_id", """
    scope:text issue_id:text handle_yen:float after_call_yen:float transfer_yen:float per_contact_yen:float
    contact_cost_yen:float repeat_cost_yen:float cash_yen:float capacity_yen:float saving_yen:float
    saving_low_yen:float saving_high_yen:float saving_cash_yen:float faq_yen:float note:text?""")
COST_CHANNELS = _table("cost_channels", "channel", """
    channel:text n_contacts:float handle_hours:float n_seconds_assumed:float contact_cost_yen:float
    cost_per_contact_yen:float? yen_per_hour:float? concurrency:float cash_share:float""")
CUSTOMER_HEALTH = _table("customer_health", "customer_id", """
    customer_id:text as_of_on:date tier:text? ltv_yen:float? score:float? band:text reasons:texts issue_id:text?
    churn_share:float? loss_yen:float? is_at_risk:bool""")
HEALTH_TEST = _table("health_test", "scope band", """
    scope:text band:text n_customer_months:int n_churned:int churn_share:float? predicted_share:float?
    tested_share:float? tested_low_share:float? tested_high_share:float? auc:float? auc_low:float? auc_high:float?
    n_months:int note:text?""")
SILENT = _table("silent", "issue_id", """
    issue_id:text reporting_low_share:float reporting_high_share:float churns_low:float? churns_high:float?
    ltv_low_yen:float? ltv_high_yen:float? note:text""")
PRICE_CHANGES = _table("price_changes", "customer_id changed_on", """
    customer_id:text changed_on:date price_before_yen:float? price_yen:float""")
ORDERS = _table("orders", "order_id", """
    order_id:text customer_id:text ordered_on:date amount_yen:float""")
DRIVERS = _table("drivers", "measure issue_id", """
    measure:text issue_id:text effect:float? low:float? high:float? gain:float? gain_low:float? gain_high:float?
    leave_one_out:float? n_customers:int n_scores:int""")
FAQ_TRIAGE = _table("faq_triage", "issue_id", """
    issue_id:text state:text article_id:text? article_title:text? similarity:float? n_contacts:float n_searches:float?
    n_not_found:float? n_views:float? contacts_after_view:float? yen_low:float yen_high:float evidence:text""")
OPTION_MATCHES = _table("option_matches", "issue_id option_id", """
    issue_id:text option_id:text option_name:text similarity:float n_customers:int n_on_plan:int n_other_plan:int
    plans:texts words:text""")
FIX_EFFECTS = _table("fix_effects", "action_id", """
    action_id:text issue_id:text done_on:date n_before_months:int n_after_months:int contacts_before:float?
    contacts_after:float? contact_ratio:float? low:float? high:float? control:text? promised_churns:float?
    realised_churns:float? realised_low:float? realised_high:float? realised_share:float? churn_change:float?
    churn_mde:float? note:text""")
RECOMMENDATIONS = _table("recommendations", "issue_id", """
    issue_id:text stance:text owner:text is_owner_given:bool action:text target_from:float? target_to:float?
    target_unit:text? due_on:date is_due_given:bool effort:float? value_yen:float? payback_months:float? basis:text""")
CONTRASTS = _table("contrasts", "issue_id group", """
    issue_id:text group:text share:float other_share:float ratio:float low:float high:float n_customers:int
    n_group:int n_others:int""")
RANKING = _table("ranking", "issue_id audience", """
    issue_id:text audience:text rank:int rank_low:int rank_high:int top5_share:float score_yen:float
    reason:text""")
ALERTS = _table("alerts", "alert_id", """
    alert_id:text kind:text subject:text period:text raised_on:date last_on:date is_open:bool severity:text text:text
    value_yen:float? evidence:texts sent_to:texts sent_on:date?""")
REJECTS = _table("rejects", "source source_row stage reason", "source:text source_row:text stage:text reason:text")
ERASED = _table("erased", "kind value", "kind:text value:text erased_at:instant")
WATERMARKS = _table("watermarks", "source kind name", """
    source:text kind:text name:text value:text settings_sha:text at:instant?""")
RUNS = _table("runs", "run_id", """
    run_id:text as_of_on:date started_at:instant finished_at:instant? status:text config_sha:text seed:int
    inputs:text versions:text models:text counts:text seconds:text settings:text
    tables:text?""")

TABLES = {table.name: table for table in list(globals().values()) if isinstance(table, Table)}


def empty(table: Table) -> pd.DataFrame:
    """A frame with no rows and exactly the columns and types of `table`."""
    return _empty(tuple((column, table.type_of(column)) for column in table.columns)).copy()


@cache
def _empty(columns: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series([], dtype=_PANDAS[kind]) for column, kind in columns})


def check(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return `frame` with exactly the columns, order and types of `table`, sorted by its key.

    Columns that may be empty are added when absent; columns that the table does not know are refused.
    Raises TableError with every fault at once: missing or unknown columns, wrong types, empty values
    where none may be, duplicate keys.
    """
    faults = []
    missing = [c for c in table.columns if c not in frame and not table.may_be_empty(c)]
    unknown = [c for c in frame.columns if c not in table.columns]
    if missing:
        faults.append(f"columns missing: {missing}; the frame has {list(frame.columns)}")
    if unknown:
        faults.append(f"columns not in the table: {unknown}; allowed are {list(table.columns)}")
    if faults:
        raise TableError(f"table {table.name}: " + "; ".join(faults))
    columns = {}
    for column in table.columns:
        dtype = _PANDAS[table.type_of(column)]
        try:
            columns[column] = _cast(frame[column], dtype) if column in frame else _absent(dtype, frame.index)
        except (ValueError, TypeError) as error:
            faults.append(f"column {column} cannot be read as {dtype}: {error}")
            continue
        if not table.may_be_empty(column) and columns[column].isna().any():
            faults.append(f"column {column} is empty in {int(columns[column].isna().sum())} rows")
    if faults:
        raise TableError(f"table {table.name}: " + "; ".join(faults))
    checked = pd.DataFrame(columns, index=frame.index)
    key = list(table.key)
    doubled = checked.duplicated(key)
    if doubled.any():
        example = checked.loc[doubled, key].iloc[0].to_dict()
        raise TableError(f"table {table.name}: {int(doubled.sum())} rows repeat a key, for example {example}")
    return checked.sort_values(key, kind="stable", ignore_index=True)


def _absent(dtype: str, index: pd.Index) -> pd.Series:
    """A column that the frame lacks: empty in every row."""
    return pd.Series([None] * len(index) if dtype == "object" else None, index=index, dtype=dtype)


def _cast(values: pd.Series, dtype: str) -> pd.Series:
    if dtype != DATE and str(values.dtype) == dtype:  # checked before: nine casts of ten; a date may carry a time
        return values
    if dtype == "str":
        return values.where(values.notna(), None).astype("str")
    if dtype == INSTANT:
        return pd.to_datetime(values, utc=True).astype(dtype)
    if dtype == DATE:
        return pd.to_datetime(values).astype(dtype).dt.normalize()
    return values.astype(dtype)


def content_sha(frame: pd.DataFrame) -> str:
    """SHA-256 over the values of a checked frame, columns and rows in their order (floats to 9 digits)."""
    digest = hashlib.sha256("\x1f".join(frame.columns).encode())
    for column in frame:
        values = frame[column]
        if values.dtype == "float64":
            cells = np.char.mod("%.9g", values.to_numpy()).tolist()
        elif str(values.dtype).startswith("datetime64"):
            cells = values.astype("str").tolist()
        else:
            cells = [_cell(value) for value in values.tolist()]
        digest.update("\x1e".join(map(str, cells)).encode("utf-8", "surrogatepass"))
        digest.update(b"\x1d")
    return digest.hexdigest()


def _cell(value: object) -> str:
    if isinstance(value, (list, tuple, np.ndarray)):
        return "\x1c".join(f"{item:.4f}" if isinstance(item, float) else str(item) for item in value)
    return "" if pd.isna(value) else str(value)
