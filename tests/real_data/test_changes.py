"""Sensors swapped or attached anew in the middle of real people's recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.classifier import Classification, classify_windows, signal_stretches
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.pair_classification import classify_pair
from stegvis.accelerometry.recording import read_signal
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.tilt import LATERAL, SENSOR_AXES, rotation
from stegvis.accelerometry.windows import THIGH_AND_BACK, window_starts
from tests.real_data.real_pairs import write_real_pair
from tests.study import PROTOCOL

pytestmark = pytest.mark.real_data

METHOD = Method.of(PROTOCOL)
# Minutes of walking before and after the change, without which an hour may not show it.
FEWEST_WALKING = 6.0

Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def signals(real_data: Path) -> dict[str, tuple[Signal, Classification]]:
    """Everyone's recording, and how it is classified as it was worn."""
    files = [file for name in ("harth", "har70plus") for file in sorted((real_data / name).glob("*.parquet"))]
    read = {file.stem: read_signal(file, METHOD.epochs) for file in files}
    return {
        name: (signal, classify_windows(signal.timestamps, signal.acceleration, METHOD))
        for name, signal in read.items()
    }


def of_sensor(place: str, matrix: NDArray[np.floating]) -> Change:
    both = np.eye(6, dtype=np.float32)
    both[SENSOR_AXES[place], SENSOR_AXES[place]] = matrix
    return lambda signal: signal @ both


def tilted(degrees: float) -> NDArray[np.float32]:
    return rotation(LATERAL[None], np.radians([degrees]))[0]


CHANGES: dict[str, Change] = {
    "swapped": lambda signal: signal[:, THIGH_AND_BACK],
    "back upside down": of_sensor("back", np.diag([-1, -1, 1])),
    "back turned": of_sensor("back", np.diag([1, -1, -1])),
    "back 30 degrees off": of_sensor("back", tilted(30)),
    "thigh upside down": of_sensor("thigh", np.diag([-1, -1, 1])),
    "thigh on the other leg": of_sensor("thigh", np.diag([1, -1, 1])),
    "thigh 30 degrees off": of_sensor("thigh", tilted(30)),
}


LATER = {
    "back upside down": 0.5,
    "back turned": 0.75,
    "back 30 degrees off": 0.5,
    "thigh upside down": 0.75,
    "thigh on the other leg": 0.5,
    "thigh 30 degrees off": 0.75,
}
# By change: the share of the time after which it happens, and that every n-th person has it.
CASES = [("swapped", 0.5, 1), *((name, share, 2) for name, share in LATER.items())]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "share", "nth"), CASES)
def test_a_change_within_the_hour_of_every_real_person_costs_next_to_nothing(signals, change, share, nth):
    same, people = [], 0
    for signal, as_worn in list(signals.values())[::nth]:
        at = round(share * len(signal.acceleration))
        late = as_worn.epochs["epoch_start"].to_numpy() >= signal.timestamps[at]
        walking = (as_worn.epochs["activity"] == ActivityCode.WALKING).to_numpy()
        if min(walking[late].sum(), walking[~late].sum()) < 12 * FEWEST_WALKING:
            continue
        people += 1
        worn = signal.acceleration.copy()
        worn[at:] = CHANGES[change](worn[at:])
        found = classify_windows(signal.timestamps, worn, METHOD)
        same.append((found.epochs["activity"] == as_worn.epochs["activity"]).to_numpy())
    assert people >= 10 / nth
    assert np.concatenate(same).mean() > 0.98
    assert min(each.mean() for each in same) > 0.9


def test_nobody_changes_anything_as_worn(signals):
    for _, as_worn in signals.values():
        assert not as_worn.swapped
        assert not as_worn.unused_epochs.any()
        assert {len(parts) for parts in as_worn.tilt.attached.values()} == {1}


# How many of the 25 people's changes may be missed, of those who hardly walk or sit on one side of it. What is missed
# is one place throughout.
@pytest.mark.parametrize(("share", "missed"), [(0.0, 0), (0.25, 7), (0.5, 1), (0.75, 1)])
def test_sensors_swapped_for_an_hour_or_a_part_of_it_are_found(signals, share, missed):
    """Also in those who walk for less than six minutes of it: sitting shows it too."""
    found = 0
    for signal, _ in signals.values():
        worn, at = signal.acceleration.copy(), round(share * len(signal.acceleration))
        worn[at:] = worn[at:][:, THIGH_AND_BACK]
        starts = window_starts(signal.timestamps, METHOD.epochs)
        places = signal_stretches(replace(signal, acceleration=worn), starts, METHOD.epochs)
        if [each.swapped for each in places] == ([False, True] if share else [True]):
            assert starts[places[-1].first] == pytest.approx(at, abs=0.1 * len(worn))
            found += 1
    assert len(signals) - found <= missed


@pytest.mark.slow
@pytest.mark.parametrize("person", ["harth/S023", "harth/S030", "har70plus/516"])
def test_a_day_swapped_in_its_last_quarter_is_corrected(real_data, tmp_path, person):
    share = 0.75
    source = real_data / f"{person}.parquet"
    for folder in ("as_worn", "swapped"):
        (tmp_path / folder).mkdir()
    expected = write_real_pair(tmp_path / "as_worn", source, METHOD.epochs)
    changed = write_real_pair(tmp_path / "swapped", source, METHOD.epochs, swapped_from=share)
    as_worn, found = (classify_pair(pair.back, pair.thigh, METHOD) for pair in (expected, changed))
    assert "swapped_for_a_time" in {problem.rule for problem in found.problems}
    together = found.epochs.merge(as_worn.epochs, on="epoch_start")
    assert len(together) == len(as_worn.epochs)
    assert (together["activity_x"] == together["activity_y"]).mean() > 0.98
    assert found.quality["swapped_hours"] == pytest.approx(25 * (1 - share), abs=0.5)
    assert found.quality["unused_hours"] == 0
