"""Freed memory is the system's again."""

import os
import subprocess
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


_CHUNKS = """
import sys
sys.path.insert(0, sys.argv[2])
import numpy as np
from tests.test_memory import resident_mb
from voc.memory import return_large_blocks
if sys.argv[1] == "return":
    return_large_blocks()
np.ones(2**21)  # 16 MB that are freed: from here on glibc keeps blocks below that by itself
blocks = [np.ones(2**18) for _ in range(100)]  # 2 MB each
last = np.ones(2**18)
held = resident_mb()
del blocks
print(held - resident_mb() > 150, last.sum() == 2**18)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of other systems keeps its own house")
@pytest.mark.parametrize(("how", "said"), [("return", "True True"), ("keep", "False True")])
def test_large_blocks_go_back_as_soon_as_they_are_freed(how, said):
    call = [sys.executable, "-c", _CHUNKS, how, str(Path(__file__).parents[1])]  # what is set here is set for a whole process
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}  # Dask's tests leave one there
    assert subprocess.run(call, env=environ, capture_output=True, text=True, check=True).stdout.strip() == said
