"""Columns of added covariates in a SELECT of people."""

from __future__ import annotations

import duckdb
import pytest

from stegvis.storage.covariates import with_covariates
from stegvis.storage.selects import tables_read

PEOPLE = "-- people\nselect person, bmi, 1 as wave from everyone order by person desc -- the last first"


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("create table everyone as select * from (values ('a', 20), ('b', 30)) t(person, bmi)")
    made.execute("create table source as select * from (values ('a', 'no', 2), ('b', 'yes', 3)) t(person, smokes, bmi)")
    return made


def test_columns_are_added_and_those_of_the_same_name_replaced(connection: duckdb.DuckDBPyConnection) -> None:
    made = with_covariates(PEOPLE, "source", ["smokes", "bmi"], ("wave", "person"))
    assert tables_read(made) == {"everyone", "source"}
    found = connection.execute(made).df()
    assert found.to_dict("list") == {"person": ["a", "b"], "wave": [1, 1], "smokes": ["no", "yes"], "bmi": [2, 3]}


def test_without_added_covariates_the_select_is_unchanged() -> None:
    assert with_covariates(PEOPLE, "source", {}) == PEOPLE
