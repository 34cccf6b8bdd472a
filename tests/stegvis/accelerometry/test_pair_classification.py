"""The whole classification of a raw pair on the twin: over a day, over a week, and however the sensors were worn."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stegvis.sql
from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.calibration import calibrate, pooled
from stegvis.accelerometry.classifier import classify_windows
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR_BYTES
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.pair_epochs import common_epochs
from stegvis.accelerometry.raw_sensor import raw_sensor, read_recording, still_directions_of
from stegvis.accelerometry.synchronization import synchronize
from stegvis.accelerometry.windows import gather
from stegvis.storage.day_sums import day_table
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.cwa import Device, write_cwa
from stegvis.twin.raw import Worn, write_raw_pair
from tests.stegvis.accelerometry.raw_pairs import (
    EPOCHS_PER_DAY,
    WALKING,
    hourly_slips,
    processed,
    swapped_from,
    true_activity,
)
from tests.stegvis.accelerometry.settings import METHOD, PROTOCOL, SIZE

DAILY_EXPOSURES = Path(stegvis.sql.__file__).with_name("daily_exposures.sql").read_text(encoding="utf-8")


def test_the_day_has_fast_drift_and_wrong_rates(day):
    _, truth, _ = day
    assert (truth.back.true_rate_hz, truth.thigh.true_rate_hz) == pytest.approx((50.75, 49.25))
    assert 3 < abs(truth.drift_seconds_per_day) < 8


def test_clocks_are_found(day):
    _, truth, result = day
    assert result.quality["synchronization"] == "synchronized"
    assert result.quality["offset_seconds"] == pytest.approx(truth.offset_seconds, abs=0.1)
    assert result.quality["drift_seconds_per_day"] == pytest.approx(truth.drift_seconds_per_day, abs=0.1)
    for place, sensor in (("back", truth.back), ("thigh", truth.thigh)):
        by_its_clock = sensor.true_rate_hz / (1 + sensor.clock_drift_seconds_per_day / 86400)
        assert result.quality[f"{place}_rate_hz"] == pytest.approx(by_its_clock, rel=1e-5)


def test_epochs_are_on_the_grid_and_correct_throughout_the_day(day):
    _, truth, result = day
    start = result.epochs["epoch_start"]
    assert (start.astype("datetime64[ms]").to_numpy().astype(np.int64) % 5000 == 0).all()
    assert (start.diff().dropna() == pd.Timedelta(seconds=5)).all()
    true, found = true_activity(truth, result.epochs), result.epochs["activity"].to_numpy()
    assert (true == found).mean() > 0.95
    slips = hourly_slips(true, found)
    assert len(slips) >= 6
    assert max(map(abs, slips)) <= 1
    minutes = [(each == WALKING).sum() / 12 for each in (true, found)]
    assert minutes[1] == pytest.approx(minutes[0], rel=0.05)


def test_quality_has_plain_values_and_this_pair_has_no_problems(day):
    _, truth, result = day
    assert result.problems == ()
    assert {type(value) for value in result.quality.values()} <= {float, int, str, bool}
    assert result.quality["back_device_id"] == truth.back.device_id
    assert result.quality["hours_in_common"] == pytest.approx(24, abs=0.02)
    assert result.quality["wear_hours"] == result.quality["hours_in_common"]
    assert set(result.still_directions) == {truth.back.device_id, truth.thigh.device_id}
    assert not result.quality["swapped"]


def test_only_walking_epochs_have_a_pace(day):
    epochs = day[2].epochs
    walking = epochs["activity"] == WALKING
    assert (epochs["speed"].gt(0) == walking).all()
    assert (epochs["speed_km_per_hour"].notna() == walking).all()
    assert not epochs.loc[~walking, "stairs"].any()


def test_a_pair_is_classified_like_its_resampled_signal(day):
    folder, _, result = day
    origin = np.datetime64("2018-05-02", "D")
    sensors = {
        place: raw_sensor(
            read_recording(folder / f"P_{place}.cwa", place, METHOD.raw_recordings), place, origin, {}, METHOD
        )
        for place in ("back", "thigh")
    }
    back, thigh = sensors["back"], sensors["thigh"]
    clocks = synchronize(back.signal, thigh.signal, back.summary, thigh.summary, METHOD.synchronization, METHOD.epochs)
    epochs = common_epochs(sensors, clocks, METHOD)
    assert epochs.worn.all()
    samples = gather(epochs.windows, np.arange(len(epochs.start)), SIZE).reshape(-1, 6)
    times = result.epochs["epoch_start"].to_numpy()[0] + np.arange(len(samples)) * np.timedelta64(20, "ms")
    found = classify_windows(times, samples, METHOD)
    columns = ["epoch_start", "activity", "confidence", "stairs", "cadence"]
    # Codes are the same; cadence may differ in its last digit, as sums do by where their numbers lie in memory.
    pd.testing.assert_frame_equal(found.epochs[columns], result.epochs[columns], rtol=1e-4)
    # For a pair, the attenuation of movement by interpolation is corrected.
    corrected = (result.epochs["speed_km_per_hour"] / found.epochs["speed_km_per_hour"]).dropna()
    assert 1 < corrected.mean() < 1.03
    assert (found.orientation.back, found.orientation.thigh) == ("as_prescribed", "as_prescribed")


def test_days_are_the_sums_of_epochs(day):
    _, _, result = day
    days = day_table(result.epochs, PROTOCOL, DAILY_EXPOSURES)
    activities = ["lying", "sitting", "standing", "walking", "running", "cycling", "nonwear"]
    assert days[activities].to_numpy().sum() == 5 * len(result.epochs)
    assert (days["walking_slow"] + days["walking_moderate"] + days["walking_brisk"]).equals(days["walking"])
    assert days["valid"].equals(days["as_published"])


def test_the_same_pair_gives_the_same_table(day):
    folder, _, result = day
    pd.testing.assert_frame_equal(processed(folder).epochs, result.epochs)


def test_a_pooled_calibration_is_used_if_it_was_successful(day):
    folder, truth, result = day
    device, directions = still_directions_of(folder / "P_back.cwa", METHOD)
    assert device == truth.back.device_id
    assert np.array_equal(directions, result.still_directions[device])
    assert result.quality["back_calibration"] == "sphere_not_covered"
    mirrored = calibrate(pooled([directions, -directions], METHOD.calibration), METHOD.calibration)
    assert mirrored.calibrated
    again = processed(folder, calibrations={device: mirrored})
    assert again.quality["back_calibration"] == "pooled"
    assert again.quality["thigh_calibration"] == result.quality["thigh_calibration"]
    assert again.quality["back_calibration_error_after_g"] < again.quality["back_calibration_error_before_g"]
    refused = calibrate(directions[:10], METHOD.calibration)
    assert processed(folder, calibrations={device: refused}).epochs.equals(result.epochs)


# --- sensors not worn as prescribed ----------------------------------------------------------------------------------


def test_swapped_sensors_are_corrected(tmp_path, day):
    folder, _, result = day
    shutil.copy(folder / "P_back.cwa", tmp_path / "P_thigh.cwa")
    shutil.copy(folder / "P_thigh.cwa", tmp_path / "P_back.cwa")
    found = processed(tmp_path)
    assert [problem.rule for problem in found.problems] == ["swapped"]
    assert found.quality["swapped"]
    assert found.epochs.equals(result.epochs)


@pytest.mark.parametrize("share", [0.5, pytest.param(0.75, marks=pytest.mark.slow)])
def test_sensors_swapped_during_the_recording_are_corrected_from_then_on(tmp_path, day, share):
    folder, truth, result = day
    at = swapped_from(folder, tmp_path, truth, share)
    found = processed(tmp_path)
    (problem,) = found.problems
    assert problem.rule == "swapped_for_a_time"
    assert (
        f"swapped for {found.quality['swapped_hours']:.1f} hours of the recording; this was corrected"
        in problem.message
    )
    assert found.quality["swapped"] is False
    assert found.quality["swapped_hours"] == pytest.approx(24 * (1 - share), abs=1)
    together = found.epochs.merge(result.epochs, on="epoch_start")
    same = together["activity_x"] == together["activity_y"]
    late = together["epoch_start"] >= pd.Timestamp(at, unit="s")
    assert same[~late].mean() > 0.99
    assert same[late].mean() > 0.98


def test_a_stub_after_a_clock_reset_costs_the_stub(tmp_path, day):
    folder, _, result = day
    shutil.copy(folder / "P_back.cwa", tmp_path / "P_back.cwa")
    still = np.tile(np.array([-1, 0, 0], dtype=np.float32), (120_000, 1))
    write_cwa(
        tmp_path / "stub.cwa",
        still,
        np.datetime64("2000-01-01T00:00:00"),
        Device(result.quality["thigh_device_id"], 2, 49.25),
    )
    whole, stub = (folder / "P_thigh.cwa").read_bytes(), (tmp_path / "stub.cwa").read_bytes()
    for content in (whole + stub[HEADER_BYTES:], whole[:HEADER_BYTES] + stub[HEADER_BYTES:] + whole[HEADER_BYTES:]):
        (tmp_path / "P_thigh.cwa").write_bytes(content)
        found = processed(tmp_path)
        assert [problem.rule for problem in found.problems] == ["clock_reset"]
        assert found.quality["thigh_stub_seconds"] == pytest.approx(120_000 / 49.25, abs=5)
        pd.testing.assert_frame_equal(found.epochs, result.epochs)


UPSIDE_DOWN, TURNED, BOTH = Worn(upside_down=True), Worn(turned=True), Worn(upside_down=True, turned=True)
NAMES = {Worn(): "as_prescribed", UPSIDE_DOWN: "upside_down", TURNED: "turned", BOTH: "upside_down_and_turned"}


@pytest.mark.parametrize(
    ("back", "thigh"),
    [
        (UPSIDE_DOWN, TURNED),
        (TURNED, BOTH),
        pytest.param(BOTH, UPSIDE_DOWN, marks=pytest.mark.slow),
        pytest.param(Worn(), UPSIDE_DOWN, marks=pytest.mark.slow),
        pytest.param(UPSIDE_DOWN, Worn(), marks=pytest.mark.slow),
    ],
    ids=lambda worn: NAMES[worn],
)
def test_rotated_sensors_are_flagged_and_classified(tmp_path, back, thigh):
    truth = write_raw_pair(tmp_path, "P", 1, seed=19, protocol=PROTOCOL, back=back, thigh=thigh)
    found = processed(tmp_path)
    assert (found.quality["back_worn_as"], found.quality["thigh_worn_as"]) == (NAMES[back], NAMES[thigh])
    assert [problem.rule for problem in found.problems] == [NAMES[worn] for worn in (back, thigh) if worn != Worn()]
    assert (true_activity(truth, found.epochs) == found.epochs["activity"]).mean() > 0.95


@pytest.mark.slow
def test_sensors_swapped_and_upside_down_are_corrected_and_flagged(tmp_path):
    truth = write_raw_pair(tmp_path, "P", 1, seed=19, protocol=PROTOCOL, back=UPSIDE_DOWN, thigh=TURNED, swapped=True)
    found = processed(tmp_path)
    assert [problem.rule for problem in found.problems] == ["swapped", "upside_down", "turned"]
    assert found.quality["back_device_id"] == truth.back.device_id
    assert (true_activity(truth, found.epochs) == found.epochs["activity"]).mean() > 0.95


def test_an_epoch_is_worn_only_if_both_sensors_are(tmp_path):
    off_back, off_thigh = (9 * 3600.0, 12 * 3600.0), (11 * 3600.0, 13.5 * 3600.0)
    write_raw_pair(
        tmp_path, "P", 1, seed=19, protocol=PROTOCOL, back=Worn(off=(off_back,)), thigh=Worn(off=(off_thigh,))
    )
    found = processed(tmp_path)
    epochs = found.epochs
    hour = (epochs["epoch_start"] - epochs["epoch_start"].iloc[0]) / pd.Timedelta(hours=1)
    for column, (start, end) in (("wear_back", off_back), ("wear_thigh", off_thigh)):
        truly_off = hour.between(start / 3600, end / 3600)
        assert (epochs[column] == ~truly_off).mean() > 0.995
    worn = epochs["wear_back"] & epochs["wear_thigh"]
    assert ((epochs["activity"] == ActivityCode.NONWEAR) == ~worn).all()
    assert (epochs.loc[~worn, ["speed", "confidence"]] == 0).all(axis=None)
    day = day_table(found.epochs, PROTOCOL, DAILY_EXPOSURES).iloc[0]
    assert day["nonwear"] == pytest.approx(4.5 * 3600, abs=300)
    assert day[["as_published", "whole_day", "worn"]].tolist() == [True, False, False]


def test_a_day_in_bed_cannot_be_synchronized_but_is_classified(tmp_path):
    lying = ActivitySequence(
        np.full(EPOCHS_PER_DAY, ActivityCode.LYING, dtype=np.uint8), np.zeros(EPOCHS_PER_DAY, dtype=np.float32), 5
    )
    write_raw_pair(tmp_path, "P", 1, seed=19, protocol=PROTOCOL, sequence=lying)
    found = processed(tmp_path)
    assert [problem.rule for problem in found.problems] == ["not_synchronized"]
    assert found.quality["synchronization"] == "too_little_movement"
    assert (found.epochs["activity"] == ActivityCode.LYING).mean() > 0.95


# --- a week ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("rate_errors", [(0.015, -0.015), (-0.015, 0.015)])
def test_epochs_are_correct_after_a_week_of_wrong_rates(tmp_path, rate_errors):
    """Counting samples at the nominal rate would be wrong by 2.5 hours after a week at a rate 1.5 % off."""
    truth = write_raw_pair(tmp_path, "P", 7, seed=19, protocol=PROTOCOL, rate_errors=rate_errors)
    found = processed(tmp_path)
    assert found.quality["offset_seconds"] == pytest.approx(truth.offset_seconds, abs=0.1)
    assert found.quality["drift_seconds_per_day"] == pytest.approx(truth.drift_seconds_per_day, abs=0.1)
    true, activity = true_activity(truth, found.epochs), found.epochs["activity"].to_numpy()
    for number in range(7):
        day = slice(number * EPOCHS_PER_DAY, (number + 1) * EPOCHS_PER_DAY)
        slips = hourly_slips(true[day], activity[day])
        assert len(slips) >= 5
        assert max(map(abs, slips)) <= 1
        assert (true[day] == activity[day]).mean() > 0.95


# --- damage ---------------------------------------------------------------------------------------------------------


def test_damage_affects_only_its_own_time(tmp_path, day):
    back, thigh = day[0] / "P_back.cwa", tmp_path / "P_thigh.cwa"
    shutil.copy(day[0] / "P_thigh.cwa", thigh)
    content = bytearray(thigh.read_bytes())
    content[HEADER_BYTES + 20_000 * SECTOR_BYTES + 200] ^= 255
    thigh.write_bytes(content + b"AX" + bytes(98))
    found = classify_pair(back, thigh, METHOD)
    assert [problem.rule for problem in found.problems] == ["truncated", "damaged", "gaps"]
    assert found.quality["thigh_sectors_masked"] == 1
    assert 0 < len(day[2].epochs) - len(found.epochs) <= 2
    together = found.epochs.merge(day[2].epochs, on="epoch_start")
    assert (together["activity_x"] == together["activity_y"]).mean() > 0.999
