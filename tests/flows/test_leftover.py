"""What a run started ends with it, also where it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_RUN = """
import subprocess, sys, time
from flows.leftover import end_servers_with_this_process
code = "import time; time.sleep(600)"
server = subprocess.Popen([sys.executable, "-c", code, "prefect.server.api.server:create_app"])
other = subprocess.Popen([sys.executable, "-c", code, "another program"])
end_servers_with_this_process()
end_servers_with_this_process()
print(server.pid, other.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_server_ends_with_a_run_that_was_killed_and_another_program_does_not():
    run = subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    server, other = map(int, run.stdout.readline().split())
    try:
        assert is_alive(server)
        run.kill()
        run.wait()  # not communicate: its children hold the pipe too
        deadline = time.monotonic() + 30
        while is_alive(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(server) and is_alive(other)
    finally:
        for pid in (server, other):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
