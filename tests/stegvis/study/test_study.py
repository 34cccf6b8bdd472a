"""A study records what is read of it."""

from __future__ import annotations

import copy
import pickle

import pytest

from stegvis.study.study import Study
from tests.study import CODEBOOK, PROTOCOL


@pytest.fixture
def study() -> Study:
    return Study(PROTOCOL, CODEBOOK).recording()


def test_a_value_is_recorded_by_its_name(study: Study) -> None:
    assert study.protocol.covariates.depression_cut == PROTOCOL.covariates.depression_cut
    assert study.reads == {"protocol covariates.depression_cut": str(PROTOCOL.covariates.depression_cut)}


def test_a_dotted_name_records_the_same(study: Study) -> None:
    study.protocol.value("covariates.depression_cut")
    assert list(study.reads) == ["protocol covariates.depression_cut"]


def test_a_layout_of_the_codebook_counts_as_one_value(study: Study) -> None:
    assert study.codebook["participants"].columns["age"].type == "number"
    assert list(study.reads) == ["codebook participants"]


@pytest.mark.parametrize("use", [lambda s: s.model_dump(), hash, pickle.dumps, lambda s: s == s, list])
def test_a_section_that_is_used_as_a_whole_is_recorded_as_a_whole(study: Study, use) -> None:
    use(study.protocol.models)
    assert list(study.reads) == ["protocol models"]


def test_a_changed_copy_records_what_it_did_not_change(study: Study) -> None:
    changed = study.protocol.exposures.model_copy(update={"categories": "fixed_published"})
    assert changed.categories == "fixed_published"
    assert study.reads == {}
    assert changed.met_slow == PROTOCOL.exposures.met_slow
    assert list(study.reads) == ["protocol exposures.met_slow"]


def test_a_changed_copy_of_a_layout_records_the_layout_as_it_is(study: Study) -> None:
    layout = study.codebook["days"]
    changed = layout.model_copy(update={"grain": "another"})
    assert changed.grain == "another"
    assert study.reads == {"codebook days": Study(PROTOCOL, CODEBOOK).current("codebook days")}


def test_a_recorded_study_is_equal_to_the_study(study: Study) -> None:
    assert study.protocol == PROTOCOL
    assert isinstance(study.protocol, type(PROTOCOL))
    assert copy.copy(study.protocol.models) == PROTOCOL.models


def test_the_current_value_of_a_recorded_name(study: Study) -> None:
    assert study.protocol.covariates.depression_cut
    assert study.codebook["participants"].columns
    shipped = Study(PROTOCOL, CODEBOOK)
    assert {name: shipped.current(name) for name in study.reads} == study.reads
    assert shipped.current("protocol covariates.unknown") is None
