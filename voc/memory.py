"""Memory that was freed, for the processes beside this one."""

import ctypes
import sys
from collections.abc import Callable

import pyarrow as pa

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # glibc's malloc.h: M_MMAP_THRESHOLD, M_ARENA_MAX
_LARGE = 1 << 20  # bytes
_ARENAS = 2


def return_large_blocks() -> None:
    """From now on a block of 1 MB and more is the system's again as soon as it is freed.

    By itself glibc raises that limit up to 32 MB and keeps a heap for each thread: chunks of vectors on their way to other
    processes then leave holes that no `give_back` closes. Not for processes that compute: new pages cost time.
    """
    option = _of_glibc("mallopt")
    if option is not None:
        option(_MMAP_THRESHOLD, _LARGE)
        option(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give what was freed back to the system. Arrow and the C library keep it for later, more than a gigabyte in a month of
    calls, while other processes of the run need it. Nothing happens where the C library is not glibc."""
    pa.default_memory_pool().release_unused()
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
