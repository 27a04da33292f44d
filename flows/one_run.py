"""One run at a time for one configuration, whoever starts it: a person, the schedule, cron, a worker.

Jobs take their turns here; that nothing else writes into the store meanwhile (`voc erase`) is seen to by `store_lock`.
The lock is the kernel's own (flock): a job that is killed leaves none behind. It holds on one machine; a store that
several machines write is kept by the limit of the work pool.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.errors import VocError

_NAME = ".voc.lock"
_PAUSE = 5.0
_NEEDED, _FULL = 32 * 2**20, 2**20  # bytes: what Prefect's database and the reports take at least; what is as good as none


@contextmanager
def one_run(base: Path, *, wait_seconds: float = 0.0, pause_seconds: float = _PAUSE) -> Iterator[None]:
    """Hold the lock of the configuration's folder. Raises VocError where another run holds it for `wait_seconds` more, or
    the disk of the folder is full; also where it is full after a fault, whatever library met it first."""
    _check_space(base, at_least=_NEEDED)
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
        try:
            yield
        except VocError:
            raise
        except Exception:
            _check_space(base, at_least=_FULL)
            raise
    finally:
        os.close(descriptor)


def _check_space(base: Path, *, at_least: int) -> None:
    free = shutil.disk_usage(base).free
    if free < at_least:
        raise VocError(
            f"フォルダー {base} のディスクの空きが足りません（残り {free / 2**20:.1f} MB、最低 {_NEEDED // 2**20} MB 必要）。不要なファイルを消して、"
            "もう一度実行してください。前に保存した内容はそのまま残っており、続きから実行できます。"
        )


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
