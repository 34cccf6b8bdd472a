"""True walking and its days: 24-hour days, speeds, variation, detached sensors."""

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

POPULATION = draw_population(8_000, seed=3, parameters=parameters())
HABITS = draw_habits(POPULATION, 3, parameters(), PROTOCOL.exposures)
DAYS = draw_days(POPULATION, HABITS, 3, parameters(), PROTOCOL)
RECORDED = ~np.isnan(DAYS.seconds).all(axis=2)
WHOLE = ~np.isnan(DAYS.seconds).any(axis=2)
EXCLUSIVE = [LYING, SITTING, STANDING, WALKING, RUNNING, CYCLING]


def test_a_full_day_is_exactly_24_hours_of_whole_epochs():
    assert np.all(DAYS.seconds[WHOLE][:, EXCLUSIVE].sum(axis=1) == 86_400)
    assert np.all(DAYS.seconds[WHOLE] % 5 == 0)
    assert np.nanmin(DAYS.seconds) == 0


def test_the_speeds_add_up_to_walking():
    speeds = DAYS.seconds[..., [SLOW, MODERATE, BRISK]].sum(axis=2)
    assert np.array_equal(speeds[RECORDED], DAYS.seconds[..., WALKING][RECORDED])


def test_worn_days_have_every_posture():
    assert np.all(DAYS.seconds[DAYS.worn & WHOLE][:, [LYING, SITTING, STANDING, WALKING, SLOW]] > 0)


def test_a_detached_sensor_stays_off():
    off = RECORDED & ~DAYS.worn
    assert off.any()
    assert np.all(DAYS.seconds[off][:, LYING] == 86_400)
    later = np.logical_or.accumulate(off, axis=1)
    assert not (later & DAYS.worn).any()


def test_most_people_have_a_valid_day_but_not_all():
    without = 1 - DAYS.worn.any(axis=1).mean()
    assert 0.005 < without < 0.025
    assert DAYS.recorded.min() == 1
    assert DAYS.recorded.max() == 7


def test_walking_falls_with_age_and_goes_with_intensity():
    older = POPULATION.numbers("age") >= 65
    assert HABITS.volume[older].mean() < 0.85 * HABITS.volume[~older].mean()
    assert np.corrcoef(HABITS.volume, HABITS.intensity)[0, 1] == pytest.approx(0.35, abs=0.06)
    assert HABITS.intensity.min() >= 2.8


def test_single_day_correlation_is_in_the_published_range():
    full = DAYS.worn.all(axis=1)
    minutes = DAYS.seconds[full][..., WALKING] / 60
    between = minutes.mean(axis=1).var(ddof=1)
    within = minutes.var(axis=1, ddof=1).mean()
    true = between - within / 7
    assert 0.37 < true / (true + within) < 0.47


def test_sundays_are_lowest():
    first = POPULATION.people["baseline_date"].to_numpy()[DAYS.rows].astype("datetime64[D]") + 1
    dates = first[:, None] + np.arange(7)
    sunday = (dates.astype(np.int64) + 4) % 7 == 0  # 4 January 1970 was a Sunday
    walking = DAYS.seconds[..., WALKING]
    assert walking[sunday & DAYS.worn].mean() < 0.95 * walking[~sunday & DAYS.worn].mean()


def test_day_by_day_intensity_stays_around_the_habit():
    speeds = np.where(DAYS.worn[..., None], DAYS.seconds[..., [SLOW, MODERATE, BRISK]], 0).sum(axis=1)
    walked = speeds.sum(axis=1) > 3600
    met = (speeds @ [2.8, 3.8, 4.8])[walked] / speeds.sum(axis=1)[walked]
    error = met - HABITS.intensity[DAYS.rows][walked]
    assert abs(error.mean()) < 0.01
    assert error.std() < 0.06
