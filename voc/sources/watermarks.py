"""How far each source was read: pure decisions over the table `watermarks`.

A source gives its raw files together with the watermark that holds once they are stored. Whoever stores them writes
the data first and the watermark after it, so a crash in between reads some records twice and loses none.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from voc.config import Source
from voc.privacy import hidden_name
from voc.raw import RawFile
from voc.tables import WATERMARKS, check, empty


@dataclass(frozen=True)
class Pulled:
    """What one pull gave.

    `watermark` (table WATERMARKS, `at` empty) is the whole state of the source once `files` are stored. `faults` are
    rows of REJECTS about the source itself. `deleted` are names that were read before and are gone. `n_found` counts
    what stands at the place: files, messages, or rows that the query gave. Where `is_more`, the pull was cut at its
    size: store it, then pull again with the new watermark. `later` are the marks of files that stand unchanged after
    the first one in `files`: where that one tells of records that they hold too, they have to be read once more.
    """

    files: tuple[RawFile, ...]
    watermark: pd.DataFrame = field(repr=False)
    faults: tuple[dict, ...] = ()
    deleted: tuple[str, ...] = ()
    n_found: int = 0
    is_more: bool = False
    later: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """Names in alphabetical order: never read, read with other content, gone, and unchanged."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]


def changes(known: Mapping[str, str], found: Mapping[str, str]) -> Changes:
    """Compare two maps name -> signature (SHA-256, ETag, or size and time). An empty signature is always a change."""
    both = sorted(known.keys() & found.keys())
    same = [name for name in both if found[name] and known[name] == found[name]]
    return Changes(
        new=tuple(sorted(found.keys() - known.keys())),
        changed=tuple(sorted(set(both) - set(same))),
        deleted=tuple(sorted(known.keys() - found.keys())),
        unchanged=tuple(same),
    )


def settings_sha(source: Source) -> str:
    """SHA-256 of all that the configuration says about `source`."""
    said = json.dumps(source.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def read_watermark(watermarks: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The rows of `source`; none where its settings changed since: with other columns or another query all that
    was read before has to be read again."""
    is_own = (watermarks["source"] == source.name) & (watermarks["settings_sha"] == settings_sha(source))
    return watermarks.loc[is_own].reset_index(drop=True)


def advance(watermarks: pd.DataFrame, source: Source, pulled: Pulled, *, at: pd.Timestamp | None) -> pd.DataFrame:
    """`watermarks` (checked) with the rows of `source` replaced by those of `pulled`.

    `at` is told for rows that changed; the others keep theirs, so the newest one tells when the source last gave
    something.
    """
    old = watermarks.loc[watermarks["source"] == source.name].set_index(["kind", "name"])
    new = pulled.watermark.set_index(["kind", "name"])
    before = old.reindex(new.index)
    is_same = (before["value"] == new["value"]) & (before["settings_sha"] == new["settings_sha"])
    new["at"] = before["at"].where(is_same, at)
    parts = [part for part in (watermarks.loc[watermarks["source"] != source.name], new.reset_index()) if len(part)]
    return check(pd.concat(parts, ignore_index=True), WATERMARKS) if parts else empty(WATERMARKS)


def without_marks(watermark: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """`watermark` without the files of these marks, so that the next pull reads them again."""
    return watermark.loc[~((watermark["kind"] == "file") & watermark["name"].isin(names))].reset_index(drop=True)


def rows(source: Source, kind: str, values: Mapping[str, str]) -> pd.DataFrame:
    """The WATERMARKS rows of `source` for name -> value."""
    frame = pd.DataFrame({"name": list(values.keys()), "value": list(values.values())}, dtype="str")
    return check(frame.assign(source=source.name, kind=kind, settings_sha=settings_sha(source)), WATERMARKS)


def values(watermark: pd.DataFrame, kind: str) -> dict[str, str]:
    """name -> value of the rows of one kind."""
    own = watermark.loc[watermark["kind"] == kind]
    return dict(zip(own["name"].tolist(), own["value"].tolist(), strict=True))


def column_marks(columns: Sequence[str], *, key: bytes) -> dict[str, str]:
    """Column name -> keyed hash: a file without a header has a customer's words in the place of names."""
    return {name: hidden_name(name, key=key) for name in columns}
