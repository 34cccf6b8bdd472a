"""Deaths and emigrations of the twin: nobody responds afterwards, and the first two waves are as without them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stegvis.twin.cohort import TwinCohort, draw_cohort
from stegvis.twin.outcome import draw_waves
from stegvis.twin.parameters import parameters
from stegvis.twin.truth import truth_of
from stegvis.twin.vital import DIED, draw_events, last_day, registry_rows
from stegvis.twin.walking import draw_habits
from tests.study import CODEBOOK, PROTOCOL

PEOPLE = 8_000


@cache
def cohort(waves: int = 3) -> TwinCohort:
    return draw_cohort(PEOPLE, waves, 5, False, parameters(), PROTOCOL, CODEBOOK)


def test_nobody_responds_after_an_event() -> None:
    made = cohort()
    for wave in made.waves:
        responses = wave.date[wave.answered]
        events = made.events.date[wave.answered]
        assert not (events <= responses).any()


def test_the_first_two_waves_are_as_if_nobody_died() -> None:
    made = cohort(2)
    habits = draw_habits(made.population, 5, parameters(), PROTOCOL.exposures)
    without = draw_waves(made.population, habits, made.observed, 3, 5, parameters(), PROTOCOL.covariates)
    for one, other in zip(made.waves, without, strict=False):
        assert (one.answered == other.answered).all()
        assert (one.screen_answered == other.screen_answered).all()
    third, undisturbed = cohort().waves[2].answered, without[2].answered
    assert (third <= undisturbed).all()
    assert third.sum() < undisturbed.sum()


def test_a_further_wave_leaves_the_events_before_it() -> None:
    one, three = cohort(1), cohort()
    last = last_day(three.waves[0])
    assert registry_rows(one.population, one.events, last).equals(registry_rows(three.population, three.events, last))


def test_as_many_die_as_by_the_mortality_of_everyone() -> None:
    made, model = cohort(1), parameters().registry.death
    population = made.population
    baseline = population.people["baseline_date"].to_numpy().astype("datetime64[D]")
    years = (last_day(made.waves[0]) - baseline).astype(int) / 365.25
    grown = (np.exp(model.growth_per_year * years) - 1) / model.growth_per_year
    rate = model.per_year * np.exp(
        model.growth_per_year * (population.numbers("age") - model.at_age)
        + np.log(model.men_against_women) * population.flags("male")
        + model.health * population.numbers("health")
    )
    expected = (1 - np.exp(-rate * grown)).sum()
    died = ((made.events.event == DIED) & made.events.until(last_day(made.waves[0]))).sum()
    assert died == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_older_people_and_men_die_more_often() -> None:
    made = cohort()
    died = made.events.event == DIED
    age, male = made.population.numbers("age"), made.population.flags("male")
    assert age[died].mean() > age[~died].mean() + 10
    assert died[male].mean() > died[~male].mean()


def test_the_truth_counts_them_among_the_eligible() -> None:
    made = cohort()
    truth = truth_of(made, {}, 1.0, [], [])
    counts = [truth.waves[wave.name]["eligible_died"] for wave in made.waves]
    assert 0 < counts[0] < counts[1] < counts[2]
    for wave in made.waves:
        lost = truth.waves[wave.name]["baseline_low_back_pain"] - truth.waves[wave.name]["followup_screen_missing"]
        events = truth.waves[wave.name]["eligible_died"] + truth.waves[wave.name]["eligible_emigrated"]
        assert events < lost


def test_without_anybody_silent_nobody_dies() -> None:
    made = cohort(2)
    everyone = np.ones_like(made.waves[0].answered)
    answering = [replace(wave, answered=everyone, screen_answered=everyone) for wave in made.waves]
    waves, events = draw_events(made.population, answering, 5, parameters())
    assert not events.until(last_day(waves[-1])).any()
