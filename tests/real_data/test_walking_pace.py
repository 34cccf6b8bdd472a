"""Walking speed on real people: self-paced walking with one thigh sensor, and three estimates that must agree."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.labeled_people import read_people
from stegvis.accelerometry.pace_evaluation import evaluate_pace
from stegvis.accelerometry.walking_speed import (
    cadence,
    gait_autocorrelation,
    movement,
    speed_from_cadence,
    speed_from_movement,
)
from stegvis.accelerometry.windows import chunks
from tests.study import PROTOCOL

pytestmark = pytest.mark.real_data

RULES, RATE_HZ, SIZE = PROTOCOL.walking_speed, PROTOCOL.epochs.sampling_rate_hz, PROTOCOL.epochs.samples_per_epoch


def test_pace_is_ordered_within_people_and_distinguished(real_data):
    found = evaluate_pace(real_data / "selfback_thigh", PROTOCOL)
    assert found.people >= 20
    assert found.ordered >= 0.98 * found.people
    assert found.accuracy >= 0.72
    assert found.met_error <= 0.26
    assert sum(map(sum, found.confusion)) == found.epochs
    # The mean speed agrees with the cadence relation (97 steps/min at 1 m/s).
    for km_per_hour, steps in zip(found.mean_km_per_hour, found.mean_cadence, strict=True):
        assert km_per_hour == pytest.approx(float(speed_from_cadence(np.array([steps]), RULES)[0]), rel=0.05)


def test_pace_of_other_people_and_another_device_is_ordered(real_data):
    if not (real_data / "sens_thigh").is_dir():
        pytest.skip("no recordings of SENS")
    found = evaluate_pace(real_data / "sens_thigh", PROTOCOL)
    assert found.people == 27
    assert found.ordered >= 26
    assert found.cadence_ordered >= 26
    assert found.shares["speed, learned"].share > found.shares["cadence, learned"].share > 0.8
    # Their slow is not that of the protocol, which the card says.
    assert found.shares["speed, protocol"].high < 0.5


def test_cadence_back_and_thigh_agree_and_err_as_the_protocol_says(real_data):
    """Errors between people of each estimate alone, by triple collocation (Stoffelen 1998)."""
    people = read_people([real_data / "harth", real_data / "har70plus"], PROTOCOL, lambda _: None)
    logs = np.array([each for each in (_mean_log_speeds(person) for person in people) if each is not None])
    assert len(logs) >= 20
    assert np.abs(logs.mean(axis=0) - logs.mean()).max() < 0.06
    by_cadence, by_back, by_thigh = logs.T
    by_movement = np.cov(by_back - by_cadence, by_thigh - by_cadence)
    shared = by_movement[0, 1]
    errors = np.sqrt(np.maximum([shared, by_movement[0, 0] - shared, by_movement[1, 1] - shared], 0))
    expected = [RULES.cadence_speed_error, RULES.back_movement_speed_error, RULES.thigh_movement_speed_error]
    assert errors == pytest.approx(expected, abs=0.05)
    # At both places, movement is a more accurate measure of a person's speed than cadence.
    assert errors[0] > errors[1:].max()


def _mean_log_speeds(person) -> np.ndarray | None:
    """One person's mean log speed by cadence, back and thigh, over certain walking; None if there is too little."""
    walking = np.flatnonzero((person.activity == ActivityCode.WALKING) & ~person.stairs)
    inner = walking[1:-1][(np.diff(walking)[:-1] == 1) & (np.diff(walking)[1:] == 1)]
    if len(inner) < 30:
        return None
    parts = list(chunks(person.signal.acceleration, person.starts[inner], SIZE))
    steps = np.concatenate([cadence(gait_autocorrelation(part, RULES, RATE_HZ), RULES, RATE_HZ) for part in parts])
    moved = np.concatenate([movement(part, RULES, RATE_HZ) for part in parts])
    speeds = np.column_stack([speed_from_cadence(steps, RULES), speed_from_movement(moved, RULES)])
    return np.log(speeds[np.isfinite(speeds).all(axis=1)]).mean(axis=0)
