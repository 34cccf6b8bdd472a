"""Column lineage: from which columns of other tables a column is computed."""

from __future__ import annotations

import pytest

from stegvis.assets.graph import tables
from stegvis.provenance.columns import columns_from
from stegvis.sql import SQL
from stegvis.study.dictionary import dictionary
from tests.study import CODEBOOK

SELECTS = [name for name in tables() if (SQL / f"{name}.sql").is_file()]


@pytest.mark.parametrize("name", SELECTS)
def test_every_column_named_is_a_column_of_an_upstream_table(name: str) -> None:
    table = tables()[name]
    found = columns_from(name, None, CODEBOOK)
    assert set(found) <= set(dictionary()[name])
    assert any(found.values())
    for columns in found.values():
        for upstream, column in columns:
            assert upstream in table.readable
            assert column in dictionary()[upstream] or upstream == "epoch_classification"  # its epochs


def test_a_computed_column_names_all_it_is_computed_from() -> None:
    cohort = columns_from("cohort", None, CODEBOOK)
    assert cohort["older"] == [("baseline_questionnaire", "age")]
    assert {column for _, column in cohort["bmi"]} >= {"bmi_clinic", "bmi_home"}
    outcome = columns_from("outcome_questionnaire", None, CODEBOOK)
    assert outcome["follow_up_years"] == [("cohort", "baseline_date"), ("followup_questionnaire", "answer_date")]


def test_a_delivered_column_names_its_source_column() -> None:
    source = CODEBOOK["participants"].columns["age"].source[0]
    assert columns_from("baseline_questionnaire", "baseline", CODEBOOK)["age"] == [("landing/baseline", source)]


def test_a_table_made_by_code_claims_nothing() -> None:
    assert columns_from("fitted_models", None, CODEBOOK) == {}
