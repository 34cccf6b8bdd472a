"""The classification recovers what the twin's people did, though sensors are worn as real people wear them.

Tolerances: accuracy over people 97 % and of anyone 85 %, walking seconds of a day within 4 %, no bias above 3 %. A
sensor is reported as tilted if its angle is beyond the limit (``tilt.USUAL``), except within 3 degrees of it.
"""

from __future__ import annotations

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.orientation import Worn as WornAs
from stegvis.accelerometry.tilt import USUAL
from stegvis.twin.raw import RawTruth, write_raw_pair
from tests.sizes import FULL
from tests.stegvis.accelerometry.raw_pairs import WALKING, processed, true_activity
from tests.study import PROTOCOL

PEOPLE = 40 if FULL else 10
NEAR_THE_LIMIT_DEGREES = 3.0


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Of each person, the truth, the share of epochs found, walking seconds found, and the problems named."""
    found = []
    for seed in range(1, PEOPLE + 1):
        folder = tmp_path_factory.mktemp("messy")
        truth = write_raw_pair(folder, "P", 1, seed=seed, protocol=PROTOCOL)
        result = processed(folder)
        activity = result.epochs["activity"].to_numpy()
        accuracy = (activity == true_activity(truth, result.epochs)).mean()
        found.append((truth, accuracy, 5 * (activity == WALKING).sum(), {each.rule for each in result.problems}))
        for file in folder.iterdir():
            file.unlink()
    return found


@pytest.mark.slow
def test_what_people_did_is_found(people):
    accuracy = np.array([each for _, each, _, _ in people])
    assert accuracy.mean() > 0.97
    assert accuracy.min() > 0.85


@pytest.mark.slow
def test_seconds_of_walking_of_a_day_are_found(people):
    share = np.array([found / truth.sequence.seconds()["walking"] - 1 for truth, _, found, _ in people])
    assert abs(share.mean()) < 0.03
    assert np.abs(share).max() < 0.04


@pytest.mark.slow
def test_tilted_sensors_are_named_and_no_others(people):
    checked = 0
    for truth, _, _, problems in people:
        beyond = degrees_beyond(truth)
        if abs(beyond) > NEAR_THE_LIMIT_DEGREES:
            assert (WornAs.TILTED in problems) == (beyond > 0)
            checked += 1
        assert "swapped" not in problems
    assert checked >= PEOPLE / 2


def degrees_beyond(truth: RawTruth) -> float:
    """How far the sensors are beyond the limit, at the worst."""
    return max(
        abs(each.sagittal - USUAL[place].degrees) - USUAL[place].limit
        for place, sensor in (("back", truth.back), ("thigh", truth.thigh))
        for each in sensor.mounting.attached
    )


@pytest.mark.slow
def test_the_people_are_as_messy_as_real_ones(people):
    """Otherwise these tests would say less than they seem to."""
    angles = [truth.back.mounting.attached[0].sagittal for truth, *_ in people]
    assert max(angles) - min(angles) > 20
    mixed = []
    for truth, *_ in people:
        seconds = truth.sequence.activity.reshape(-1, 5)
        mixed.append((seconds != seconds[:, :1]).any(axis=1).mean())
        assert set(ActivityCode) >= set(truth.sequence.activity.tolist())
    assert np.mean(mixed) > 0.01
