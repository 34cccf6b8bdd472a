"""Where a thigh sensor was attached, whether it was on a thigh, and when a person certainly lies, on made-up days."""

import numpy as np
import pytest

from stegvis.accelerometry.thigh_posture import (
    Mounted,
    as_on_the_front,
    mounted,
    moving_upright,
    not_on_a_thigh,
    surely_lying,
    usual_roll,
)

LENGTH = 10.0
STILL, WALKING = 0.004, 0.3


def direction(roll: float) -> list[float]:
    """Gravity of a horizontal thigh whose sensor is rolled by so many degrees."""
    return [0.05, np.sin(np.radians(roll)), -np.cos(np.radians(roll))]


def day(*parts: tuple[list[float], float, float], start: float = 8 * 3600.0):
    """Stretches: gravity, SD and their minutes, one after the other."""
    counts = [round(minutes * 60 / LENGTH) for *_, minutes in parts]
    gravity = np.repeat(np.array([each for each, *_ in parts], dtype=np.float32), counts, axis=0)
    sd = np.repeat(np.array([[each] * 3 for _, each, _ in parts], dtype=np.float32), counts, axis=0)
    return gravity, sd, start + LENGTH * np.arange(len(gravity))


WALK, STAND = ([-1.0, 0.05, 0.0], WALKING, 5.0), ([-1.0, 0.0, 0.1], STILL, 5.0)


def sitting(roll: float, minutes: float = 15.0):
    return direction(roll), STILL, minutes


@pytest.mark.parametrize(
    ("roll", "where"),
    [(0, "front"), (-30, "front"), (90, "side"), (-75, "side"), (125, "side"), (175, "front"), (-179, "front")],
)
def test_the_usual_roll_is_that_of_sitting_and_says_where_the_sensor_was(roll, where):
    # Lying on the side all night is longer than sitting, but far from walking.
    found = usual_roll(*day(WALK, sitting(roll), WALK, sitting(roll), WALK, sitting(roll + 85, 480)), LENGTH)
    assert abs((found - roll + 180) % 360 - 180) < 2
    assert mounted(found) == where


def test_without_sitting_near_to_walking_nothing_is_known():
    assert usual_roll(*day(WALK, STAND, WALK), LENGTH) is None
    assert usual_roll(*day(sitting(0, 300)), LENGTH) is None
    assert mounted(None) == Mounted.UNKNOWN
    assert not surely_lying(*day(WALK, STAND, sitting(80, 0.5)), LENGTH).any()


def test_lying_is_certain_when_the_thigh_is_rolled_for_a_minute_as_in_no_sitting():
    parts = [WALK, sitting(10), WALK, sitting(10), sitting(90, 0.5), sitting(10, 1), sitting(65, 1), sitting(90, 3)]
    gravity, sd, seconds = day(*parts, sitting(190, 60), sitting(20, 60))
    found = surely_lying(gravity, sd, seconds, LENGTH)
    minutes = np.cumsum([minutes for *_, minutes in parts])
    expected = (seconds - seconds[0]) / 60 >= minutes[-2]
    expected &= (seconds - seconds[0]) / 60 < minutes[-1] + 60
    assert (found == expected).all()


def test_a_sensor_attached_anew_makes_no_lying_of_sitting():
    half = [WALK, sitting(0), WALK, sitting(0)]
    turned = [WALK, sitting(180), WALK, sitting(180)]
    assert not surely_lying(*day(*half, *turned), LENGTH).any()
    # The next day has its own usual roll.
    first, second = day(*half), day(*turned, start=32 * 3600.0)
    both = [np.concatenate(each) for each in zip(first, second, strict=True)]
    assert not surely_lying(*both, LENGTH).any()


def test_a_gap_ends_a_minute_of_lying():
    gravity, sd, seconds = day(WALK, sitting(0), WALK, sitting(0), sitting(90, 1.5))
    assert surely_lying(gravity, sd, seconds, LENGTH).sum() == 9
    seconds[-5:] += 600
    assert not surely_lying(gravity, sd, seconds, LENGTH).any()


def test_a_sensor_is_not_on_a_thigh_if_it_hardly_swings_and_is_upright_in_sitting():
    thigh = day(WALK, WALK, WALK, sitting(0), sitting(0))
    back = day(WALK, WALK, WALK, STAND, STAND, STAND, sitting(0, 5))
    weak, strong = np.full(60, -3.1), np.full(60, -2.3)
    assert not_on_a_thigh(weak, *back, LENGTH)
    assert not not_on_a_thigh(strong, *back, LENGTH)
    assert not not_on_a_thigh(weak, *thigh, LENGTH)
    # Too little to say anything.
    assert not not_on_a_thigh(weak, *day(WALK, STAND), LENGTH)
    assert not not_on_a_thigh(np.empty(0), *day(STAND, sitting(0)), LENGTH)


def test_movement_upright_is_neither_sitting_nor_standing():
    gravity, sd, _ = day(WALK, STAND, sitting(0))
    assert moving_upright(gravity, sd).sum() == 30


def test_a_sensor_on_the_side_is_turned_by_a_quarter_and_the_signal_is_not_changed():
    signal = np.arange(2 * 3 * 6, dtype=np.float32).reshape(2, 3, 6)
    before = signal.copy()
    both = np.array([0, 1])
    for usual, sign in ((90.0, 1), (-80.0, -1)):
        (turned,) = as_on_the_front(lambda which: iter([signal[which]]), usual)(both)
        assert (turned[:, :, :4] == before[:, :, :4]).all()
        assert (turned[:, :, 4] == sign * before[:, :, 5]).all()
        assert (turned[:, :, 5] == -sign * before[:, :, 4]).all()
    assert (signal == before).all()
    for usual in (None, 0.0, 170.0):
        (same,) = as_on_the_front(lambda which: iter([signal[which]]), usual)(both)
        assert (same == before).all()
