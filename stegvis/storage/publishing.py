"""Publish what a function made: stage the rows, evaluate their expectations, replace the published rows, record it.

Everything happens in one transaction. If a critical expectation fails, the last good rows stay, and only the check
results and what the attempt was made from are recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from stegvis.plausibility.ranges import Compared
from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.acceptance import accepted_items, not_accepted
from stegvis.storage.profiles import write_profile, write_waiting
from stegvis.storage.reader import Reader
from stegvis.storage.records import Materialization, describe_files, write_record, write_refused
from stegvis.storage.rows import Rows
from stegvis.storage.tables import Records, Table, is_newly_delivered
from stegvis.storage.warehouse import (
    Content,
    replace_check_results,
    replace_partition,
    replace_quarantine,
    stage,
    transaction,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


class CheckResult(Protocol):
    """What publishing needs to know of the result of an expectation."""

    @property
    def passed(self) -> bool: ...

    @property
    def blocks(self) -> bool: ...

    def as_row(self) -> tuple[str, str, str, str, bool, int, int]:
        """Expectation, column, meaning, severity, passed, failing, total."""
        ...


Result = TypeVar("Result", bound=CheckResult)


@dataclass(frozen=True)
class Published(Generic[Result]):
    """What came of an attempt to publish.

    Attributes:
        content: rows, columns and digest, by table.
        versions: data version by table.
        results: check results by table.
        ok: whether the rows were published.
    """

    content: Mapping[str, Content]
    versions: Mapping[str, str]
    results: Mapping[str, Sequence[Result]]
    ok: bool


def publish(
    table: Table,
    reader: Reader,
    rows: Rows,
    evaluate: Callable[[str, pd.DataFrame, Mapping[str, float]], Sequence[Result]],
    columns: Callable[[str, Sequence[str]], Sequence[str]],
    made_from: Callable[[], Mapping[str, str]],
    run_id: str,
    waiting: Sequence[Compared] = (),
) -> Published[Result]:
    """Stage the rows, evaluate their expectations, and replace the published rows if no critical one fails.

    Args:
        table: what is made.
        reader: the warehouse as the table may read it.
        rows: what its function returned.
        evaluate: gives the check results of a table from its name, its rows and the summary of its making.
        columns: gives those that ``evaluate`` reads, of all columns of a table.
        made_from: gives what the rows were made from; asked after the last value of the study was read.
        run_id: of the Dagster run.
        waiting: items outside their expected range that nobody accepted; recorded where they block.
    """
    partition = reader.partition
    content: dict[str, Content] = {}
    results: dict[str, Sequence[Result]] = {}
    with reader.session() as connection:
        for name, source in rows.tables(table.name).items():
            content[name] = _stage(connection, reader, name, source, rows)
            results[name] = evaluate(name, _read(connection, name, columns), {**rows.summary, **rows.outside})
        ok = all(result.passed for found in results.values() for result in found if result.blocks)
        parts = made_from()
        # The report shows what the checks found, so a change of it is a change of content.
        versions = {
            name: fingerprint({"rows": each.digest, "results": repr([r.as_row() for r in results[name]])})
            for name, each in content.items()
        }
        with transaction(connection):
            if rows.problems is not None:
                replace_quarantine(connection, table.name, partition, rows.problems)
            for name, found in results.items():
                replace_check_results(connection, name, partition, [each.as_row() for each in found], ok)
            if ok:
                for name in content:
                    replace_partition(connection, name, partition, staged(name))
                if rows.on_publish:
                    rows.on_publish()
                files = describe_files(reader.warehouse.home.root, rows.lake_files)
                for name, each in content.items():
                    mine = files if name == table.name else {}
                    made = (name, partition.label, versions[name], parts, mine, run_id, time.time(), each.rows)
                    write_record(connection, Materialization(*made))
                if rows.profile is not None:
                    write_profile(connection, table.name, partition.label, rows.profile)
            else:
                write_waiting(connection, table.name, partition.label, waiting)
                write_refused(connection, table.name, partition.label, parts)
    return Published(content, versions, results, ok)


def waiting_items(table: Table, key: str, rows: Rows, data: Mapping[str, str], records: Records) -> list[Compared]:
    """The items of a new delivery that are outside their expected range and that nobody accepted.

    Args:
        table: what is made, and ``key`` its wave or batch.
        key: see ``table``.
        rows: what its function returned.
        data: what they were made from.
        records: of what is published.
    """
    last = records.published(table.name).get(key)
    if table.partition is None or not is_newly_delivered(data, last.made_from if last else {}):
        return []
    return not_accepted(rows.compared, accepted_items(records.home.root, table.partition, key))


def staged(table: str) -> str:
    """The name of the temporary table that holds a table's new rows."""
    return f"staged_{table}"


def _read(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Callable[[str, Sequence[str]], Sequence[str]]
) -> pd.DataFrame:
    """The new rows of a table, of its columns those that are read."""
    every = [str(row[0]) for row in connection.execute(f'describe "{staged(name)}"').fetchall()]
    listed = ", ".join(f'"{column}"' for column in columns(name, every))
    return connection.execute(f'select {listed} from "{staged(name)}"').df()


def _stage(
    connection: duckdb.DuckDBPyConnection, reader: Reader, name: str, source: str | pd.DataFrame, rows: Rows
) -> Content:
    if isinstance(source, str):
        reader.prepare(source, connection, rows.shards)
    return stage(connection, source, staged(name))
