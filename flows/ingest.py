"""Raw files -> masked tables in the store: read, parse, clean, mask. Raw text never leaves this flow."""

import hashlib
import os
from pathlib import Path

import pandas as pd
from prefect import flow

from flows.record import RunRecord
from flows.tasks import edge_task, task
from voc import japanese
from voc.cleaning.clean import clean_turns
from voc.config import Config, Source
from voc.errors import SourceError, VocError
from voc.parsing.company import join_customers, parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.records import Parsed
from voc.privacy import mask_contacts, pseudonymise
from voc.sources.files import RawFile, read_files
from voc.sources.pseudonym_key import pseudonym_key
from voc.store import write_table
from voc.tables import CONTACTS, CUSTOMERS, FAQ, REJECTS, TABLES, TURNS, USAGE, check, empty

_BATCH = 1000  # contacts that are masked between two signs of progress
_COMPANY = {"customers", "usage", "faq"}

read_files_task = edge_task(read_files, name="読み込み")
parse_contacts_task = task(parse_contacts, name="解析")
clean_turns_task = task(clean_turns, name="整形")
mask_contacts_task = task(mask_contacts, name="マスク")
write_table_task = edge_task(write_table, name="保存")


@flow(name="voc-ingest", validate_parameters=False, persist_result=False)
def ingest(config: Config, *, base: Path, store: str, record: RunRecord) -> None:
    """Write customers, usage, faq, contacts, turns and rejects of all sources of `config`.

    Raises VocError where no source gives a contact; a source that fails alone is told in rejects and the run.
    """
    key = pseudonym_key(config.privacy, base=base, environ=os.environ)
    files, faults = _read(config, base=base, record=record)
    with record.stage("parse"):
        company = _company(config, files, faults)
        parsed = [
            part
            for source in config.sources
            if source.format not in _COMPANY and source.name in files
            for part in [_parse(source, files[source.name], faults, timezone=config.company.timezone)]
            if part is not None
        ]
    contacts, turns, rejects = _joined(parsed)
    if contacts.empty:
        raise VocError("\n".join(["問い合わせを一件も読み込めませんでした。", *(f"  - {f['reason']}" for f in faults)]))
    contacts, n_unknown = join_customers(contacts, company["keys"])
    with record.stage("clean"):
        turns, emptied = clean_turns_task(turns, contacts)
    with record.stage("mask"):
        contacts, turns, masked = _mask(contacts, turns, key=key, config=config, record=record)
    rejects = pd.concat([company["rejects"], *rejects, emptied, _faults(faults)], ignore_index=True)
    _count(record, contacts, turns, rejects, masked=masked, n_unknown=n_unknown, customers=company["customers"])
    tables = {
        CUSTOMERS.name: _pseudonymous(company["customers"], key), USAGE.name: _pseudonymous(company["usage"], key),
        FAQ.name: company["faq"], CONTACTS.name: contacts, TURNS.name: turns,
        REJECTS.name: check(rejects.drop_duplicates(list(REJECTS.key)), REJECTS),
    }  # fmt: skip
    with record.stage("store"):
        for name, frame in tables.items():
            write_table_task(frame, TABLES[name], store=store)


def _read(config: Config, *, base: Path, record: RunRecord) -> tuple[dict[str, list[RawFile]], list[dict]]:
    files, faults = {}, []
    with record.stage("read"):
        for done, source in enumerate(config.sources, start=1):
            state = read_files_task(source, base=base, return_state=True)
            if state.is_completed():
                files[source.name] = state.result()
                digest = hashlib.sha256("".join(sorted(f.sha256 for f in files[source.name])).encode()).hexdigest()
                record.inputs[source.name] = {"files": len(files[source.name]), "sha256": digest}
            else:
                faults.append(_fault(source, state.result(raise_on_failure=False), "read"))
            record.progress("read", done, len(config.sources))
    record.counts["read"] = sum(len(found) for found in files.values())
    return files, faults


def _fault(source: Source, error: Exception, stage: str) -> dict:
    if not isinstance(error, VocError):
        raise error
    return {"source": source.name, "source_row": "", "stage": stage, "reason": str(error)}


def _parse(source: Source, files: list[RawFile], faults: list[dict], *, timezone: str) -> Parsed | None:
    state = parse_contacts_task(files, source, timezone=timezone, return_state=True)
    if state.is_completed():
        return state.result()
    faults.append(_fault(source, state.result(raise_on_failure=False), "parse"))
    return None


def _company(config: Config, files: dict[str, list[RawFile]], faults: list[dict]) -> dict[str, pd.DataFrame]:
    found = {"customers": [], "usage": [], "faq": [], "keys": [], "rejects": []}
    for source in config.sources:
        if source.format not in _COMPANY or source.name not in files:
            continue
        try:
            if source.format == "customers":
                customers, keys, rejects = parse_customers(files[source.name], source)
                found["customers"].append(customers)
                found["keys"].append(keys)
            else:
                frame, rejects = (parse_usage if source.format == "usage" else parse_faq)(files[source.name], source)
                found[source.format].append(frame)
            found["rejects"].append(rejects)
        except SourceError as error:
            faults.append(_fault(source, error, "parse"))
    keys = pd.DataFrame({"customer_id": [], "kind": [], "value": []}, dtype="str")
    tables = {"customers": CUSTOMERS, "usage": USAGE, "faq": FAQ, "rejects": REJECTS}
    joined = {name: _stack(found[name], empty(table), key=table.key) for name, table in tables.items()}
    return {**joined, "keys": _stack(found["keys"], keys)}


def _stack(frames: list[pd.DataFrame], default: pd.DataFrame, *, key: tuple[str, ...] | None = None) -> pd.DataFrame:
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return default
    return pd.concat(frames, ignore_index=True).drop_duplicates(list(key) if key else None, ignore_index=True)


def _joined(parsed: list[Parsed]) -> tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]]:
    if not parsed:
        return empty(CONTACTS), empty(TURNS), []
    contacts = pd.concat([part.contacts for part in parsed], ignore_index=True)
    turns = pd.concat([part.turns for part in parsed], ignore_index=True)
    return contacts, turns, [part.rejects for part in parsed]


def _mask(contacts, turns, *, key: bytes, config: Config, record: RunRecord):
    parts, total = [], len(contacts)
    for start in range(0, total, _BATCH):
        batch = contacts.iloc[start : start + _BATCH]
        own = turns[turns["contact_id"].isin(batch["contact_id"])]
        parts.append(
            mask_contacts_task(
                batch, own, key=key, names=japanese.person_names, name_like=japanese.name_like,
                id_patterns=config.privacy.id_patterns,
            )
        )  # fmt: skip
        record.progress("mask", min(start + _BATCH, total), total)
    counts = pd.DataFrame([part[2] for part in parts]).sum().to_dict()
    return (
        check(pd.concat([part[0] for part in parts], ignore_index=True), CONTACTS),
        check(pd.concat([part[1] for part in parts], ignore_index=True), TURNS),
        counts,
    )


def _pseudonymous(frame: pd.DataFrame, key: bytes) -> pd.DataFrame:
    return frame.assign(customer_id=pseudonymise(frame["customer_id"], key)) if len(frame) else frame


def _faults(faults: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(faults) if faults else empty(REJECTS)


def _count(record: RunRecord, contacts, turns, rejects, *, masked: dict, n_unknown: int, customers) -> None:
    record.counts.update(
        {
            "parse": len(contacts), "turns": len(turns), "customers": len(customers), "rejects": len(rejects),
            "contacts_by_channel": contacts["channel"].value_counts().sort_index().to_dict(),
            "unmatched_customers": int(n_unknown),
            "contacts_without_customer": int(contacts["customer_id"].isna().sum()),
            "mask": {name: int(value) for name, value in masked.items() if float(value).is_integer()},
        }
    )  # fmt: skip
