"""The clocks of real people's sensors: every one of them is accepted, and the offset found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.pair_checks import sensors_swapped
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.pair_epochs import AS_THE_FILES_SAY, SensorPlaces
from stegvis.accelerometry.pair_problems import PairError
from stegvis.accelerometry.raw_sensor import raw_sensor, read_recording
from stegvis.accelerometry.synchronization import Synchronization, synchronize
from tests.real_data.real_pairs import HOURS, START, THIGH_AHEAD, THIGH_DRIFT, RealPair, write_real_pair
from tests.study import PROTOCOL

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

METHOD = Method.of(PROTOCOL)
ORIGIN = START.astype("datetime64[D]")


def synchronized(pair: RealPair) -> tuple[Synchronization, tuple[SensorPlaces, ...]]:
    """The clocks, and where the sensors were."""
    back, thigh = (
        raw_sensor(read_recording(file, place, METHOD.raw_recordings), place, ORIGIN, {}, METHOD)
        for place, file in (("back", pair.back), ("thigh", pair.thigh))
    )
    clocks = synchronize(back.signal, thigh.signal, back.summary, thigh.summary, METHOD.synchronization, METHOD.epochs)
    return clocks, sensors_swapped(back, thigh, METHOD.epochs)


def test_every_real_person_is_accepted_and_the_offset_is_within_a_tenth_of_a_second(
    real_data: Path, tmp_path: Path
) -> None:
    begin = float((START - ORIGIN) / np.timedelta64(1, "s"))
    at = begin + 3600 * np.linspace(0, HOURS, 3)
    files = [file for name in ("harth", "har70plus") for file in sorted((real_data / name).glob("*.parquet"))]
    assert len(files) == 25
    missed = []
    for file in files:
        found, places = synchronized(write_real_pair(tmp_path, file, METHOD.epochs))
        assert places == AS_THE_FILES_SAY, file.stem
        error = found.thigh_seconds(at) - at - THIGH_AHEAD - THIGH_DRIFT * (at - begin) / 86400
        if not found.synchronized or np.abs(error).max() > 0.1 or found.agreeing < found.windows / 2:
            missed.append((file.stem, found.status, found.agreeing, found.windows, np.round(error, 3)))
    assert not missed


@pytest.mark.parametrize("place", ["back", "thigh"])
@pytest.mark.parametrize("person", ["harth/S023", "har70plus/505", "har70plus/516"])
def test_two_sensors_on_one_part_of_a_real_person_are_refused(real_data, tmp_path, person, place):
    pair = write_real_pair(tmp_path, real_data / f"{person}.parquet", METHOD.epochs, both_on=place)
    with pytest.raises(PairError) as error:
        synchronized(pair)
    assert error.value.rule == "same_place"


@pytest.mark.parametrize("person", ["harth/S024", "har70plus/502"])
def test_a_thigh_sensor_at_half_the_rate_gives_the_same_days(real_data, tmp_path, person):
    source = real_data / f"{person}.parquet"
    found = []
    for thigh_hz in (50, 25):
        pair = write_real_pair(tmp_path, source, METHOD.epochs, thigh_hz=thigh_hz)
        found.append(classify_pair(pair.back, pair.thigh, METHOD).epochs)
    usual, half = found
    together = usual.merge(half, on="epoch_start", suffixes=("", "_half"))
    assert len(together) >= len(usual) - 2
    assert (together["activity"] == together["activity_half"]).mean() > 0.98
    walking = [(each["activity"] == ActivityCode.WALKING).sum() for each in (usual, half)]
    assert walking[1] == pytest.approx(walking[0], rel=0.02)
    speeds = together["speed_km_per_hour_half"] / together["speed_km_per_hour"]
    assert speeds.median() == pytest.approx(1, abs=0.03)
