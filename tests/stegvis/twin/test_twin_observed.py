"""What a study would see, against the oracle that reads deliveries."""

from functools import cache

import numpy as np
import pytest

from stegvis.twin.observed import covariates, observe, quarters, quartile_cuts
from stegvis.twin.parameters import parameters
from stegvis.twin.population import draw_population
from stegvis.twin.walking import SLOW, WALKING, draw_days, draw_habits
from tests.oracle_flow import quartile_cuts as oracle_cuts
from tests.study import PROTOCOL


@cache
def population_drawn():
    return draw_population(2_000, seed=3, parameters=parameters())


@cache
def days_drawn():
    return draw_days(
        population_drawn(),
        draw_habits(population_drawn(), 3, parameters(), PROTOCOL.exposures),
        3,
        parameters(),
        PROTOCOL,
    )


@cache
def observed_drawn():
    return observe(population_drawn(), days_drawn(), PROTOCOL.exposures)


def test_only_worn_days_count():
    row = int(
        np.flatnonzero((days_drawn().worn.sum(axis=1) > 0) & (days_drawn().worn.sum(axis=1) < days_drawn().recorded))[0]
    )
    worn = days_drawn().seconds[row][days_drawn().worn[row]]
    person = days_drawn().rows[row]
    assert observed_drawn().valid_days[person] == len(worn)
    assert observed_drawn().volume[person] == pytest.approx(worn[:, WALKING].mean() / 60)
    slow, moderate, brisk = worn[:, SLOW : SLOW + 3].mean(axis=0)
    met = (2.8 * slow + 3.8 * moderate + 4.8 * brisk) / (slow + moderate + brisk)
    assert observed_drawn().intensity[person] == pytest.approx(met)


def test_people_without_a_recording_have_no_walking():
    without = ~population_drawn().flags("recorded")
    assert not observed_drawn().valid[without].any()
    assert np.isnan(observed_drawn().volume[without]).all()


@pytest.mark.parametrize("size", [1, 4, 5, 8, 101])
def test_cuts_are_those_of_the_oracle(size):
    import pandas as pd

    values = observed_drawn().volume[observed_drawn().valid][:size]
    assert quartile_cuts(values) == pytest.approx(oracle_cuts(pd.Series(values)))


def test_a_value_equal_to_a_cut_belongs_to_the_lower_quarter():
    assert quarters(np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])).tolist() == [0, 0, 0, 1, 2, 2, 3, 3]


def test_covariates_are_one_column_per_level_but_the_first():
    found = covariates(population_drawn(), np.ones(len(population_drawn()), dtype=bool), PROTOCOL.covariates)
    assert found.shape == (len(population_drawn()), 15)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(len(found)), found])) == 16
