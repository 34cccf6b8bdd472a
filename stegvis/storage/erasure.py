"""Erasing withdrawn people from the home, to the byte: warehouse, lake, processing records.

The list of withdrawals decides (``stegvis/storage/withdrawal_list.py``). Its version is stored in the warehouse, as the
view ``applied_withdrawals``, and in the lake; where it is another or none (a new withdrawal, a copy that was restored,
a process that was killed on the way), the people are erased before anything else is read.

Deleted rows stay in the blocks of a DuckDB file until these are used again, so the file is written anew. A partition
that lost rows is marked in its materialization record, so that it and what follows from it are rebuilt.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.storage.home import Home
from stegvis.storage.lake import shard_name
from stegvis.storage.lake_people import shards_of
from stegvis.storage.published_people import forget
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import WithdrawalList, mark_pending
from stegvis.study.literals import literal

if TYPE_CHECKING:
    import duckdb

VIEW = "applied_withdrawals"
LAKE_FILE = "applied_withdrawals"
# Named in ``made_from`` of a partition that lost rows: never a part of what it would be made from now.
ERASED = "a row of a withdrawn participant"

# People of earlier releases: not made from anything, so erasing rows makes nothing stale.
MEMORIES = ("released_people",)

Connect = Callable[[str], "duckdb.DuckDBPyConnection"]


def is_applied(connection: duckdb.DuckDBPyConnection, withdrawn: WithdrawalList) -> bool:
    """Whether a warehouse has none of the people on the list."""
    if not withdrawn.people:
        return True
    import duckdb

    try:
        return connection.execute(f"select version from {VIEW}").fetchall() == [(withdrawn.version,)]
    except duckdb.CatalogException:  # nobody was erased from it yet
        return False


def is_applied_to_lake(home: Home, withdrawn: WithdrawalList) -> bool:
    """Whether a lake has none of the people on the list."""
    file = home.lake / LAKE_FILE
    return not withdrawn.people or (file.exists() and file.read_text(encoding="utf-8") == withdrawn.version)


def erase(home: Home, withdrawn: WithdrawalList, connect: Connect) -> set[str]:
    """Erase the people on the list from the warehouse and the lake, and write the warehouse file anew.

    Call with the warehouse's lock held and the file closed. Interrupted at any moment, it is done again by the next
    session: the version is written last.

    Args:
        home: the home.
        withdrawn: the list.
        connect: opens a database file, or ``:memory:``, with the warehouse's settings.

    Returns:
        The identifiers that were found.
    """
    mark_pending(home.root)
    connection = connect(str(home.warehouse))
    try:
        names = _processing_records(connection, withdrawn)
        # First the files: their names are known by the rows.
        found = erase_from_lake(home, withdrawn, names)
        connection.execute("begin")
        found |= _erase_rows(connection, withdrawn)
        _erase_from_quarantine(connection, withdrawn)
        connection.execute("commit")
        connection.execute("checkpoint")
    finally:
        connection.close()
    withdrawn.note_found(found)
    rewrite(home, connect, withdrawn)
    return found


def erase_from_lake(home: Home, withdrawn: WithdrawalList, records: Iterable[tuple[str, str]] = ()) -> set[str]:
    """Remove the shards that hold a withdrawn person, and the processing records named; returns who was found.

    The rows of the people behind what was published (``published_people.py``) lie outside the warehouse as well.

    A shard of many people is removed as a whole: its partition is stale, and it is made again without them.

    Args:
        home: the home.
        withdrawn: the list.
        records: batch and name of processing records.
    """
    found = forget(home.root, withdrawn)
    for shard, people in shards_of(home.lake):
        gone = {person for person in people if person in withdrawn}
        if gone:
            shard.unlink(missing_ok=True)
            found |= gone
            # The record of a classified recording has its shard's name.
            _record_file(home, shard.parent.name.removeprefix("batch="), shard_name(shard)).unlink(missing_ok=True)
    for batch, name in records:
        _record_file(home, batch, name).unlink(missing_ok=True)
    if home.lake.is_dir():
        write_whole(home.lake / LAKE_FILE, withdrawn.version)
    return found


def rewrite(home: Home, connect: Connect, withdrawn: WithdrawalList) -> None:
    """Write the warehouse file anew, with its live rows only. Call with its lock held and the file closed."""
    fresh = home.warehouse.with_name(f".{home.warehouse.name}.new")
    leftovers = (fresh, fresh.with_name(f"{fresh.name}.wal"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    connection = connect(":memory:")
    try:
        connection.execute(f"attach {literal(str(home.warehouse))} as before (read_only)")
        connection.execute(f"attach {literal(str(fresh))} as after")
        connection.execute("copy from database before to after")
        if withdrawn.people:
            connection.execute(f"create or replace view after.{VIEW} as select '{withdrawn.version}' as version")
        connection.execute("detach before")
        connection.execute("detach after")
    except BaseException:
        connection.close()
        for unfinished in leftovers:  # the disk may be full
            unfinished.unlink(missing_ok=True)
        raise
    connection.close()
    fresh.replace(home.warehouse)
    shutil.rmtree(home.root / "warehouse.tmp", ignore_errors=True)


def _erase_rows(connection: duckdb.DuckDBPyConnection, withdrawn: WithdrawalList) -> set[str]:
    """Delete their rows from every table of people, and mark the partitions these were in."""
    found: set[str] = set()
    tables = connection.execute(
        "select distinct table_name from duckdb_columns() join duckdb_tables() using (database_name, table_name) "
        "where column_name = 'person' and not temporary order by all"
    ).fetchall()
    for (table,) in tables:
        people = connection.execute(f'select distinct person from "{table}" where person is not null').fetchall()
        gone = sorted(person for (person,) in people if person in withdrawn)
        if not gone:
            continue
        found |= set(gone)
        columns = {row[0] for row in connection.execute(f'describe "{table}"').fetchall()}
        for column in ("wave", "batch"):
            if table not in MEMORIES and column in columns:
                keys = connection.execute(
                    f'select distinct "{column}" from "{table}" where person in (select unnest(?))', [gone]
                ).fetchall()
                _mark(connection, table, [key for (key,) in keys])
        if table not in MEMORIES:
            _mark(connection, table, [""])
        connection.execute(f'delete from "{table}" where person in (select unnest(?))', [gone])
    return found


def _mark(connection: duckdb.DuckDBPyConnection, table: str, keys: Sequence[str]) -> None:
    """Make partitions stale. They stay published: what is left in them is right."""
    rows = connection.execute(
        "select partition, made_from from materializations where table_name = ? and partition in (select unnest(?))",
        [table, keys],
    ).fetchall()
    for key, made_from in rows:
        connection.execute(
            "update materializations set made_from = ? where table_name = ? and partition = ?",
            [json.dumps(json.loads(made_from) | {ERASED: "erased"}), table, key],
        )


def _erase_from_quarantine(connection: duckdb.DuckDBPyConnection, withdrawn: WithdrawalList) -> None:
    """Delete what is in quarantine because of a file that is named after a withdrawn person."""
    labels = connection.execute("select distinct file, message from quarantine").fetchall()
    for file, message in labels:
        if withdrawn.named_in(file or "") or withdrawn.named_in(message or ""):
            connection.execute(
                "delete from quarantine where file is not distinct from ? and message is not distinct from ?",
                [file, message],
            )


def _processing_records(connection: duckdb.DuckDBPyConnection, withdrawn: WithdrawalList) -> list[tuple[str, str]]:
    """Batch and name of the records of their recordings, refused ones included."""
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'recordings'").fetchall():
        return []
    rows = connection.execute("select batch, shard, person from recordings where shard is not null").fetchall()
    return [(batch, shard) for batch, shard, person in rows if person in withdrawn]


def _record_file(home: Home, batch: str, name: str) -> Path:
    return home.lake / "recordings" / f"batch={batch}" / f"{name}.json"
