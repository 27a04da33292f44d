"""One run, or one erasure, of a store at a time.

A lock of the operating system on a file: it goes with its process, however that ended, so no stale one can be left.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.errors import StoreError

_FAULTS = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST}


@contextmanager
def store_lock(store: str, *, base: Path) -> Iterator[None]:
    """Hold `store` for this process. Of a store on S3 the lock stands in `base`, the configuration's folder: it keeps out
    processes of this machine only.

    Raises StoreError where another process holds it, or the folder cannot be written.
    """
    is_remote = "://" in store
    path = base / f".voc-{hashlib.sha256(store.encode()).hexdigest()[:8]}.lock" if is_remote else Path(store) / ".lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _FAULTS:
            raise
        raise StoreError(
            f"保存先 {path.parent} に書き込めません（{os.strerror(error.errno)}）。フォルダーの権限と空き容量を確かめてから、もう一度実行してください。"
        ) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            raise StoreError(
                f"保存先 {store} は別の処理（プロセス番号 {owner or '不明'}）が使っています。voc run か voc erase が動いていないか確かめ、"
                "終わってから、もう一度実行してください。"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)
