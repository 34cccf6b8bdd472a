"""Sensors attached anew in the middle of a recording, on the twin's walking; real people are in tests/real_data."""

import numpy as np
import pytest

from stegvis.accelerometry.attachment import attached_anew, first_epochs
from stegvis.accelerometry.tilt import LATERAL, SENSOR_AXES, rotation, tilt_of, turned
from stegvis.accelerometry.windows import Windows, signal_windows
from tests.stegvis.accelerometry.settings import SIZE
from tests.stegvis.accelerometry.simulated_signals import walking_at

EPOCHS = 80
HALF = EPOCHS // 2
HALF_TURNS = {"turned": (1, -1, -1), "upside down": (-1, -1, 1), "both": (-1, 1, -1)}


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """Windows (EPOCHS, SIZE, 6) of walking at 4.5 km/h, both sensors at the usual angle."""
    felt = walking_at(4.5, EPOCHS, 1)
    felt = felt.astype(np.float32)
    for place, degrees in tilt_of(windows_of(felt), *gait(), SIZE).degrees.items():
        felt[:, SENSOR_AXES[place]] = felt[:, SENSOR_AXES[place]] @ tilted(-degrees)
    return felt.reshape(EPOCHS, SIZE, 6)


def gait() -> tuple[np.ndarray, np.ndarray]:
    return np.ones(EPOCHS, dtype=bool), np.arange(EPOCHS) > 0


def windows_of(signal: np.ndarray) -> Windows:
    return signal_windows(signal.reshape(-1, 6), np.arange(EPOCHS) * SIZE, SIZE)


def tilted(degrees: float) -> np.ndarray:
    return rotation(LATERAL[None], np.radians([-degrees]))[0]


def anew(walk: np.ndarray, place: str, turn: np.ndarray, at: int = HALF) -> np.ndarray:
    worn = walk.copy()
    worn[at:, :, SENSOR_AXES[place]] = worn[at:, :, SENSOR_AXES[place]] @ turn.astype(np.float32)
    return worn


@pytest.mark.parametrize("place", list(SENSOR_AXES))
def test_a_sensor_that_stays_is_in_one_part(walk, place):
    assert attached_anew(walk[:, :, SENSOR_AXES[place]], place) == []


@pytest.mark.parametrize("place", list(SENSOR_AXES))
@pytest.mark.parametrize("how", list(HALF_TURNS))
def test_a_half_turn_in_the_middle_is_found(walk, place, how):
    worn = anew(walk, place, np.diag(HALF_TURNS[how]))
    assert attached_anew(worn[:, :, SENSOR_AXES[place]], place) == pytest.approx([HALF], abs=1)


@pytest.mark.parametrize("place", list(SENSOR_AXES))
@pytest.mark.parametrize("degrees", [-30.0, 30.0])
def test_an_angle_from_the_middle_on_is_measured_and_only_that_part_turned_back(walk, place, degrees):
    found = tilt_of(windows_of(anew(walk, place, tilted(degrees))), *gait(), SIZE)
    assert [each.first for each in found.attached[place]] == pytest.approx([0, HALF], abs=1)
    assert [each.degrees for each in found.attached[place]] == pytest.approx([0, degrees], abs=2)
    assert found.unusual == (place,)
    back = np.concatenate(list(turned(windows_of(anew(walk, place, tilted(degrees))), found)(np.arange(EPOCHS))))
    assert np.array_equal(back[: HALF - 1], walk[: HALF - 1])
    assert np.abs(back[HALF + 1 :] - walk[HALF + 1 :]).max() < 0.1


def test_both_sensors_attached_anew_at_different_times(walk):
    worn = anew(anew(walk, "back", tilted(30), at=30), "thigh", tilted(-30), at=50)
    found = tilt_of(windows_of(worn), *gait(), SIZE)
    back = np.concatenate(list(turned(windows_of(worn), found)(np.arange(EPOCHS))))
    for inside in (slice(0, 28), slice(32, 48), slice(52, EPOCHS)):
        assert np.abs(back[inside] - walk[inside]).max() < 0.1


def test_less_than_a_minute_of_another_angle_is_no_part(walk):
    assert attached_anew(anew(walk, "back", tilted(40), at=EPOCHS - 5)[:, :, :3], "back") == []


def test_a_part_begins_after_a_gap_between_two_walks():
    which = np.array([10, 11, 50, 51])
    follows = np.ones(60, dtype=bool)
    assert first_epochs(which, [0, 2], follows) == [0, 31]
    follows[[20, 45]] = False
    assert first_epochs(which, [0, 2], follows) == [0, 45]
