"""Raw pairs: files as a device writes them, and the truth about them."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.twin.activities import ActivitySequence, draw_activities, from_epochs
from stegvis.twin.draws import stream
from stegvis.twin.gait_parameters import gait_parameters
from stegvis.twin.raw import DEFAULT_START, RawTruth, SensorTruth, Worn, write_raw_pair
from tests.study import PROTOCOL

EPOCHS, SECONDS = 17_280, 86_400


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[RawTruth, CwaRecording, CwaRecording]:
    folder = tmp_path_factory.mktemp("raw")
    truth = write_raw_pair(folder, "P1", days=1, protocol=PROTOCOL, seed=5)
    return truth, read_cwa(folder / "P1_back.cwa"), read_cwa(folder / "P1_thigh.cwa")


def device_seconds(sensor: SensorTruth, true_seconds: np.ndarray) -> np.ndarray:
    """What the sensor's clock shows at true times, seconds from the start."""
    drift = sensor.clock_drift_seconds_per_day / 86400
    return sensor.clock_offset_seconds + true_seconds * (1 + drift)


def test_files_name_the_device_the_person_and_the_body_location(pair):
    truth, back, thigh = pair
    assert back.header.device_id == truth.back.device_id
    assert thigh.header.device_id == truth.thigh.device_id
    assert back.header.annotations == {"_sc": "P1", "_p": "lower back"}
    assert thigh.header.annotations["_p"] == "right thigh"
    assert back.masked_blocks == thigh.masked_blocks == {}
    assert (len(back.samples), len(thigh.samples)) == (truth.back.samples, truth.thigh.samples)


def test_clocks_run_as_in_the_truth(pair):
    truth, *recordings = pair
    for sensor, recording in zip((truth.back, truth.thigh), recordings, strict=True):
        true_seconds = sensor.start_seconds + np.arange(sensor.samples) / sensor.true_rate_hz
        expected = DEFAULT_START + np.round(device_seconds(sensor, true_seconds) * 1e6).astype("timedelta64[us]")
        assert np.abs(recording.times - expected).max() < np.timedelta64(1000, "us")
        assert abs(sensor.true_rate_hz / 50 - 1) <= 0.015
    assert abs(truth.offset_seconds) <= gait_parameters().sensors.largest_start_offset
    assert truth.back.true_rate_hz != truth.thigh.true_rate_hz


def test_both_sensors_measure_the_same_motion_once_their_clocks_are_corrected(pair):
    truth, back, thigh = pair
    activity = []
    for sensor, recording in ((truth.back, back), (truth.thigh, thigh)):
        seconds = (recording.times - DEFAULT_START) / np.timedelta64(1, "s")
        grid = np.arange(8 * 3600, 20 * 3600, 0.1)
        magnitude = np.linalg.norm(recording.acceleration(), axis=1)
        activity.append(np.interp(device_seconds(sensor, grid), seconds, np.abs(magnitude - 1)))
    kernel = np.ones(10) / 10
    one, other = (np.convolve(each, kernel, "same") for each in activity)
    together = [np.corrcoef(one[200:-200], np.roll(other, shift)[200:-200])[0, 1] for shift in range(-100, 101)]
    assert abs(np.argmax(together) - 100) * 0.1 <= 0.3
    assert max(together) > 0.5


def test_the_truth_covers_the_day(pair):
    truth, *_ = pair
    assert (len(truth.sequence.activity), truth.sequence.step_seconds) == (SECONDS, 1)
    assert sum(truth.sequence.seconds().values()) == 86400
    for needed in ("lying", "sitting", "standing", "walking"):
        assert truth.summary()[f"{needed}_minutes"] > 20


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_people_differ(tmp_path):
    sequence = from_epochs(np.full(EPOCHS, ActivityCode.SITTING), np.zeros(EPOCHS), stream(1, "x"), PROTOCOL.epochs)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for person in ("P1", "P2"):
            write_raw_pair(tmp_path / folder, person, 1, protocol=PROTOCOL, seed=1, sequence=sequence)
    a, b = ((tmp_path / folder / "P1_thigh.cwa").read_bytes() for folder in ("a", "b"))
    assert a == b
    assert a != (tmp_path / "a" / "P2_thigh.cwa").read_bytes()


def still_day(*parts: tuple[ActivityCode, int]) -> ActivitySequence:
    activity = np.repeat([int(code) for code, _ in parts], [hours * 720 for _, hours in parts])
    return from_epochs(activity, np.zeros(len(activity)), stream(1, "still"), PROTOCOL.epochs)


def mean_of(folder, name: str, first_hour: int, last_hour: int) -> np.ndarray:
    recording = read_cwa(folder / name)
    hours = (recording.times - DEFAULT_START) / np.timedelta64(1, "h")
    return recording.acceleration()[(hours > first_hour) & (hours < last_hour)].mean(axis=0)


STANDING_DAY = still_day((ActivityCode.STANDING, 24))


def test_an_upside_down_sensor_measures_the_long_axis_with_the_opposite_sign(tmp_path):
    write_raw_pair(tmp_path, "P1", 1, protocol=PROTOCOL, sequence=STANDING_DAY, thigh=Worn(upside_down=True))
    assert mean_of(tmp_path, "P1_thigh.cwa", 1, 5)[0] > 0.8
    assert mean_of(tmp_path, "P1_back.cwa", 1, 5)[0] < -0.8


def test_a_turned_sensor_measures_the_outward_axis_with_the_opposite_sign(tmp_path):
    sitting = still_day((ActivityCode.SITTING, 24))
    write_raw_pair(tmp_path, "P1", 1, protocol=PROTOCOL, sequence=sitting, thigh=Worn(turned=True))
    assert mean_of(tmp_path, "P1_thigh.cwa", 1, 5)[2] > 0.8


def test_swapped_files_have_each_others_names(tmp_path):
    sitting = still_day((ActivityCode.SITTING, 24))
    truth = write_raw_pair(tmp_path, "P1", 1, protocol=PROTOCOL, sequence=sitting, swapped=True)
    assert truth.back.file == "P1_thigh.cwa"
    assert mean_of(tmp_path, "P1_thigh.cwa", 1, 5)[0] < -0.7
    assert mean_of(tmp_path, "P1_back.cwa", 1, 5)[2] < -0.8


def test_a_sensor_taken_off_is_still_and_cools(tmp_path):
    write_raw_pair(
        tmp_path, "P1", 1, protocol=PROTOCOL, sequence=STANDING_DAY, thigh=Worn(off=((6 * 3600.0, 9 * 3600.0),))
    )
    recording = read_cwa(tmp_path / "P1_thigh.cwa")
    hours = (recording.times - DEFAULT_START) / np.timedelta64(1, "h")
    off, worn = (hours > 6.1) & (hours < 8.9), (hours > 2) & (hours < 5)
    assert recording.acceleration()[off].std(axis=0).max() < 0.009
    assert recording.acceleration()[worn].std(axis=0).max() > 0.03
    block_hours = (recording.blocks["start"] - DEFAULT_START) / np.timedelta64(1, "h")
    celsius = recording.blocks["temperature_c"]
    assert celsius[(block_hours > 8) & (block_hours < 9)].mean() < 25
    assert celsius[(block_hours > 2) & (block_hours < 5)].mean() > 31


def test_both_sensors_are_off_in_epochs_of_nonwear(tmp_path):
    day = still_day((ActivityCode.STANDING, 10), (ActivityCode.NONWEAR, 4), (ActivityCode.STANDING, 10))
    truth = write_raw_pair(tmp_path, "P1", 1, protocol=PROTOCOL, sequence=day)
    assert truth.back.worn.off == truth.thigh.worn.off == ((36000.0, 50400.0),)


def test_a_sequence_of_another_length_is_refused(tmp_path):
    with pytest.raises(ValueError, match="as long as"):
        write_raw_pair(tmp_path, "P1", 2, protocol=PROTOCOL, sequence=STANDING_DAY)


def test_speeds_of_classified_epochs_stay_in_their_class():
    speed = np.repeat([SpeedCode.SLOW, SpeedCode.MODERATE, SpeedCode.BRISK], 400)
    sequence = from_epochs(np.full(1200, ActivityCode.WALKING), speed, stream(1, "speeds"), PROTOCOL.epochs)
    cuts = PROTOCOL.epochs
    found = np.searchsorted([cuts.slow_up_to_km_per_hour, cuts.moderate_up_to_km_per_hour], sequence.speed_km_per_hour)
    assert (found + 1 == speed).all()


def test_walking_epochs_and_only_they_need_a_speed():
    walking = np.array([ActivityCode.WALKING, ActivityCode.SITTING], np.uint8)
    for wrong in ([0, 0], [3, 3]):
        with pytest.raises(ValueError, match="speed"):
            ActivitySequence(walking, np.array(wrong, np.float32), 5)


def test_drawn_days_have_plausible_totals():
    days = [draw_activities(1, gait_parameters(), stream(seed, "days"), 5).seconds() for seed in range(12)]
    means = {name: np.mean([day[name] for day in days]) / 60 for name in days[0]}
    assert 400 < means["lying"] < 620
    assert 400 < means["sitting"] < 750
    assert 120 < means["standing"] < 380
    assert 60 < means["walking"] < 160


def test_other_parameters_make_another_recording(tmp_path):
    parameters = gait_parameters()
    loud = replace_noise(parameters, 0.05)
    sitting = still_day((ActivityCode.SITTING, 24))
    write_raw_pair(tmp_path, "P1", 1, protocol=PROTOCOL, sequence=sitting, parameters=loud)
    assert np.diff(read_cwa(tmp_path / "P1_back.cwa").acceleration()[:5000], axis=0).std() > 0.05


def replace_noise(parameters, noise):
    return parameters.model_copy(update={"sensors": parameters.sensors.model_copy(update={"noise_back": noise})})
