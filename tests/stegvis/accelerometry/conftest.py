"""Recordings that several test modules use; each is made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stegvis.accelerometry.pair_classification import PairResult
from stegvis.twin.raw import RawTruth, write_raw_pair
from tests.stegvis.accelerometry.raw_pairs import processed, with_sensors
from tests.study import PROTOCOL


@pytest.fixture(scope="session")
def day(tmp_path_factory) -> tuple[Path, RawTruth, PairResult]:
    """A day. The clocks drift apart by as much as two devices may in a week. One sensor samples 1.5 % too fast, the
    other 1.5 % too slow: counting samples instead of reading the clock would be wrong by 259 epochs in the evening.
    """
    folder = tmp_path_factory.mktemp("day")
    parameters = with_sensors(clock_drift_sd=4.0)
    truth = write_raw_pair(
        folder, "P", 1, seed=19, protocol=PROTOCOL, rate_errors=(0.015, -0.015), parameters=parameters
    )
    return folder, truth, processed(folder)
