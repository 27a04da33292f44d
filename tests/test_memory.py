"""Freed memory is the system's again."""

import sys
from pathlib import Path

import numpy as np
import pytest

from voc.memory import give_back


def resident_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of other systems keeps its own house")
def test_what_was_freed_goes_back():
    blocks = [np.ones(8000) for _ in range(4000)]  # below the size from which the C library gives back by itself
    held, last = resident_mb(), blocks[-1]
    del blocks
    give_back()
    assert resident_mb() < held - 150
    assert last.sum() == 8000
