"""Wear detection distinguishes sleep from non-wear."""

import numpy as np
import pytest

from stegvis.accelerometry.summaries import Summary
from stegvis.accelerometry.wear import skin_temperature, worn, worn_at
from tests.stegvis.accelerometry.settings import METHOD

MOVING, SITTING, STILL = 0.1, 0.015, 0.004
SKIN, ROOM = 33.0, 21.0


def summary(*parts: tuple[float, float, float]) -> Summary:
    """Parts of (minutes, mean SD in g, temperature)."""
    counts = [round(6 * minutes) for minutes, _, _ in parts]
    activity = np.repeat([sd for _, sd, _ in parts], counts).astype("f4")
    temperature = np.repeat([celsius for _, _, celsius in parts], counts).astype("f4")
    k = len(activity)
    mean = np.tile(np.array([-1, 0, 0], dtype="f4"), (k, 1))
    return Summary(10.0 * np.arange(k), 10.0, mean, np.repeat(activity[:, None], 3, axis=1), temperature)


def minutes_off(*parts: tuple[float, float, float]) -> float:
    """Minutes of non-wear, accurate to the minute before the sensor is put on again, when it may already be warming."""
    return float((~worn(summary(*parts), METHOD.wear)).sum()) / 6


DAY = (600, MOVING, SKIN)


@pytest.mark.parametrize(
    ("what", "part", "off"),
    [
        ("sleep, warm and still for hours", (300, STILL, SKIN), 0),
        ("on a table in the room", (200, STILL, ROOM), 200),
        ("on a table for half an hour", (30, STILL, ROOM), 30),
        ("still and cool for a few minutes", (8, STILL, ROOM), 0),
        ("sitting in the cold", (200, SITTING, ROOM), 0),
        ("on a radiator for the day", (600, STILL, SKIN), 600),
    ],
)
def test_stillness_is_non_wear_if_it_is_cool_or_very_long(what, part, off):
    assert minutes_off(DAY, part, DAY) == pytest.approx(off, abs=1), what


def test_without_skin_temperature_ninety_minutes_of_stillness_are_non_wear():
    cold_day = (600, MOVING, ROOM)
    assert skin_temperature(summary(cold_day), METHOD.wear) is None
    assert minutes_off(cold_day, (80, STILL, ROOM), cold_day) == 0
    assert minutes_off(cold_day, (100, STILL, ROOM), cold_day) == 100
    assert minutes_off((2000, STILL, ROOM)) == 2000


def test_a_bump_does_not_end_non_wear_but_turning_in_bed_ends_stillness():
    bumped = [(8, STILL, ROOM), (0.5, MOVING, ROOM)] * 5 + [(8, STILL, ROOM)]
    assert minutes_off(DAY, *bumped, DAY) == pytest.approx(50.5, abs=1)
    night = [(100, STILL, SKIN), (0.5, MOVING, SKIN)] * 8
    assert minutes_off(DAY, *night, DAY) == 0


def test_a_stationary_sensor_that_warms_up_was_just_put_on():
    warming = [(2, STILL, celsius) for celsius in np.linspace(21, 32, 12)]
    cooling = warming[::-1]
    assert minutes_off(*warming, DAY) == 0
    assert minutes_off(DAY, *cooling, DAY) == pytest.approx(24, abs=1)
    # Off for an hour, put on again and sat still: the hour and some minutes of doubt.
    assert minutes_off(DAY, *cooling, (60, STILL, ROOM), *warming, DAY) == pytest.approx(24 + 60, abs=5)
    # A room that warms slowly is not a body.
    morning = [(30, STILL, celsius) for celsius in np.linspace(18, 24, 12)]
    assert minutes_off(DAY, *morning, DAY) == pytest.approx(360, abs=1)


def test_transport_between_non_wear_is_not_wear_but_a_warm_hour_is():
    away = (1500, STILL, ROOM)
    assert minutes_off(DAY, away, (60, MOVING, ROOM), away, DAY) == pytest.approx(3060, abs=2)
    assert minutes_off(DAY, away, (60, MOVING, SKIN), away, DAY) == pytest.approx(3000, abs=2)
    # Long enough by itself, whatever the temperature.
    assert minutes_off(DAY, away, (400, MOVING, ROOM), away, DAY) == pytest.approx(3000, abs=2)


def test_wear_is_known_between_and_outside_of_the_windows():
    recording = summary(DAY, (60, STILL, ROOM))
    seconds = np.array([-5.0, 5.0, 35_999.0, 36_001.0, 39_600.0, 50_000.0])
    assert worn_at(recording, worn(recording, METHOD.wear), seconds).tolist() == [True, True, True, False, False, False]
