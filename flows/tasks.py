"""The one way a stage becomes a Prefect task.

No cache and no stored results: Prefect's results are pickles and could hold customers' text, and its cache key
does not see a change in a module that the task calls. Resume and lineage are our own tables (`runs`).
"""

from functools import partial

from prefect import task as prefect_task
from prefect.cache_policies import NO_CACHE

from voc.errors import ConfigError, StoreError

task = partial(prefect_task, cache_policy=NO_CACHE, persist_result=False)


def _may_pass(task, task_run, state) -> bool:  # noqa: ARG001 - Prefect's signature
    """A full disk or a wrong key is not mended by trying again."""
    return not isinstance(state.result(raise_on_failure=False), StoreError | ConfigError)


# for stages that touch files, servers or the store; a fault of logic is not mended by trying again
edge_task = partial(task, retries=2, retry_delay_seconds=[1, 10], retry_condition_fn=_may_pass)
