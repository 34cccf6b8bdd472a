"""Delivered epochs, row by row: one Parquet file of many people, streamed by DuckDB since it may exceed memory.

This way knows every kind of cell and any order of rows; most files take a faster one
(``stegvis/storage/epochs_file.py``). The rules, their names and the matching of columns are those of
``stegvis/deliveries/contract.py``.

A week of a thousand people is 121 million rows, so the file is read twice and never held: once for the distinct
spellings of activity and speed, which are few, and once for its runs. A run is a set of rows of one person whose
epochs follow each other by one epoch a row: they share ``epoch_start - row * epoch``. Two rows of a run never have
the same epoch, so a person whose runs do not overlap in time has no duplicate epoch; only the other people's rows are
compared one by one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from stegvis.deliveries.contract import match_columns
from stegvis.deliveries.identifiers import Stored, as_delivered
from stegvis.deliveries.problems import DTYPES, file_problem
from stegvis.storage.bouts import bouts_of
from stegvis.storage.disk import refusal
from stegvis.storage.epoch_length import other_length
from stegvis.storage.epoch_spellings import TWICE, Problems, create_views
from stegvis.storage.kept_bouts import KeptBouts
from stegvis.storage.reading import UnreadableFile, as_unreadable, parquet_names_and_rows
from stegvis.study.codebook import Layout
from stegvis.study.literals import literal

MOST_EPOCHS = 10_000_000_000

_RUNS = """
create temp table runs as
select
    person,
    problem,
    epoch_ms(epoch_start) - getvariable('epoch_milliseconds') * file_row as line,
    count(*) as epochs,
    min(epoch_start) as first_epoch,
    max(epoch_start) as last_epoch,
    min(file_row) as first_row,
    max(file_row) as last_row
from checked
group by person, problem, line
"""

_REPEATED = """
create temp table repeated as
with overlapping as (
    select person
    from (
        select
            person,
            first_epoch <= max(last_epoch) over (
                partition by person order by first_epoch rows between unbounded preceding and 1 preceding
            ) as again
        from runs
        where problem is null
    )
    where again
)

select file_row, person
from checked
where problem is null and person in (select person from overlapping)
qualify row_number() over (partition by person, epoch_start order by file_row) > 1
"""

_EVALUATED = """
create temp view evaluated as
select
    file_row, person, epoch_start, activity, speed, confidence,
    if(problem is null and {repeated}, {duplicate}, problem) as problem
from checked
"""

# A file with fewer rows is always sorted.
_FEW_ROWS = 100_000
# Rows whose bouts are made at once.
_AT_ONCE = 500_000

# Whether the runs, in the order of their rows, are in the order of person and time.
_IN_ORDER = """
select coalesce(bool_and(
    before is null
    or (
        first_row > before.last_row
        and (person > before.person or (person = before.person and first_epoch > before.last_epoch))
    )
), true)
from (
    select
        person, first_epoch, first_row,
        lag({'person': person, 'last_epoch': last_epoch, 'last_row': last_row}) over (order by first_row) as before
    from runs
    where problem is null
)
"""


class RefusedFile(UnreadableFile):
    """A file that can be opened, and of which nothing is used.

    ``problems``: what is wrong with the whole of it (``stegvis/deliveries/problems.py``); ``rows``: how many it has.
    """

    def __init__(self, file: str, problems: pd.DataFrame, rows: int) -> None:
        super().__init__(file, "; ".join(problems["message"]))
        self.problems = problems
        self.rows = rows


@dataclass(frozen=True)
class DeliveredEpochs:
    """An epochs file while it is open.

    Attributes:
        connection: with the view ``evaluated`` (the file's epochs to the lake's schema, each with the number of its
            problem) and the tables ``runs`` and ``repeated``.
        sources: the delivered name of each canonical column.
        problems: what the numbers of the problems mean.
        epoch_seconds: length of an epoch.
    """

    connection: duckdb.DuckDBPyConnection
    sources: dict[str, str]
    problems: Problems
    epoch_seconds: int


@dataclass(frozen=True)
class EpochsContract:
    """What an epochs file is read by.

    Attributes:
        layout: the codebook's ``epochs``.
        select: the text of ``sql/delivered_epochs.sql``.
        epoch_seconds: the length of an epoch.
        stored: from an identifier in canonical form to what stands in its place.
    """

    layout: Layout
    select: str
    epoch_seconds: int
    stored: Stored = as_delivered


@dataclass(frozen=True)
class UsedColumns:
    """The columns of a file that are used: its schema, its rows, the delivered name of each canonical column, notes."""

    schema: pa.Schema
    rows: int
    sources: dict[str, str]
    notes: tuple[str, ...]


def used_columns(file: Path, layout: Layout) -> UsedColumns:
    """The columns of an epochs file, from its footer.

    Raises:
        UnreadableFile: not Parquet, or truncated.
        RefusedFile: a required column is missing, a column occurs twice, or there are no rows.
    """
    schema, rows = parquet_names_and_rows(file)
    if rows > MOST_EPOCHS:
        raise UnreadableFile(file.name, f"it has more than {MOST_EPOCHS:,} rows")
    sources, refused, notes = match_columns(list(schema.names), rows, layout.columns, file.name)
    if refused is not None:
        raise RefusedFile(file.name, refused, rows)
    return UsedColumns(schema, rows, sources, notes)


@contextmanager
def delivered_epochs(file: Path, contract: EpochsContract) -> Iterator[DeliveredEpochs]:
    """Open an epochs file.

    Of rows with the same person and epoch the first that breaks no other rule is kept. The rows stay in the file:
    every query of the view streams it.

    Raises:
        UnreadableFile: not Parquet, or truncated.
        RefusedFile: a required column is missing, a column occurs twice, there are no rows, or the epochs are of
            another length.
    """
    used, epoch_seconds = used_columns(file, contract.layout), contract.epoch_seconds
    with tempfile.TemporaryDirectory(prefix="stegvis-") as spill:
        # Rows far out of order make many runs; those may go to disk.
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "temp_directory": spill})
        try:
            connection.execute("set variable epoch_milliseconds = ?", [1000 * epoch_seconds])
            try:
                problems = _create_delivered(connection, file, contract, used)
                connection.execute(f"create temp view checked as {contract.select}")
                wrong_length = other_length(connection, epoch_seconds)
                if wrong_length is not None:
                    raise RefusedFile(file.name, file_problem(file.name, "epoch_length", wrong_length), used.rows)
                connection.execute(_RUNS)
                whole = _value(connection, "select coalesce(sum(epochs), 0) from runs") == used.rows
            except Exception as error:
                raise _reason(error, file) from None
            if not whole:
                raise _not_whole(file)
            connection.execute(_REPEATED)
            any_repeated = _value(connection, "select count(*) > 0 from repeated")
            repeated = "file_row in (select file_row from repeated)" if any_repeated else "false"
            duplicate = problems.number("duplicate", "epoch_start", TWICE)
            connection.execute(_EVALUATED.format(repeated=repeated, duplicate=duplicate))
            yield DeliveredEpochs(connection, used.sources, problems, epoch_seconds)
        finally:
            connection.close()


def problems_of(epochs: DeliveredEpochs, label: str) -> pd.DataFrame:
    """The rows in quarantine, each with the first rule it breaks: file, row, column (as delivered), rule, message."""
    clean = _value(epochs.connection, "select count(*) = 0 from repeated") and not _value(
        epochs.connection, "select count(*) from runs where problem is not null"
    )
    broken = epochs.connection.execute(
        'select file_row as "row", problem from evaluated where problem is not null '
        f"order by file_row {'limit 0' if clean else ''}"
    ).df()
    return listed(broken, epochs.problems, epochs.sources, label)


def listed(broken: pd.DataFrame, problems: Problems, sources: Mapping[str, str], label: str) -> pd.DataFrame:
    """Rows in quarantine by the numbers of their problems (row, problem): file, row, column, rule, message."""
    numbers = broken["problem"].to_numpy(dtype="int64")
    meanings = pd.DataFrame(problems.listed, columns=["rule", "column", "message"]).iloc[numbers]
    found = broken[["row"]].assign(file=label, **{name: meanings[name].to_numpy() for name in meanings.columns})
    found["column"] = found["column"].map(sources)
    return found[list(DTYPES)].astype(DTYPES)


def people_of(epochs: DeliveredEpochs) -> pd.DataFrame:
    """One row per person with a good epoch: person, start (the first epoch), hours (of all good epochs)."""
    return (
        epochs.connection.execute(
            """
        with again as (
            select person, count(*) as epochs
            from repeated
            group by person
        )

        select
            person,
            min(first_epoch)::timestamp as start,
            (sum(runs.epochs) - coalesce(any_value(again.epochs), 0)) * getvariable('epoch_milliseconds')
                / 3600000.0 as hours
        from runs
        left join again using (person)
        where problem is null
        group by person
        order by person
        """
        )
        .df()
        .astype({"person": "str"})
    )


def keep_bouts(epochs: DeliveredEpochs, kept: KeptBouts) -> None:
    """Keep the bouts of the good epochs.

    The result is streamed: it may be larger than memory. Its order is only nearly that of the query, as several threads
    may stream it, so neighbours that belong together are joined when the bouts are read again.
    """
    connection = epochs.connection
    query = "select person, epoch_start, activity, speed, confidence from evaluated where problem is null"
    # The joins keep the order of the larger side, which a file of few rows need not be.
    few = _value(connection, "select coalesce(sum(epochs), 0) from runs") < _FEW_ROWS
    if few or not _value(connection, _IN_ORDER):
        query += " order by person, epoch_start"
    connection.execute("set preserve_insertion_order = true")
    batches = connection.sql(query).to_arrow_reader(_AT_ONCE)
    for table in bouts_of((pa.Table.from_batches([batch]) for batch in batches), epochs.epoch_seconds):
        kept.add_table(table)


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    ((value,),) = connection.execute(query).fetchall()
    return value


def _not_whole(file: Path) -> UnreadableFile:
    return UnreadableFile(file.name, "not a whole Parquet file; it may be cut off, damaged or of another format")


def _reason(error: Exception, file: Path) -> Exception:
    """The error to raise for one of DuckDB: of the file, unless the machine's disk is full."""
    if not isinstance(error, duckdb.Error):
        return as_unreadable(error, file)
    said = refusal(error)
    if said is not None and "permission" not in said:  # the disk's fault, not the file's
        return error
    if isinstance(error, duckdb.OutOfMemoryException):
        return UnreadableFile(file.name, "it needs more memory than there is")
    return _not_whole(file)


def _create_delivered(
    connection: duckdb.DuckDBPyConnection, file: Path, contract: EpochsContract, used: UsedColumns
) -> Problems:
    """What ``sql/delivered_epochs.sql`` reads (``stegvis/storage/epoch_spellings.py``)."""
    source = f"read_parquet({literal(str(file))}, file_row_number = true)"
    described = connection.execute(f"describe select * exclude (file_row_number) from {source}").fetchall()
    # By position: DuckDB ignores the case of names, and renames the second of two that differ by it only.
    known = {name: str(row[0]).replace('"', '""') for name, row in zip(used.schema.names, described, strict=True)}
    cells = {name: (f'"{known[found]}"', used.schema.field(found).type) for name, found in used.sources.items()}
    return create_views(connection, contract.layout, source, cells, contract.stored)
