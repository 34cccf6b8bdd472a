"""Independent work spread over processes, on this machine or on a cluster.

Belongs here: handing tasks to Dask workers, progress, and outliving a worker that dies. Does not belong here: what a
task does.

Few tasks run in this process: starting workers takes seconds. Many run on a cluster of local processes, or on the one
whose scheduler ``STEGVIS_DASK_SCHEDULER`` names (its workers need this project installed, and the same folders).
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

# How often a task may take its worker down before it is given up.
_ATTEMPTS = 3
# Memory a local worker needs at most: a raw pair of a week takes 0.7 GB, a signal of a week 1.1 GB.
WORKER_BYTES = 1.2e9


class LostTaskError(RuntimeError):
    """A task could not be done: it failed unexpectedly, or its worker died each time. Names the error's class only."""


class ClusterLostError(RuntimeError):
    """The workers went away and did not come back: no fault of any task."""


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
        function: at the top level of a module, so that a worker finds it.
        tasks: small and picklable; they name files rather than carry data.
        on_done: told how many of all are done, and the result of the last.
        few: up to this many tasks run here, unless a scheduler is named.
        workers: local processes; default one per processor, or fewer where memory is short.
        patience: how long a named scheduler may take to answer.

    Returns:
        For each task its result, or why it has none. One task's failure is no other's.

    Raises:
        ClusterLostError: the scheduler cannot be reached, or went away with all its work.
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
    """How many worker processes this machine has room for: one per processor, each with ``WORKER_BYTES``."""
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    # Both know of the limits of a container.
    return int(max(1, min(CPU_COUNT, MEMORY_LIMIT // WORKER_BYTES)))


def _attempt(function: Callable[[Task], Result], task: Task) -> Result | LostTaskError:
    try:
        return function(task)
    except Exception as error:
        # The class only: the text could hold a person's value.
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
            raise ClusterLostError("the Dask scheduler went away before the work was done; what was done is kept")
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
        # Dask has every freed array returned to the system at once; taking memory back page by page costs a pair of
        # recordings more time than everything else.
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    }
    with dask.config.set(quiet):
        if scheduler:
            try:
                client = Client(scheduler, timeout=patience)
            except OSError:
                raise ClusterLostError(f"no Dask scheduler answers at {SCHEDULER_VARIABLE}") from None
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
