"""One door to every place: what a source has that was not read before."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from voc.config import Source
from voc.raw import MAX_BYTES
from voc.sources.files import find_files, pull_files, split_path
from voc.sources.watermarks import Pulled, values

PULL_BYTES = 128 * 1024 * 1024
"""So much is held in memory by one pull; more is taken by the next one."""


def pull(
    source: Source, *, base: Path, environ: Mapping[str, str], watermark: pd.DataFrame,
    max_bytes: int = MAX_BYTES, pull_bytes: int = PULL_BYTES, mark_of: Callable[[str], str] = str,
    run_on: date | None = None,
) -> Pulled:  # fmt: skip
    """New and changed records of `source` after `watermark` (`read_watermark`), and the watermark to store after them.

    `base` is the folder of the configuration; secrets are looked up in `environ`. Raises SourceError where the source
    gives nothing because it cannot be reached; a source that fails midway gives what it had, and a fault. A file's name
    may tell who called: `mark_of(name)` stands for it in the watermark. `run_on`: the company's day; no date after it moves a watermark.
    """
    if source.imap is not None:
        from voc.sources.mailbox import pull_mails

        return pull_mails(source, base=base, environ=environ, known=values(watermark, "imap"), pull_bytes=pull_bytes)
    if source.sql is not None:
        from voc.sources.database import pull_rows

        return pull_rows(source, base=base, environ=environ, known=values(watermark, "sql"), pull_bytes=pull_bytes, run_on=run_on)
    known = values(watermark, "file")
    if split_path(source)[1].startswith("s3://"):
        from voc.sources.object_store import pull_objects

        return pull_objects(source, environ=environ, known=known, max_bytes=max_bytes, pull_bytes=pull_bytes, mark_of=mark_of)
    return pull_files(source, base=base, known=known, max_bytes=max_bytes, pull_bytes=pull_bytes, mark_of=mark_of)


def reach(source: Source, *, base: Path, environ: Mapping[str, str]) -> str:
    """What stands at the place, in Japanese, without reading customers' words. Raises SourceError where it cannot
    be reached."""
    if source.imap is not None:
        from voc.sources.mailbox import count_mails

        return f"メール {count_mails(source, base=base, environ=environ):,} 通"
    if source.sql is not None:
        from voc.sources.database import try_query

        return f"列: {'、'.join(try_query(source, base=base, environ=environ))}"
    if split_path(source)[1].startswith("s3://"):
        from voc.sources.object_store import count_objects

        return f"ファイル {count_objects(source, environ=environ):,} 個"
    return f"ファイル {len(find_files(source, base=base)):,} 個"
