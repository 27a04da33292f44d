"""Serve the main flow on a schedule, in Japanese time, one run at a time.

The server that Prefect starts by itself for a script has no scheduler: deployments are registered and never run.
So a real local server is started beside, unless PREFECT_API_URL already names one.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.errors import VocError

_START_SECONDS = 180


def serve(config_path: Path, *, cron: str, timezone: str) -> None:
    """Run the flow of `config_path` at each time of `cron` until the process is stopped.

    Raises VocError where the local server does not come up or `cron` cannot be read.
    """
    with _server():
        from prefect.schedules import Cron  # after PREFECT_API_URL is set

        from flows.run import run

        try:
            schedule = Cron(cron, timezone=timezone)
        except ValueError as error:
            raise VocError(f"--cron \"{cron}\" を読めません（{error}）。例: \"0 6 * * *\"（毎朝 6 時）") from None
        run.serve(
            name=f"voc-{config_path.stem}",
            schedule=schedule,
            parameters={"config_path": str(config_path.resolve())},
            limit=1,
            print_starting_message=False,
        )


@contextmanager
def _server() -> Iterator[None]:
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/health", process)
        os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(_START_SECONDS):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise VocError("Prefect のサーバーを起動できませんでした。`prefect server start` の表示を確認してください。")
