"""The one way a stage becomes a Prefect task.

No cache and no stored results: Prefect's results are pickles and could hold customers' text, and its cache key
does not see a change in a module that the task calls. Resume and lineage are our own tables (`runs`).
"""

from functools import partial

from prefect import task as prefect_task
from prefect.cache_policies import NO_CACHE

task = partial(prefect_task, cache_policy=NO_CACHE, persist_result=False)
# for stages that touch files, servers or the store; a fault of logic is not mended by trying again
edge_task = partial(task, retries=2, retry_delay_seconds=[1, 10])
