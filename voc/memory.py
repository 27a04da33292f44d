"""Memory that was freed, for the processes beside this one."""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Give what was freed back to the system. Arrow and the C library keep it for later, more than a gigabyte in a month of
    calls, while other processes of the run need it. Nothing happens where the C library is not glibc."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
