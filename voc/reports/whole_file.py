"""A report file takes its place whole or not at all: a reader, and a run that is cut off, find the old one or the new one."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xlsxwriter.exceptions import FileCreateError

from voc.errors import StoreError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def whole_file(path: Path, *, name: str = "レポート", setting: str = "[reports] path") -> Iterator[Path]:
    """A file beside `path` to write to; it takes the place of `path` when the block ends. The folder is made where it is missing.

    Raises StoreError where it cannot be written; what stood at `path` is still there then. `name` says what the file is,
    `setting` what a person changes to put it elsewhere.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except (OSError, FileCreateError) as error:
        fault = error.args[0] if isinstance(error, FileCreateError) and isinstance(error.args[0], OSError) else error
        raise StoreError(_told(f"{name} {path}", fault, setting=setting)) from None
    finally:
        with suppress(OSError):  # on a disk that is read-only nothing was written either
            part.unlink(missing_ok=True)


def _told(file: str, fault: Exception, *, setting: str) -> str:
    if getattr(fault, "errno", None) in _NO_SPACE:
        return f"{file} を書き込む空きがありません。不要なファイルを消すか、{setting} を空きのある場所に変えて、もう一度実行してください。"
    reason = getattr(fault, "strerror", None) or type(fault).__name__
    return f"{file} を書き込めません（{reason}）。フォルダーの権限とディスクのマウントを確かめて、もう一度実行してください。"
