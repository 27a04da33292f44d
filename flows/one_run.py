"""One run at a time for one configuration, whoever starts it: a person, the schedule, cron, a worker.

Jobs take their turns here; that nothing else writes into the store meanwhile (`voc erase`) is seen to by `store_lock`.
The lock is the kernel's own (flock): a job that is killed leaves none behind. It holds on one machine; a store that
several machines write is kept by the limit of the work pool.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.errors import VocError

_NAME = ".voc.lock"
_PAUSE = 5.0


@contextmanager
def one_run(base: Path, *, wait_seconds: float = 0.0, pause_seconds: float = _PAUSE) -> Iterator[None]:
    """Hold the lock of the configuration's folder. Raises VocError where another run holds it for `wait_seconds` more."""
    try:
        descriptor = os.open(base / _NAME, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        raise VocError(f"フォルダー {base} に書き込めません（{error.strerror}）。権限と空き容量を確かめてください。") from None
    try:
        deadline = time.monotonic() + wait_seconds
        while not _is_taken(descriptor):
            if time.monotonic() >= deadline:
                raise VocError(
                    f"{base} の voc は別のところで実行中です。終わるのを待つか、voc status で様子を確かめてください。"
                )
            time.sleep(pause_seconds)
        yield
    finally:
        os.close(descriptor)


def is_running(base: Path) -> bool:
    """Whether a run holds the lock now."""
    try:
        descriptor = os.open(base / _NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _is_taken(descriptor)
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
