"""Raw files of one pull -> masked rows of tables. Raw text never leaves this module."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from flows.chunks import mask_chunk_task
from flows.company_tables import COMPANY
from flows.compute import RunChunks, run_here
from flows.record import RunRecord
from flows.tasks import Unsaid, unsaid_task
from voc import japanese
from voc.cleaning.clean import clean_turns
from voc.cleaning.widths import customer_key
from voc.config import Config, Source
from voc.erasure import obey_tombstones
from voc.identity import pseudonymous_keys
from voc.parsing.catalogue import parse_catalogue
from voc.parsing.company import parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.counts import parse_counts
from voc.parsing.faq_logs import parse_faq_logs
from voc.parsing.mails import known_mails
from voc.parsing.records import file_of
from voc.parsing.sales import parse_orders, parse_price_changes
from voc.privacy import mask_file_names, mask_texts, pseudonymise
from voc.raw import RawFile
from voc.run_words import STAGES
from voc.tables import (
    CONTACTS,
    CUSTOMER_KEYS,
    CUSTOMERS,
    ERASED,
    FAQ_LOGS,
    TURNS,
    check,
    empty,
)  # fmt: skip

_BATCH = 500  # contacts in a chunk

parse_contacts_task = unsaid_task(parse_contacts, name=STAGES["parse"])
clean_turns_task = unsaid_task(clean_turns, name="整形")


@dataclass(frozen=True)
class PulledRows:
    """What may be stored of one pull: `tables` by name, their `rejects`, and counts of masks.

    `source_ids` are the company's own customer numbers, for the pseudonym map only.
    """

    tables: dict[str, pd.DataFrame]
    rejects: pd.DataFrame
    masks: dict[str, int] = field(default_factory=dict)
    source_ids: pd.Series = field(default_factory=lambda: pd.Series([], dtype="str"), repr=False)
    files: frozenset[str] = frozenset()  # what was read, by the names that are stored


def rows_of(
    files: Sequence[RawFile], source: Source, *, config: Config, key: bytes, lake: dict[str, pd.DataFrame], record: RunRecord,
    run_chunks: RunChunks = run_here,
) -> PulledRows:  # fmt: skip
    """Parse, clean and mask `files`. `lake` are the stored tables: mails go on in their threads, tombstones are obeyed.

    Raises SourceError where none of the files can be used.
    """
    if source.format in COMPANY:
        pulled = _company(files, source, config=config, key=key, record=record)
    else:
        pulled = _contacts(files, source, config=config, key=key, lake=lake, record=record, run_chunks=run_chunks)
    erased = lake[ERASED.name]
    tables = {name: obey_tombstones(frame, erased) for name, frame in pulled.tables.items()}
    rejects = pulled.rejects
    if CONTACTS.name in tables:  # of a contact that was erased nothing may stay, neither what was said nor why it was refused
        gone = pulled.tables[CONTACTS.name]
        gone = gone[~gone["contact_id"].isin(tables[CONTACTS.name]["contact_id"])]
        tables |= {name: frame[~frame["contact_id"].isin(gone["contact_id"])].reset_index(drop=True)
                   for name, frame in tables.items() if "contact_id" in frame}  # fmt: skip
        rejects = rejects.loc[~rejects["source_row"].isin(gone["source_row"])]
    known = set(erased.loc[erased["kind"] == "customer", "value"])
    ids = pulled.source_ids
    ids = ids.loc[~pseudonymise(ids, key).isin(known)]
    rejects = _masked_column(rejects, "reason", config=config)  # a reason quotes the cell that was found
    names = {*(file_of(row) for row in rejects["source_row"]), *_safe_names([f.name for f in files], key=key, config=config).values()}
    return PulledRows(tables, rejects, pulled.masks, ids, frozenset(names))


def _safe_names(names: Sequence[str], *, key: bytes, config: Config) -> dict[str, str]:
    """File names as they may be stored: recordings are often named by the caller's telephone number."""
    return mask_file_names(
        names, key=key, names=japanese.person_names, name_like=japanese.name_like, id_patterns=config.privacy.id_patterns
    )


def _with_safe_rows(frame: pd.DataFrame, *, key: bytes, config: Config) -> pd.DataFrame:
    files = {row: file_of(row) for row in frame["source_row"].unique()}
    safe = _safe_names(list(files.values()), key=key, config=config)
    place = {row: safe[file] + row[len(file) :] for row, file in files.items()}
    return frame.assign(source_row=frame["source_row"].map(place).astype("str"))


def _company(files, source: Source, *, config: Config, key: bytes, record: RunRecord) -> PulledRows:
    zone = {"timezone": config.company.timezone}
    parsers = {
        "usage": partial(parse_usage, **zone), "faq": parse_faq, "faq_logs": partial(parse_faq_logs, **zone),
        "catalogue": parse_catalogue, "counts": partial(parse_counts, **zone),
        "orders": partial(parse_orders, **zone), "price_changes": partial(parse_price_changes, **zone),
    }  # fmt: skip
    name = COMPANY[source.format].name
    with record.stage("parse", of=source.name):
        if source.format == "customers":
            customers, keys, rejects = parse_customers(files, source, **zone)
            hidden = customers.assign(customer_id=pseudonymise(customers["customer_id"], key))
            tables = {name: check(hidden, CUSTOMERS), CUSTOMER_KEYS.name: pseudonymous_keys(keys, key=key)}
            return PulledRows(tables, _with_safe_rows(rejects, key=key, config=config), source_ids=customers["customer_id"])
        frame, rejects = parsers[source.format](files, source)
    if source.format in ("usage", "orders", "price_changes"):
        hidden = [column for column in ("customer_id", "order_id") if column in frame]
        frame = check(frame.assign(**{column: pseudonymise(frame[column], key) for column in hidden}), COMPANY[source.format])
    if source.format == "faq_logs":
        frame = check(_with_safe_rows(_masked_column(frame, "query", config=config), key=key, config=config), FAQ_LOGS)
    return PulledRows({name: frame}, _with_safe_rows(rejects, key=key, config=config))


def _contacts(files, source: Source, *, config: Config, key: bytes, lake, record: RunRecord, run_chunks: RunChunks) -> PulledRows:
    known = known_mails(lake[CONTACTS.name], lake[TURNS.name], source) if source.format == "email" else None
    with record.stage("parse", of=source.name):
        parsed = parse_contacts_task(files, source, timezone=config.company.timezone, known=known)
    contacts = _with_safe_rows(_masked_column(parsed.contacts, "wrapup", config=config), key=key, config=config)
    contacts = contacts.assign(customer_id=contacts["customer_id"].map(customer_key, na_action="ignore"))
    before = lake[CONTACTS.name]
    answered = before.loc[before["contact_id"].isin(parsed.late["contact_id"])]
    with record.stage("clean", of=source.name):
        turns, emptied = clean_turns_task(parsed.turns, contacts)
        late, emptied_late = clean_turns_task(parsed.late, answered)
    with record.stage("mask", of=source.name):
        masked, turns, masks = _mask(contacts, turns, key=key, config=config, record=record, run_chunks=run_chunks)
        # the answered contacts are stored, their subjects masked before: only the replies count
        answered = answered.drop(columns="content_sha").assign(subject=None)
        _, late, late_masks = _mask(answered, late, key=key, config=config, record=record, run_chunks=run_chunks)
    masked = masked.assign(known_as=masked["customer_id"])
    tables = {CONTACTS.name: check(masked, CONTACTS), TURNS.name: check(pd.concat([turns, late]), TURNS)}
    refused = _with_safe_rows(parsed.rejects, key=key, config=config)
    rejects = pd.concat([refused, emptied, emptied_late], ignore_index=True)
    masks = {name: masks.get(name, 0) + late_masks.get(name, 0) for name in sorted(masks.keys() | late_masks.keys())}
    return PulledRows(tables, rejects, masks, contacts["customer_id"].dropna())


def _mask(contacts, turns, *, key: bytes, config: Config, record: RunRecord, run_chunks: RunChunks):
    starts = range(0, len(contacts), _BATCH)
    chunk_of = pd.Index(contacts["contact_id"]).get_indexer(turns["contact_id"]) // _BATCH
    turns_of = dict(iter(turns.groupby(chunk_of)))
    calls = [
        {"contacts": contacts.iloc[start : start + _BATCH], "turns": turns_of.get(start // _BATCH, turns.iloc[:0]), "key": key,
         "id_patterns": config.privacy.id_patterns}
        for start in starts
    ]  # fmt: skip
    parts = []
    for start, part in zip(starts, run_chunks(mask_chunk_task, calls), strict=True):
        if isinstance(part, Unsaid):
            raise part
        parts.append(part)
        record.progress("mask", min(start + _BATCH, len(contacts)), len(contacts))
    if not parts:
        return empty(CONTACTS), empty(TURNS), {}
    counts = pd.DataFrame([part[2] for part in parts]).sum().to_dict()
    return (
        check(pd.concat([part[0] for part in parts], ignore_index=True), CONTACTS),
        check(pd.concat([part[1] for part in parts], ignore_index=True), TURNS),
        {name: int(value) for name, value in counts.items()},
    )


def masked_texts(texts: Sequence[str], *, config: Config) -> list[str]:
    """Short texts (a reason, a search query, a wrap-up) with personal data masked."""
    if not len(texts):
        return []
    return mask_texts(
        texts, names=japanese.person_names, name_like=japanese.name_like, id_patterns=config.privacy.id_patterns
    )["masked"].tolist()  # fmt: skip


def _masked_column(frame: pd.DataFrame, column: str, *, config: Config) -> pd.DataFrame:
    """`frame` with a short text column masked, each distinct text once."""
    texts = frame[column].dropna().unique().tolist() if column in frame else []
    if not texts:
        return frame
    place = dict(zip(texts, masked_texts(texts, config=config), strict=True))
    return frame.assign(**{column: frame[column].map(place).astype("str").where(frame[column].notna(), None)})
