"""True walking and its days: 24-hour days, speeds, variation, detached sensors."""

from functools import cache

import numpy as np
import pytest

from stegvis.twin.parameters import parameters
from stegvis.twin.population import draw_population
from stegvis.twin.walking import (
    BRISK,
    CYCLING,
    LYING,
    MODERATE,
    RUNNING,
    SITTING,
    SLOW,
    STANDING,
    WALKING,
    draw_days,
    draw_habits,
)
from tests.study import PROTOCOL


@cache
def population_drawn():
    return draw_population(8_000, seed=3, parameters=parameters())


@cache
def habits_drawn():
    return draw_habits(population_drawn(), 3, parameters(), PROTOCOL.exposures)


@cache
def days_drawn():
    return draw_days(population_drawn(), habits_drawn(), 3, parameters(), PROTOCOL)


RECORDED = ~np.isnan(days_drawn().seconds).all(axis=2)
WHOLE = ~np.isnan(days_drawn().seconds).any(axis=2)
EXCLUSIVE = [LYING, SITTING, STANDING, WALKING, RUNNING, CYCLING]


def test_a_full_day_is_exactly_24_hours_of_whole_epochs():
    assert np.all(days_drawn().seconds[WHOLE][:, EXCLUSIVE].sum(axis=1) == 86_400)
    assert np.all(days_drawn().seconds[WHOLE] % 5 == 0)
    assert np.nanmin(days_drawn().seconds) == 0


def test_the_speeds_add_up_to_walking():
    speeds = days_drawn().seconds[..., [SLOW, MODERATE, BRISK]].sum(axis=2)
    assert np.array_equal(speeds[RECORDED], days_drawn().seconds[..., WALKING][RECORDED])


def test_worn_days_have_every_posture():
    assert np.all(days_drawn().seconds[days_drawn().worn & WHOLE][:, [LYING, SITTING, STANDING, WALKING, SLOW]] > 0)


def test_a_detached_sensor_stays_off():
    off = RECORDED & ~days_drawn().worn
    assert off.any()
    assert np.all(days_drawn().seconds[off][:, LYING] == 86_400)
    later = np.logical_or.accumulate(off, axis=1)
    assert not (later & days_drawn().worn).any()


def test_most_people_have_a_valid_day_but_not_all():
    without = 1 - days_drawn().worn.any(axis=1).mean()
    assert 0.005 < without < 0.025
    assert days_drawn().recorded.min() == 1
    assert days_drawn().recorded.max() == 7


def test_walking_falls_with_age_and_goes_with_intensity():
    older = population_drawn().numbers("age") >= 65
    assert habits_drawn().volume[older].mean() < 0.85 * habits_drawn().volume[~older].mean()
    assert np.corrcoef(habits_drawn().volume, habits_drawn().intensity)[0, 1] == pytest.approx(0.35, abs=0.06)
    assert habits_drawn().intensity.min() >= 2.8


def test_single_day_correlation_is_in_the_published_range():
    full = days_drawn().worn.all(axis=1)
    minutes = days_drawn().seconds[full][..., WALKING] / 60
    between = minutes.mean(axis=1).var(ddof=1)
    within = minutes.var(axis=1, ddof=1).mean()
    true = between - within / 7
    assert 0.37 < true / (true + within) < 0.47


def test_sundays_are_lowest():
    first = population_drawn().people["baseline_date"].to_numpy()[days_drawn().rows].astype("datetime64[D]") + 1
    dates = first[:, None] + np.arange(7)
    sunday = (dates.astype(np.int64) + 4) % 7 == 0  # 4 January 1970 was a Sunday
    walking = days_drawn().seconds[..., WALKING]
    assert walking[sunday & days_drawn().worn].mean() < 0.95 * walking[~sunday & days_drawn().worn].mean()


def test_day_by_day_intensity_stays_around_the_habit():
    speeds = np.where(days_drawn().worn[..., None], days_drawn().seconds[..., [SLOW, MODERATE, BRISK]], 0).sum(axis=1)
    walked = speeds.sum(axis=1) > 3600
    met = (speeds @ [2.8, 3.8, 4.8])[walked] / speeds.sum(axis=1)[walked]
    error = met - habits_drawn().intensity[days_drawn().rows][walked]
    assert abs(error.mean()) < 0.01
    assert error.std() < 0.06
