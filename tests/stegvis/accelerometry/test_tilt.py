"""The angle of the sensors in gait, on the twin's walking; real people are in tests/real_data."""

import numpy as np
import pytest

from stegvis.accelerometry.attachment import FEWEST_GAIT_EPOCHS
from stegvis.accelerometry.tilt import LATERAL, SENSOR_AXES, USUAL, rotation, tilt_of, turned
from stegvis.accelerometry.windows import Windows, signal_windows
from tests.stegvis.accelerometry.settings import SIZE
from tests.stegvis.accelerometry.simulated_signals import walking_at

EPOCHS = 24
GAIT = np.ones(EPOCHS, dtype=bool)
HALF_TURNS = [(1, 1, 1), (1, -1, -1), (-1, -1, 1), (-1, 1, -1)]


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """Two minutes of walking at 4.5 km/h, both sensors at the usual angle: (n, 6) g."""
    felt = walking_at(4.5, EPOCHS, 1)
    for place, degrees in tilt_of(windows_of(felt), GAIT, GAIT, SIZE).degrees.items():
        felt = at_angle(felt, place, -degrees)
    return felt


def windows_of(signal: np.ndarray) -> Windows:
    return signal_windows(signal.astype(np.float32), np.arange(EPOCHS) * SIZE, SIZE)


def at_angle(signal: np.ndarray, place: str, degrees: float, signs: tuple[int, int, int] = (1, 1, 1)) -> np.ndarray:
    """The signal with one sensor tilted, then turned by half."""
    worn = signal.astype(np.float32)
    axes = SENSOR_AXES[place]
    worn[:, axes] = worn[:, axes] @ rotation(LATERAL[None], np.radians([-degrees]))[0] * np.array(signs, np.float32)
    return worn


@pytest.mark.parametrize("signs", HALF_TURNS)
@pytest.mark.parametrize("degrees", [-30.0, 30.0])
@pytest.mark.parametrize("place", list(SENSOR_AXES))
def test_an_unusual_angle_is_found_and_turned_back_in_every_half_turn(walk, place, degrees, signs):
    worn = windows_of(at_angle(walk, place, degrees, signs))
    found = tilt_of(worn, GAIT, GAIT, SIZE)
    assert found.unusual == (place,)
    assert found.degrees[place] == pytest.approx(degrees, abs=1)
    back = next(iter(turned(worn, found)(np.arange(EPOCHS)))).reshape(-1, 6)
    assert np.abs(back - at_angle(walk, place, 0, signs)).max() < 0.05


@pytest.mark.parametrize("place", list(SENSOR_AXES))
@pytest.mark.parametrize("share", [-0.9, 0.9])
def test_inside_the_limit_the_windows_are_the_same(walk, place, share):
    worn = windows_of(at_angle(walk, place, share * USUAL[place].limit))
    found = tilt_of(worn, GAIT, GAIT, SIZE)
    assert found.unusual == ()
    assert all(np.array_equal(each.turn, np.eye(3)) for each in found.attached[place])
    assert turned(worn, found) is worn


def test_a_few_steps_show_no_angle(walk):
    gait = np.arange(EPOCHS) < FEWEST_GAIT_EPOCHS - 1
    found = tilt_of(windows_of(at_angle(walk, "back", 40)), gait, GAIT, SIZE)
    assert np.isnan(found.degrees["back"])
    assert found.unusual == ()
