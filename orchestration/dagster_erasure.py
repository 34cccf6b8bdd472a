"""Erasing withdrawn people from Dagster's own storage: file names in messages, metadata and logs.

Dagster keeps its events for years, and a message may name a file that is named after a person. The name is replaced,
and the SQLite file is written anew (VACUUM), so that its free pages hold nothing either. Where Dagster's storage is
PostgreSQL, its tables are treated in the same way (``dagster_erasure_postgres.py``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from stegvis.orchestration.dagster_erasure_postgres import DatabaseBusyError, erase_from_postgres
from stegvis.orchestration.instance import dagster_home, open_instance
from stegvis.storage.home import Home
from stegvis.storage.identifiers_in_text import runs, spans_of_run
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import WithdrawalList


class StorageInUseError(RuntimeError):
    """Another process kept a database of Dagster's storage busy; the message says what to do."""


REPLACEMENT = "(withdrawn)"
_APPLIED = "applied_withdrawals"
_WAIT_SECONDS = 60.0
_SQLITE = b"SQLite format 3\x00"


def erase_from_dagster(home: Home, withdrawn: WithdrawalList) -> int:
    """Replace the names of withdrawn people in Dagster's storage, once for each version of the list.

    Returns:
        How many files, and tables of PostgreSQL, were changed.

    Raises:
        StorageInUseError: a database was in use for a minute; the next refresh tries again.
    """
    mark = home.dagster / _APPLIED
    if not home.dagster.is_dir():
        return 0
    databases = _postgres(home)
    applied = "\n".join([withdrawn.version, *(make_url(each).render_as_string() for each in databases)])
    if mark.exists() and mark.read_text(encoding="utf-8") == applied:
        return 0
    names = _Names(withdrawn)
    changed = sum(_clean(file, names) for file in _files(home.dagster))
    try:
        changed += sum(erase_from_postgres(each, names.cleaned, _WAIT_SECONDS) for each in databases)
    except DatabaseBusyError:
        raise _in_use("PostgreSQL") from None
    write_whole(mark, applied)
    return changed


def _postgres(home: Home) -> list[str]:
    """The addresses of the PostgreSQL databases in which the home's Dagster instance keeps its events and runs."""
    settings = dagster_home(home) / "dagster.yaml"
    if not settings.exists() or "postgres" not in settings.read_text(encoding="utf-8"):
        return []
    with open_instance(home) as instance:
        stores = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        return sorted({address for each in stores if (address := getattr(each, "postgres_url", None))})


def _in_use(what: str) -> StorageInUseError:
    return StorageInUseError(
        f"Dagster's storage ({what}) is in use, so names of withdrawn people may be left in it: "
        "the next refresh tries again; stop 'stegvis ui' if this is repeated"
    )


class _Names:
    """Which words of a text hold a withdrawn person's name; each word is looked up once."""

    def __init__(self, withdrawn: WithdrawalList) -> None:
        self.withdrawn = withdrawn
        self._known: dict[str, tuple[str, ...]] = {}

    def cleaned(self, text: str) -> str:
        """The text with these names replaced."""
        for run in runs(text):
            if run not in self._known:
                self._known[run] = tuple(span for span in spans_of_run(run) if span in self.withdrawn)
            if self._known[run]:
                clean = run
                for name in sorted(self._known[run], key=len, reverse=True):
                    clean = clean.replace(name, REPLACEMENT)
                text = text.replace(run, clean)
        return text


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _clean(file: Path, names: _Names) -> bool:
    if file.name.endswith(("-wal", "-shm", "-journal")) or file.name == _APPLIED:
        return False
    with file.open("rb") as opened:
        is_database = opened.read(len(_SQLITE)) == _SQLITE
    if is_database:
        return _clean_database(file, names)
    before = file.read_bytes()
    after = names.cleaned(before.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if after != before:
        file.write_bytes(after)
    return after != before


def _clean_database(file: Path, names: _Names) -> bool:
    """Replace names in every cell of text, and write the file anew if there were any."""
    try:
        return _rewrite_database(file, names)
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            raise
        raise _in_use(file.name) from None


def _rewrite_database(file: Path, names: _Names) -> bool:
    changed = 0
    with closing(sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        tables = connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            changed += _clean_table(connection, table, names)
        connection.execute("commit")
        if changed:
            connection.execute("vacuum")
            # The log of changes still has the old pages until it is cut to nothing.
            ((busy, _pages, _moved),) = connection.execute("pragma wal_checkpoint(truncate)").fetchall()
            if busy:
                raise sqlite3.OperationalError("database is busy")
    return changed > 0


def _clean_table(connection: sqlite3.Connection, table: str, names: _Names) -> int:
    columns = [row[1] for row in connection.execute(f'pragma table_info("{table}")').fetchall()]
    changed = 0
    for column in columns:
        cells = connection.execute(
            f'select rowid, "{column}" from "{table}" where typeof("{column}") = \'text\''
        ).fetchall()
        for row, text in cells:
            clean = names.cleaned(text)
            if clean != text:
                connection.execute(f'update "{table}" set "{column}" = ? where rowid = ?', [clean, row])
                changed += 1
    return changed
