"""The warehouse: a partition is replaced whole or not at all, and a table's digest depends on its content alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stegvis.statistics.members import unpacked
from stegvis.statistics.results import ResultRow, members_of
from stegvis.storage.home import Home
from stegvis.storage.warehouse import (
    WHOLE,
    Content,
    Partition,
    Warehouse,
    describe,
    replace_check_results,
    replace_partition,
    replace_quarantine,
    stage,
    table_exists,
    transaction,
)
from tests.sizes import examples

NORTH, SOUTH = Partition("batch", "north"), Partition("batch", "south")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, tmp_path / "landing")


@pytest.fixture
def warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with Warehouse(home).session("test") as connection:
        yield connection


def publish(connection: duckdb.DuckDBPyConnection, partition: Partition, select: str) -> Content:
    content = stage(connection, select)
    with transaction(connection):
        replace_partition(connection, "days", partition)
    return content


def days(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute("select * from days order by all").fetchall()


# ---- replacing ----


def test_the_first_publication_makes_the_table(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert not table_exists(warehouse, "days")
    publish(warehouse, NORTH, "select 'north' as batch, 1 as day")
    assert table_exists(warehouse, "days")
    assert days(warehouse) == [("north", 1)]


def test_asking_for_a_table_does_no_harm_to_a_transaction(warehouse: duckdb.DuckDBPyConnection) -> None:
    with transaction(warehouse):
        warehouse.execute("create table days as select 1 as day")
        assert not table_exists(warehouse, "nights")
        assert table_exists(warehouse, "days")
        stage(warehouse, "select 1 as night", "staged_nights")
        assert table_exists(warehouse, "staged_nights")
    assert days(warehouse) == [(1,)]


def test_a_partition_is_replaced_and_the_others_are_left_alone(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, unnest([1, 2]) as day")
    publish(warehouse, SOUTH, "select 'south' as batch, unnest([1, 2]) as day")
    publish(warehouse, NORTH, "select 'north' as batch, 3 as day")
    assert days(warehouse) == [("north", 3), ("south", 1), ("south", 2)]


def test_a_partition_that_became_empty_is_gone(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, 1 as day")
    publish(warehouse, SOUTH, "select 'south' as batch, 1 as day")
    publish(warehouse, NORTH, "select 'north' as batch, 1 as day where false")
    assert days(warehouse) == [("south", 1)]


def test_without_partitions_the_whole_table_is_replaced(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, WHOLE, "select unnest([1, 2]) as day")
    publish(warehouse, WHOLE, "select 'Monday' as name")
    assert days(warehouse) == [("Monday",)]


def test_the_order_of_the_columns_does_not_matter(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, 'a' as first, 'b' as second")
    publish(warehouse, SOUTH, "select 'b' as second, 'a' as first, 'south' as batch")
    found = warehouse.execute("select batch, first, second from days order by batch").fetchall()
    assert found == [("north", "a", "b"), ("south", "a", "b")]


def test_new_columns_are_missing_in_the_other_partitions_and_dropped_ones_are_gone(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, 1 as day, 'old' as gone")
    publish(warehouse, SOUTH, "select 'south' as batch, 2 as day, 'new' as come")
    found = warehouse.execute("select batch, day, come from days order by batch").fetchall()
    assert found == [("north", 1, None), ("south", 2, "new")]
    assert list(describe(warehouse, "days").columns) == ["batch", "day", "come"]


def test_a_column_may_change_its_type(warehouse: duckdb.DuckDBPyConnection) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, 1::integer as day")
    publish(warehouse, SOUTH, "select 'south' as batch, 2.5::double as day")
    assert days(warehouse) == [("north", 1.0), ("south", 2.5)]


@pytest.mark.parametrize("columns", ["3 as day", "3 as day, 'new' as come"], ids=["same columns", "new columns"])
def test_an_error_before_the_commit_leaves_the_old_rows(warehouse: duckdb.DuckDBPyConnection, columns: str) -> None:
    publish(warehouse, NORTH, "select 'north' as batch, 1 as day")
    publish(warehouse, SOUTH, "select 'south' as batch, 2 as day")
    stage(warehouse, f"select 'north' as batch, {columns}")

    def fail_after_replacing() -> None:
        with transaction(warehouse):
            replace_partition(warehouse, "days", NORTH)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        fail_after_replacing()
    assert days(warehouse) == [("north", 1), ("south", 2)]


def test_what_is_published_is_there_in_the_next_session_and_what_is_staged_is_not(home: Home) -> None:
    with Warehouse(home).session("first") as connection:
        publish(connection, WHOLE, "select 1 as day")
        stage(connection, "select 2 as day", "another")
    with Warehouse(home).session("second") as connection:
        assert days(connection) == [(1,)]
        assert not table_exists(connection, "another")


def test_a_session_sets_the_variables_that_sql_reads(home: Home) -> None:
    values = {"wave": "2021-2023", "exposures.met_slow": 2.8, "exclusions.order": ["a", "b"]}
    with Warehouse(home).session("test", values) as connection:
        read = "select getvariable('wave'), getvariable('exposures.met_slow'), getvariable('exclusions.order')"
        assert connection.execute(read).fetchall() == [tuple(values.values())]


# ---- what a staged table holds ----


def test_a_column_of_nothing_is_text_like_that_of_the_other_partitions(warehouse: duckdb.DuckDBPyConnection) -> None:
    frame = pd.DataFrame({"batch": ["north"], "reason": pd.Series([None], dtype=object)})
    assert stage(warehouse, frame).columns == {"batch": "VARCHAR", "reason": "VARCHAR"}


def digest(connection: duckdb.DuckDBPyConnection, select: str) -> str:
    return stage(connection, select, "digested").digest


BASE = "select * from (values ('P1', 1.5, null), ('P2', 2.5, true)) as t(person, hours, worn)"


def test_the_people_behind_nothing_leave_those_behind_the_counts_of_other_waves_as_they_are(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """A wave without a row that counts somebody: the bits of the other waves stay bytes."""
    for wave in ("2021-2023", "2024-2026"):
        row = ResultRow(wave, "main", "all", "age", "walking_met", "walking_met_category")
        people = pd.DataFrame({"person": ["a", "b"], "pain": [0.0, 1.0]})
        counted = [row.counting(people, "pain")] if wave == "2021-2023" else [row]
        stage(warehouse, members_of(counted))
        replace_partition(warehouse, "time_use_models_people", Partition("wave", wave))
    numbers = warehouse.execute("select numbers from time_use_models_people").df()["numbers"]
    assert unpacked(numbers, 1).tolist() == [[True, True], [False, True]]


def test_the_digest_does_not_depend_on_the_order_of_the_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    up, down = (digest(warehouse, f"{BASE} order by person {order}") for order in ("asc", "desc"))
    assert up == down


@pytest.mark.parametrize(
    "changed",
    [
        BASE.replace("'P2'", "'P3'"),
        BASE.replace("1.5", "1.6"),
        BASE.replace("null", "false"),
        BASE.replace("null", "true").replace("true)) as", "null)) as"),
        BASE.replace("hours, worn", "days, worn"),
        f"select person, hours::double as hours, worn from ({BASE})",
        f"select hours, person, worn from ({BASE})",
        f"select person, hours from ({BASE})",
        f"{BASE} where person = 'P1'",
        f"{BASE} where false",
        f"{BASE} union all {BASE}",
        f"{BASE} union all select 'P1', 1.5, null",
    ],
    ids=[
        "text", "number", "missing filled", "cells swapped between rows", "column name", "column type", "column order",
        "column gone", "row gone", "no rows", "rows twice", "one row twice",
    ],
)  # fmt: skip
def test_the_digest_changes_with_anything_else(warehouse: duckdb.DuckDBPyConnection, changed: str) -> None:
    assert digest(warehouse, changed) != digest(warehouse, BASE)


def test_a_column_with_any_name_is_not_mistaken_for_its_row(warehouse: duckdb.DuckDBPyConnection) -> None:
    for name in ("t", "row", "rows", "digested", "staged"):
        one, other = (digest(warehouse, f"select 1 as \"{name}\", '{cell}' as more") for cell in "ab")
        assert one != other


TYPES = {"text": "string", "number": "Int64"}
CELLS = st.tuples(st.text(max_size=3), st.one_of(st.none(), st.integers(-9, 9)))


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=6), st.lists(CELLS, min_size=1, max_size=6), st.randoms())
def test_two_tables_have_one_digest_exactly_if_they_hold_the_same_rows(
    one: list[tuple], other: list[tuple], random: Random
) -> None:
    def key(row: tuple) -> tuple:
        return (row[0], row[1] is not None, row[1] or 0)

    with duckdb.connect(config={"threads": 1}) as connection:
        digests = [
            stage(connection, pd.DataFrame(rows, columns=["text", "number"]).astype(TYPES)).digest
            for rows in (one, random.sample(one, len(one)), other)
        ]
    assert digests[0] == digests[1]
    assert (digests[0] == digests[2]) == (sorted(one, key=key) == sorted(other, key=key))


# ---- quarantine and check results ----


def problems(*rules: str) -> pd.DataFrame:
    rows = [{"file": "a/days.csv", "row": 2, "column": "LyTmD1", "rule": rule, "message": "says why"} for rule in rules]
    return pd.DataFrame(rows, columns=["file", "row", "column", "rule", "message"])


def quarantined(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute("select asset, partition, rule from quarantine order by all").fetchall()


def test_the_quarantine_of_a_partition_is_replaced_and_emptied(warehouse: duckdb.DuckDBPyConnection) -> None:
    replace_quarantine(warehouse, "recordings", NORTH, problems("blank", "duplicate"))
    replace_quarantine(warehouse, "recordings", SOUTH, problems("blank"))
    replace_quarantine(warehouse, "baseline_questionnaire", WHOLE, problems("blank"))
    replace_quarantine(warehouse, "recordings", NORTH, problems("wrong_type"))
    assert quarantined(warehouse) == [
        ("baseline_questionnaire", "", "blank"),
        ("recordings", "north", "wrong_type"),
        ("recordings", "south", "blank"),
    ]
    replace_quarantine(warehouse, "recordings", NORTH, problems())
    replace_quarantine(warehouse, "baseline_questionnaire", WHOLE, problems())
    assert quarantined(warehouse) == [("recordings", "south", "blank")]


def test_a_problem_of_a_whole_file_has_no_row(warehouse: duckdb.DuckDBPyConnection) -> None:
    of_file = problems("unreadable").assign(row=pd.array([pd.NA], dtype="Int64"))
    replace_quarantine(warehouse, "recordings", NORTH, of_file)
    found = warehouse.execute('select file, "row", column_name, message from quarantine').fetchall()
    assert found == [("a/days.csv", None, "LyTmD1", "says why")]


def result(meaning: str, passed: bool) -> tuple[str, str, str, str, bool, int, int]:
    return ("expect_it", "age", meaning, "critical", passed, 0 if passed else 3, 10)


def test_the_check_results_of_a_partition_are_replaced(warehouse: duckdb.DuckDBPyConnection) -> None:
    replace_check_results(warehouse, "recordings", NORTH, [result("a", False), result("b", True)], False)
    replace_check_results(warehouse, "recordings", SOUTH, [result("a", True)], True)
    replace_check_results(warehouse, "recordings", NORTH, [result("a", True)], True)
    found = warehouse.execute(
        "select partition, meaning, passed, failing, total, published from checks order by all"
    ).fetchall()
    assert found == [("north", "a", True, 0, 10, True), ("south", "a", True, 0, 10, True)]
