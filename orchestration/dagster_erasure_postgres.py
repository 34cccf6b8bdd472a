"""Erasing withdrawn people from Dagster's storage where it is PostgreSQL: names in every column of text.

Belongs here: the tables of one database, and writing them anew (VACUUM FULL), so that no earlier version of a row is
left in their files. Does not belong here: whose names these are (``dagster_erasure.py``). PostgreSQL's own write-ahead
log, archives and backups keep the former rows until they expire.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

_LOCK_NOT_AVAILABLE = "55P03"
_ROWS_AT_ONCE = 2_000


class DatabaseBusyError(RuntimeError):
    """A table was locked by others for as long as was waited."""


def erase_from_postgres(url: str, cleaned: Callable[[str], str], wait_seconds: float) -> int:
    """Replace each text of a database by its cleaned form.

    Args:
        url: SQLAlchemy's address of the database.
        cleaned: the text without names; the same text where it has none.
        wait_seconds: how long to wait for a table that others use.

    Returns:
        How many tables held a name; all of them are written anew.

    Raises:
        DatabaseBusyError: a table was in use for longer.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    milliseconds = str(max(1, round(wait_seconds * 1000)))
    try:
        tables = _texts(engine)
        changed = 0
        for table, columns in tables.items():
            with engine.begin() as connection:
                connection.execute(sa.text(f"set local lock_timeout = {milliseconds}"))
                changed += _clean_table(connection, table, columns, cleaned) > 0
        # Every table: the row that named a person may have been replaced by Dagster, and still be in the file.
        for table in tables:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text(f"set lock_timeout = {milliseconds}"))
                connection.execute(sa.text(f"vacuum (full, analyze) {_quoted(table)}"))
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "pgcode", None) == _LOCK_NOT_AVAILABLE:
            raise DatabaseBusyError(f"a table of {engine.url.database} is in use") from None
        raise
    finally:
        engine.dispose()
    return changed


def _texts(engine: sa.Engine) -> dict[str, list[str]]:
    """The columns of text of each table."""
    inspector = sa.inspect(engine)
    found = {
        table: [each["name"] for each in inspector.get_columns(table) if isinstance(each["type"], sa.String)]
        for table in inspector.get_table_names()
    }
    return {table: columns for table, columns in sorted(found.items()) if columns}


def _clean_table(connection: sa.Connection, table: str, columns: list[str], cleaned: Callable[[str], str]) -> int:
    """Replace names in a table that nobody else may change meanwhile; returns the number of cells."""
    name = _quoted(table)
    # Without this lock a row that is changed after it was read would keep the name.
    connection.execute(sa.text(f"lock table {name} in share row exclusive mode"))
    changes: list[tuple[str, str, str]] = []
    read = sa.text(f"select ctid::text, {', '.join(map(_quoted, columns))} from {name}")
    for row in connection.execute(read, execution_options={"yield_per": _ROWS_AT_ONCE}):
        place, *cells = row
        for column, cell in zip(columns, cells, strict=True):
            if cell is not None and (clean := cleaned(cell)) != cell:
                changes.append((place, column, clean))
    for place, row_changes in _by_place(changes).items():
        # One statement for a row: the row has another place (ctid) once it was changed.
        assignments = ", ".join(f"{_quoted(column)} = :value{number}" for number, (column, _) in enumerate(row_changes))
        values = {f"value{number}": clean for number, (_, clean) in enumerate(row_changes)}
        update = sa.text(f"update {name} set {assignments} where ctid = cast(:place as tid)")
        if connection.execute(update, values | {"place": place}).rowcount != 1:
            raise RuntimeError(f"a row of {table} could not be changed")
    return len(changes)


def _by_place(changes: list[tuple[str, str, str]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for place, column, clean in changes:
        found.setdefault(place, []).append((column, clean))
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
