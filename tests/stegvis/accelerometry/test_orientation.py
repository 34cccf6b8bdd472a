"""Orientation on the twin's gait, whose phases are those of real people; real people are in tests/real_data."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.orientation import Orientation, Worn, orientation_of_signal
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.gait import draw_motion
from stegvis.twin.gait_parameters import gait_parameters
from tests.stegvis.accelerometry.settings import SIZE
from tests.stegvis.accelerometry.simulated_signals import UPRIGHT

WALKING, SITTING = ActivityCode.WALKING, ActivityCode.SITTING
SIGNS = {
    Worn.AS_PRESCRIBED: (1, 1, 1),
    Worn.TURNED: (1, -1, -1),
    Worn.UPSIDE_DOWN: (-1, -1, 1),
    Worn.UPSIDE_DOWN_AND_TURNED: (-1, 1, -1),
}


@pytest.fixture(scope="module", params=[1, 2])
def walk(request):
    """Two minutes of walking at 4.5 km/h: (n, 6) and activity codes."""
    epochs = 24
    sequence = ActivitySequence(np.full(epochs, WALKING, dtype=np.uint8), np.full(epochs, 4.5, dtype=np.float32), 5)
    rng = np.random.default_rng(request.param)
    motion = draw_motion(sequence, gait_parameters(), rng)
    seconds = np.arange(epochs * 250) / 50
    felt = [motion.acceleration(sensor, seconds, rng) for sensor in ("back", "thigh")]
    return np.concatenate(felt, axis=1), sequence.activity


@pytest.mark.parametrize("back", SIGNS)
@pytest.mark.parametrize("thigh", SIGNS)
def test_each_way_of_wearing_is_recognized(walk, back, thigh):
    acceleration, activity = walk
    worn = acceleration * np.array([*SIGNS[back], *SIGNS[thigh]], dtype=np.float32)
    assert orientation_of_signal(worn, np.arange(24) * 250, activity, SIZE) == Orientation(back, thigh)


def test_without_walking_it_is_unknown(walk):
    acceleration, _ = walk
    nobody = np.full(24, SITTING, dtype=np.uint8)
    assert orientation_of_signal(acceleration, np.arange(24) * 250, nobody, SIZE) == Orientation(
        Worn.UNKNOWN, Worn.UNKNOWN
    )


def test_a_sensor_without_gait_is_unknown():
    still = np.tile(np.array(UPRIGHT, dtype=np.float32), (24 * 250, 1))
    found = orientation_of_signal(still, np.arange(24) * 250, np.full(24, WALKING, dtype=np.uint8), SIZE)
    assert found == Orientation(Worn.UNKNOWN, Worn.UNKNOWN)


def test_a_tilt_is_named_only_where_nothing_else_is_known():
    found = Orientation(Worn.AS_PRESCRIBED, Worn.TURNED)
    assert found.with_tilted(("back", "thigh")) == Orientation(Worn.TILTED, Worn.TURNED)
    assert found.with_tilted(()) == found
