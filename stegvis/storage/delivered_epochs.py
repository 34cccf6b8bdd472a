"""Delivered epochs: one Parquet file of many people, streamed by DuckDB because it may hold more rows than memory.

Belongs here: the epochs file's contract in SQL, and its rows in the lake's form. Does not belong here: the other
formats (``stegvis/storage/reading.py``, ``stegvis/deliveries/contract.py``, whose rules and rule names these are).

A week of a thousand people is 121 million rows, so the file is read through twice and never held: once for the
distinct spellings of activity and speed, which are few, and once for its runs. A run is the rows of one person whose
epochs follow each other by one epoch a row: they share ``epoch_start - row * epoch``. No two rows of a run can have the
same epoch, so a person whose runs do not overlap in time has no epoch twice; only for the others is each row compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.deliveries.contract import FIRST_ROW
from stegvis.storage.lake import EpochLake
from stegvis.storage.reading import UnreadableFile
from stegvis.study.codebook import Column, Layout
from stegvis.study.protocol import protocol

MESSAGES = {
    "blank": "the person is blank",
    "wrong_type": "the start of the epoch is not a timestamp such as 2018-03-01 08:00:05",
    "unknown_code": "the code is not one of the codebook's",
    "duplicate": "the person has this epoch already",
}

# Every pair of activity and speed in the file, as codes of the lake. A code delivered as 1, 01 or 1.0 is the same code.
_SPELLINGS = r"""
create temp table spellings as
select
    d.activity as delivered_activity,
    d.speed as delivered_speed,
    a.number as activity,
    if(a.number = getvariable('walking'), coalesce(s.number, 0), 0)::utinyint as speed,
    case
        when a.number is null then 'activity'
        when s.number is null and nullif(trim(d.speed), '') is not null then 'speed'
    end as rule_column
from (select distinct activity, speed from delivered) as d
left join activity_codes as a on a.code = regexp_replace(trim(d.activity), '^0*(\d+)(\.0*)?$', '\1')
left join speed_codes as s on s.code = regexp_replace(trim(d.speed), '^0*(\d+)(\.0*)?$', '\1')
"""

_RUNS = """
create temp table runs as
select
    person,
    rule,
    epoch_ms(epoch_start) - getvariable('epoch_milliseconds') * file_row as line,
    count(*) as epochs,
    min(epoch_start) as first_epoch,
    max(epoch_start) as last_epoch,
    min(file_row) as first_row,
    max(file_row) as last_row
from stated
group by person, rule, line
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
        where rule is null
    )
    where again
)

select file_row, person
from stated
where rule is null and person in (select person from overlapping)
qualify row_number() over (partition by person, epoch_start order by file_row) > 1
"""

_JUDGED = """
create temp view judged as
select
    file_row, person, epoch_start, activity, speed, confidence,
    if(rule is null and {repeated}, 'duplicate', rule) as rule,
    if(rule is null and {repeated}, 'epoch_start', rule_column) as rule_column
from stated
"""

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
    where rule is null
)
"""


@contextmanager
def delivered_epochs(file: Path, layout: Layout, select: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view ``judged``: the file's epochs in the lake's form, with the rule each breaks.

    Of rows with the same person and epoch the first that breaks no other rule is kept. The rows stay in the file:
    every query of the view streams it.

    Args:
        file: a Parquet file.
        layout: the codebook's ``epochs``.
        select: the text of ``sql/delivered_epochs.sql``.

    Raises:
        UnreadableFile: not Parquet, truncated, or a required column is missing.
    """
    with tempfile.TemporaryDirectory(prefix="stegvis-") as spill:
        # Rows far out of order make many runs; those may go to disk.
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "temp_directory": spill})
        try:
            _create_delivered(connection, file, layout)
            _codes(connection, "activity", layout.columns["activity"], ACTIVITIES)
            _codes(connection, "speed", layout.columns["speed"], SPEEDS)
            connection.execute("set variable walking = ?", [ACTIVITIES["walking"]])
            connection.execute("set variable epoch_milliseconds = ?", [1000 * protocol().epochs.seconds])
            connection.execute(_SPELLINGS)
            connection.execute(f"create temp view stated as {select}")
            connection.execute(_RUNS)
            connection.execute(_REPEATED)
            any_repeated = _value(connection, "select count(*) > 0 from repeated")
            repeated = "file_row in (select file_row from repeated)" if any_repeated else "false"
            connection.execute(_JUDGED.format(repeated=repeated))
            yield connection
        finally:
            connection.close()


def rows_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows of the file."""
    return int(_value(connection, "select coalesce(sum(epochs), 0) from runs"))


def problems_of(connection: duckdb.DuckDBPyConnection, label: str) -> pd.DataFrame:
    """The rows in quarantine: file, row, column, rule, message."""
    clean = _value(connection, "select count(*) = 0 from repeated") and not _value(
        connection, "select count(*) from runs where rule is not null"
    )
    broken = connection.execute(
        'select file_row as "row", rule_column as "column", rule from judged where rule is not null '
        f"order by file_row {'limit 0' if clean else ''}"
    ).df()
    broken.insert(0, "file", label)
    broken["message"] = broken["rule"].map(MESSAGES)
    return broken


def people_of(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row per person with a good epoch: person, start (the first epoch), hours (of all good epochs)."""
    return connection.execute(
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
        where rule is null
        group by person
        order by person
        """
    ).df()


def write_shard(connection: duckdb.DuckDBPyConnection, lake: EpochLake, name: str, people: Sequence[str]) -> Path:
    """Stage a shard of these people's good epochs, sorted by person and time."""
    connection.execute("set variable people = ?", [list(people)])
    query = "select person, epoch_start, activity, speed, confidence from judged where rule is null"
    # A file is streamed as it is, unless somebody in it is left out or its rows are out of order.
    left_out = "select count(*) from runs where rule is null and not list_contains(getvariable('people'), person)"
    if _value(connection, left_out):
        query += " and person in (select unnest(getvariable('people')))"
    if not _value(connection, _IN_ORDER):
        query += " order by person, epoch_start"
    return lake.write_select(name, connection, query)


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    ((value,),) = connection.execute(query).fetchall()
    return value


def _create_delivered(connection: duckdb.DuckDBPyConnection, file: Path, layout: Layout) -> None:
    """The view ``delivered``: file_row, person, activity and speed as text, epoch_start as a timestamp or null."""
    path = str(file).replace("'", "''")
    try:
        described = connection.execute(f"describe select * from read_parquet('{path}')").fetchall()
    except duckdb.Error as error:
        raise UnreadableFile(file.name, "this is not a whole Parquet file (truncated, or of another format)") from error
    types = {row[0]: row[1] for row in described}
    spelled = []
    for name, column in layout.columns.items():
        source = _delivered_name(column, name, list(types), file)
        if source is None:
            spelled.append(f'null::varchar as "{name}"')
        elif column.type != "timestamp":
            spelled.append(f'"{source}"::varchar as "{name}"')
        elif types[source].startswith("TIMESTAMP") and "ZONE" not in types[source]:
            spelled.append(f'try_cast("{source}" as timestamp) as "{name}"')
        else:
            spelled.append(f'try_cast("{source}"::varchar as timestamp) as "{name}"')
    connection.execute(
        f"create temp view delivered as select file_row_number + {FIRST_ROW} as file_row, {', '.join(spelled)} "
        f"from read_parquet('{path}', file_row_number = true)"
    )


def _delivered_name(column: Column, name: str, delivered: list[str], file: Path) -> str | None:
    for source in column.source:
        if source in delivered:
            return source
    if column.required:
        raise UnreadableFile(file.name, f"the column {' or '.join(column.source)} ({name}) is missing")
    return None


def _codes(connection: duckdb.DuckDBPyConnection, name: str, column: Column, numbers: dict[str, int]) -> None:
    connection.execute(f"create temp table {name}_codes (code varchar, number utinyint)")
    for code, level in (column.codes or {}).items():
        connection.execute(f"insert into {name}_codes values (?, ?)", [code, numbers[level]])
