"""Dagster's SQLite files, opened once instead of once per event.

Dagster makes an engine of SQLAlchemy's, opens a connection, commits and closes it for every event it stores. Belongs
here: keeping these engines, which keep the statements they have compiled, and connections for the life of the
process, and letting SQLite wait for the disk at checkpoints only. A power cut may lose the last events, never a result:
the warehouse holds the records. Does not belong here: which storage a home uses (``instance.py``).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Dialect, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from stegvis.orchestration.migration_scripts import keep_migration_scripts

# Every run has a file of its own: those used last stay open.
KEPT_OPEN = 8
# Dagster's modules that make an engine for each connection. A later version may have others: it is slower, and works.
_MODULES: tuple[ModuleType, ...] = ()
with suppress(ImportError):
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage
    from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

    _MODULES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
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


class Engines:
    """The engines of the files used last, for all threads. None holds a connection (``NullPool``)."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget them; in a forked process, where a lock that another thread held would never be released."""
        self.lock = threading.Lock()
        self.kept: OrderedDict[str, Engine] = OrderedDict()

    def of(self, url: str, **options: Any) -> Engine:
        """As SQLAlchemy's ``create_engine``, but the same engine again for the same file and options."""
        if options.get("poolclass") is not NullPool:
            return create_engine(url, **options)
        key = f"{url} {sorted(options.items(), key=str)}"
        with self.lock:
            engine = self.kept.pop(key, None) or create_engine(url, **options)
            self.kept[key] = engine
            if len(self.kept) > KEPT_OPEN:
                self.kept.popitem(last=False)
        return engine


ENGINES = Engines()
os.register_at_fork(after_in_child=ENGINES.begin_anew)


def keep_connections() -> None:
    """From now on, keep this process's SQLite engines and connections; may be called again."""
    if not event.contains(Engine, "do_connect", _connect):
        event.listen(Engine, "do_connect", _connect)
    for module in _MODULES:
        module.create_engine = ENGINES.of  # type: ignore[attr-defined]
    keep_migration_scripts()


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
    if not _size(file):
        # Dagster asks for this mode after it has made its tables, each of which would wait for the disk before that.
        with suppress(sqlite3.OperationalError):  # another process makes them now
            connection.execute("pragma journal_mode = wal").close()
    connection.identity = _identity(file)
    connection.thread = threading.get_ident()
    return connection


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0


def _identity(file: str) -> tuple[int, int] | None:
    try:
        state = Path(file).stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
