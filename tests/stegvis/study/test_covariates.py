"""Columns that a codebook defines, in a SELECT of people."""

from __future__ import annotations

import duckdb

from stegvis.storage.selects import tables_read
from stegvis.study.covariates import literal, with_columns

PEOPLE = "-- people\nselect person, 1 as wave from everyone order by person desc -- the last first"


def test_columns_are_added_in_the_order_asked_for() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table everyone as select * from (values ('a'), ('b')) t(person)")
        connection.execute(
            "create table source as select * from (values ('a', 'no', 2), ('b', 'yes', 3)) t(person, s, bmi)"
        )
        made = with_columns(PEOPLE, "source", {"smokes": "source.s", "bmi": "source.bmi + 1"}, ("wave", "person"))
        assert tables_read(made) == {"everyone", "source"}
        found = connection.execute(made).df()
    assert found.to_dict("list") == {"person": ["a", "b"], "wave": [1, 1], "smokes": ["no", "yes"], "bmi": [3, 4]}


def test_without_columns_the_select_is_unchanged() -> None:
    assert with_columns(PEOPLE, "source", {}) == PEOPLE


def test_a_level_with_a_quote_is_a_literal() -> None:
    assert literal("don't know") == "'don''t know'"
