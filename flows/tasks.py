"""The one way a stage becomes a Prefect task.

No cache and no stored results: Prefect's results are pickles and could hold customers' text, and its cache key
does not see a change in a module that the task calls. Resume and lineage are our own tables (`runs`).
"""

import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from prefect import task as prefect_task
from prefect.cache_policies import NO_CACHE

from voc.errors import ConfigError, StoreError
from voc.store import read_table, replace_table

_LASTING = (StoreError, ConfigError)
task = partial(prefect_task, cache_policy=NO_CACHE, persist_result=False)


class Unsaid(Exception):  # noqa: N818 - it stands for a fault whose own words may be a customer's
    """A fault where texts are not masked yet, by its class and place alone: Prefect keeps what an exception says."""

    def __init__(self, fault: Exception | str, *, may_pass: bool = True):
        if isinstance(fault, Exception):
            frames, may_pass = traceback.extract_tb(fault.__traceback__), not isinstance(fault, _LASTING)
            place = f"、{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
            fault = f"{type(fault).__name__}{place}（言葉は、個人情報を含むことがあるため残しません）"
        super().__init__(fault)
        self.may_pass = may_pass


def unsaid_task(function: Callable, *, name: str, make: Callable = task) -> Callable:
    """`function`, which sees texts that are not masked, as a task of `make`: its faults are raised here as they are, and
    in Prefect's states and logs as Unsaid. It runs in this process."""

    def call(*arguments, **options):
        caught = []

        def step(*own, **named):
            try:
                return function(*own, **named)
            except Exception as error:  # noqa: BLE001 - of any fault the words may be a customer's
                caught.append(error)
            raise Unsaid(caught[-1])

        with suppress(Unsaid):  # what Prefect may keep; the caller gets the fault itself
            return make(step, name=name)(*arguments, **options)
        raise caught[-1]

    return call


def _may_pass(task, task_run, state) -> bool:  # noqa: ARG001 - Prefect's signature
    """A full disk or a wrong key is not mended by trying again."""
    fault = state.result(raise_on_failure=False)
    return fault.may_pass if isinstance(fault, Unsaid) else not isinstance(fault, _LASTING)


# for stages that touch files, servers or the store; a fault of logic is not mended by trying again
edge_task = partial(task, retries=2, retry_delay_seconds=[1, 10], retry_condition_fn=_may_pass)
read_table_task = edge_task(read_table, name="表の読み込み")
replace_table_task = edge_task(replace_table, name="保存")
