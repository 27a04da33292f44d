"""What stands at a source against what was read: files that are new, changed or gone. No word in them is read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from voc.config import Source
from voc.raw import MAX_BYTES
from voc.sources.files import file_signatures, split_path
from voc.sources.watermarks import Changes, changes, read_watermark, values


def listing(
    source: Source, watermarks: pd.DataFrame, *, base: Path, environ: Mapping[str, str], mark_of: Callable[[str], str] = str
) -> Changes | None:
    """The changes of a source of files since WATERMARKS, by their marks (`mark_of` as in `pull`); None for a mailbox or a
    query, which tell only while they are read. Raises SourceError where the place cannot be reached."""
    if source.imap is not None or source.sql is not None:
        return None
    if split_path(source)[1].startswith("s3://"):
        from voc.sources.object_store import object_signatures

        found = object_signatures(source, environ=environ)
    else:
        found = file_signatures(source, base=base, max_bytes=MAX_BYTES)
    known = values(read_watermark(watermarks, source), "file")
    return changes(known, {mark_of(name): signature for name, signature in found.items()})
