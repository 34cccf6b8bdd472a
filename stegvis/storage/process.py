"""Names of processes that stay unique when the system reuses a process number, and whether a process still runs."""

from __future__ import annotations

import os
import socket

import psutil

# Two readings of the same start time differ by at most the resolution of the boot time.
_RESOLUTION_SECONDS = 1.5


def this_process() -> str:
    """The name of this process: machine, number, and when it started (seconds after the machine did)."""
    return process_name(os.getpid()) or f"{socket.gethostname()} {os.getpid()} 0"


def has_ended(name: str) -> bool:
    """Whether the named process has ended; one on another machine is assumed to run."""
    machine, number, *start = name.split(" ")
    if machine != socket.gethostname():
        return False
    started = _started(int(number))
    return started is None or (bool(start) and abs(started - float(start[0])) > _RESOLUTION_SECONDS)


def process_name(number: int) -> str | None:
    """The name of a running process, or None if no such process runs."""
    started = _started(number)
    return None if started is None else f"{socket.gethostname()} {number} {started:.2f}"


def _started(number: int) -> float | None:
    """Seconds from the start of the machine to that of a process: unlike the time of day, it survives a set clock."""
    try:
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time() - psutil.boot_time())
    except psutil.NoSuchProcess:
        return None
