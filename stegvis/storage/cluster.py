"""The workers of a Dask cluster: what happens when one of them, or the scheduler, is lost.

* A worker that dies: Dask gives its task to another, three times at most.
* A worker that is unfit for a task (its scratch disk is full): the task goes to another machine, three times at most.
  A worker that was unfit three times in a row is retired: it fails faster than others work and would draw all tasks.
* The scheduler: what is finished is kept; when it is back, the rest is submitted again.
* No scheduler, or one without workers: it is waited for, then the work ends with an error.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic

from stegvis.storage.tasks import (
    SCHEDULER_VARIABLE,
    ClusterLostError,
    LostTaskError,
    Result,
    StopTasksError,
    Task,
    UnfitWorkerError,
    Work,
    attempt,
)

if TYPE_CHECKING:
    from distributed import Client, Future

# How many workers a task may crash, or be refused by, before it is given up.
ATTEMPTS = 3
# How often the scheduler may be lost without a task being finished in between.
_LOSSES = 3
_LOOK_EVERY, _WORKERS_EVERY = 0.1, 5.0
_SETTINGS = {
    "distributed.scheduler.allowed-failures": ATTEMPTS - 1,
    "distributed.admin.tick.limit": "1h",
    "distributed.worker.daemon": False,
    # Dask makes workers return freed memory to the system at once. Requesting it again page by page takes longer
    # than all other work on a pair of recordings.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}


class _SchedulerLost(Exception):  # noqa: N818 - not an error yet
    """The connection broke; it may come back."""


def over_workers(
    work: Work[Task, Result], scheduler: str | None, workers: int, patience: float
) -> list[Result | LostTaskError]:
    """The result of each task, as ``fan_out`` says.

    Args:
        work: what is to be done.
        scheduler: its address; None starts a cluster of local processes.
        workers: how many of them.
        patience: seconds to wait for a scheduler or workers.

    Raises:
        ClusterLostError: the cluster did not come, or did not come back.
        StopTasksError: a task said that the others need not be tried.
    """
    import dask
    import distributed  # noqa: F401 - before its settings are set, or they would be removed with them

    tasks = _Tasks(work, patience)
    losses, done_before = 0, 0
    with dask.config.set(_SETTINGS), _quiet():
        while True:
            try:
                with _client(scheduler, workers, patience, work.report) as client:
                    tasks.run(client)
                break
            except _SchedulerLost:
                losses = losses + 1 if len(tasks.results) == done_before else 1
                done_before = len(tasks.results)
                if losses > _LOSSES:
                    raise ClusterLostError(
                        f"the Dask scheduler was lost {losses} times and nothing was finished in between; see its log. "
                        f"{tasks.so_far}; the next refresh goes on from there"
                    ) from None
                work.report(
                    f"the Dask scheduler was lost; {tasks.so_far}. Waiting up to {patience:.0f} s for it to come back"
                )
    return [tasks.results[number] for number in range(len(work.tasks))]


class _Tasks(Generic[Task, Result]):
    """The tasks, which results there are, and which workers were unfit."""

    def __init__(self, work: Work[Task, Result], patience: float) -> None:
        self.work = work
        self.patience = patience
        self.results: dict[int, Result | LostTaskError] = {}
        self.unfit: dict[int, list[str]] = {}
        self.in_a_row: Counter[str] = Counter()
        self.looked = 0.0
        self.alone = False

    @property
    def so_far(self) -> str:
        """What is finished, as a sentence's beginning."""
        return f"{len(self.results)} of {len(self.work.tasks)} are done and kept"

    def run(self, client: Client) -> None:
        """Submit what has no result, and collect until everything has one."""
        from distributed import as_completed

        left = [number for number in range(len(self.work.tasks)) if number not in self.results]
        self.unfit.clear()
        function, tasks = self.work.function, [self.work.tasks[number] for number in left]
        futures = client.map(_on_worker, [function] * len(left), tasks, pure=False)
        numbers = dict(zip(futures, left, strict=True))
        waiting = as_completed(list(futures), loop=client.loop)
        del futures
        seen = time.monotonic()
        while numbers:
            if not waiting.has_ready():
                seen = self._look_for_workers(client, seen)
                time.sleep(_LOOK_EVERY)
                continue
            seen = time.monotonic()
            for future in waiting.next_batch(block=False):
                number = numbers.pop(future)
                again = self._collect(client, future, number)
                if again is not None:
                    numbers[again] = number
                    waiting.add(again)

    def _collect(self, client: Client, future: Future, number: int) -> Future | None:
        """Take a result; the task's new future if it was submitted again."""
        worker, result = _answer(future)
        if isinstance(result, StopTasksError):
            raise result
        if isinstance(result, UnfitWorkerError):
            again = self._elsewhere(client, number, worker, str(result))
            if again is not None:
                return again
            tried = len(self.unfit[number])
            raise StopTasksError(
                f"{result} (so said {tried} worker{'s' if tried > 1 else ''} of one recording). {self.so_far}; the "
                "next refresh goes on from there"
            )
        self.in_a_row.pop(worker, None)
        self.results[number] = result
        self.work.finished(len(self.results), self.work.tasks[number], result)
        return None

    def _elsewhere(self, client: Client, number: int, worker: str, why: str) -> Future | None:
        """Submit a task to workers on other machines than those that were unfit for it; None if it is given up."""
        unfit = self.unfit.setdefault(number, [])
        unfit.append(worker)
        self.in_a_row[worker] += 1
        there = sorted(_workers(client))
        hosts = {_host(each) for each in unfit}
        others = [each for each in there if _host(each) not in hosts] or [each for each in there if each not in unfit]
        retired = self.in_a_row[worker] == ATTEMPTS and len(there) > 1
        what = "it is retired" if retired else "its recording goes to another worker" if others else "there is no other"
        self.work.report(f"{why}, says worker {worker}: {what}")
        again = None
        if others and len(unfit) < ATTEMPTS:
            again = client.submit(
                _on_worker, self.work.function, self.work.tasks[number], pure=False, workers=others, priority=1
            )
        if retired:
            client.retire_workers([worker], close_workers=True)
        return again

    def _look_for_workers(self, client: Client, seen: float) -> float:
        """When there was last a worker or a result.

        Raises:
            ClusterLostError: longer ago than is waited for.
        """
        now = time.monotonic()
        if now - self.looked < _WORKERS_EVERY:
            return seen
        self.looked = now
        if _workers(client):
            self.alone = False
            return now
        if not self.alone:
            self.alone = True
            self.work.report(f"the Dask scheduler has no workers; waiting up to {self.patience:.0f} s for one")
        if now - seen > self.patience:
            raise ClusterLostError(
                f"the Dask scheduler has had no workers for {now - seen:.0f} s; {self.so_far}. Start workers that "
                "connect to it, then stegvis refresh: it goes on from there"
            )
        return seen


def _on_worker(function: Any, task: Any) -> tuple[str, Any]:
    """The worker's address and what came of a task there."""
    from distributed import get_worker

    return str(get_worker().address), attempt(function, task)


def _answer(future: Future) -> tuple[str, Any]:
    """The address of the worker (blank if it died) and the result of a future that is done."""
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        if future.cancelled():
            raise _SchedulerLost
        error: Any = future.exception()
        if error is None:
            address, result = future.result()
            return address, result
    except (CancelledError, CommClosedError, OSError, TimeoutError):
        raise _SchedulerLost from None
    if isinstance(error, CancelledError):
        raise _SchedulerLost
    if isinstance(error, KilledWorker):
        return "", LostTaskError("its worker died each time it was tried")
    return "", LostTaskError(f"unexpected {type(error).__name__}")


def _workers(client: Client) -> list[str]:
    """The addresses of the workers; none while the scheduler does not answer."""
    try:
        return list(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, TimeoutError, CancelledError, ValueError, AttributeError):
        return []


def _host(address: str) -> str:
    return address.rpartition(":")[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's client logs tracebacks of a lost connection, which is reported here in a line."""
    loggers = [logging.getLogger(f"distributed.{name}") for name in ("client", "utils", "batched")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


@contextmanager
def _client(scheduler: str | None, workers: int, patience: float, report: Callable[[str], None]) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    if scheduler is None:
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    client = _connected(scheduler, patience, report)
    try:
        yield client
    finally:
        client.close(timeout=5)


def _connected(scheduler: str, patience: float, report: Callable[[str], None]) -> Client:
    """A client of the scheduler, which is waited for.

    Raises:
        ClusterLostError: it does not answer in time.
    """
    from distributed import Client

    end, said = time.monotonic() + patience, False
    while True:
        try:
            return Client(scheduler, timeout=min(10.0, patience), set_as_default=False)
        except (OSError, TimeoutError):
            if time.monotonic() >= end:
                raise ClusterLostError(
                    f"no Dask scheduler answered at {scheduler} within {patience:.0f} s. Start it there, or correct "
                    f"the address in {SCHEDULER_VARIABLE}, then stegvis refresh: it goes on from what is done"
                ) from None
            if not said:
                report(f"no Dask scheduler answers at {scheduler} yet; waiting up to {patience:.0f} s")
            said = True
            time.sleep(min(1.0, patience / 10))
