"""The outcome: the shape of the risk, its level, and waves that stand on their own."""

import numpy as np
import pytest

from study.twin.outcome import bent, draw_waves, log_risk, true_log_risk_ratios
from study.twin.parameters import Bend, parameters
from study.twin.population import draw_population
from study.twin.walking import Habits, draw_habits

POPULATION = draw_population(20_000, seed=5, parameters=parameters())
HABITS = draw_habits(POPULATION, 5, parameters())
VALID = POPULATION.flags("recorded")
WAVES = draw_waves(POPULATION, HABITS, VALID, 2, 5, parameters())


def test_a_bent_line_has_its_two_slopes():
    shape = Bend(bend=100.0, width=5.0, below=-0.01, above=0.002)
    low, high = bent(np.array([20.0, 30.0]), shape), bent(np.array([170.0, 180.0]), shape)
    assert low[1] - low[0] == pytest.approx(-0.1, abs=1e-6)
    assert high[1] - high[0] == pytest.approx(0.02, abs=1e-6)


def test_more_walking_means_less_risk_and_more_so_in_the_older():
    n = len(POPULATION)
    low = log_risk(POPULATION, Habits(np.full(n, 60.0), HABITS.intensity), parameters())
    high = log_risk(POPULATION, Habits(np.full(n, 100.0), HABITS.intensity), parameters())
    older = POPULATION.numbers("age") >= 65
    assert (high < low).all()
    assert (high - low)[older].max() < (high - low)[~older].min()
    truth = true_log_risk_ratios(parameters())
    assert (high - low)[~older] == pytest.approx(truth["walking_minutes 100 v 60"])
    assert (high - low)[older] == pytest.approx(truth["walking_minutes 100 v 60, age 65+"])


def test_the_analyzed_of_the_first_wave_have_the_published_mean_risk():
    wave = WAVES[0]
    analyzed = (
        VALID
        & POPULATION.pain_answered
        & ~POPULATION.flags("back_pain")
        & ~POPULATION.flags("withdrawn")
        & wave.screen_answered
        & POPULATION.complete
    )
    assert analyzed.sum() > 3_000
    assert wave.risk[analyzed].mean() == pytest.approx(0.148, abs=1e-6)
    assert wave.back_pain[analyzed].mean() == pytest.approx(0.148, abs=0.02)


def test_cases_follow_the_risk_they_were_given():
    for wave in WAVES:
        for group in (wave.risk < np.median(wave.risk), wave.risk >= np.median(wave.risk)):
            assert wave.back_pain[group].mean() == pytest.approx(wave.risk[group].mean(), abs=0.015)


def test_another_wave_leaves_the_earlier_ones_as_they_were():
    again = draw_waves(POPULATION, HABITS, VALID, 3, 5, parameters())
    assert [wave.name for wave in again] == ["2021-2023", "2024-2026", "2027-2029"]
    for old, new in zip(WAVES, again, strict=False):
        assert all(np.array_equal(getattr(old, name), getattr(new, name)) for name in vars(old) if name != "name")


def test_a_persons_waves_resemble_each_other():
    first, second = WAVES
    assert np.corrcoef(first.back_pain, second.back_pain)[0, 1] > 0.2
    assert np.corrcoef(first.answered, second.answered)[0, 1] > 0.25


def test_answers_are_dated_within_the_wave():
    dates = WAVES[0].date
    assert dates.min() >= np.datetime64("2021-01-01")
    assert dates.max() <= np.datetime64("2023-12-31")
    years = (dates - POPULATION.people["baseline_date"].to_numpy().astype("datetime64[D]")).astype(float) / 365
    assert years.mean() == pytest.approx(4.2, abs=0.1)


def test_only_people_in_pain_are_limited_by_it():
    wave = WAVES[0]
    assert not (wave.limited & ~wave.back_pain & ~wave.other_pain).any()
    assert not (wave.back_pain & wave.other_pain).any()
