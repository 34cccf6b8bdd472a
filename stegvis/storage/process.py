"""Which process does something, and whether it still lives.

Belongs here: a mark that names a process beyond its number, which is used again. Does not belong here: locks.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """A mark of this process: machine, number, and when it started (kernel clock ticks)."""
    return _mark(os.getpid()) or f"{socket.gethostname()} {os.getpid()}"


def has_ended(mark: str) -> bool:
    """Whether the process of a mark has ended; one of another machine is taken to live."""
    machine, number = mark.split(" ")[:2]
    return machine == socket.gethostname() and _mark(int(number)) != mark


def _mark(number: int) -> str | None:
    try:
        # The command's name, in parentheses, may hold spaces; what follows it does not.
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] == "Z":
        return None
    return f"{socket.gethostname()} {number} {fields[19]}"
