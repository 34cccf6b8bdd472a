"""Swapped sensors, by posture and by the swing of the thigh; real people are in tests/real_data."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.swap import FEWEST_MOVING, FEWEST_SWAPPED, Stretch, moving, stretches, swapped, swing
from stegvis.accelerometry.tilt import LATERAL, rotation
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.gait import draw_motion
from stegvis.twin.gait_parameters import gait_parameters
from tests.stegvis.accelerometry.simulated_signals import SEATED, UPRIGHT

OTHER_WAY_ROUND = [3, 4, 5, 0, 1, 2]


def unknown(gravity: np.ndarray) -> np.ndarray:
    return np.full(len(gravity), np.nan, dtype=np.float32)


def test_swapped_sensors_are_recognized_while_sitting():
    day = np.array([SEATED] * 2 * FEWEST_SWAPPED + [UPRIGHT] * FEWEST_SWAPPED, dtype=np.float32)
    assert not swapped(day, unknown(day))
    assert swapped(day[:, OTHER_WAY_ROUND], unknown(day))


def test_a_little_stooping_is_not_a_swap():
    stooped = np.repeat(np.array([SEATED], dtype=np.float32)[:, OTHER_WAY_ROUND], FEWEST_SWAPPED - 1, axis=0)
    assert not swapped(stooped, unknown(stooped))


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """Windows (24, 250, 6) of two minutes of walking at 4.5 km/h."""
    sequence = ActivitySequence(np.full(24, ActivityCode.WALKING, np.uint8), np.full(24, 4.5, np.float32), 5)
    rng = np.random.default_rng(1)
    motion = draw_motion(sequence, gait_parameters(), rng)
    seconds = np.arange(24 * 250) / 50
    return np.hstack([motion.acceleration(sensor, seconds, rng) for sensor in ("back", "thigh")]).reshape(24, 250, 6)


@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_two_minutes_of_walking_show_a_swap_at_any_angle_of_the_back(walk, degrees):
    worn = walk.copy()
    worn[:, :, :3] = worn[:, :, :3] @ rotation(LATERAL[None], np.radians([float(degrees)]))[0]
    assert moving(worn.std(axis=1)).all()
    swings = swing(worn[:, :, 3:], 50) - swing(worn[:, :, :3], 50)
    gravity = worn.mean(axis=1)
    assert not swapped(gravity, swings)
    assert swapped(gravity[:, OTHER_WAY_ROUND], -swings)


def test_a_few_steps_show_nothing(walk):
    swings = (swing(walk[:, :, 3:], 50) - swing(walk[:, :, :3], 50))[: FEWEST_MOVING - 1]
    assert not swapped(walk.mean(axis=1)[: FEWEST_MOVING - 1], -swings)


# --- swapped for a time ---------------------------------------------------------------------------------------------

SITTING, GAIT = 1000, 150


def course(*parts: bool | None, sitting: int = SITTING, gait: int = GAIT) -> tuple[np.ndarray, np.ndarray]:
    """Sitting and then walking in each part; a part is swapped, or not, or (None) its two signs contradict."""
    gravity, swings = [], []
    for swapped_here in parts:
        seated, upright = (np.array([each], dtype=np.float32) for each in (SEATED, UPRIGHT))
        gravity += [seated if swapped_here is False else seated[:, OTHER_WAY_ROUND]] * sitting + [upright] * gait
        swings += [np.nan] * sitting + [-0.5 if swapped_here else 0.5] * gait
    return np.concatenate(gravity), np.array(swings, dtype=np.float32)


PART = SITTING + GAIT


@pytest.mark.parametrize("swapped_here", [False, True])
def test_nearly_every_recording_has_one_stretch(swapped_here):
    assert stretches(*course(*[swapped_here] * 4)) == (Stretch(0, swapped_here),)


def test_a_change_is_found_where_posture_begins_to_differ():
    found = stretches(*course(False, False, True))
    assert found == (Stretch(0, False), Stretch(2 * PART, True))
    assert stretches(*course(True, False, True, True)) == (
        Stretch(0, True),
        Stretch(PART, False),
        Stretch(2 * PART, True),
    )


def test_walking_that_postures_contradict_is_not_used():
    # In the end both walks say that the sensors are in their places, and the sitting in between that they are not.
    found = stretches(*course(False, True, None, None))
    assert found[:2] == (Stretch(0, swapped=False), Stretch(PART, swapped=True))
    assert found[2] == (pytest.approx(2 * PART + SITTING, abs=10), None)


def test_sitting_shows_a_change_after_which_nobody_walks():
    gravity, swings = course(False, False)
    at = len(gravity)
    exchanged = np.repeat(np.array([SEATED], dtype=np.float32)[:, OTHER_WAY_ROUND], 2 * FEWEST_SWAPPED, axis=0)
    upright = np.repeat(np.array([UPRIGHT], dtype=np.float32), 100, axis=0)
    late = np.concatenate([upright, exchanged, upright, exchanged])
    gravity, swings = np.concatenate([gravity, late]), np.concatenate([swings, unknown(late)])
    first, second = stretches(gravity, swings)
    assert (first, second.swapped) == (Stretch(0, False), True)
    assert at <= second.first <= at + len(upright)


def test_one_time_on_all_fours_is_no_change():
    """The back is horizontal and the thigh upright: no more than a few minutes of it count."""
    gravity, swings = course(False, False)
    kneeling = np.repeat(np.array([[0, 0, 1.0, -1.0, 0, -0.1]], dtype=np.float32), 500, axis=0)
    gravity, swings = np.concatenate([gravity, kneeling]), np.concatenate([swings, unknown(kneeling)])
    assert stretches(gravity, swings) == (Stretch(0, False),)


def test_lying_with_bent_knees_is_no_change():
    """The thighs are as upright as in standing, but the other end up."""
    gravity, swings = course(False, False)
    bent = np.array([[-0.1, 0, 1.0, 0.9, 0, -0.4]], dtype=np.float32)
    flat = np.array([[-0.1, 0, 1.0, 0.0, 0, -1.0]], dtype=np.float32)
    night = np.concatenate([np.repeat(each, 300, axis=0) for each in (bent, flat) * 8])
    gravity, swings = np.concatenate([gravity, night]), np.concatenate([swings, unknown(night)])
    assert stretches(gravity, swings) == (Stretch(0, False),)


def test_walking_outweighs_sitting_where_there_is_one_place():
    """As after a change too near the end to be found."""
    gravity, swings = course(False)
    gravity[:SITTING] = np.array(SEATED, dtype=np.float32)[OTHER_WAY_ROUND]
    assert not swapped(gravity, swings)


def test_a_short_disagreement_of_swings_is_no_change():
    gravity, swings = course(False, False)
    swings[SITTING : SITTING + 2 * FEWEST_MOVING // 3] = -0.5
    assert stretches(gravity, swings) == (Stretch(0, False),)


def test_turning_over_in_bed_is_no_gait():
    """It moves both sensors as much, and by chance the one on the back more."""
    lying = np.repeat(np.array([[-0.1, 0.7, 0.7, -0.1, 0.7, -0.7]], dtype=np.float32), 4 * FEWEST_MOVING, axis=0)
    more_on_the_back = np.full(len(lying), -0.5, dtype=np.float32)
    assert not swapped(lying, more_on_the_back)
    assert stretches(lying, more_on_the_back) == (Stretch(0, False),)
