"""How the cells of an epochs file are spelled, and what each spelling means by the rules of every other layout.

People, activities and speeds have few spellings: each distinct one is read once, by ``stegvis.deliveries.cells``, and
joined back. Times have as many spellings as values, so their rule (``stegvis.deliveries.times``) is written in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.deliveries.cells import read_cells
from stegvis.deliveries.contract import FIRST_ROW
from stegvis.deliveries.identifiers import INVISIBLE, Stored, as_delivered
from stegvis.deliveries.times import NO_TIME, TIMESTAMP_TEXT, ZONED, ZONED_TEXT, limits, out_of_bounds
from stegvis.storage.arrow_columns import NO_CELL, is_bytes, is_plain, to_series
from stegvis.study.codebook import Column, Layout

BLANK = "the cell must not be blank"
TWICE = "the person has this epoch already; the first is kept"


@dataclass
class Problems:
    """The numbered problems that a row of the file can have: rule, canonical column and message."""

    listed: list[tuple[str, str, str]] = field(default_factory=list)

    def number(self, rule: str, column: str, message: str) -> int:
        """The number of a problem; the same problem has the same one."""
        problem = (rule, column, message)
        if problem not in self.listed:
            self.listed.append(problem)
        return self.listed.index(problem)


def create_views(
    connection: duckdb.DuckDBPyConnection,
    layout: Layout,
    source: str,
    cells: Mapping[str, tuple[str, pa.DataType]],
    stored: Stored = as_delivered,
) -> Problems:
    """Create what ``sql/delivered_epochs.sql`` reads.

    The view ``delivered`` has file_row, person, activity and speed as delivered, epoch_start as a timestamp, and the
    number of its problem. The table ``people`` has person and problem by delivered; ``spellings`` activity, speed
    and problem by delivered_activity and delivered_speed.

    Args:
        connection: where to create them.
        layout: the codebook's ``epochs``.
        source: SQL for the table of the file's rows, with ``file_row_number``.
        cells: of each delivered canonical column its quoted name in the file and its type.
        stored: from an identifier in canonical form to what stands in its place.
    """
    problems = Problems()
    kinds = {name: value_kind(kind) for name, (_, kind) in cells.items()}
    columns = {
        name: _spelled(cells[name][0], kinds[name]) if name in cells else "null::varchar"
        for name in ("person", "activity", "speed")
    }
    listed = ", ".join(f'{cell} as "{name}"' for name, cell in columns.items())
    time = _time(cells["epoch_start"][0], kinds["epoch_start"], layout.columns["epoch_start"], problems)
    connection.execute("set variable invisible = ?", [INVISIBLE])
    connection.execute(
        "create temp view delivered as "
        f"select file_row_number + {FIRST_ROW} as file_row, {listed}, {time} from {source}"
    )
    _create_people(connection, layout.columns["person"], kinds["person"], problems, stored)
    _create_spellings(connection, layout, kinds, problems)
    return problems


def value_kind(kind: pa.DataType) -> pa.DataType:
    """The kind of cells, which may be a dictionary's."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _readable(kind: pa.DataType) -> bool:
    return is_plain(kind) or is_bytes(kind) or pa.types.is_string_view(kind)


def _spelled(cell: str, kind: pa.DataType) -> str:
    """SQL for a cell as delivered; of a kind that no column may have, only whether it is filled."""
    return cell if _readable(kind) else f"({cell} is not null)"


def _time(cell: str, kind: pa.DataType, column: Column, problems: Problems) -> str:
    """SQL for ``epoch_start`` and ``start_problem``, by the rules of ``stegvis.deliveries.times``."""
    low, high = limits(column.bounds)
    blank = problems.number("blank", "epoch_start", BLANK)
    wrong = problems.number("wrong_type", "epoch_start", NO_TIME)
    zoned = problems.number("wrong_type", "epoch_start", ZONED)
    outside = problems.number("out_of_range", "epoch_start", out_of_bounds(column.bounds))
    filled, refused = f"{cell} is not null", f"{wrong}"
    if pa.types.is_floating(kind):
        filled = f"not isnan({cell})"  # null if the cell is
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or is_bytes(kind):
        read = f"try(decode({cell}))" if is_bytes(kind) else cell
        text = (
            f"if(regexp_full_match({read}, '{TIMESTAMP_TEXT}'), {read}, "
            f"nullif(trim({read}, getvariable('invisible')), ''))"
        )
        moment = f"if(regexp_full_match({text}, '{TIMESTAMP_TEXT}'), try_cast({text} as timestamp), null)"
        filled = f"({text} is not null or ({cell} is not null and {read} is null))"
        refused = f"if(regexp_full_match({text}, '{ZONED_TEXT.pattern}'), {zoned}, {wrong})"
    elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        moment, refused = f"try_cast({cell} as timestamp)", f"{outside}"
    else:
        moment = "null::timestamp"
        refused = f"{zoned}" if pa.types.is_timestamp(kind) else refused
    return f"""
        {moment} as epoch_start,
        case
            when not coalesce({filled}, false) then {blank}
            when {moment} is null then {refused}
            when {moment} < '{low}'::timestamp or {moment} >= '{high}'::timestamp then {outside}
        end::usmallint as start_problem
    """


def read_spellings(
    delivered: pa.ChunkedArray, kind: pa.DataType, column: Column, name: str, problems: Problems
) -> tuple[pd.Series, pd.Series]:
    """What each distinct cell of a column means, and the number of its problem, missing if there is none.

    Args:
        delivered: distinct cells.
        kind: of the cells in the file.
        column: the codebook's.
        name: the column's canonical name.
        problems: where new ones get their numbers.
    """
    raw = to_series(delivered)
    if not _readable(kind):
        raw = pd.Series([NO_CELL if filled else None for filled in raw], dtype=object)
    elif pa.types.is_float16(kind):
        raw = raw.astype("float16")
    cells = read_cells(raw, column)
    found: npt.NDArray[np.float64] = np.full(len(raw), np.nan)
    for breach in cells.breaches:
        found[breach.cells & np.isnan(found)] = problems.number(breach.rule, name, breach.message)
    return cells.values, pd.Series(found).astype("UInt16")


def _create_people(
    connection: duckdb.DuckDBPyConnection, column: Column, kind: pa.DataType, problems: Problems, stored: Stored
) -> None:
    connection.execute(
        "create temp table delivered_people as "
        "select row_number() over () as place, delivered from (select distinct person as delivered from delivered)"
    )
    rows = connection.sql("select delivered from delivered_people order by place").to_arrow_table()
    person, problem = read_spellings(rows.column(0), kind, column, "person", problems)
    kept = person.map(stored, na_action="ignore") if stored is not as_delivered else person
    meanings = _arrow({"person": kept.astype(person.dtype), "problem": problem})
    _join(connection, "people", "delivered_people", meanings)


def _create_spellings(
    connection: duckdb.DuckDBPyConnection, layout: Layout, kinds: Mapping[str, pa.DataType], problems: Problems
) -> None:
    connection.execute(
        """
        create temp table delivered_spellings as
        select row_number() over () as place, delivered_activity, delivered_speed
        from (select distinct activity as delivered_activity, speed as delivered_speed from delivered)
        """
    )
    rows = connection.sql(
        "select delivered_activity, delivered_speed from delivered_spellings order by place"
    ).to_arrow_table()
    text = pa.string()
    activity, first = read_spellings(
        rows.column(0), kinds["activity"], layout.columns["activity"], "activity", problems
    )
    speed, second = read_spellings(rows.column(1), kinds.get("speed", text), layout.columns["speed"], "speed", problems)
    pace = speed.map(SPEEDS).fillna(0).where(activity == "walking", 0)  # only walking has a speed
    meanings = _arrow(
        {
            "activity": activity.map(ACTIVITIES).astype("UInt8"),
            "speed": pace.astype("UInt8"),
            "problem": first.fillna(second),
        }
    )
    _join(connection, "spellings", "delivered_spellings", meanings)


def _arrow(columns: dict[str, pd.Series]) -> pa.Table:
    return pa.table({name: pa.array(column, from_pandas=True) for name, column in columns.items()})


def _join(connection: duckdb.DuckDBPyConnection, table: str, spelled: str, meanings: pa.Table) -> None:
    places = pa.array(np.arange(1, meanings.num_rows + 1))
    connection.register("meanings", meanings.append_column("place", places))
    connection.execute(
        f"create temp table {table} as select * exclude (place) from {spelled} join meanings using (place)"
    )
    connection.unregister("meanings")
