"""Distribute independent tasks over processes with Dask, on this machine or on a cluster.

A few tasks run in this process, because starting workers takes seconds. More tasks run on a cluster of local processes,
or on the cluster whose scheduler is in ``STEGVIS_DASK_SCHEDULER`` (its workers need this package and the same folders).
A worker that dies does not stop the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from distributed import Client

Task = TypeVar("Task")
Result = TypeVar("Result")

SCHEDULER_VARIABLE = "STEGVIS_DASK_SCHEDULER"

# How many workers a task may crash before it is given up.
_ATTEMPTS = 3
# Peak memory of a local worker: a raw pair of a week takes 0.7 GB, a signal of a week 1.1 GB.
WORKER_BYTES = 1.2e9


class LostTaskError(RuntimeError):
    """A task failed unexpectedly, or its worker died each time. The message contains only the class of the error."""


class ClusterLostError(RuntimeError):
    """The connection to the cluster was lost; no task is at fault."""


OnDone = Callable[[int, int, Result | LostTaskError], None]


def fan_out(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    on_done: OnDone[Result] = lambda done, total, result: None,
    few: int = 4,
    workers: int | None = None,
    patience: str = "30s",
) -> list[Result | LostTaskError]:
    """The result of each task, in the order of the tasks.

    Args:
        function: at the top level of a module, so that workers can import it.
        tasks: small and picklable; they contain paths rather than data.
        on_done: called with the number of finished tasks, the number of all tasks, and the latest result.
        few: up to this many tasks run in this process, unless a scheduler is configured.
        workers: local processes; by default one per processor, or fewer if memory is short.
        patience: how long to wait for a configured scheduler.

    Returns:
        For each task its result, or an error. A failed task does not affect the others.

    Raises:
        ClusterLostError: the scheduler cannot be reached, or the connection to it was lost.
    """
    scheduler = os.environ.get(SCHEDULER_VARIABLE)
    if not tasks:
        return []
    if len(tasks) <= few and not scheduler:
        results = []
        for done, task in enumerate(tasks, start=1):
            results.append(_attempt(function, task))
            on_done(done, len(tasks), results[-1])
        return results
    with _client(scheduler, workers or local_workers(), patience) as client:
        return _over(client, function, tasks, on_done)


def local_workers() -> int:
    """Number of worker processes for this machine: one per processor, as far as each has ``WORKER_BYTES``."""
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    # Both respect the limits of a container.
    return int(max(1, min(CPU_COUNT, MEMORY_LIMIT // WORKER_BYTES)))


def _attempt(function: Callable[[Task], Result], task: Task) -> Result | LostTaskError:
    try:
        return function(task)
    except Exception as error:
        # Only the class, because the message could contain a person's data.
        return LostTaskError(f"unexpected {type(error).__name__}")


def _over(
    client: Client,
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    on_done: OnDone[Result],
) -> list[Result | LostTaskError]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    futures = client.map(_attempt, [function] * len(tasks), tasks, pure=False)
    place = {future.key: number for number, future in enumerate(futures)}
    results: list[Result | LostTaskError] = [LostTaskError("not done")] * len(tasks)
    for done, future in enumerate(as_completed(futures), start=1):
        if future.cancelled():
            raise ClusterLostError("the connection to the Dask scheduler was lost; completed recordings are kept")
        error: Any = future.exception()
        result: Result | LostTaskError
        if error is None:
            result = future.result()
        elif isinstance(error, KilledWorker):
            result = LostTaskError("its worker died each time it was tried")
        else:
            result = LostTaskError(f"unexpected {type(error).__name__}")
        results[place[future.key]] = result
        on_done(done, len(tasks), result)
    return results


@contextmanager
def _client(scheduler: str | None, workers: int, patience: str) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": _ATTEMPTS - 1,
        "distributed.admin.tick.limit": "1h",
        "distributed.worker.daemon": False,
        # Dask makes workers return freed memory to the system at once. Requesting it again page by page takes longer
        # than all other work on a pair of recordings.
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    }
    with dask.config.set(quiet):
        if scheduler:
            try:
                client = Client(scheduler, timeout=patience)
            except OSError:
                raise ClusterLostError(f"no Dask scheduler responds at the address in {SCHEDULER_VARIABLE}") from None
            with client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
