"""Five kills over a whole run, one of them between the ledger and its end; tests/benchmarks/kills.py does more of them, each run with a Prefect server of its own, and tells how."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_killed_run_tears_nothing_and_the_next_one_ends_in_the_same_content(tmp_path, prefect_server):
    script = Path(__file__).parents[1] / "benchmarks/kills.py"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PREFECT_API_URL": prefect_server}
    done = subprocess.run([sys.executable, str(script), "--kills", "3", "--after", "mentions", "ranking", "--folder", str(tmp_path)], capture_output=True, text=True, timeout=1700,
                          check=False, env=environ)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "5 of 5 ended in the same content" in done.stdout
