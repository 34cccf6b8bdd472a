"""The baseline population: exact sizes, margins, and missingness by instrument."""

from functools import cache

import numpy as np
import pytest

from stegvis.twin.parameters import parameters
from stegvis.twin.population import DISEASES, draw_population


@cache
def population_drawn():
    return draw_population(8_000, seed=3, parameters=parameters())


def test_sizes_are_exact_without_the_withdrawn():
    kept = ~population_drawn().flags("withdrawn")
    assert kept.sum() == 8_000
    assert (population_drawn().flags("recorded") & kept).sum() == round(8_000 * 31_295 / 56_042)


def test_margins_are_those_of_the_parameters():
    people = population_drawn().people
    assert 1 - people["male"].mean() == pytest.approx(0.545, abs=0.02)
    assert (people["age"] >= 70).mean() == pytest.approx(0.178, abs=0.015)
    assert people["education"].value_counts(normalize=True).sort_index().tolist() == pytest.approx(
        parameters().people.education.shares, abs=0.001
    )
    group = population_drawn().flags("recorded") & population_drawn().pain_answered
    assert people.loc[group, "back_pain"].mean() == pytest.approx(0.24, abs=0.025)


def test_pain_elsewhere_excludes_back_pain():
    assert not (population_drawn().flags("back_pain") & population_drawn().flags("other_pain")).any()


def test_disease_depression_and_pain_correlate_through_health():
    people = population_drawn().people
    ill = people["self_rated_health"] <= 1
    for column in ("depression_score", "back_pain", "diabetes", "pain_last_4_weeks"):
        assert people.loc[ill, column].mean() > people.loc[~ill, column].mean()


def test_missing_values_come_by_instrument():
    missing = population_drawn().missing
    sheet = missing["pain_screen"] & missing["depression_score"]
    assert sheet.mean() > 0.8 * missing["pain_screen"].mean()
    assert np.corrcoef(missing["education"], missing["smoking"])[0, 1] > 0.1
    assert abs(np.corrcoef(missing["education"], missing["employment"])[0, 1]) < 0.05
    assert set(DISEASES) <= set(missing)


def test_only_working_people_have_a_work_type():
    assert population_drawn().missing["work_type"][~population_drawn().flags("employed")].all()


def test_the_place_of_the_visit_decides_which_body_mass_is_missing():
    at_home = population_drawn().flags("seen_at_home")
    assert at_home.any()
    assert population_drawn().missing["bmi_clinic"][at_home].all()
    assert population_drawn().missing["bmi_home"][~at_home].all()


def test_an_empty_cohort_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        draw_population(0, seed=1, parameters=parameters())
