"""The classification recovers what the twin's people did, though sensors are worn as real people wear them.

Tolerances: accuracy over people 97 % and of anyone 85 %, walking seconds of a day within 4 %, no bias above 3 %. A
sensor is reported as tilted if its angle is beyond the limit (``tilt.USUAL``), except within 3 degrees of it.
"""

from __future__ import annotations

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.mixed_epochs import seconds_of
from stegvis.accelerometry.orientation import Worn as WornAs
from stegvis.accelerometry.tilt import USUAL
from stegvis.twin.gait_parameters import gait_parameters
from stegvis.twin.raw import RawTruth, write_raw_pair
from tests.sizes import FULL
from tests.stegvis.accelerometry.raw_pairs import processed, true_activity
from tests.stegvis.accelerometry.settings import METHOD
from tests.study import PROTOCOL

PEOPLE = 40 if FULL else 8
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
        walking = int(seconds_of(activity, result.mixed, ActivityCode.WALKING, METHOD.epochs.seconds).sum(dtype=int))
        found.append((truth, accuracy, walking, {each.rule for each in result.problems}))
        for file in folder.iterdir():
            file.unlink()
    return found


@pytest.mark.slow
def test_what_people_did_is_found(people):
    accuracy = np.array([each for _, each, _, _ in people])
    assert accuracy.mean() > 0.98
    assert accuracy.min() > 0.93


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


@pytest.mark.slow
@pytest.mark.parametrize(("sensor", "how"), [("back", "upside_down"), ("thigh", "turned")])
def test_a_sensor_attached_anew_upside_down_or_turned_is_named_and_read_as_it_was_worn(tmp_path, sensor, how):
    parameters = gait_parameters()
    always = {"per_week": 7.0, "upside_down": 0.0, "turned": 0.0, "other_leg": 0.0, how: 1.0}
    worn = parameters.worn.model_copy(update={"anew": parameters.worn.anew.model_copy(update=always)})
    truth = write_raw_pair(
        tmp_path, "P", 1, seed=5, protocol=PROTOCOL, parameters=parameters.model_copy(update={"worn": worn})
    )
    assert truth.summary()[f"{sensor}_attached_anew_{how}"] == 1
    found = processed(tmp_path)
    messages = [problem.message for problem in found.problems if problem.rule == "attached_anew"]
    assert any(message.startswith(f"the {sensor} sensor was attached anew") for message in messages)
    assert (found.epochs["activity"] == true_activity(truth, found.epochs)).mean() > 0.95
