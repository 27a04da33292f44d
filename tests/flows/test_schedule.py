"""`voc schedule` really runs the flow when the time comes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voc.store import read_table
from voc.tables import RUNS

_PATIENCE = 300  # seconds without a new file until the test gives up; how long it takes in all decides nothing


@pytest.mark.slow
def test_a_scheduled_run_writes_its_reports_and_leaves_no_process(tmp_path, small_company, program_environment):
    config = small_company(tmp_path / "company")
    folder = config.parent
    told = tmp_path / "stderr.txt"  # a pipe that nobody reads would stop the server when it is full
    with told.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "schedule", str(config), "--cron", "* * * * *"],
            cwd=tmp_path, env=program_environment, start_new_session=True, stderr=errors,
            preexec_fn=_hears_interrupts,  # noqa: PLW1509 - this process has no threads of its own
        )  # fmt: skip
    try:
        seen, deadline = 0, time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and server.poll() is None and not _is_done(folder):
            time.sleep(2)
            n_files = sum(len(files) for _, _, files in os.walk(folder))
            seen, deadline = (n_files, time.monotonic() + _PATIENCE) if n_files != seen else (seen, deadline)
        assert server.poll() is None, told.read_text(encoding="utf-8")[-2000:]
        assert _is_done(folder)
        assert (folder / "reports" / "executive.html").exists()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(timeout=_PATIENCE)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
    assert server.poll() is not None


def _hears_interrupts() -> None:
    """A shell starts what it puts in the background deaf to SIGINT, and so would be all that these tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _is_done(folder: Path) -> bool:
    return "completed" in read_table(RUNS, store=str(folder / "store"))["status"].tolist()
