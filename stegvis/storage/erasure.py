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
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.storage.home import Home
from stegvis.storage.lake import shard_name
from stegvis.storage.lake_copy import KINDS, LakeCopy
from stegvis.storage.lake_people import people_in, shards_of
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

    Of a copy of the lake in object storage the same is removed, and what only the copy has is looked through.

    The rows of the people behind what was published (``published_people.py``) lie outside the warehouse as well.

    A shard of many people is removed as a whole: its partition is stale, and it is made again without them.

    Args:
        home: the home.
        withdrawn: the list.
        records: batch and name of processing records.

    Raises:
        stegvis.storage.objects.ObjectStorageError: the copy cannot be reached. Nobody is recorded as erased.
    """
    found = forget(home.root, withdrawn)
    files: list[Path] = []
    for shard, people in shards_of(home.lake):
        gone = {person for person in people if person in withdrawn}
        if gone:
            found |= gone
            # The record of a classified recording has its shard's name.
            batch, name = shard.parent.name.removeprefix("batch="), shard_name(shard)
            files += [_record_file(home, batch, name), shard]
    files += [_record_file(home, batch, name) for batch, name in records]
    # First the copy: what is in it is known by the files here, as long as these are there.
    if copy := LakeCopy.of(home.root):
        found |= erase_from_copy(home, copy, withdrawn, files)
    for file in files:
        file.unlink(missing_ok=True)
    if home.lake.is_dir():
        write_whole(home.lake / LAKE_FILE, withdrawn.version)
    return found


def erase_from_copy(home: Home, copy: LakeCopy, withdrawn: WithdrawalList, files: Iterable[Path]) -> set[str]:
    """Remove files of the lake from its copy, and what only the copy has of a withdrawn person; returns who was found.

    Args:
        home: the home.
        copy: of its lake.
        withdrawn: the list.
        files: shards and records in the folders of the home.
    """
    by_batch: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_batch[file.parent.name.removeprefix("batch=")].append(file.name)
    found: set[str] = set()
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".erasure-") as scratch:
        for batch in copy.batches():
            for name in copy.files("epochs", batch):
                if (home.lake / "epochs" / f"batch={batch}" / name).exists():
                    continue
                here = Path(scratch) / name
                copy.fetch("epochs", batch, here)
                # One that is damaged is removed as well: nobody can say who is in it.
                gone = {person for person in people_in(here) if person in withdrawn} if here.exists() else set()
                if gone or not here.exists():
                    found |= gone
                    by_batch[batch] += [name, f"{shard_name(here)}.json"]
                here.unlink(missing_ok=True)
    for batch, names in by_batch.items():
        for kind in KINDS:
            copy.delete(kind, batch, names)
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
