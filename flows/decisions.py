"""The tables that decisions are made from: drivers, FAQ triage, options, fixes, recommendations, contrasts."""

from functools import partial

import pandas as pd

from flows.payers import Payers, known_on
from flows.record import RunRecord
from flows.tasks import task
from voc.config import Config
from voc.contrasts import contrasts
from voc.faq_triage import faq_triage
from voc.impact.case import Case, case_of
from voc.impact.cost import contact_cost, issue_months
from voc.impact.drivers import drivers
from voc.impact.estimation import estimate
from voc.impact.fixes import fix_effects
from voc.impact.periods import timestamp
from voc.impact.totals import TIERS
from voc.issue_space import text_vectors
from voc.issues.events import fix_actions
from voc.issues.ledger import LedgerUpdate
from voc.issues.prototypes import reported
from voc.option_matches import option_matches
from voc.recommendations import recommendations
from voc.store import read_table
from voc.tables import (
    CATALOGUE,
    CONTRASTS,
    DRIVERS,
    FAQ,
    FAQ_LOGS,
    FAQ_TRIAGE,
    FIX_EFFECTS,
    OPTION_MATCHES,
    RECOMMENDATIONS,
    USAGE,
    Table,
    check,
    empty,
)  # fmt: skip

drivers_task = task(drivers, name="NPS・CSAT の要因")
contrasts_task = task(contrasts, name="顧客層の対比")
faq_triage_task = task(faq_triage, name="FAQ の判定")
option_matches_task = task(option_matches, name="既存機能との照合")
fix_effects_task = task(fix_effects, name="対応の効果")
estimate_task = task(estimate, name="対応前の推定")
recommendations_task = task(recommendations, name="推奨")


def decision_tables(
    tables: dict[str, pd.DataFrame], contacts: pd.DataFrame, update: LedgerUpdate, config: Config, *, case: Case,
    moods: pd.DataFrame, payers: Payers, store: str, as_of_on: pd.Timestamp, record: RunRecord,
) -> dict[str, pd.DataFrame]:
    """DRIVERS, FAQ_TRIAGE, OPTION_MATCHES, FIX_EFFECTS, RECOMMENDATIONS and CONTRASTS by name, checked.

    `tables`: what this run made so far (impact, issue_months, company_months, impact_controls, requests). Articles, searches and
    options are compared with the issues in the ledger's space. `case`: the data of this run's estimate.
    """
    issues, actions = reported(update.issues), fix_actions(update.events, update.issues)
    mentions = update.mentions[update.mentions["issue_id"].isin({*issues["issue_id"], *actions["issue_id"]})].reset_index(drop=True)

    # a contact counts as long as the hazard found it to count
    impact = config.impact.model_copy(update={"window_months": record.settings["window_months"] or config.impact.window_months})
    meanings = partial(text_vectors, embedder=config.parts.embedder)
    with record.stage("decisions"):
        found: list[tuple[Table, pd.DataFrame]] = [
            (DRIVERS, drivers_task(case, impact=impact)), (CONTRASTS, contrasts_task(case)),
            (FAQ_TRIAGE, faq_triage_task(
                issues, tables["impact"], mentions, read_table(FAQ, store=store), read_table(FAQ_LOGS, store=store),
                meanings=meanings, matches=config.matches,
                period=(timestamp(case.window.period_start), timestamp(case.window.period_end)), timezone=config.company.timezone)),
            (OPTION_MATCHES, option_matches_task(
                issues, mentions, tables["requests"], payers.customers, read_table(CATALOGUE, store=store), meanings=meanings,
                matches=config.matches)),
            (FIX_EFFECTS, _fixes(tables, contacts, mentions, moods=moods, update=update, payers=payers, config=config, store=store,
                is_calibrated=record.settings["is_calibrated"])),
        ]  # fmt: skip
        made = {table.name: check(frame, table) if len(frame) else empty(table) for table, frame in found}
        advice = recommendations_task(
            issues, tables["impact"], made["faq_triage"], made["option_matches"], as_of_on=as_of_on, costs=config.costs,
            planning=config.planning, controls=_confirmed(tables))
    made[RECOMMENDATIONS.name] = check(advice, RECOMMENDATIONS) if len(advice) else empty(RECOMMENDATIONS)
    record.counts["decisions"] = {name: len(frame) for name, frame in sorted(made.items())}
    return made


def _confirmed(tables: dict[str, pd.DataFrame]) -> tuple[str, ...]:
    controls = tables["impact_controls"]
    return tuple(controls.loc[controls["is_confirmed"], "issue_id"])


def _fixes(tables, contacts, mentions, *, moods: pd.DataFrame, update: LedgerUpdate, payers: Payers, config: Config, store: str, is_calibrated: bool) -> pd.DataFrame:
    """The issues of actions belong to it also where they rest or are solved; each promise is what was known on the
    morning of the action, of who had left too."""
    actions = fix_actions(update.events, update.issues)
    if actions.empty:
        return empty(FIX_EFFECTS)
    shown = reported(update.issues)
    issues = pd.concat([shown, update.issues[update.issues["issue_id"].isin(set(actions["issue_id"]) - set(shown["issue_id"]))]])
    usage = read_table(USAGE, store=store)
    case = case_of(contacts, mentions, payers.customers, usage, issues, impact=config.impact, as_of=payers.as_of_on, timezone=config.company.timezone)
    case.contacts["cost_yen"] = contact_cost(case.contacts, costs=config.costs, window=case.window)
    promised = []
    for done_on, group in actions.groupby("done_on"):
        then = known_on(payers, done_on)
        if then is None:
            continue
        before = estimate_task(
            contacts, mentions, then.customers, usage, issues, as_of=then.as_of_on,
            sentiment=moods.set_index("contact_id")["strength"], impact=config.impact, value=config.value, costs=config.costs, seed=config.seed,
            price_changes=then.price_changes, orders_per_month=then.orders_per_month,
            is_calibrated=is_calibrated, timezone=config.company.timezone).impact  # fmt: skip
        # only what a report would have claimed may be called a promise
        claimed = (before["tier"] == TIERS[-1]) & (before["flag"] == "") & (before["churns_low"] > 0)
        before["churns_prevented"] = before["churns_prevented"].where(claimed)
        promised.append(group[["action_id", "issue_id"]].merge(before[["issue_id", "churns_prevented"]], on="issue_id"))
    return fix_effects_task(
        actions, issue_months(case.contacts, case.links, case.issues, case.window), tables["company_months"], issues,
        controls=_confirmed(tables),
        reverse=tuple(case.issues["issue_id"].iloc[list(case.decisions.reverse)]), promised=pd.concat(promised, ignore_index=True) if promised else None)
