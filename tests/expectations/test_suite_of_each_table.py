"""Every rule of every asset holds on a good table, and turns red, alone, on a table that breaks it."""

from __future__ import annotations

import pandas as pd
import pytest

from stegvis.assets.graph import TABLES
from stegvis.expectations.evaluate import BrokenExpectationError, evaluate
from stegvis.expectations.expectation import CRITICAL, WARNING
from tests.expectations.case import Broken, Case, red
from tests.expectations.cases import CASES, DAILY, OUTCOME
from tests.study import PROTOCOL

BROKEN = [pytest.param(case, broken, id=f"{case.asset}: {broken.meaning}") for case in CASES for broken in case.broken]
OF_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.asset)


@OF_CASE
def test_every_rule_holds_on_a_good_table(case: Case) -> None:
    results = case.results()
    assert red(results) == set()
    assert all(result.failing == 0 for result in results)


@pytest.mark.parametrize(("case", "broken"), BROKEN)
def test_a_broken_rule_turns_red_and_no_other(case: Case, broken: Broken) -> None:
    results = case.results(broken)
    assert red(results) == {broken.meaning, *broken.also}
    assert all(result.failing >= 1 for result in results if not result.passed)


def test_a_wave_from_outside_the_cohort_is_refused_and_an_implausible_risk_is_told() -> None:
    rows = OUTCOME.good_rows.assign(in_cohort=[True, True, False, False, False])
    assert red(evaluate(OUTCOME.suite(), rows, {})) == {
        "at least 50% of the answers come from the cohort",
        "every answer comes from the cohort",
    }
    half = pd.concat([rows.iloc[:2], rows.iloc[2:4]])
    assert red(evaluate(OUTCOME.suite(), half, {})) == {"every answer comes from the cohort"}
    for risk in (0, 1):
        rows = OUTCOME.good_rows.assign(low_back_pain=risk)
        assert red(evaluate(OUTCOME.suite(), rows, {})) == {"the risk lies between 2% and 60%"}


BROKEN_ABOVE = {
    ("outcome_questionnaire", "at least 50% of the answers come from the cohort"),
    ("outcome_questionnaire", "the risk lies between 2% and 60%"),
}


def test_every_rule_of_every_stage_is_broken_somewhere() -> None:
    assert sorted(case.asset for case in CASES) == sorted(TABLES)
    broken = {(case.asset, one.meaning) for case in CASES for one in case.broken} | BROKEN_ABOVE
    assert broken == {(case.asset, rule.meaning) for case in CASES for rule in case.suite()}


@OF_CASE
def test_no_two_rules_of_an_asset_read_alike(case: Case) -> None:
    meanings = [rule.meaning for rule in case.suite()]
    assert len(set(meanings)) == len(meanings)


@OF_CASE
def test_a_rule_on_an_absent_column_raises_rather_than_passes(case: Case) -> None:
    """Rows without any column, then a summary without any count: each rule that names one cannot be judged."""
    nothing = pd.DataFrame({"another_column": ["cell"]})
    for rule in case.suite():
        if not (rule.column or "column_A" in rule.arguments):
            continue
        with pytest.raises(BrokenExpectationError, match="could not be evaluated"):
            evaluate([rule], nothing, {"another_count": 0})


def test_strict_mode_asserts_what_the_published_analysis_trusts() -> None:
    strict = PROTOCOL.model_copy(update={"study": PROTOCOL.study.model_copy(update={"mode": "strict"})})
    meaning = "slow, moderate and brisk walking sum to total walking"
    severity = {
        mode: next(rule.severity for rule in DAILY.suite(in_force) if rule.meaning == meaning)
        for mode, in_force in (("as_published", PROTOCOL), ("strict", strict))
    }
    assert severity == {"as_published": WARNING, "strict": CRITICAL}
