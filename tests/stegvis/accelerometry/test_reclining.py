"""Sitting far back and lying, by the angle of the back to its direction in walking."""

import numpy as np
import pytest

from stegvis.accelerometry.classifier import classify_signal
from stegvis.accelerometry.epoch_model import CLASSES
from stegvis.accelerometry.reclining import sit_instead
from stegvis.accelerometry.tilt import Attached, Tilt
from tests.stegvis.accelerometry.settings import METHOD
from tests.stegvis.accelerometry.simulated_signals import SEATED, UPRIGHT, clock, posture, walking_at

LYING, SITTING = 1, 2


def direction(degrees: float) -> tuple[float, float, float]:
    """Gravity on a back that leans this far back."""
    return -np.cos(np.radians(degrees)), 0.0, np.sin(np.radians(degrees))


def attached(first: int, degrees: float) -> Attached:
    return Attached(first, 0.0, np.eye(3, dtype=np.float32), np.array(direction(degrees), dtype=np.float32), 1.0)


def lying(k: int) -> np.ndarray:
    probabilities = np.zeros((k, 5, len(CLASSES)), dtype=np.float32)
    probabilities[..., CLASSES.index("lying")] = 1
    return probabilities


def test_a_back_near_its_direction_in_walking_sits_whatever_that_direction_is():
    leaning = np.array([0, 60, 69, 71, 100, -44, -46, -90])
    for own in (-34.0, 0.0, 16.0):
        tilt = Tilt({"back": (attached(0, own),)})
        found = lying(len(leaning))
        sit_instead(found, np.array([direction(own + each) for each in leaning], dtype=np.float32), tilt)
        sits = found[:, :, CLASSES.index("sitting")].all(axis=1)
        assert sits.tolist() == [-45 < each < 70 for each in leaning]
        assert found.sum(axis=2) == pytest.approx(1)


def test_each_part_of_a_recording_has_its_own_direction():
    tilt = Tilt({"back": (attached(0, 0.0), attached(2, -40.0))})
    found = lying(4)
    sit_instead(found, np.array([direction(50)] * 4, dtype=np.float32), tilt)
    assert found[:, 0, CLASSES.index("sitting")].tolist() == [1, 1, 0, 0]


def test_without_gait_nothing_is_changed():
    unknown = Attached(0, np.nan, np.eye(3, dtype=np.float32), np.full(3, np.nan, dtype=np.float32))
    found = lying(3)
    sit_instead(found, np.array([direction(0)] * 3, dtype=np.float32), Tilt({"back": (unknown,)}))
    assert np.array_equal(found, lying(3))


def test_a_person_who_sits_far_back_is_sitting_once_they_have_walked():
    far_back = posture((*direction(58), *SEATED[3:]), 120, 1)
    walked = np.concatenate([posture(UPRIGHT, 60, 2), walking_at(4.5, 36, 3)])
    alone = classify_signal(clock(len(far_back)), far_back, METHOD)["activity"]
    assert (alone == LYING).all()  # without walking, nobody can say
    both = np.concatenate([walked, far_back])
    after = classify_signal(clock(len(both)), both, METHOD)["activity"].tail(len(alone) - 1)
    assert (after == SITTING).all()
