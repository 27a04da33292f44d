"""Raw records: what a source hands to parsing. Never stored."""

import zipfile
from dataclasses import dataclass, field

MAX_BYTES = 512 * 1024 * 1024
"""Larger files (after unpacking) are refused: a small archive can unpack to any size."""
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compressions of a zip (Excel's too) that are opened: bzip2 and LZMA unpack a block whole before its size can be looked at."""


@dataclass(frozen=True)
class RawFile:
    """One file as it was found.

    `name` is relative to the folder of the configuration, without `.gz`; a file in an archive is
    `archive.zip/name`. `sha256` is of the bytes as they are stored. `data` holds customers'
    words and stays out of every repr and log.
    Where `fault` is set the file could not be read, `data` is empty, and parsing turns it into a rejects row.
    """

    source: str
    name: str
    data: bytes = field(repr=False)
    sha256: str
    fault: str | None = None
