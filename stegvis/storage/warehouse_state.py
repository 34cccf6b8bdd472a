"""Whether a warehouse is still as it was when something was read from it, seen from its file without opening it.

Belongs here: the state of the file and of what else decides what a session finds. Does not belong here: what is kept
(``tables.py``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from stegvis.storage.home import Home
from stegvis.storage.home_format import check_format
from stegvis.storage.withdrawal_list import read_list

# DuckDB's three headers, of which two count the checkpoints.
_HEADERS = 3 * 4096


@dataclass(frozen=True)
class WarehouseState:
    """What distinguishes one content of a home's warehouse from every other.

    Attributes:
        path: of the file.
        file: device, inode, size, and when content and inode were last changed (nanoseconds): another file, as a
            restored copy is, differs, however its clock was set.
        headers: the beginning of the file, which every checkpoint changes: two changes within one tick of the clock
            differ.
        withdrawn: the version of the list of withdrawals; those who are new on it are erased by the next session.
    """

    path: str
    file: tuple[int, ...]
    headers: bytes
    withdrawn: str


def warehouse_state(home: Home) -> WarehouseState | None:
    """The state of a home's warehouse; None while there is no file, or changes lie in the log beside it.

    Taken at the end of a session, it is that of what the session saw: what changes the file later changes the state.

    Raises:
        HomeKeyError: the list of withdrawals cannot be read.
        HomeFormatError: a newer Stegvis made the home.
    """
    check_format(home.root)
    withdrawn = read_list(home.root).version
    try:
        with home.warehouse.open("rb") as opened:
            headers = opened.read(_HEADERS)
            found = os.fstat(opened.fileno())
    except OSError:
        return None
    if home.warehouse.with_name(f"{home.warehouse.name}.wal").exists():
        return None
    file = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return WarehouseState(str(home.warehouse), file, headers, withdrawn)
