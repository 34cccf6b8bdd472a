"""Column lineage: what a SELECT reads stands behind each of its columns."""

from __future__ import annotations

import pytest

from stegvis.assets.building.graph import recipes
from stegvis.assets.building.lineage import column_lineage, columns_from
from stegvis.study.codebook import codebook
from stegvis.study.dictionary import dictionary

SELECTS = [name for name, recipe in recipes().items() if name in recipe.sql]


@pytest.mark.parametrize("stage", SELECTS)
def test_every_column_named_is_a_column_of_an_upstream_table(stage: str) -> None:
    found = columns_from(recipes()[stage])
    assert set(found) <= set(dictionary()[stage])
    assert any(found.values())
    assert column_lineage(recipes()[stage])  # Dagster takes it
    for columns in found.values():
        for table, column in columns:
            assert table in recipes()[stage].upstream
            assert column in dictionary()[table] or table == "recordings"  # its epochs and day totals


def test_a_computed_column_names_all_it_is_computed_from() -> None:
    cohort = columns_from(recipes()["cohort"])
    assert cohort["older"] == [("baseline_questionnaire", "age")]
    assert {column for _, column in cohort["bmi"]} >= {"bmi_clinic", "bmi_home"}
    outcome = columns_from(recipes()["outcome_questionnaire"])
    assert outcome["follow_up_years"] == [("cohort", "baseline_date"), ("followup_questionnaire", "answer_date")]


def test_a_delivered_column_names_its_source_column() -> None:
    lineage = column_lineage(recipes()["baseline_questionnaire"])
    assert lineage
    (source,) = lineage.deps_by_column["age"]
    assert source.asset_key.path == ["landing", "baseline"]
    assert source.column_name == codebook()["participants"].columns["age"].source[0]


def test_a_stage_made_by_code_claims_nothing() -> None:
    assert column_lineage(recipes()["fitted_models"]) is None
