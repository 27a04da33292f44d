"""Masked tables -> what customers say, which issues there are, what each costs, in which order."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from flows.compute import RunChunks, run_here
from flows.decisions import decision_tables
from flows.fingerprints import ISSUE_SPACE
from flows.ledger_store import read_ledger, write_ledger
from flows.payers import Payers, read_payers
from flows.record import RunRecord
from flows.tasks import edge_task, read_table_task, replace_table_task, task
from flows.understanding import Understood, understand
from voc import japanese, topics
from voc.as_of import up_to_run
from voc.config import Config, Parts
from voc.customers.signals import contact_moods
from voc.customers.tables import health_tables
from voc.errors import VocError
from voc.impact.described import described
from voc.impact.estimation import Estimate, estimate
from voc.impact.sensitivity import sensitivity
from voc.issue_space import MODELS, example_points, models_of
from voc.issues.areas import area_rows
from voc.issues.calibration import is_calibrated
from voc.issues.categories import Category, category_rows
from voc.issues.events import advance, fix_actions
from voc.issues.ledger import LedgerUpdate, update_ledger
from voc.issues.lifecycle import lifecycle_rows
from voc.issues.prototypes import reported
from voc.issues.trends import issue_trends
from voc.opinions import judge
from voc.parts import load_part
from voc.ranking import rank
from voc.sources.categories import read_category_file
from voc.store import read_table
from voc.tables import (
    CONTACTS,
    ISSUE_CALIBRATION,
    ISSUES,
    MADE_BY,
    MENTIONS,
    RANKING,
    TABLES,
    TURNS,
    USAGE,
    check,
)  # fmt: skip

read_ledger_task = edge_task(read_ledger, name="台帳の読み込み")
write_ledger_task = edge_task(write_ledger, name="台帳の保存")
read_categories_task = edge_task(read_category_file, name="分類の表の読み込み")
update_ledger_task = task(update_ledger, name="課題の台帳")
area_rows_task = task(area_rows, name="領域")
issue_trends_task = task(issue_trends, name="増減の判定")
estimate_task = task(estimate, name="影響額の推定")
sensitivity_task = task(sensitivity, name="前提を変えた推定")
described_task = task(described, name="費用と継続の内訳")
health_tables_task = task(health_tables, name="顧客の健康度")
rank_task = task(rank, name="順位付け")


def read_voices(
    config: Config, *, base: Path, store: str, record: RunRecord, run_chunks: RunChunks = run_here
) -> tuple[pd.DataFrame, Understood]:
    """(contacts that are no copies, what their customers say): the part of a run that is shared out among processes."""
    _same_space(config, store=store)
    contacts = up_to_run(read_table_task(CONTACTS, store=store), **record.days)
    contacts = contacts.loc[contacts["duplicate_of"].isna()].reset_index(drop=True)  # a copy is no second voice

    def read_turns() -> pd.DataFrame:
        turns = read_table_task(TURNS, store=store)
        return turns.loc[turns["contact_id"].isin(contacts["contact_id"])].reset_index(drop=True)

    return contacts, understand(contacts, read_turns, config, base=base, store=store, run_chunks=run_chunks, record=record)


def analyze(
    contacts: pd.DataFrame, said: Understood, config: Config, *, as_of_on: pd.Timestamp, base: Path, store: str, record: RunRecord
) -> None:
    """Write the ledger, impact, decisions and ranking of `read_voices`."""
    categories = _categories(config, base=base)
    voices = said.voices.drop(columns="made_from").merge(contacts[["contact_id", "customer_id", "started_at"]], on="contact_id", how="left")
    at = _instant(as_of_on, config)
    with record.stage("issues"):
        calibration = read_table(ISSUE_CALIBRATION, store=store)
        issues, events = _with_categories(*read_ledger_task(store), categories, parts=config.parts, at=at, record=record)
        update = update_ledger_task(
            voices, said.opinions, said.meanings, place=said.place, issues=issues, events=events, settings=config.issues,
            seed=config.seed, at=at, parse=japanese.parse, calibration=calibration,
            mentions_before=read_table(MENTIONS, store=store),
            cluster=load_part(config.parts.clusterer) if config.parts.clusterer else topics.cluster,
        )  # fmt: skip
        update = _settled(update, config, at=at)
        trends = _trends(contacts, update, config, as_of_on=as_of_on)
    record.settings["is_calibrated"] = is_calibrated(calibration)
    record.counts["issues"] = len(reported(update.issues))
    record.counts["unassigned"] = round(update.unassigned_share * len(voices))
    record.counts["unassigned_share"] = round(update.unassigned_share, 4)
    tables = {"issue_quality": update.quality, "issue_trends": trends}
    moods = contact_moods(said.opinions, said.sentences)
    payers = read_payers(store=store, as_of_on=as_of_on, record=record)
    found, costed = _impact(contacts, update, config, moods=moods, payers=payers, store=store, record=record)
    tables |= costed
    tables |= decision_tables(
        tables | {"requests": said.requests}, contacts, update, config, case=found.case, moods=moods, payers=payers, store=store, as_of_on=as_of_on, record=record,
    )  # fmt: skip
    with record.stage("store"):
        for name, frame in tables.items():
            replace_table_task(frame, TABLES[name], store=store)
        write_ledger_task(update.issues, update.events, update.mentions, store=store)


def _instant(day: pd.Timestamp, config: Config) -> pd.Timestamp:
    return day.tz_localize(config.company.timezone).tz_convert("UTC")


def _same_space(config: Config, *, store: str) -> None:
    """Raises VocError where the ledger's issues lie in the space of another embedder: nothing new could be matched with them."""
    rows, now = read_table(MADE_BY, store=store), "+".join(models_of(config.parts.embedder))
    was = rows.loc[rows["table"] == ISSUE_SPACE, "value"]
    before = was.iloc[0] if len(was) else "+".join(MODELS)
    if before != now and len(read_table(ISSUES, store=store)):
        raise VocError(
            f"保存先 {store} の課題の台帳は、別の埋め込みモデル（{before}）で作られています。今の設定 [parts] embedder は {now} です。"
            "設定を前に戻すか、[store] path に新しい保存先を書いて台帳を作り直してください（課題番号は引き継がれません）。"
        )


def _categories(config: Config, *, base: Path) -> list[Category]:
    if config.issues.categories is None:
        return []
    return read_categories_task(config.issues.categories, base=base)


def _with_categories(
    issues: pd.DataFrame, events: pd.DataFrame, categories: list[Category], *, parts: Parts, at: pd.Timestamp, record: RunRecord
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ledger with the company's own list of issues."""
    points = partial(example_points, embedder=parts.embedder, judged=load_part(parts.opinions) if parts.opinions else judge)
    rows, told = category_rows(categories, issues, events, embed=points, at=at)
    for line in told:
        record.tell(f"  {line}")
    return advance(issues, events, rows) if rows else (issues, events)


def _settled(update: LedgerUpdate, config: Config, *, at: pd.Timestamp) -> LedgerUpdate:
    """Solved issues that came back, issues that nobody mentions any more, areas of new ones, as events of this run."""
    rows = lifecycle_rows(
        update.issues, update.events, update.mentions, at=at, timezone=config.company.timezone,
        dead_after_months=config.issues.dead_after_months, reopen_contacts=config.issues.reopen_contacts,
    )  # fmt: skip
    issues, events = advance(update.issues, update.events, rows)
    rows = area_rows_task(issues, events, at=at, tokenize=japanese.tokenize)
    issues, events = advance(issues, events, rows)
    return replace(update, issues=issues, events=events)


def _trends(contacts: pd.DataFrame, update: LedgerUpdate, config: Config, *, as_of_on: pd.Timestamp) -> pd.DataFrame:
    return issue_trends_task(
        update.mentions, contacts, reported(update.issues), update.events, fix_actions(update.events, update.issues),
        as_of_on=as_of_on, timezone=config.company.timezone,
    )  # fmt: skip


def _impact(
    contacts: pd.DataFrame, update: LedgerUpdate, config: Config, *, moods: pd.DataFrame, payers: Payers, store: str, record: RunRecord
) -> tuple[Estimate, dict[str, pd.DataFrame]]:
    """(the estimate, its tables and those beside it by name)."""
    issues = reported(update.issues)
    mentions = update.mentions[update.mentions["issue_id"].isin(issues["issue_id"])].reset_index(drop=True)
    options = {"impact": config.impact, "value": config.value, "costs": config.costs, "seed": config.seed}
    with record.stage("impact"):
        found = estimate_task(
            contacts, mentions, payers.customers, read_table(USAGE, store=store), issues, as_of=payers.as_of_on,
            sentiment=moods.set_index("contact_id")["strength"], price_changes=payers.price_changes, timezone=config.company.timezone,
            orders_per_month=payers.orders_per_month, is_calibrated=record.settings["is_calibrated"], **options,
        )  # fmt: skip
        lines = sensitivity_task(found, impact=config.impact, value=config.value, seed=config.seed)
    record.settings.update(found.diagnostics)
    if found.diagnostics["unknown_ids"]:
        record.notices.append(
            f"設定 [impact] の課題番号が台帳にありません: {'、'.join(found.diagnostics['unknown_ids'])}。統合した課題なら統合先の番号に直してください。")
    with record.stage("costs"):
        beside = described_task(found, **options)
    with record.stage("health"):
        beside |= health_tables_task(found.case, moods, health=config.health, costs=config.costs)
    with record.stage("ranking"):
        ranking = [rank_task(found, issues, audience=audience) for audience in ("product", "executive")]
    return found, {
        "impact": found.impact, "impact_totals": found.totals, "issue_months": found.issue_months,
        "issue_segments": found.issue_segments, "company_months": found.company_months,
        "impact_sensitivity": lines, "impact_controls": found.controls, "impact_reverse": found.reverse,
        "ranking": check(pd.concat(ranking, ignore_index=True), RANKING), **beside,
    }  # fmt: skip
