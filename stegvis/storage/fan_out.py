"""Distribute independent tasks over processes with Dask, on this machine or on a cluster.

A few tasks run in this process, because starting workers takes seconds. More tasks run on a cluster of local processes,
or on the cluster whose scheduler is in ``STEGVIS_DASK_SCHEDULER`` (``stegvis/storage/cluster.py``). Results come back
to this process, so workers share no folder with it except the one that their tasks read from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from stegvis.storage.tasks import (
    SCHEDULER_VARIABLE,
    ClusterLostError,
    LostTaskError,
    OnDone,
    Result,
    StopTasksError,
    Task,
    UnfitWorkerError,
    Work,
    attempt,
)

# Seconds to wait for a scheduler or workers that are not there.
PATIENCE_VARIABLE = "STEGVIS_DASK_PATIENCE"
_PATIENCE = 300.0

# Peak memory of a local worker: a raw pair of a week takes 0.7 GB, a signal of a week 1.1 GB.
WORKER_BYTES = 1.2e9


def fan_out(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    on_done: OnDone[Result] = lambda done, total, result: None,
    few: int = 4,
    workers: int | None = None,
    patience: float | None = None,
    keep: Callable[[Task, Result], None] = lambda task, result: None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Result | LostTaskError]:
    """The result of each task, in the order of the tasks.

    Args:
        function: as in ``Work``, like ``tasks``, ``on_done``, ``keep`` and ``report``.
        tasks: what to do it for.
        on_done: progress.
        few: up to this many tasks run in this process, unless a scheduler is configured.
        workers: local processes; by default one per processor, or fewer if memory is short.
        patience: seconds to wait for a configured scheduler and its workers, at the beginning and whenever they are
            lost; by default those in ``STEGVIS_DASK_PATIENCE``, or 300.
        keep: what to do with a result at once.
        report: called with a line about the cluster.

    Returns:
        For each task its result, or an error. A failed task does not affect the others.

    Raises:
        ClusterLostError: the scheduler or its workers did not come, or did not come back.
        StopTasksError: a task said that the others need not be tried. What was done is kept.
    """
    work = Work(function, tasks, on_done, keep, report)
    scheduler = os.environ.get(SCHEDULER_VARIABLE)
    if not tasks:
        return []
    if len(tasks) <= few and not scheduler:
        results: list[Result | LostTaskError] = []
        for done, task in enumerate(tasks, start=1):
            results.append(_here(function, task))
            work.finished(done, task, results[-1])
        return results
    from stegvis.storage.cluster import over_workers  # which needs a second to import

    return over_workers(work, scheduler, workers or local_workers(), _patience() if patience is None else patience)


def local_workers() -> int:
    """Number of worker processes for this machine: one per processor, as far as each has ``WORKER_BYTES``."""
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    # Both respect the limits of a container.
    return int(max(1, min(CPU_COUNT, MEMORY_LIMIT // WORKER_BYTES)))


def _here(function: Callable[[Task], Result], task: Task) -> Result | LostTaskError:
    result: Any = attempt(function, task)
    if isinstance(result, UnfitWorkerError):  # there is no other worker
        raise StopTasksError(f"{result}. What is done is kept; the next refresh goes on from there")
    if isinstance(result, StopTasksError):
        raise result
    return result


def _patience() -> float:
    try:
        return float(os.environ.get(PATIENCE_VARIABLE, _PATIENCE))
    except ValueError:
        raise ClusterLostError(f"{PATIENCE_VARIABLE} must be a number of seconds") from None
