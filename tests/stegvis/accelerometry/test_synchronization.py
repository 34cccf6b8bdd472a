"""Synchronization of two clocks: offset and drift, and the cases in which they cannot be determined."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.raw_sensor import raw_sensor, read_recording
from stegvis.accelerometry.synchronization import coarse_offset, synchronize
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.raw import write_raw_pair
from tests.stegvis.accelerometry.raw_pairs import with_sensors
from tests.stegvis.accelerometry.settings import METHOD
from tests.stegvis.accelerometry.simulated_pairs import ORIGIN, START, bouts, sensor
from tests.study import PROTOCOL

HOURS = 8.0


def still(seconds: np.ndarray) -> np.ndarray:
    return np.full(len(seconds), 0.002)


def compared(back, thigh):
    return synchronize(back[0], thigh[0], back[1], thigh[1], METHOD.synchronization, METHOD.epochs)


def pair(folder, *, hours=HOURS, back_level=None, thigh_level=None, **thigh):
    level = bouts(hours, seed=1)
    back = sensor(folder / "back.cwa", back_level or level, hours, 11, rate=49.4)
    other = sensor(folder / "thigh.cwa", thigh_level or back_level or level, hours, 12, rate=50.7, **thigh)
    return compared(back, other), back, other


@pytest.mark.parametrize(("ahead", "drift"), [(0.0, 0.0), (7.3, -2.0), (-12.6, 6.0)])
def test_offset_and_drift_are_found(tmp_path, ahead, drift):
    found, *_ = pair(tmp_path, ahead=ahead, drift=drift)
    assert found.synchronized
    assert found.offset_seconds == pytest.approx(ahead, abs=0.1)
    # Compared at both ends, because the drift over hours is known less precisely than over a week.
    begin = float((START - ORIGIN) / np.timedelta64(1, "s"))
    for seconds in (0.0, HOURS * 3600):
        shown = found.thigh_seconds(np.array([begin + seconds]))[0] - begin
        assert shown == pytest.approx(seconds + ahead + drift * seconds / 86400, abs=0.1)
    assert found.error_seconds < 0.1
    assert found.agreeing >= 0.9 * found.windows


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_clocks_set_an_hour_apart_are_found(tmp_path, ahead):
    found, back, thigh = pair(tmp_path, ahead=ahead, drift=1.0)
    assert coarse_offset(back[1], thigh[1], METHOD.synchronization.coarse_search_hours) == pytest.approx(ahead, abs=15)
    assert found.synchronized
    assert found.offset_seconds == pytest.approx(ahead, abs=0.1)


def test_a_person_in_bed_cannot_be_synchronized(tmp_path):
    found, *_ = pair(tmp_path, back_level=still, ahead=5.0)
    assert (found.status, found.windows) == ("too_little_movement", 0)
    times = np.array([0.0, 1e5])
    assert np.array_equal(found.thigh_seconds(times), times)


def test_little_movement_is_too_little(tmp_path):
    # A quarter of an hour of movement: fewer than ten windows.
    found, *_ = pair(tmp_path, back_level=bouts(HOURS, seed=1, until_hour=0.25), ahead=5.0)
    assert found.status == "too_little_movement"
    assert 0 < found.windows < 10


def test_sensors_of_two_people_do_not_agree(tmp_path):
    found, *_ = pair(tmp_path, hours=24.0, thigh_level=bouts(24.0, seed=2))
    assert found.status == "no_agreement"
    assert found.windows >= 30
    assert found.offset_seconds == found.drift_seconds_per_day == 0


def test_a_drift_that_cannot_be_determined_from_one_morning_is_not_reported(tmp_path):
    # Movement in the first forty minutes only; the rest is spent in bed.
    level = bouts(1.0, seed=1, until_hour=0.7)
    found, *_ = pair(tmp_path, hours=36.0, back_level=level, ahead=2.0)
    assert found.status == "drift_uncertain"
    assert found.offset_seconds == 0


def test_the_same_recordings_give_the_same_line(tmp_path):
    found, back, thigh = pair(tmp_path, ahead=2.0, drift=3.0)
    assert compared(back, thigh) == found


# --- on the twin's people, who walk, sit and sleep ------------------------------------------------------------------


def of_the_twin(folder, days, seed, sequence=None):
    """The synchronization of a pair, and its truth. Clocks start up to 30 minutes apart and drift by seconds a day."""
    sensors = with_sensors(clock_drift_sd=4.0, largest_start_offset=1800.0)
    truth = write_raw_pair(folder, "P", days, seed=seed, protocol=PROTOCOL, sequence=sequence, parameters=sensors)
    back, thigh = (
        raw_sensor(read_recording(folder / f"P_{place}.cwa", place, METHOD.raw_recordings), place, ORIGIN, {}, METHOD)
        for place in ("back", "thigh")
    )
    return compared((back.signal, back.summary), (thigh.signal, thigh.summary)), truth


def assert_found(found, truth):
    assert found.synchronized
    assert found.offset_seconds == pytest.approx(truth.offset_seconds, abs=0.1)
    assert found.drift_seconds_per_day == pytest.approx(truth.drift_seconds_per_day, abs=0.1)


def test_the_clocks_of_a_day_are_found(tmp_path):
    assert_found(*of_the_twin(tmp_path, 1, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 14))
def test_the_clocks_of_many_people_are_found(tmp_path, seed):
    assert_found(*of_the_twin(tmp_path, 2, seed))


def some_walking(days: int, minutes: float) -> ActivitySequence:
    """One walk on the first morning; otherwise in bed."""
    activity = np.full(days * 17_280, ActivityCode.LYING, dtype=np.uint8)
    speed = np.zeros(len(activity), dtype=np.float32)
    walk = slice(6000, 6000 + int(minutes * 12))
    activity[walk], speed[walk] = ActivityCode.WALKING, 4.0
    return ActivitySequence(activity, speed, PROTOCOL.epochs.seconds)


@pytest.mark.parametrize("minutes", [5, *(pytest.param(minutes, marks=pytest.mark.slow) for minutes in (0, 10))])
def test_too_little_movement_gives_no_offset(tmp_path, minutes):
    found, _ = of_the_twin(tmp_path, 1, 1, some_walking(1, minutes))
    assert found.status in ("too_little_movement", "drift_uncertain")
    assert found.offset_seconds == found.drift_seconds_per_day == 0


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [20, 30, 60])
def test_a_walk_and_turns_in_bed_are_enough(tmp_path, minutes):
    assert_found(*of_the_twin(tmp_path, 2, 1, some_walking(2, minutes)))
