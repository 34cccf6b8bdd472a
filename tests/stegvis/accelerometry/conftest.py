"""Recordings that several files of tests look at; each is made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.accelerometry.pair_classification import PairResult
from stegvis.twin.raw import RawTruth, write_raw_pair
from tests.stegvis.accelerometry.raw_pairs import processed, with_sensors
from tests.study import PROTOCOL


@pytest.fixture(scope="session")
def day(tmp_path_factory) -> tuple[Path, RawTruth, PairResult]:
    """A day. The clocks drift apart by what two devices may in a week, and one sensor samples 1.5 % too fast, the other
    as much too slow: who counted samples would be 259 epochs late or early in the evening.
    """
    folder = tmp_path_factory.mktemp("day")
    parameters = with_sensors(clock_drift_sd=4.0)
    truth = write_raw_pair(
        folder, "P", 1, seed=11, protocol=PROTOCOL, rate_errors=(0.015, -0.015), parameters=parameters
    )
    return folder, truth, processed(folder)
