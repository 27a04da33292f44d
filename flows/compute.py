"""Where chunks of heavy work run: in this process, in one process per core, or on Dask; by one setting, `[compute]`.

Results come back in the order of the chunks, so nothing depends on where and when they ran. Processes are started at the
first work that is worth it and serve all stages of the run; each loads a model once, at its first chunk that needs it.
"""

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Any

from prefect.client.orchestration import get_client
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from voc.config import Compute
from voc.errors import VocError
from voc.memory import return_large_blocks

_WORTH_IT = 4  # chunks; fewer are done here sooner than other processes load their libraries and models
_AHEAD, _AHEAD_DASK = 4, 64  # chunks under way: for each process here, in all on Dask; those behind them are not made yet
_API = "PREFECT_API_URL"

RunChunks = Callable[[Any, Iterable[Mapping[str, Any]]], Iterator[Any]]
"""(task, the arguments of each chunk) -> results in the same order, each as soon as it and those before are there. The
arguments are drawn as chunks go out: a month of calls at once would take gigabytes."""


def run_here(task: Any, calls: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """RunChunks in this process, one chunk after the other."""
    return (task(**call) for call in calls)


@contextmanager
def chunk_runner(compute: Compute) -> Iterator[RunChunks]:
    """A function that runs chunks as `compute` says, as long as the context lasts. Use it inside a flow run.

    Raises VocError where Dask is asked for and its packages are absent or its scheduler does not answer.
    """
    n_workers = compute.workers or _n_cores()
    with ExitStack() as stack:
        started: list[TaskRunner] = []

        def run_chunks(task: Any, calls: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
            calls = iter(calls)
            first = list(islice(calls, _WORTH_IT))
            is_small = len(first) < _WORTH_IT and not started
            if not first or (compute.dask is None and (n_workers == 1 or is_small)):
                yield from run_here(task, chain(first, calls))
                return
            if not started:
                started.append(_start(compute, n_workers, stack))
            futures, ahead = deque(), _AHEAD * n_workers if compute.dask is None else _AHEAD_DASK
            for call in chain(first, calls):
                futures.append(started[0].submit(task, parameters=dict(call)))
                if len(futures) > ahead:
                    yield futures.popleft().result()
            while futures:
                yield futures.popleft().result()

        yield run_chunks


def _start(compute: Compute, n_workers: int, stack: ExitStack) -> TaskRunner:
    stack.enter_context(_shared_server())
    return_large_blocks()  # others compute, this process holds what they made
    if compute.dask is None:
        return stack.enter_context(ProcessPoolTaskRunner(max_workers=n_workers, initializer=_end_with_parent))
    return _dask(compute.dask, n_workers, stack)


def _dask(address: str, n_workers: int, stack: ExitStack) -> TaskRunner:
    try:
        import dask
        import distributed
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise VocError(f"[compute] dask を使うためのパッケージがありません（{error.name}）。`pip install \"voc[dask]\"` で入れてください。") from None
    # what a worker holds may be text that is not masked yet: it never goes to a disk
    stack.enter_context(dask.config.set({f"distributed.worker.memory.{name}": False for name in ("target", "spill")}))
    if address == "local":
        cluster = stack.enter_context(
            distributed.LocalCluster(n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0)
        )
        runner = DaskTaskRunner(cluster=cluster)
    else:
        runner = DaskTaskRunner(address=address)
    stack.enter_context(runner)
    try:
        runner.client.wait_for_workers(1, timeout=60)
    except (OSError, TimeoutError) as error:
        raise VocError(
            f"[compute] dask のスケジューラー {address} につながらないか、ワーカーがいません（{type(error).__name__}）。"
            "アドレスとワーカーを確かめるか、[compute] から dask を外してこのコンピューターで実行してください。"
        ) from None
    return runner


@contextmanager
def _shared_server() -> Iterator[None]:
    """Workers speak to the server of this run; without its address each of them would start one of its own."""
    before = os.environ.get(_API)
    with get_client(sync_client=True) as client:
        os.environ[_API] = str(client.api_url).rstrip("/")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_API, None)
        else:
            os.environ[_API] = before


def _end_with_parent() -> None:
    """A worker whose run was killed ends too: it would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        parent.join()
        os._exit(1)

    if parent is not None:
        threading.Thread(target=wait, daemon=True, name="end with the run").start()


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
