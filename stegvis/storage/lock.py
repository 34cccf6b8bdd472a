"""One writer at a time, across processes.

Belongs here: a file lock that waits, says who holds it, and goes away with its process. Does not belong here: what is
done under the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Held by this process.
_HELD: set[Path] = set()


class LockedError(RuntimeError):
    """Someone else holds the lock; the message says who and since when."""


@contextmanager
def locked(
    file: Path,
    purpose: str,
    wait_seconds: float | None = 600.0,
    on_wait: Callable[[str], None] = lambda holder: None,
    reentrant: bool = False,
) -> Iterator[None]:
    """Hold an exclusive lock on ``file``; the kernel releases it however the process ends.

    Args:
        file: the lock file, made if absent.
        purpose: told to whoever waits.
        wait_seconds: how long to wait for the holder; None waits as long as it takes.
        on_wait: called once, with who holds it, when there is somebody to wait for.
        reentrant: what this process holds already, it may hold again.

    Raises:
        LockedError: the lock was not free in time.
    """
    if reentrant and file in _HELD:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as handle:
        deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = _holder(file)
                if deadline is not None and time.monotonic() >= deadline:
                    raise LockedError(f"{file.name} is held by {holder}; waited {wait_seconds:.0f} s") from None
                if not told:
                    on_wait(holder)
                    told = True
                time.sleep(0.05)
        handle.truncate(0)
        handle.write(json.dumps({"process": os.getpid(), "purpose": purpose, "since": time.strftime("%H:%M:%S")}))
        handle.flush()
        _HELD.add(file)
        try:
            yield
        finally:
            _HELD.discard(file)


def holder(file: Path) -> str | None:
    """Who holds a lock now, or None: ``process 123 (refresh, since 12:00:00)``."""
    try:
        with file.open("r", encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _holder(file)
    return None


def _holder(file: Path) -> str:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        return f"process {facts['process']} ({facts['purpose']}, since {facts['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"
