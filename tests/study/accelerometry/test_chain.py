"""The whole path of a pair: right on the twin, and clear about what cannot be classified."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.accelerometry.activity import ActivityCode
from study.accelerometry.calibration import calibrate, pooled
from study.accelerometry.chain import PairError, PairResult, process_pair, still_directions_of
from study.accelerometry.cwa import HEADER_BYTES, SECTOR_BYTES, read_cwa
from study.twin.activities import ActivitySequence
from study.twin.cwa import Device, write_cwa
from study.twin.gait_parameters import GaitParameters, gait_parameters
from study.twin.raw import RawTruth, Worn, write_raw_pair

EPOCHS_PER_DAY = 17_280
WALKING = ActivityCode.WALKING


def with_sensors(**changes: float) -> GaitParameters:
    """The twin's parameters with other sensors."""
    parameters = gait_parameters()
    return parameters.model_copy(update={"sensors": parameters.sensors.model_copy(update=changes)})


def processed(folder: Path, **settings) -> PairResult:
    return process_pair(folder / "P_back.cwa", folder / "P_thigh.cwa", **settings)


def true_activity(truth: RawTruth, epochs: pd.DataFrame) -> np.ndarray:
    """True activity at the middle of each epoch, whose start is told by the back's clock."""
    return truth.sequence.activity[truth.epochs_at(epochs["epoch_start"].to_numpy())]


def slipped(true: np.ndarray, found: np.ndarray) -> int:
    """By how many epochs the found walking fits the true one best."""
    shifts = range(-6, 7)
    inner = slice(6, -6)
    agreement = [(np.roll(found == WALKING, -shift)[inner] == (true == WALKING)[inner]).mean() for shift in shifts]
    return shifts[int(np.argmax(agreement))]


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> tuple[Path, RawTruth, PairResult]:
    """A day; the clocks drift apart by what two devices may in a week, and sample 1.5 % and more beside 50 Hz."""
    folder = tmp_path_factory.mktemp("day")
    sensors = with_sensors(clock_drift_sd=4.0, largest_rate_error=0.02)
    truth = write_raw_pair(folder, "P", 1, seed=11, parameters=sensors)
    return folder, truth, processed(folder)


def test_the_day_is_a_hard_one(day):
    _, truth, _ = day
    rates = [sensor.true_rate_hz / 50 - 1 for sensor in (truth.back, truth.thigh)]
    assert max(map(abs, rates)) >= 0.015
    assert 3 < abs(truth.drift_seconds_per_day) < 8


def test_clocks_are_found(day):
    _, truth, result = day
    assert result.quality["synchronization"] == "synchronized"
    assert result.quality["offset_seconds"] == pytest.approx(truth.offset_seconds, abs=0.1)
    assert result.quality["drift_seconds_per_day"] == pytest.approx(truth.drift_seconds_per_day, abs=0.1)
    for place, sensor in (("back", truth.back), ("thigh", truth.thigh)):
        by_its_clock = sensor.true_rate_hz / (1 + sensor.clock_drift_seconds_per_day / 86400)
        assert result.quality[f"{place}_rate_hz"] == pytest.approx(by_its_clock, rel=1e-5)


def test_epochs_stand_on_the_grid_and_are_right_from_morning_to_night(day):
    _, truth, result = day
    start = result.epochs["epoch_start"]
    assert (start.astype("datetime64[ms]").to_numpy().astype(np.int64) % 5000 == 0).all()
    assert (start.diff().dropna() == pd.Timedelta(seconds=5)).all()
    true, found = true_activity(truth, result.epochs), result.epochs["activity"].to_numpy()
    assert (true == found).mean() > 0.95
    for part in np.array_split(np.flatnonzero(true == WALKING), 3):
        stretch = slice(part[0], part[-1] + 1)
        assert abs(slipped(true[stretch], found[stretch])) <= 1
    minutes = [(each == WALKING).sum() / 12 for each in (true, found)]
    assert minutes[1] == pytest.approx(minutes[0], rel=0.05)


def test_quality_is_plain_and_nothing_is_wrong_with_this_pair(day):
    _, truth, result = day
    assert result.problems == ()
    assert {type(value) for value in result.quality.values()} <= {float, int, str, bool}
    assert result.quality["back_device_id"] == truth.back.device_id
    assert result.quality["hours_in_common"] == pytest.approx(24, abs=0.02)
    assert result.quality["wear_hours"] == result.quality["hours_in_common"]
    assert set(result.still_directions) == {truth.back.device_id, truth.thigh.device_id}
    assert not result.quality["swapped"]


def test_pace_is_told_of_walking_and_of_nothing_else(day):
    epochs = day[2].epochs
    walking = epochs["activity"] == WALKING
    assert (epochs["speed"].gt(0) == walking).all()
    assert (epochs["speed_km_per_hour"].notna() == walking).all()
    assert not epochs.loc[~walking, "stairs"].any()


def test_days_are_the_sums_of_epochs(day):
    _, _, result = day
    days = result.days
    activities = ["lying", "sitting", "standing", "walking", "running", "cycling", "nonwear"]
    assert days[activities].to_numpy().sum() == 5 * len(result.epochs)
    assert (days["walking_slow"] + days["walking_moderate"] + days["walking_brisk"]).equals(days["walking"])
    assert days["valid"].equals(days["as_published"])


def test_the_same_pair_gives_the_same_table(day):
    folder, _, result = day
    pd.testing.assert_frame_equal(processed(folder).epochs, result.epochs)


def test_a_pooled_calibration_is_used_where_it_holds(day):
    folder, truth, result = day
    device, directions = still_directions_of(folder / "P_back.cwa")
    assert device == truth.back.device_id
    assert np.array_equal(directions, result.still_directions[device])
    assert result.quality["back_calibration"] == "sphere_not_covered"
    mirrored = calibrate(pooled([directions, -directions]))
    assert mirrored.calibrated
    again = processed(folder, calibrations={device: mirrored})
    assert again.quality["back_calibration"] == "pooled"
    assert again.quality["thigh_calibration"] == result.quality["thigh_calibration"]
    assert again.quality["back_calibration_error_after_g"] < again.quality["back_calibration_error_before_g"]
    refused = calibrate(directions[:10])
    assert processed(folder, calibrations={device: refused}).epochs.equals(result.epochs)


# --- worn otherwise -------------------------------------------------------------------------------------------------


def test_swapped_sensors_are_put_right(tmp_path, day):
    folder, _, result = day
    shutil.copy(folder / "P_back.cwa", tmp_path / "P_thigh.cwa")
    shutil.copy(folder / "P_thigh.cwa", tmp_path / "P_back.cwa")
    found = processed(tmp_path)
    assert [problem.rule for problem in found.problems] == ["swapped"]
    assert found.quality["swapped"]
    assert found.epochs.equals(result.epochs)


def test_a_sensor_upside_down_is_flagged_and_classified(tmp_path):
    truth = write_raw_pair(tmp_path, "P", 1, seed=11, thigh=Worn(upside_down=True))
    found = processed(tmp_path)
    assert found.quality["thigh_worn_as"] == "upside_down"
    assert [problem.rule for problem in found.problems] == ["upside_down"]
    assert (true_activity(truth, found.epochs) == found.epochs["activity"]).mean() > 0.95


def test_an_epoch_is_worn_only_if_both_sensors_are(tmp_path):
    off_back, off_thigh = (9 * 3600.0, 12 * 3600.0), (11 * 3600.0, 13.5 * 3600.0)
    write_raw_pair(tmp_path, "P", 1, seed=11, back=Worn(off=(off_back,)), thigh=Worn(off=(off_thigh,)))
    found = processed(tmp_path)
    epochs = found.epochs
    hour = (epochs["epoch_start"] - epochs["epoch_start"].iloc[0]) / pd.Timedelta(hours=1)
    for column, (start, end) in (("wear_back", off_back), ("wear_thigh", off_thigh)):
        truly_off = hour.between(start / 3600, end / 3600)
        assert (epochs[column] == ~truly_off).mean() > 0.995
    worn = epochs["wear_back"] & epochs["wear_thigh"]
    assert ((epochs["activity"] == ActivityCode.NONWEAR) == ~worn).all()
    assert (epochs.loc[~worn, ["speed", "confidence"]] == 0).all(axis=None)
    day = found.days.iloc[0]
    assert day["nonwear"] == pytest.approx(4.5 * 3600, abs=300)
    assert day[["as_published", "whole_day", "worn"]].tolist() == [True, False, False]


def test_a_day_in_bed_cannot_be_synchronized_and_is_classified_all_the_same(tmp_path):
    lying = ActivitySequence(
        np.full(EPOCHS_PER_DAY, ActivityCode.LYING, dtype=np.uint8), np.zeros(EPOCHS_PER_DAY, dtype=np.float32)
    )
    write_raw_pair(tmp_path, "P", 1, seed=11, sequence=lying)
    found = processed(tmp_path)
    assert [problem.rule for problem in found.problems] == ["not_synchronized"]
    assert found.quality["synchronization"] == "too_little_movement"
    assert (found.epochs["activity"] == ActivityCode.LYING).mean() > 0.95


@pytest.mark.slow
def test_labels_are_right_after_a_week(tmp_path):
    sensors = with_sensors(largest_rate_error=0.02)
    truth = write_raw_pair(tmp_path, "P", 7, seed=11, parameters=sensors)
    rates = [abs(sensor.true_rate_hz / 50 - 1) for sensor in (truth.back, truth.thigh)]
    assert max(rates) >= 0.015
    found = processed(tmp_path)
    assert found.quality["offset_seconds"] == pytest.approx(truth.offset_seconds, abs=0.1)
    assert found.quality["drift_seconds_per_day"] == pytest.approx(truth.drift_seconds_per_day, abs=0.1)
    true, activity = true_activity(truth, found.epochs), found.epochs["activity"].to_numpy()
    last = slice(6 * EPOCHS_PER_DAY, 7 * EPOCHS_PER_DAY)
    assert abs(slipped(true[last], activity[last])) <= 1
    assert (true[last] == activity[last]).mean() > 0.95


# --- what cannot be classified --------------------------------------------------------------------------------------


@pytest.fixture
def pair(day, tmp_path) -> tuple[Path, Path]:
    """A copy of the day's files, to be spoiled."""
    for name in ("P_back.cwa", "P_thigh.cwa"):
        shutil.copy(day[0] / name, tmp_path / name)
    return tmp_path / "P_back.cwa", tmp_path / "P_thigh.cwa"


def refusal(back: Path, thigh: Path) -> tuple[str, str]:
    with pytest.raises(PairError) as error:
        process_pair(back, thigh)
    assert "P_" not in str(error.value)
    return error.value.rule, str(error.value)


def test_files_that_cannot_be_read(pair):
    back, thigh = pair
    content = thigh.read_bytes()
    for spoiled, why in (
        (b"", "thigh recording cannot be read: the file is empty"),
        (content[:500], "thigh recording cannot be read: the file is cut off within its header"),
        (content[:HEADER_BYTES], "thigh recording cannot be read: the file has a header and no data"),
        (b"not a recording" * 1000, "thigh recording cannot be read: not a CWA file"),
        (content[:HEADER_BYTES] + np.random.default_rng(1).bytes(1 << 20), "no sector of the file is intact"),
        (content[:36] + b"\x43" + content[37:], "sampling rate is none that a device has"),
    ):
        thigh.write_bytes(spoiled)
        rule, message = refusal(back, thigh)
        assert rule == "unreadable"
        assert why in message
    assert refusal(back, thigh.with_name("missing.cwa"))[0] == "unreadable"


def test_a_sensor_set_to_a_rate_nobody_walks_at(pair):
    back, thigh = pair
    still = np.tile(np.array([-1, 0, 0], dtype=np.float32), (20_000, 1))
    write_cwa(thigh, still, np.datetime64("2018-05-02T00:00:00"), Device(7, 1, 12.5, nominal_rate_hz=12.5))
    assert refusal(back, thigh) == ("too_slow", "the thigh sensor was set to 12.5 samples per second")


def test_a_file_cut_off_early_has_too_little_in_common(pair):
    back, thigh = pair
    content = thigh.read_bytes()
    thigh.write_bytes(content[: len(content) // 2])
    rule, message = refusal(back, thigh)
    assert rule == "short_overlap"
    assert "12.0 hours" in message


def test_the_same_recording_twice(pair):
    back, thigh = pair
    assert refusal(back, back)[0] == "same_recording"
    renamed = bytearray(back.read_bytes())
    renamed[5:7] = b"\x01\x02"  # another serial number, the same samples
    thigh.write_bytes(renamed)
    assert refusal(back, thigh)[0] == "same_recording"


def rewritten(file: Path, into: Path, device_id: int, start: np.datetime64 | None = None, **annotations: str) -> None:
    """A file as another device would have recorded the same: other noise, other clock, other words in the header."""
    recording = read_cwa(file)
    samples = recording.acceleration() + np.random.default_rng(device_id).normal(0, 0.01, recording.samples.shape)
    device = Device(device_id, 1, recording.segments[0].rate_hz, annotations=annotations)
    write_cwa(into, samples, recording.segments[0].start if start is None else start, device)


def test_two_files_of_the_thigh(pair):
    back, thigh = pair
    rewritten(thigh, back, 99, _p="left thigh")
    assert refusal(back, thigh) == ("same_place", "both files say that they were worn on the thigh")
    rewritten(thigh, back, 99)
    assert refusal(back, thigh) == (
        "same_place",
        "both sensors were on the same part of the body: they are never apart in posture",
    )


def test_recordings_of_different_weeks_and_days(pair, day):
    back, thigh = pair
    rewritten(day[0] / "P_thigh.cwa", thigh, 98, np.datetime64("2018-05-09T00:00:00"))
    assert refusal(back, thigh) == ("different_weeks", "the two recordings have no time in common")
    rewritten(day[0] / "P_thigh.cwa", thigh, 98, np.datetime64("2018-05-02T12:00:00"))
    assert refusal(back, thigh)[0] == "short_overlap"


def test_sensors_of_two_people(pair, tmp_path):
    back, _ = pair
    (tmp_path / "other").mkdir()
    write_raw_pair(tmp_path / "other", "P", 1, seed=17)
    rule, message = refusal(back, tmp_path / "other" / "P_thigh.cwa")
    assert rule == "not_together"
    assert "do not move together" in message


def test_a_pair_that_nobody_wore(pair):
    back, thigh = pair
    lying = np.random.default_rng(1).normal((0, 0, 1), 0.003, (24 * 3600 * 50 + 3000, 3))
    write_cwa(thigh, lying, np.datetime64("2018-05-02T00:00:00"), Device(7, 1, 50.0), 21.0)
    assert refusal(back, thigh) == ("not_worn", "the thigh sensor was not worn")


def test_damage_costs_its_own_time_only(pair, day):
    back, thigh = pair
    content = bytearray(thigh.read_bytes())
    content[HEADER_BYTES + 20_000 * SECTOR_BYTES + 200] ^= 255
    thigh.write_bytes(content + b"AX" + bytes(98))
    found = process_pair(back, thigh)
    assert [problem.rule for problem in found.problems] == ["truncated", "damaged", "gaps"]
    assert found.quality["thigh_sectors_masked"] == 1
    assert 0 < len(day[2].epochs) - len(found.epochs) <= 2
    together = found.epochs.merge(day[2].epochs, on="epoch_start")
    assert (together["activity_x"] == together["activity_y"]).mean() > 0.999
