"""What is new at the sources -> masked tables in the store, then its watermark, pull by pull."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from flows.company_tables import COMPANY
from flows.compute import RunChunks, run_here
from flows.masking import READ_AGAIN, STORE_ITSELF, made_with, masking_sha
from flows.overlaps import Given, doubled_rows, is_overtaking, stored_keys, without_later_sources
from flows.record import RunRecord
from flows.retention import expire_contacts
from flows.rows import PulledRows, masked_texts, rows_of
from flows.tasks import Unsaid, edge_task, read_table_task, replace_table_task, task, unsaid_task
from voc.as_of import told_later, up_to_run
from voc.config import Config, Source
from voc.duplicates import link_duplicates
from voc.episodes import link_episodes
from voc.errors import ConfigError, SourceError, TableError, VocError
from voc.identity import join_customers, pseudonyms_of
from voc.notices import changed_columns, silent_sources
from voc.parsing.tabular import NEEDED, columns_of
from voc.privacy import hidden_name, pseudonymise
from voc.sources.pseudonym_key import pseudonym_key
from voc.sources.pseudonym_map import read_pseudonyms, write_pseudonyms
from voc.sources.pull import pull
from voc.sources.watermarks import Pulled, advance, column_marks, read_watermark, rows, values, without_marks
from voc.tables import (
    CONTACTS,
    CUSTOMER_KEYS,
    ERASED,
    REJECTS,
    TABLES,
    TURNS,
    WATERMARKS,
    check,
    empty,
)  # fmt: skip
from voc.upsert import n_replaced, replace_rejects, upsert, upsert_contacts

_LAKE = (*COMPANY.values(), CUSTOMER_KEYS, CONTACTS, TURNS, REJECTS, ERASED, WATERMARKS)
_OWN = Source.model_construct(name=STORE_ITSELF, format="transcript", path="-")

pull_task = unsaid_task(pull, name="読み込み", make=edge_task)
link_duplicates_task = task(link_duplicates, name="重複の照合")
link_episodes_task = task(link_episodes, name="やり取りの照合")


def ingest(
    config: Config, *, base: Path, store: str, record: RunRecord, is_full: bool = False, run_chunks: RunChunks = run_here
) -> None:
    """Bring the tables of `store` up to date with all sources of `config`: new and changed records only.

    `is_full` reads all again that the sources hold; what they no longer hold stays. Data is written before its
    watermark, so a run that was cut off reads some records twice and loses none. Raises VocError where the store has
    no contact and no source gives one; a source that fails alone is told in rejects, in the run and in the report.
    """
    key = pseudonym_key(config.privacy, base=base, environ=os.environ)
    lake = {table.name: read_table_task(table, store=store) for table in _LAKE}
    lake[WATERMARKS.name] = _usable(lake[WATERMARKS.name], config, key=key, is_full=is_full, record=record)
    identity = base / config.privacy.pseudonym_map if config.privacy.pseudonym_map else None
    given: Given = {}
    for source in config.sources:
        _ingest_source(source, lake, given, config=config, key=key, base=base, store=store, identity=identity,
                       record=record, run_chunks=run_chunks)  # fmt: skip
    if lake[CONTACTS.name].empty:
        raise VocError("\n".join(["問い合わせを一件も読み込めませんでした。", *(f"  - {told}" for told in record.notices)]))
    # before the links: whatever is made of the contacts is made of those that stay
    if expire_contacts(config, lake[CONTACTS.name], base=base, store=store, record=record):
        lake.update({name: read_table_task(TABLES[name], store=store) for name in lake})
    _link(lake, store=store, record=record)
    _tell_days(config, lake[CONTACTS.name], record=record)
    if up_to_run(lake[CONTACTS.name], **record.days).empty:
        raise VocError("\n".join(["分析できる問い合わせが一件もありません。", *(f"  - {told}" for told in record.notices)]))
    _count(lake, record=record)


def _ingest_source(
    source: Source, lake: dict[str, pd.DataFrame], given: Given, *, config: Config, key: bytes, base: Path, store: str,
    identity: Path | None, record: RunRecord, run_chunks: RunChunks,
) -> None:  # fmt: skip
    """All pulls of one source. What it could not give is told; what it gave before the fault stays."""
    mark = read_watermark(lake[WATERMARKS.name], source)
    # what the last run told of the source as a whole; what this run tells of it stays through all its pulls
    cleared = replace_rejects(lake[REJECTS.name], empty(REJECTS), source=source.name, files=("",))
    _write(lake, {REJECTS.name: cleared}, store=store)
    is_more, n_files, digest, hidden = True, 0, hashlib.sha256(), partial(hidden_name, key=key)
    while is_more:
        at = "read"
        with record.stage("read", of=source.name):
            pulled, fault = _or_fault(pull_task, source, base=base, environ=os.environ, watermark=mark, mark_of=hidden, run_on=record.started_on.date())
        if fault is None:
            pulled, at = replace(pulled, faults=_masked_faults(pulled.faults, config=config)), "parse"
            made, fault = _or_fault(_rows, pulled, source, lake, mark, given, config=config, key=key, record=record, run_chunks=run_chunks)
        if fault is not None:
            _tell_fault(source, fault, at, lake, store=store, record=record)
            break
        changed, new = made
        again = ()
        if new is not None and is_overtaking(new, source, lake):  # forgotten before it is written: a run may be cut off in between
            again, held = pulled.later, without_marks(mark, pulled.later)
            marks = without_later_sources(lake[WATERMARKS.name], source, config.sources)
            marks = advance(marks, source, replace(pulled, watermark=held), at=record.started_at)
            _write(lake, {WATERMARKS.name: marks}, store=store)
        pulled = replace(pulled, watermark=without_marks(pulled.watermark, again))
        _write(lake, changed, store=store)
        # with a customer table only its numbers lead back; without one, whoever writes is known by what was written
        is_owner = source.format == "customers" or all(other.format != "customers" for other in config.sources)
        if identity is not None and new is not None and is_owner:
            _write_pseudonyms(new.source_ids, key=key, folder=identity)
        mark = _mark(pulled, source, mark, key=key)
        advanced = advance(lake[WATERMARKS.name], source, replace(pulled, watermark=mark), at=record.started_at)
        _write(lake, {WATERMARKS.name: advanced}, store=store)
        n_files, is_more = n_files + len(pulled.files), pulled.is_more or bool(again)
        for file in pulled.files:
            digest.update(file.sha256.encode())
        _tell(pulled, source, record=record)
    record.inputs[source.name] = {"files": n_files, "sha256": digest.hexdigest()}
    record.counts["read"] = record.counts.get("read", 0) + n_files


def _masked_faults(faults: tuple[dict, ...], *, config: Config) -> tuple[dict, ...]:
    """Rows of REJECTS about a source as they may be stored and told: a server's message may quote what it holds."""
    reasons = masked_texts([fault["reason"] for fault in faults], config=config)
    return tuple(fault | {"reason": reason} for fault, reason in zip(faults, reasons, strict=True))


def _rows(
    pulled: Pulled, source: Source, lake: dict[str, pd.DataFrame], mark: pd.DataFrame, given: Given, *, config: Config, key: bytes,
    record: RunRecord, run_chunks: RunChunks,
) -> tuple[dict[str, pd.DataFrame], PulledRows | None]:  # fmt: skip
    """(stored tables with the rows of the pull, those rows)."""
    faults = check(pd.DataFrame(list(pulled.faults), columns=list(REJECTS.columns)), REJECTS)
    if not pulled.files:
        return {REJECTS.name: upsert(lake[REJECTS.name], faults, REJECTS)}, None
    record.notices += _header_notices(pulled, source, mark, key=key, record=record)
    new = rows_of(pulled.files, source, config=config, key=key, lake=lake, record=record, run_chunks=run_chunks)
    if source.format in COMPANY:
        record.notices += doubled_rows(new.tables, source, given)
    before = lake | stored_keys(new.tables, source, lake, config.sources)
    changed = {
        name: upsert(before[name], frame, TABLES[name])
        for name, frame in new.tables.items() if name not in (CONTACTS.name, TURNS.name)
    }  # fmt: skip
    if CONTACTS.name in new.tables:
        changed[CONTACTS.name], changed[TURNS.name] = upsert_contacts(
            lake[CONTACTS.name], lake[TURNS.name], new.tables[CONTACTS.name], new.tables[TURNS.name]
        )
        record.add("new", len(changed[CONTACTS.name]) - len(lake[CONTACTS.name]))
        record.add("replaced", n_replaced(lake[CONTACTS.name], new.tables[CONTACTS.name]))
    for name, value in new.masks.items():
        record.counts.setdefault("mask", {})[name] = record.counts.get("mask", {}).get(name, 0) + value
    rejects = pd.concat([part for part in (new.rejects, faults) if len(part)] or [new.rejects])
    changed[REJECTS.name] = replace_rejects(
        lake[REJECTS.name], rejects, source=source.name, files=new.files
    )
    return changed, new


def _write(lake: dict[str, pd.DataFrame], changed: dict[str, pd.DataFrame], *, store: str) -> None:
    """Write the tables that differ from what is stored; the watermark is given alone, after the data."""
    for name, frame in changed.items():
        if not frame.equals(lake[name]):
            replace_table_task(frame, TABLES[name], store=store)
            lake[name] = frame


def _write_pseudonyms(source_ids: pd.Series, *, key: bytes, folder: Path) -> None:
    known = read_pseudonyms(folder=folder)
    frame = pseudonyms_of(source_ids, key=key, known=known)
    if not frame.equals(known):
        write_pseudonyms(frame, folder=folder)


def _usable(watermarks: pd.DataFrame, config: Config, *, key: bytes, is_full: bool, record: RunRecord) -> pd.DataFrame:
    """The watermarks that hold for this run: none where all is to be read again, or was masked by other settings.

    Raises ConfigError where the store was made with another key.
    """
    now = {"key": pseudonymise(pd.Series(["voc"]), key).iloc[0], "masking": masking_sha(config)}
    # not through read_watermark: it forgets rows where Source has other settings, and a later version may add one
    before = now | made_with(watermarks)
    if before["key"] != now["key"]:
        raise ConfigError("[privacy]", [
            "仮名の鍵が、保存先のデータを作ったときの鍵と違います。このまま読み込むと同じ顧客が別人になります。"
            "元の鍵に戻すか、[store] path を新しいフォルダーに変えてください。"
        ])
    if before["masking"] != now["masking"]:
        record.notices.append(f"{READ_AGAIN}しました。")
    if is_full or before["masking"] != now["masking"]:
        watermarks = empty(WATERMARKS)
    return advance(watermarks, _OWN, Pulled((), rows(_OWN, "made", now)), at=None)


def _mark(pulled: Pulled, source: Source, before: pd.DataFrame, *, key: bytes) -> pd.DataFrame:
    """The watermark of the pull with the columns of its last table, or those that were known."""
    columns = next((found for file in reversed(pulled.files) if (found := _columns(file, source))), [])
    known = before.loc[before["kind"] == "column"].assign(at=None)
    own = rows(source, "column", dict.fromkeys(column_marks(columns, key=key).values(), "")) if columns else known
    parts = [part for part in (pulled.watermark, own) if len(part)]
    return check(pd.concat(parts, ignore_index=True), WATERMARKS) if parts else empty(WATERMARKS)


def _columns(file, source: Source) -> list[str]:
    return columns_of(file, source) if source.format in NEEDED else []


def _header_notices(pulled: Pulled, source: Source, before: pd.DataFrame, *, key: bytes, record: RunRecord) -> list[str]:
    known, told = set(values(before, "column")), []
    for file in pulled.files:
        columns = _columns(file, source)
        if columns:
            notice = changed_columns(known, columns, mapped=[*source.columns.values(), *source.texts], file=file.name,
                                     source=source.name, key=key)  # fmt: skip
            told += [notice] if notice else []
            known = set(column_marks(columns, key=key).values())
    return masked_texts(told, config=record.config)


def _tell(pulled: Pulled, source: Source, *, record: RunRecord) -> None:
    record.notices += [fault["reason"] for fault in pulled.faults]
    if pulled.n_found == 0:
        record.notices.append(f"ソース {source.name}: 取り込み元が空です（0 件）。場所と権限、出力の設定を確かめてください。")
    if pulled.deleted:
        record.notices.append(f"ソース {source.name}: 前に読んだファイル {len(pulled.deleted)} 個が取り込み元からなくなりました。"
                              "取り込み済みの声は残しています。")  # fmt: skip


def _or_fault(step: Callable, *arguments, **options) -> tuple[Any, SourceError | None]:
    """(what `step` gives, the fault of the source that is to be told). Of other faults where texts are not masked yet only
    those of the configuration, a model or the store keep their words: Prefect keeps what ends a run."""
    try:
        return step(*arguments, **options), None
    except SourceError as error:
        return None, error
    except VocError as error:
        if not isinstance(error, TableError):
            raise
        fault = Unsaid(error)
    except Exception as error:  # noqa: BLE001 - of any other fault the words may be a customer's
        fault = error if isinstance(error, Unsaid) else Unsaid(error)
    raise fault


def _tell_fault(
    source: Source, error: SourceError, stage: str, lake: dict[str, pd.DataFrame], *, store: str, record: RunRecord
) -> None:
    told = masked_texts([str(error)], config=record.config)[0]  # a fault may quote what stands in a file
    record.notices.append(told)
    row = pd.DataFrame([{"source": source.name, "source_row": "", "stage": stage, "reason": told}])
    _write(lake, {REJECTS.name: upsert(lake[REJECTS.name], row, REJECTS)}, store=store)


def _link(lake: dict[str, pd.DataFrame], *, store: str, record: RunRecord) -> None:
    """Customers, duplicates and episodes over all contacts: what came later may belong to what was there."""
    with record.stage("link"):
        contacts = join_customers(lake[CONTACTS.name], lake[CUSTOMER_KEYS.name])
        contacts = link_duplicates_task(contacts, lake[TURNS.name])
        contacts = link_episodes_task(contacts, lake[TURNS.name])
        _write(lake, {CONTACTS.name: check(contacts, CONTACTS)}, store=store)


def _tell_days(config: Config, contacts: pd.DataFrame, *, record: RunRecord) -> None:
    """Contacts dated after the day of the run, which are as if they were not there yet, and sources that fell silent."""
    record.notices += told_later(contacts, **record.days)
    names = [source.name for source in config.sources]
    record.notices += silent_sources(up_to_run(contacts, **record.days), names, timezone=config.company.timezone)


def _count(lake: dict[str, pd.DataFrame], *, record: RunRecord) -> None:
    contacts = lake[CONTACTS.name]
    record.counts.update(
        {
            "parse": len(contacts), "turns": len(lake[TURNS.name]), "customers": len(lake["customers"]),
            "rejects": len(lake[REJECTS.name]), "duplicates": int(contacts["duplicate_of"].notna().sum()),
            "episodes": int(contacts["episode_id"].nunique()),
            "contacts_by_channel": contacts["channel"].value_counts().sort_index().to_dict(),
            "unmatched_customers": int((contacts["known_as"].notna() & contacts["customer_id"].isna()).sum()),
            "contacts_without_customer": int(contacts["customer_id"].isna().sum()),
        }
    )  # fmt: skip
