"""Five kills over a whole run; tests/benchmarks/kills.py does more of them, and tells how."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_killed_run_tears_nothing_and_the_next_one_ends_in_the_same_content(tmp_path):
    script = Path(__file__).parents[1] / "benchmarks/kills.py"
    done = subprocess.run([sys.executable, str(script), "--kills", "5", "--folder", str(tmp_path)], capture_output=True, text=True, timeout=1700, check=False,
                          env={**__import__("os").environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "5 of 5 ended in the same content" in done.stdout
