"""Delivered epochs: one Parquet file of many people, streamed by DuckDB because it may hold more rows than memory.

This is the whole contract of an epochs file; the rules, their names and the matching of columns are those of
``stegvis/deliveries/contract.py``. ``stegvis validate`` and the refresh both read it here, through
``stegvis/storage/delivered_files.py``.

A week of a thousand people is 121 million rows, so the file is read twice and never held: once for the distinct
spellings of activity and speed, which are few, and once for its runs. A run is a set of rows of one person whose
epochs follow each other by one epoch a row: they share ``epoch_start - row * epoch``. Two rows of a run never have
the same epoch, so a person whose runs do not overlap in time has no duplicate epoch; only the other people's rows are
compared one by one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.deliveries.contract import FIRST_ROW, match_columns
from stegvis.deliveries.problems import DTYPES
from stegvis.storage.disk import refusal
from stegvis.storage.lake import EpochLake
from stegvis.storage.reading import UnreadableFile, must_have_content, names_must_differ
from stegvis.study.codebook import Column, Layout, normal_code

MESSAGES = {
    "blank": "the person is blank, or neither text nor a whole number",
    "wrong_type": "the start of the epoch must be a time written YYYY-MM-DD HH:MM:SS, without a time zone",
    "unknown_code": "the code is not one of the codebook's",
    "duplicate": "the person has this epoch already; the first is kept",
}

# Whitespace around a cell that is not a space; removing it costs much more, so cells are first searched for it.
_RARE_BLANKS = ("\t", "\n", "\r", "\u00a0")
# Spelled like this, 01, 1.0 and +1 are the code 1 (``stegvis.study.codebook.normal_code``).
_CODE = r"^\+?(-?)0*([0-9]+)(\.0*)?$"
# Text that is a time; a time zone is not part of it (``stegvis.deliveries.cells``).
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"


def _trimmed(cell: str) -> str:
    """SQL for a cell of text without whitespace around it, null if nothing is left."""
    rare = " or ".join(f"contains({cell}, '{blank}')" for blank in _RARE_BLANKS)
    return f"nullif(if({rare}, trim({cell}, ' {''.join(_RARE_BLANKS)}'), trim({cell})), '')"


# Every pair of activity and speed in the file, as codes of the lake.
_SPELLINGS = f"""
create temp table spellings as
select
    d.activity as delivered_activity,
    d.speed as delivered_speed,
    a.number as activity,
    if(a.number = getvariable('walking'), coalesce(s.number, 0), 0)::utinyint as speed,
    case
        when a.number is null then 'activity'
        when s.number is null and d.speed_code is not null then 'speed'
    end as rule_column
from (
    select
        activity,
        speed,
        regexp_replace({_trimmed("activity")}, '{_CODE}', '\\1\\2') as activity_code,
        regexp_replace({_trimmed("speed")}, '{_CODE}', '\\1\\2') as speed_code
    from (select distinct activity, speed from delivered)
) as d
left join activity_codes as a on a.code = d.activity_code
left join speed_codes as s on s.code = d.speed_code
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
from checked
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
from checked
where rule is null and person in (select person from overlapping)
qualify row_number() over (partition by person, epoch_start order by file_row) > 1
"""

_EVALUATED = """
create temp view evaluated as
select
    file_row, person, epoch_start, activity, speed, confidence,
    if(rule is null and {repeated}, 'duplicate', rule) as rule,
    if(rule is null and {repeated}, 'epoch_start', rule_column) as rule_column
from checked
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
        connection: with the view ``evaluated`` (the file's epochs to the lake's schema, with the rule each breaks) and
            the tables ``runs`` and ``repeated``.
        sources: the delivered name of each canonical column.
        notes: what is worth knowing and needs no correction.
    """

    connection: duckdb.DuckDBPyConnection
    sources: dict[str, str]
    notes: tuple[str, ...]


@contextmanager
def delivered_epochs(file: Path, layout: Layout, select: str, epoch_seconds: int) -> Iterator[DeliveredEpochs]:
    """Open an epochs file.

    Of rows with the same person and epoch the first that breaks no other rule is kept. The rows stay in the file:
    every query of the view streams it.

    Args:
        file: a Parquet file.
        layout: the codebook's ``epochs``.
        select: the text of ``sql/delivered_epochs.sql``.
        epoch_seconds: the length of an epoch.

    Raises:
        UnreadableFile: not Parquet, or truncated.
        RefusedFile: a required column is missing, a column occurs twice, or there are no rows.
    """
    names, rows = _names_and_rows(file)
    sources, refused, notes = match_columns(names, rows, layout.columns, file.name)
    if refused is not None:
        raise RefusedFile(file.name, refused, rows)
    with tempfile.TemporaryDirectory(prefix="stegvis-") as spill:
        # Rows far out of order make many runs; those may go to disk.
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "temp_directory": spill})
        try:
            _codes(connection, "activity", layout.columns["activity"], ACTIVITIES)
            _codes(connection, "speed", layout.columns["speed"], SPEEDS)
            connection.execute("set variable walking = ?", [ACTIVITIES["walking"]])
            connection.execute("set variable epoch_milliseconds = ?", [1000 * epoch_seconds])
            try:
                _create_delivered(connection, file, layout, names, sources)
                connection.execute(_SPELLINGS)
                connection.execute(f"create temp view checked as {select}")
                connection.execute(_RUNS)
            except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException) as error:
                if refusal(error) is not None:  # the disk's fault, not the file's
                    raise
                raise _not_whole(file) from None
            connection.execute(_REPEATED)
            any_repeated = _value(connection, "select count(*) > 0 from repeated")
            repeated = "file_row in (select file_row from repeated)" if any_repeated else "false"
            connection.execute(_EVALUATED.format(repeated=repeated))
            yield DeliveredEpochs(connection, sources, notes)
        finally:
            connection.close()


def rows_of(epochs: DeliveredEpochs) -> int:
    """Rows of the file."""
    return int(_value(epochs.connection, "select coalesce(sum(epochs), 0) from runs"))


def problems_of(epochs: DeliveredEpochs, label: str) -> pd.DataFrame:
    """The rows in quarantine, each with the first rule it breaks: file, row, column (as delivered), rule, message."""
    clean = _value(epochs.connection, "select count(*) = 0 from repeated") and not _value(
        epochs.connection, "select count(*) from runs where rule is not null"
    )
    broken = epochs.connection.execute(
        'select file_row as "row", rule_column as "column", rule from evaluated where rule is not null '
        f"order by file_row {'limit 0' if clean else ''}"
    ).df()
    broken.insert(0, "file", label)
    broken["column"] = broken["column"].map(epochs.sources)
    broken["message"] = broken["rule"].map(MESSAGES)
    return broken.astype(DTYPES)


def people_of(epochs: DeliveredEpochs) -> pd.DataFrame:
    """One row per person with a good epoch: person, start (the first epoch), hours (of all good epochs)."""
    return epochs.connection.execute(
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


def write_shard(epochs: DeliveredEpochs, lake: EpochLake, name: str, people: Sequence[str]) -> Path:
    """Write a shard of these people's good epochs, sorted by person and time."""
    connection = epochs.connection
    connection.execute("set variable people = ?", [list(people)])
    query = "select person, epoch_start, activity, speed, confidence from evaluated where rule is null"
    # A file is streamed as it is, unless somebody in it is not wanted or its rows are out of order.
    others = "select count(*) from runs where rule is null and not list_contains(getvariable('people'), person)"
    if _value(connection, others):
        query += " and person in (select unnest(getvariable('people')))"
    if not _value(connection, _IN_ORDER):
        query += " order by person, epoch_start"
    return lake.write_select(name, connection, query)


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    ((value,),) = connection.execute(query).fetchall()
    return value


def _not_whole(file: Path) -> UnreadableFile:
    return UnreadableFile(file.name, "not a whole Parquet file; it may be cut off, damaged or of another format")


def _names_and_rows(file: Path) -> tuple[list[str], int]:
    """The names of the columns, as often as they occur, and the number of rows."""
    must_have_content(file)
    try:
        with pq.ParquetFile(file) as opened:
            names, rows = list(opened.schema_arrow.names), int(opened.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        if refusal(error) is not None:
            raise
        raise _not_whole(file) from None
    names_must_differ(file, names)
    return names, rows


def _create_delivered(
    connection: duckdb.DuckDBPyConnection, file: Path, layout: Layout, names: list[str], sources: dict[str, str]
) -> None:
    """The view ``delivered``: file_row, person, activity and speed as text, epoch_start as a timestamp or null."""
    # Text that an old writer marked as bytes is text.
    path = str(file).replace("'", "''")
    source = f"read_parquet('{path}', file_row_number = true, binary_as_string = true)"
    described = connection.execute(f"describe select * exclude (file_row_number) from {source}").fetchall()
    # By position: DuckDB ignores the case of names, and renames the second of two that differ by it only.
    known = {name: (row[0], row[1]) for name, row in zip(names, described, strict=True)}
    cells = []
    for name, column in layout.columns.items():
        if name not in sources:
            cells.append(f'null::varchar as "{name}"')
            continue
        delivered, kind = known[sources[name]]
        quoted = '"' + delivered.replace('"', '""') + '"'
        read = {"timestamp": _time, "text": _identifier}.get(column.type, _code)
        cells.append(f'{read(quoted, kind)} as "{name}"')
    row = f"file_row_number + {FIRST_ROW} as file_row"
    connection.execute(f"create temp view delivered as select {row}, {', '.join(cells)} from {source}")


def _identifier(cell: str, kind: str) -> str:
    """Text, or a whole number; 1001.0 is 1001, as a table program writes it beside a blank cell."""
    if kind == "BOOLEAN":
        return f"{cell}::integer::varchar"
    if kind in ("FLOAT", "DOUBLE"):
        whole = f"{cell} = trunc({cell}) and abs({cell}) <= 9007199254740992"
        return f"if({whole}, {cell}::hugeint::varchar, null)"
    if kind == "VARCHAR" or kind.startswith("DECIMAL"):
        text = _trimmed(f"{cell}::varchar")
        return rf"if(contains({cell}::varchar, '.'), regexp_replace({text}, '^([0-9]+)\.0+$', '\1'), {text})"
    return f"{cell}::varchar" if kind.endswith(("INT", "INTEGER")) else "null::varchar"


def _code(cell: str, kind: str) -> str:
    return f"if(isnan({cell}), null, {cell}::varchar)" if kind in ("FLOAT", "DOUBLE") else f"{cell}::varchar"


def _time(cell: str, kind: str) -> str:
    """A time on the device's own clock; text with a time zone, or a typed one, is none."""
    if kind == "VARCHAR":
        text = _trimmed(cell)
        return f"if(regexp_full_match({text}, '{_TIME}'), try_cast({text} as timestamp), null)"
    plain = kind == "DATE" or (kind.startswith("TIMESTAMP") and "ZONE" not in kind)
    return f"try_cast({cell} as timestamp)" if plain else "null::timestamp"


def _codes(connection: duckdb.DuckDBPyConnection, name: str, column: Column, numbers: dict[str, int]) -> None:
    connection.execute(f"create temp table {name}_codes (code varchar, number utinyint)")
    for code, level in (column.codes or {}).items():
        connection.execute(f"insert into {name}_codes values (?, ?)", [normal_code(code), numbers[level]])
