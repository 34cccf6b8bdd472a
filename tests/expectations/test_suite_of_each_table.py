"""Every expectation of every table is met by good rows, and fails, alone, on rows that break it."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.assets.graph import TABLES
from stegvis.expectations.evaluate import BrokenExpectationError, evaluate
from stegvis.expectations.expectation import (
    CRITICAL,
    WARNING,
    between,
    columns_read,
    filled,
    has_columns,
    not_empty,
    unique,
    where,
)
from tests.expectations.case import NO_ROWS, Broken, Case, failed
from tests.expectations.cases import CASES, DAILY, OUTCOME, VITAL_STATUS
from tests.study import PROTOCOL

BROKEN = [pytest.param(case, broken, id=f"{case.asset}: {broken.meaning}") for case in CASES for broken in case.broken]
OF_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.asset)


@OF_CASE
def test_every_expectation_is_met_by_a_good_table(case: Case) -> None:
    results = case.results()
    assert failed(results) == set()
    assert all(result.failing == 0 for result in results)


@pytest.mark.parametrize(("case", "broken"), BROKEN)
def test_a_broken_expectation_fails(case: Case, broken: Broken) -> None:
    results = case.results_of_broken(broken)
    assert failed(results) == {broken.meaning, *broken.also}
    assert all(result.failing >= 1 for result in results)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "broken"), BROKEN)
def test_a_broken_expectation_fails_and_no_other(case: Case, broken: Broken) -> None:
    results = case.results(broken)
    assert failed(results) == {broken.meaning, *broken.also}
    assert all(result.failing >= 1 for result in results if not result.passed)


def test_only_the_columns_that_are_asked_for_are_read() -> None:
    condition = where("sex == 'female' and age > 30", filled("weight", "women have a weight"))
    suite = [
        unique("person", "wave", meaning="one row a wave"),
        condition,
        between("share", 0, 1, "shares", about="summary"),
    ]
    columns = ["person", "wave", "sex", "age", "weight", "height", "share"]
    assert columns_read(suite, columns) == ["person", "wave", "sex", "age", "weight"]
    assert columns_read([not_empty("there are rows")], columns) == ["person"]
    assert columns_read([has_columns("person", meaning="no other column")], columns) == columns


def test_a_wave_from_outside_the_cohort_is_refused_and_an_implausible_risk_is_reported() -> None:
    rows = OUTCOME.good_rows.assign(in_cohort=[True, True, False, False, False])
    assert failed(evaluate(OUTCOME.suite(), rows, {})) == {
        "at least 50% of the responses come from the cohort",
        "every response comes from the cohort",
    }
    half = pd.concat([rows.iloc[:2], rows.iloc[2:4]])
    assert failed(evaluate(OUTCOME.suite(), half, {})) == {"every response comes from the cohort"}
    for risk in (0, 1):
        rows = OUTCOME.good_rows.assign(low_back_pain=risk)
        assert failed(evaluate(OUTCOME.suite(), rows, {})) == {"the risk lies between 2% and 60%"}


def test_no_register_at_all_breaks_nothing() -> None:
    assert failed(VITAL_STATUS.results(Broken("", NO_ROWS))) == set()


BROKEN_ABOVE = {
    ("outcome_questionnaire", "at least 50% of the responses come from the cohort"),
    ("outcome_questionnaire", "the risk lies between 2% and 60%"),
}


def test_every_expectation_of_every_table_is_broken_somewhere() -> None:
    assert sorted(case.asset for case in CASES) == sorted(TABLES)
    broken = {(case.asset, one.meaning) for case in CASES for one in case.broken} | BROKEN_ABOVE
    assert broken == {(case.asset, each.meaning) for case in CASES for each in case.suite()}


@OF_CASE
def test_no_two_expectations_of_a_table_read_alike(case: Case) -> None:
    meanings = [each.meaning for each in case.suite()]
    assert len(set(meanings)) == len(meanings)


@OF_CASE
def test_an_expectation_on_an_absent_column_raises_rather_than_passes(case: Case) -> None:
    """Rows without any column and a summary without any count: an expectation that names one cannot be evaluated."""
    nothing = pd.DataFrame({"another_column": ["cell"]})
    for each in case.suite():
        if not (each.column or "column_A" in each.arguments):
            continue
        with pytest.raises(BrokenExpectationError, match="could not be evaluated"):
            evaluate([each], nothing, {"another_count": 0})


def test_strict_mode_asserts_what_the_published_analysis_trusts() -> None:
    strict = PROTOCOL.model_copy(update={"study": PROTOCOL.study.model_copy(update={"mode": "strict"})})
    meaning = "slow, moderate and brisk walking sum to total walking"
    severity = {
        mode: next(each.severity for each in DAILY.suite(in_force) if each.meaning == meaning)
        for mode, in_force in (("as_published", PROTOCOL), ("strict", strict))
    }
    assert severity == {"as_published": WARNING, "strict": CRITICAL}
