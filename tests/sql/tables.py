"""Small tables drawn as text, and the answer of a SELECT to them.

A table is a line of column names and a line per row, cells between bars; ``-`` is a missing value::

    person | age | sex
    P1     | 50  | female
    P2     | -   | male

``answer`` puts such tables into an empty database, sets the variables the SELECT reads and returns its rows as text;
``drawn`` reads the expected answer in the same way, so that the two can be compared with ``==``. The order of rows
does not count. Columns that a given table does not draw are there, and missing.

The table ``epochs`` is written to a lake and read through its views, as the pipeline does; a column ``shard`` spreads
its rows over several shards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.assets.graph import tables as all_tables
from stegvis.assets.table import TABLES
from stegvis.provenance.sql import variables_read
from stegvis.sql import sql_text
from stegvis.storage.lake import EpochLake, create_views
from stegvis.study.covariates import composed
from tests.study import CODEBOOK, PROTOCOL

Drawn = list[tuple[str, ...]]

WAVE, BATCH = "2021-2023", "north"
EPOCH_SECONDS = PROTOCOL.epochs.seconds
UNKNOWN_ACTIVITY = 200  # a code without a word

_TYPES = {
    "age": "double",
    "answer_date": "date",
    "baseline_date": "date",
    "answered": "boolean",
    "bmi": "double",
    "bmi_clinic": "double",
    "bmi_home": "double",
    "box_against_screen": "boolean",
    "bytes": "bigint",
    "ci_high": "double",
    "ci_low": "double",
    "date": "date",
    "day": "integer",
    "depression_score": "double",
    "epochs": "bigint",
    "events": "bigint",
    "excluded": "bigint",
    "follow_up_years": "double",
    "has_recording": "boolean",
    "in_cohort": "boolean",
    "low_back_box": "boolean",
    "n": "bigint",
    "older": "boolean",
    "p_value": "double",
    "percent": "double",
    "recorded": "boolean",
    "recorded_days": "bigint",
    "remaining": "bigint",
    "repeated_epochs": "bigint",
    "low_back_pain_as_published": "integer",
    "low_back_pain_strict": "integer",
    "severe_low_back_pain_as_published": "integer",
    "severe_low_back_pain_strict": "integer",
    "speeds_sum_to_walking": "boolean",
    "speeds_without_walking": "bigint",
    "responded_after_death": "boolean",
    "step": "integer",
    "unknown_activities": "bigint",
    "valid": "boolean",
    "vital_status_known": "boolean",
    "vital_years": "double",
    "valid_days": "bigint",
    "walking_met": "double",
    "walking_met_category": "bigint",
    "walking_minutes": "double",
    "walking_minutes_category": "bigint",
    "running_cycling_minutes_as_published": "double",
    "running_cycling_minutes_strict": "double",
    "whole_day": "boolean",
    "whole_days": "bigint",
} | dict.fromkeys(
    [
        "lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking", "running",
        "cycling", "whole_day_lying_minutes", "whole_day_sitting_minutes", "whole_day_standing_minutes",
        "whole_day_walking_minutes", "whole_day_running_minutes", "whole_day_cycling_minutes", "answers_ratio",
        "response_difference", "prevalence_difference", "screen_missing_difference", "women_difference",
        "mean_age_difference", "age_distance", "walking_distance", "follow_up_years_difference",
    ],
    "double",
)  # fmt: skip

_FULL_DAYS = [
    "whole_days", "whole_day_lying_minutes", "whole_day_sitting_minutes", "whole_day_standing_minutes",
    "whole_day_walking_minutes", "whole_day_running_minutes", "whole_day_cycling_minutes",
]  # fmt: skip
_ANSWERED = ["person", "pain_screen", "low_back_box"]
_DISEASES = ["diabetes", "cancer", "angina", "infarction", "heart_failure", "atrial_fibrillation", "stroke"]
_SECONDS = [
    "lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking", "running",
    "cycling",
]  # fmt: skip
_BOTH_MODES = [
    "low_back_pain_as_published", "low_back_pain_strict", "severe_low_back_pain_as_published",
    "severe_low_back_pain_strict",
]  # fmt: skip
_VITAL = ["state", "vital_status_known", "vital_event", "vital_years", "responded_after_death"]
_RUNNING = ["running_cycling_minutes_as_published", "running_cycling_minutes_strict"]
# The columns that a SELECT may read of each table.
_COLUMNS = {
    "baseline_questionnaire": [
        *_ANSWERED, "baseline_date", "sex", "age", "education", "income", "employment", "smoking", "depression_score",
        "bmi_clinic", "bmi_home", "work_type", "self_rated_health", "pain_last_4_weeks", *_DISEASES,
        "exercise_frequency", "recorded_days",
    ],
    "recordings": ["batch", "person", "level", "status"],
    "epochs": ["person"],
    "delivered_days": ["batch", "person", "day", *_SECONDS],
    "daily_exposures": ["batch", "person", "day", *_SECONDS, "recorded", "valid", "whole_day"],
    "walking_exposures": [
        "person", "recorded_days", "valid_days", "walking_minutes", "walking_met", *_RUNNING,
        *_FULL_DAYS,
    ],
    "followup_questionnaire": [*_ANSWERED, "wave", "answer_date", "leisure_limited"],
    "cohort": [
        "person", "baseline_date", "sex", "age", "older", "education", "income", "employment", "smoking",
        "depression", "bmi", "work_type", "self_rated_health", "pain_last_4_weeks", "other_disease",
        "exercise_frequency", "pain_screen", "low_back_pain", "box_against_screen", "has_recording",
    ],
    "outcome_questionnaire": ["wave", "person", "pain_screen", "low_back_pain", *_BOTH_MODES, "follow_up_years",
                              "answer_date"],
    "exclusions": ["wave", "person", "reason", "step"],
    "vital_status": ["person", "date", "event"],
    "eligible_people": [
        "wave", "person", "reason", "answered", *_VITAL, "sex", "age", "older", "education", "income", "employment", "smoking",
        "depression", "bmi", "work_type", "self_rated_health", "pain_last_4_weeks", "other_disease",
        "exercise_frequency", "baseline_pain_screen", "recorded_days", "valid_days", "walking_minutes", "walking_met",
        *_RUNNING, *_FULL_DAYS, "follow_up_years", "low_back_pain", *_BOTH_MODES,
    ],
}  # fmt: skip
# Text in one table, a number in another.
_TYPES_OF = {
    (table, "low_back_pain"): "integer" for table in ("outcome_questionnaire", "eligible_people", "analysis_set")
}


def answer(
    asset: str, expected: str, protocol_values: Mapping[str, Any] | None = None, /, **tables: str | pd.DataFrame
) -> Drawn:
    """The rows of ``sql/<asset>.sql``, restricted to the columns that the expected answer draws."""
    columns = _cells(expected)[0]
    with database(asset, protocol_values, **tables) as connection:
        rows = connection.execute(f"select {', '.join(columns)} from ({select_of(asset)})").fetchall()
    return sorted(tuple(_spelled(cell) for cell in row) for row in rows)


def drawn(expected: str) -> Drawn:
    """The rows of a drawn table, spelled as ``answer`` spells them."""
    return sorted(tuple(_spelled(cell) for cell in row) for row in _cells(expected)[1:])


def columns_of(asset: str) -> list[str]:
    """The columns that ``sql/<asset>.sql`` returns."""
    nobody = dict.fromkeys(_COLUMNS, "person")
    with database(asset, **nobody) as connection:
        return [row[0] for row in connection.execute(f"describe {select_of(asset)}").fetchall()]


def select_of(asset: str) -> str:
    """``sql/<asset>.sql`` with the columns that the codebook of the first study adds to it, as its asset does."""
    return composed(asset, sql_text(asset), CODEBOOK)


@contextmanager
def database(
    asset: str, protocol_values: Mapping[str, Any] | None = None, /, **tables: str | pd.DataFrame
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the tables and variables that ``sql/<asset>.sql`` reads.

    Raises:
        KeyError: a protocol value is given that this SELECT does not read.
    """
    all_tables()  # they are defined when the graph is imported
    table = TABLES.get(asset)
    names = set(variables_read(select_of(asset))) - {"wave", "batch"}
    variables = {name: PROTOCOL.value(name) for name in names}
    for name, value in (protocol_values or {}).items():
        if name not in variables:
            raise KeyError(f"sql/{asset}.sql does not read {name}")
        variables[name] = value
    if table and table.partition:
        variables[table.partition] = {"wave": WAVE, "batch": BATCH}[table.partition]
    elif "wave" in variables_read(select_of(asset)):
        variables["wave"] = WAVE
    with duckdb.connect(config={"threads": 1}) as connection, tempfile.TemporaryDirectory() as folder:
        for name, value in variables.items():
            connection.execute(f'set variable "{name}" = ?', [value])
        for name, table in tables.items():
            if name == "epochs":
                create_epochs(connection, table, Path(folder))
            else:
                create(connection, name, table)
        yield connection


def create_epochs(connection: duckdb.DuckDBPyConnection, table: str | pd.DataFrame, folder: Path) -> None:
    """The views ``bouts`` and ``epochs`` over shards that hold the given epochs."""
    given = frame_of(table) if isinstance(table, str) else table
    lake = EpochLake(folder, BATCH)
    columns: dict[str, Any] = dict.fromkeys(["activity", "speed", "confidence", "shard"]) | dict(given)
    epochs = pd.DataFrame(
        {"person": given["person"], "shard": pd.Series(columns["shard"], given.index, "string").fillna("1")}
    )
    epochs["epoch_start"] = pd.to_datetime(pd.Series(columns.get("epoch_start"), given.index)).astype("datetime64[ms]")
    for name, codes, otherwise in (("activity", ACTIVITIES, UNKNOWN_ACTIVITY), ("speed", SPEEDS, 0)):
        epochs[name] = pd.Series(columns[name], given.index).map(codes).fillna(otherwise).astype("uint8")
    epochs["confidence"] = pd.Series(columns["confidence"], given.index).fillna(255).astype("uint8")
    for name in ("wear_back", "wear_thigh"):
        if name in given:
            epochs[name] = given[name].map({"true": True, "false": False}).astype("boolean")
    in_order = epochs.sort_values(["person", "epoch_start"], kind="stable")
    shards = [
        lake.write(str(name), shard.drop(columns="shard").reset_index(drop=True), EPOCH_SECONDS)
        for name, shard in in_order.groupby("shard")
    ]
    create_views(connection, shards, EPOCH_SECONDS)


def create(connection: duckdb.DuckDBPyConnection, name: str, table: str | pd.DataFrame) -> None:
    """A table from a drawing or a frame; the columns that it leaves out are missing."""
    given = frame_of(table) if isinstance(table, str) else table
    columns = [*_COLUMNS.get(name, []), *[c for c in given if c not in _COLUMNS.get(name, [])]]
    types = {column: _TYPES_OF.get((name, column)) or _TYPES.get(column, "varchar") for column in columns}
    cells = {column: f'"{column}"' if column in given else "null" for column in columns}
    typed = ", ".join(f'{cells[column]}::{types[column]} as "{column}"' for column in columns)
    connection.register("given", given)
    connection.execute(f'create or replace table "{name}" as select {typed} from given')
    connection.unregister("given")


def frame_of(table: str) -> pd.DataFrame:
    """A drawn table as text cells, None where missing."""
    header, *rows = _cells(table)
    cells = [[None if cell == "-" else cell for cell in row] for row in rows]
    return pd.DataFrame(cells, columns=list(header), dtype="string")


def _cells(table: str) -> list[tuple[str, ...]]:
    lines = [tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines()]
    if any(len(line) != len(lines[0]) for line in lines):
        raise ValueError("a row of the drawing has another number of cells than its header")
    return lines


def _spelled(cell: Any) -> str:
    """One spelling of a cell, whether it comes from a drawing or from the database."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return str(cell).lower()
    try:
        return f"{float(cell):.9g}"
    except (TypeError, ValueError):
        return str(cell)
