"""One writer at a time, across processes: a file lock that waits, says who holds it, and ends with its process."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

# Held by this process.
_HELD: set[Path] = set()
# What a disk says that has no locks, or whose server of locks is gone.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ESTALE}


class LockedError(RuntimeError):
    """Another process holds the lock, or its file cannot be used; the message says which and since when, or why."""


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
        file: the lock file, created if absent. It names its last holder.
        purpose: shown to whoever waits.
        wait_seconds: how long to wait for the holder; None waits as long as it takes.
        on_wait: called once, with the holder, if there is one to wait for.
        reentrant: take the lock again if this process already holds it.

    Raises:
        LockedError: the lock was not free in time, or a folder is in its place.
    """
    if reentrant and file in _HELD:
        yield
        return
    if file.is_dir():
        raise LockedError(f"{file.name} in the home is a folder, where a lock file belongs: remove it")
    file.parent.mkdir(parents=True, exist_ok=True)
    # A file that only exists in the place of a lock would outlive a killed process.
    lock = FileLock(file, thread_local=False, poll_interval=0.05, fallback_to_soft=False)
    try:
        _acquire(lock, 0)
    except Timeout:
        on_wait(_described(file))
        try:
            _acquire(lock, -1 if wait_seconds is None else wait_seconds)
        except Timeout:
            raise LockedError(f"{file.name} is held by {_described(file)}; waited {wait_seconds:.0f} s") from None
    try:
        facts = {"process": os.getpid(), "purpose": purpose, "since": time.strftime("%H:%M:%S")}
        file.write_text(json.dumps(facts), encoding="utf-8")
        _HELD.add(file)
        yield
    finally:
        _HELD.discard(file)
        lock.release()


def _acquire(lock: BaseFileLock, timeout: float) -> None:
    """Acquire a lock.

    Raises:
        filelock.Timeout: another process holds it.
        LockedError: the disk cannot lock.
    """
    try:
        lock.acquire(timeout=timeout)
    except (OSError, NotImplementedError) as error:
        if isinstance(error, Timeout) or (isinstance(error, OSError) and error.errno not in _NO_LOCKS):
            raise
        raise LockedError(
            "the disk with the home does not lock files, or its lock service is gone (NFS): nothing can be made safely "
            "there. Move the home to a local disk, or mend the service"
        ) from None


def holder(file: Path) -> str | None:
    """Who holds a lock now, or None: ``process 123 (refresh, since 12:00:00)``.

    Raises:
        LockedError: the disk cannot lock.
    """
    if not file.exists():
        return None
    lock = FileLock(file, fallback_to_soft=False)
    try:
        _acquire(lock, 0)
    except Timeout:
        return _described(file)
    lock.release()
    return None


def _described(file: Path) -> str:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        return f"process {facts['process']} ({facts['purpose']}, since {facts['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
