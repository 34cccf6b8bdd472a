"""A check result is a count: it says which expectation failed, and never the value that failed it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from stegvis.assets.home import StegvisHome
from stegvis.assets.table import TABLES, table
from stegvis.expectations.evaluate import BrokenExpectationError, evaluate
from stegvis.expectations.expectation import (
    CRITICAL,
    Expectation,
    between,
    filled,
    has_columns,
    mean_between,
    not_empty,
    one_of,
    unique,
)
from stegvis.storage.warehouse import Warehouse
from tests.study import home_with_study

SECRET = "Kari Nordmann"
NUMBER = 987654.375
ROWS = pd.DataFrame({"person": [SECRET, SECRET], "age": [NUMBER, NUMBER], "more": [NUMBER, None]})
EVERY_KIND: list[Expectation] = [
    not_empty("there is a row"),
    unique("person", meaning="participants are unique"),
    unique("person", "age", meaning="ages are unique within a person"),
    filled("more", "more is known"),
    between("age", 0, 120, "ages are plausible"),
    one_of("person", ["P1"], "persons are known"),
    one_of("age", [1.0], "ages are known"),
    mean_between("age", 0, 120, "the mean age is plausible", CRITICAL),
    has_columns("person", meaning="the only column is the person"),
    Expectation("expect_column_values_to_be_decreasing", "ages fall", CRITICAL, {"column": "age", "strictly": True}),
    Expectation(
        "expect_column_pair_values_a_to_be_greater_than_b",
        "ages are more",
        CRITICAL,
        {"column_A": "age", "column_B": "more"},
    ),
]


def holds_a_value(text: str) -> bool:
    return SECRET in text or "987654" in text


def test_the_results_of_every_kind_of_expectation_hold_counts_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="great_expectations"):
        results = evaluate(EVERY_KIND, ROWS, {})
    assert [result.expectation.meaning for result in results if result.passed] == ["there is a row"]
    for result in results:
        assert not holds_a_value(repr(result) + repr(result.as_row()))
        assert 0 <= result.failing <= len(ROWS)
    assert not holds_a_value(caplog.text)


def test_an_expectation_that_cannot_be_evaluated_shows_no_value() -> None:
    with pytest.raises(BrokenExpectationError) as raised:
        evaluate([between("person", 0, 1, "the person is a number")], ROWS, {})
    assert not holds_a_value(f"{raised.value}{raised.value.__cause__}{raised.value.__context__}")


def run(root: Path, make: Any) -> tuple[dg.ExecuteInProcessResult, str]:
    """One materialization of a cohort, and everything that Dagster and the warehouse store about it."""
    home = home_with_study(root).create()
    before = dict(TABLES)
    make.__name__ = "cohort"
    asset = table(deps=[], group_name="cohort", kinds={"python"})(make)
    TABLES.update(before)
    with dg.instance_for_test(temp_dir=str(home.dagster)) as instance:
        result = dg.materialize(
            [asset],
            instance=instance,
            resources={"home": StegvisHome(root=str(home.root), landing_zone=str(home.landing))},
            raise_on_error=False,
        )
        stored = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    with Warehouse(home).session("test") as connection:
        stored += repr(connection.execute("select * from checks").fetchall())
    return result, stored


def test_dagster_and_the_warehouse_store_no_value(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def make() -> Any:
        columns = {"sex": SECRET, "depression": SECRET, "box_against_screen": True, "age": [NUMBER, None]}
        return pd.DataFrame({"person": [SECRET, SECRET]}).assign(**columns)

    result, stored = run(tmp_path, make)
    assert not result.success
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    failed = {name: evaluation.metadata["expectations_failed"].value for name, evaluation in evaluations.items()}
    assert failed["keys"] + failed.get("complete", 0) + failed["valid"] == 3
    assert failed["plausible"] == 2
    assert "was not published: participants are unique (2 of 2 rows)" in stored
    assert not holds_a_value(stored)
    assert not holds_a_value("".join(capfd.readouterr()))


def test_an_unexpected_error_is_reported_without_its_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def make() -> Any:
        raise ValueError(f"cannot read {SECRET}, aged {NUMBER}")

    result, stored = run(tmp_path, make)
    assert not result.success
    assert "unexpected ValueError" in stored
    assert not holds_a_value(stored)
    assert not holds_a_value("".join(capfd.readouterr()))


def test_a_select_that_fails_on_a_value_does_not_show_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def make() -> Any:
        # Not a literal: the text of a SELECT may be shown, the values it reads may not.
        return f"select chr(75) || substr('_{SECRET[1:]}', 2) as person, person::integer as age"

    result, stored = run(tmp_path, make)
    assert not result.success
    assert not holds_a_value(stored)
    assert not holds_a_value("".join(capfd.readouterr()))
