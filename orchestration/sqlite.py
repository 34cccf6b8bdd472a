"""Dagster's SQLite files, opened once instead of once per event.

Dagster opens, commits and closes a connection for every event it stores. Belongs here: keeping these connections open
for the life of the process, through SQLAlchemy's events, and letting SQLite wait for the disk at checkpoints only. A
power cut may lose the last events, never a result: the warehouse holds the records. Does not belong here: which
storage a home uses (``instance.py``).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, event
from sqlalchemy.engine import Engine

# Every run has a file of its own: those used last stay open.
KEPT_OPEN = 8
_MEMORY = (":memory:", "")


class Reusable(sqlite3.Connection):
    """A connection that goes back to the open ones of its thread when it is closed."""

    file = ""
    identity: tuple[int, int] | None = None
    thread = 0

    def close(self) -> None:
        """Keep it open for the next use, without a transaction."""
        if self.thread != threading.get_ident():
            self.really_close()
            return
        if self.in_transaction:
            self.rollback()
        _OPEN.keep(self)

    def really_close(self) -> None:
        """Close it."""
        super().close()


class _OpenConnections(threading.local):
    """The unused open connections of one thread, those used last at the end; SQLite's belong to their thread."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.unused: OrderedDict[int, Reusable] = OrderedDict()
        self.inherited: list[Reusable] = []

    def keep(self, connection: Reusable) -> None:
        self._forget_those_of_a_parent()
        self.unused[id(connection)] = connection
        while len(self.unused) > KEPT_OPEN:
            _, oldest = self.unused.popitem(last=False)
            oldest.really_close()

    def take(self, file: str) -> Reusable | None:
        """An open connection to a file, if it is still the file of that name."""
        self._forget_those_of_a_parent()
        for key in [key for key, each in self.unused.items() if each.file == file]:
            found = self.unused.pop(key)
            if found.identity == _identity(file):
                return found
            found.really_close()
        return None

    def close_all(self) -> None:
        self._forget_those_of_a_parent()
        while self.unused:
            self.unused.popitem()[1].really_close()

    def _forget_those_of_a_parent(self) -> None:
        """A connection must not be used, nor closed, by a process that was forked from the one that opened it."""
        if self.process != os.getpid():
            self.inherited += self.unused.values()
            self.unused.clear()
            self.process = os.getpid()


_OPEN = _OpenConnections()


def keep_connections() -> None:
    """From now on, keep this process's SQLite connections open; may be called again."""
    if not event.contains(Engine, "do_connect", _connect):
        event.listen(Engine, "do_connect", _connect)


def close_connections() -> None:
    """Close the unused connections of this thread, so that nothing holds the files."""
    _OPEN.close_all()


def _connect(dialect: Dialect, _record: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    """The connection for SQLAlchemy to use; None lets it open one itself."""
    if dialect.name != "sqlite" or not arguments or options.get("uri") or str(arguments[0]) in _MEMORY:
        return None
    file = str(arguments[0])
    if found := _OPEN.take(file):
        return found
    connection = sqlite3.connect(*arguments, **options, factory=Reusable)
    connection.file = file
    # In WAL mode this is safe from damage; only the last events before a power cut can be missing.
    connection.execute("pragma synchronous = normal").close()
    connection.identity = _identity(file)
    connection.thread = threading.get_ident()
    return connection


def _identity(file: str) -> tuple[int, int] | None:
    try:
        state = Path(file).stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
