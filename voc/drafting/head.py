"""The beginning of one file, and what the shapes of names have in common."""

import re
from dataclasses import dataclass, field

ANY = "\0"
"""Stands in a shape for what differs; no name of a file can hold it."""
_VARYING = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?![0-9a-f])"
    r"|[0-9０-９](?:[0-9０-９年月日時分T_.:\-]*[0-9０-９年月日時分])?", re.IGNORECASE
)  # fmt: skip
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,10})?\.gz$|\.[A-Za-z0-9]{1,10}$", re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """The beginning of one file of a folder.

    `path` is the file on disk relative to the folder, `member` its name inside where the file is a .zip. `name` is
    what parsers see (without .gz). `data` is unpacked and cut off unless `is_whole`. `is_read` is False for a file
    that was only counted, for many of its kind were looked into. `fault`: why it cannot be read, in Japanese.
    """

    name: str
    path: str
    data: bytes = field(default=b"", repr=False)
    is_whole: bool = True
    member: str = ""
    is_read: bool = True
    fault: str | None = None


def ending(name: str) -> str:
    """The ending of a file's name as it is written, with what stands before .gz: `.csv`, `.csv.gz`; else empty."""
    found = _ENDING.search(name.rpartition("/")[2])
    return found[0] if found else ""


def shape(text: str) -> str:
    """`text` with numbers, dates and UUIDs as ANY: names of one kind of file have one shape."""
    return _VARYING.sub(ANY, text)


def file_shape(path: str) -> str:
    """The shape of a path; its ending is no part of what differs."""
    tail = ending(path)
    return shape(path.removesuffix(tail)) + tail
