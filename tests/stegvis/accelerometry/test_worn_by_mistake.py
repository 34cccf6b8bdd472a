"""Mistakes of people who hand out and wear sensors: each is named in a sentence that says what happened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.pair_problems import PairError
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.settings import METHOD

START = np.datetime64("2018-05-02T00:00:00")
DAY = 24 * 3600
ROOM, SKIN = 21.0, 33.0


def refusal(back: Path, thigh: Path) -> tuple[str, str]:
    with pytest.raises(PairError) as error:
        classify_pair(back, thigh, METHOD)
    return error.value.rule, str(error.value)


def drawer(samples: int, opened: int = 12) -> np.ndarray:
    """What a sensor reads in a drawer that is opened now and then, (n, 3) g at 50 Hz: bumps of some seconds."""
    rng = np.random.default_rng(3)
    lying = rng.normal((0.02, -0.03, 1), 0.003, (samples, 3))
    for at in rng.integers(0, samples - 500, opened):
        lying[at : at + rng.integers(50, 500)] += rng.normal(0, 0.2, 3)
    return lying


def write(file: Path, samples: np.ndarray, device: Device, worn_hours: float = 0.0) -> None:
    """Write samples; the sensor is warm while it is worn, and then changes with the room by a degree."""
    begins = np.arange(-(-len(samples) // device.samples_per_sector)) * device.samples_per_sector / device.true_rate_hz
    room = ROOM + np.sin(2 * np.pi * begins / DAY) + (SKIN - ROOM) * np.exp(-(begins - 3600 * worn_hours) / 720)
    celsius = np.where(begins < worn_hours * 3600, SKIN, room)
    write_cwa(file, samples.astype(np.float32), START, device, celsius)


@pytest.mark.parametrize("place", ["back", "thigh"])
def test_a_sensor_in_a_drawer_was_not_worn(day, tmp_path, place):
    files = {each: day[0] / f"P_{each}.cwa" for each in ("back", "thigh")}
    files[place] = tmp_path / "drawer.cwa"
    write(files[place], drawer(DAY * 50), Device(7, 1, 50.0))
    assert refusal(files["back"], files["thigh"]) == ("not_worn", f"the {place} sensor was not worn")


def test_a_sensor_that_went_into_a_drawer_was_worn_until_then(day, tmp_path):
    folder, _, result = day
    thigh = read_cwa(folder / "P_thigh.cwa")
    samples, rate, hours = thigh.acceleration(), thigh.segments[0].rate_hz, 10.0
    worn = int(hours * 3600 * rate)
    samples[worn:] = drawer(len(samples) - worn)
    write(tmp_path / "thigh.cwa", samples, Device(99, 1, rate), worn_hours=hours)
    found = classify_pair(folder / "P_back.cwa", tmp_path / "thigh.cwa", METHOD)
    assert "place_uncertain" not in {problem.rule for problem in found.problems}
    assert "swapped" not in {problem.rule for problem in found.problems}
    assert found.quality["thigh_wear_hours"] == pytest.approx(hours, abs=0.3)
    assert found.quality["back_wear_hours"] == result.quality["back_wear_hours"]
    nonwear = (found.epochs["activity"] == ActivityCode.NONWEAR).sum() * 5 / 3600
    assert nonwear == pytest.approx(24 - hours, abs=0.3)


def test_both_files_of_the_thighs_of_one_person(day, tmp_path):
    """One on each leg: mirrored, at another angle, with another device's noise."""
    thigh = read_cwa(day[0] / "P_thigh.cwa")
    radians = np.radians(12)
    turn = np.array([[np.cos(radians), 0, -np.sin(radians)], [0, -1, 0], [np.sin(radians), 0, np.cos(radians)]])
    samples = thigh.acceleration() @ turn.T + np.random.default_rng(1).normal(0, 0.01, thigh.samples.shape)
    device = Device(99, 1, thigh.segments[0].rate_hz, annotations={"_p": "lower back"})
    write_cwa(tmp_path / "back.cwa", samples.astype(np.float32), thigh.segments[0].start, device, SKIN)
    assert refusal(tmp_path / "back.cwa", day[0] / "P_thigh.cwa") == (
        "same_place",
        "both sensors were on the same part of the body: their postures never differ, and they swing alike",
    )
