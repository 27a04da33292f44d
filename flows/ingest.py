"""Raw files -> masked tables in the store: read, parse, clean, mask. Raw text never leaves this flow."""

import hashlib
import os
from functools import partial
from pathlib import Path

import pandas as pd
from prefect import flow

from flows.record import RunRecord
from flows.tasks import edge_task, task
from voc import japanese
from voc.cleaning.clean import clean_turns
from voc.config import Config, Source
from voc.errors import SourceError, VocError
from voc.parsing.catalogue import parse_catalogue
from voc.parsing.company import join_customers, parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.counts import parse_counts
from voc.parsing.faq_logs import parse_faq_logs
from voc.parsing.records import Parsed
from voc.privacy import mask_contacts, mask_texts, pseudonymise
from voc.raw import RawFile
from voc.sources.pseudonym_key import pseudonym_key
from voc.sources.pull import pull
from voc.store import write_table
from voc.tables import (
    CATALOGUE,
    CONTACTS,
    COUNTS_BY_HOUR,
    CUSTOMERS,
    FAQ,
    FAQ_LOGS,
    REJECTS,
    TABLES,
    TURNS,
    USAGE,
    WATERMARKS,
    check,
    empty,
)  # fmt: skip

_BATCH = 1000  # contacts that are masked between two signs of progress
_COMPANY = {"customers": CUSTOMERS, "usage": USAGE, "faq": FAQ, "faq_logs": FAQ_LOGS, "catalogue": CATALOGUE,
            "counts": COUNTS_BY_HOUR}  # fmt: skip

pull_task = edge_task(pull, name="読み込み")
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
    company["faq_logs"] = _masked_column(company["faq_logs"], "query", config=config)
    contacts = _masked_column(contacts, "wrapup", config=config)
    with record.stage("clean"):
        turns, emptied = clean_turns_task(turns, contacts)
    with record.stage("mask"):
        contacts, turns, masked = _mask(contacts, turns, key=key, config=config, record=record)
    rejects = pd.concat([company["rejects"], *rejects, emptied, _faults(faults)], ignore_index=True)
    rejects = _masked_column(rejects, "reason", config=config)  # a reason quotes the cell that was found
    _count(record, contacts, turns, rejects, masked=masked, n_unknown=n_unknown, customers=company["customers"])
    tables = {
        CUSTOMERS.name: _pseudonymous(company["customers"], key), USAGE.name: _pseudonymous(company["usage"], key),
        **{name: company[form] for form, name in (("faq", "faq"), ("faq_logs", "faq_logs"), ("catalogue", "catalogue"),
                                                  ("counts", "counts_by_hour"))},
        CONTACTS.name: contacts, TURNS.name: turns,
        REJECTS.name: check(rejects.drop_duplicates(list(REJECTS.key)), REJECTS),
    }  # fmt: skip
    with record.stage("store"):
        for name, frame in tables.items():
            write_table_task(frame, TABLES[name], store=store)


def _read(config: Config, *, base: Path, record: RunRecord) -> tuple[dict[str, list[RawFile]], list[dict]]:
    files, faults = {}, []
    with record.stage("read"):
        for done, source in enumerate(config.sources, start=1):
            state = _pull_all(source, base=base, faults=faults)
            if isinstance(state, list):
                files[source.name] = state
                digest = hashlib.sha256("".join(sorted(f.sha256 for f in files[source.name])).encode()).hexdigest()
                record.inputs[source.name] = {"files": len(files[source.name]), "sha256": digest}
            else:
                faults.append(_fault(source, state, "read"))
            record.progress("read", done, len(config.sources))
    record.counts["read"] = sum(len(found) for found in files.values())
    return files, faults


def _pull_all(source: Source, *, base: Path, faults: list[dict]) -> list[RawFile] | Exception:
    """Everything that the place holds: tables are rewritten whole, so no watermark is kept yet."""
    files, watermark = [], empty(WATERMARKS)
    while True:
        state = pull_task(source, base=base, environ=os.environ, watermark=watermark, return_state=True)
        if not state.is_completed():
            return state.result(raise_on_failure=False)
        pulled = state.result()
        files += pulled.files
        faults += pulled.faults
        watermark = pulled.watermark
        if not pulled.is_more:
            return files


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
    found = {**{form: [] for form in _COMPANY}, "keys": [], "rejects": []}
    zone = {"timezone": config.company.timezone}
    parsers = {
        "usage": partial(parse_usage, **zone), "faq": parse_faq, "faq_logs": partial(parse_faq_logs, **zone),
        "catalogue": parse_catalogue, "counts": partial(parse_counts, **zone),
    }  # fmt: skip
    for source in config.sources:
        if source.format not in _COMPANY or not files.get(source.name):
            continue
        try:
            if source.format == "customers":
                customers, keys, rejects = parse_customers(files[source.name], source, **zone)
                found["customers"].append(customers)
                found["keys"].append(keys)
            else:
                frame, rejects = parsers[source.format](files[source.name], source)
                found[source.format].append(frame)
            found["rejects"].append(rejects)
        except SourceError as error:
            faults.append(_fault(source, error, "parse"))
    keys = pd.DataFrame({"customer_id": [], "kind": [], "value": []}, dtype="str")
    tables = {**_COMPANY, "rejects": REJECTS}
    found["rejects"].append(_repeated(found))
    joined = {name: _stack(found[name], empty(table), key=table.key) for name, table in tables.items()}
    return {**joined, "keys": _stack(found["keys"], keys)}


def _repeated(found: dict[str, list[pd.DataFrame]]) -> pd.DataFrame:
    """Rejects that count the rows which two sources of one format both give; the first source's row is used."""
    rows = []
    for form, table in _COMPANY.items():
        frames = [frame for frame in found[form] if len(frame)]
        n = int(pd.concat(frames).duplicated(list(table.key)).sum()) if frames else 0
        if n:
            reason = f"{n} 行は、同じ番号の行が別のソースにもあるため使いませんでした（先に書かれたソースの行を使います）。"
            rows.append({"source": form, "source_row": "", "stage": "parse", "reason": reason})
    return _faults(rows)


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


def _masked_column(frame: pd.DataFrame, column: str, *, config: Config) -> pd.DataFrame:
    """`frame` with personal data masked in a short text column, each distinct text once."""
    texts = frame[column].dropna().unique().tolist() if column in frame else []
    if not texts:
        return frame
    found = mask_texts(texts, names=japanese.person_names, name_like=japanese.name_like, id_patterns=config.privacy.id_patterns)
    place = dict(zip(texts, found["masked"], strict=True))
    return frame.assign(**{column: frame[column].map(place).astype("str").where(frame[column].notna(), None)})


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
