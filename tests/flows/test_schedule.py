"""`voc schedule` really runs the flow when the time comes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voc.store import read_table
from voc.tables import RUNS

_PATIENCE = 600  # seconds until the test gives up; how long it takes decides nothing


@pytest.mark.slow
def test_a_scheduled_run_writes_its_reports_and_leaves_no_process(tmp_path, program_environment):
    folder = tmp_path / "survey"
    shutil.copytree(Path(__file__).parent / "survey", folder)
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "schedule", str(folder / "voc.toml"), "--cron", "* * * * *"],
        cwd=tmp_path, env=program_environment, start_new_session=True, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and server.poll() is None and not _is_done(folder):
            time.sleep(2)
        assert server.poll() is None, server.stderr.read()[-2000:]
        assert _is_done(folder)
        assert (folder / "reports" / "executive.html").exists()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(timeout=60)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
    assert server.poll() is not None


def _is_done(folder: Path) -> bool:
    return "completed" in read_table(RUNS, store=str(folder / "store"))["status"].tolist()
