"""Tasks that are distributed over processes: the errors that they may end with, and what is done with their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

SCHEDULER_VARIABLE = "STEGVIS_DASK_SCHEDULER"


class LostTaskError(RuntimeError):
    """A task failed unexpectedly, or its worker died each time. The message contains only the class of the error."""


class ClusterLostError(RuntimeError):
    """The connection to the cluster was lost for good; no task is at fault."""


class UnfitWorkerError(RuntimeError):
    """Raised by a task that this worker cannot do, and another may; the message names no person."""


class StopTasksError(RuntimeError):
    """Raised by a task if the others would fail for the same cause; the message names no person."""


OnDone = Callable[[int, int, Result | LostTaskError], None]


@dataclass(frozen=True)
class Work(Generic[Task, Result]):
    """What is to be done.

    Attributes:
        function: at the top level of a module, so that workers can import it.
        tasks: small and picklable; they contain paths rather than data.
        on_done: called with the number of finished tasks, the number of all tasks, and the latest result.
        keep: called with each task and its result as soon as it is there, so that it is done once.
        report: called with a line about workers and scheduler.
    """

    function: Callable[[Task], Result]
    tasks: Sequence[Task]
    on_done: OnDone[Result]
    keep: Callable[[Task, Result], None]
    report: Callable[[str], None]

    def finished(self, done: int, task: Task, result: Result | LostTaskError) -> None:
        """Keep a result and count it."""
        if not isinstance(result, LostTaskError):
            self.keep(task, result)
        self.on_done(done, len(self.tasks), result)


def attempt(
    function: Callable[[Task], Result], task: Task
) -> Result | LostTaskError | UnfitWorkerError | StopTasksError:
    """The result of a task, or why there is none; never the text of an unexpected error, which could quote a value."""
    try:
        return function(task)
    except (UnfitWorkerError, StopTasksError, LostTaskError) as error:
        return error
    except Exception as error:
        return LostTaskError(f"unexpected {type(error).__name__}")
