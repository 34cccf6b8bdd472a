"""Short raw recordings with a simple truth: gravity along one axis, and movement whose level both sensors share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.accelerometry.resampling import RawSignal, raw_signal
from stegvis.accelerometry.summaries import Summary, summarize
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.settings import EPOCHS

ORIGIN = np.datetime64("2018-05-02", "D")
START = np.datetime64("2018-05-02T06:00:00", "us")

Level = Callable[[np.ndarray], np.ndarray]


def write(file: Path, samples: np.ndarray, start: np.datetime64 = START, **device) -> CwaRecording:
    """Write samples (n, 3) g as a device would, and read them back."""
    settings = {"device_id": 1, "recording_id": 1, "true_rate_hz": 50.0} | device
    write_cwa(file, samples.astype(np.float32), start, Device(**settings))
    return read_cwa(file)


def bouts(hours: float, seed: int, until_hour: float = np.inf) -> Level:
    """A level of movement (g) by true seconds: bouts of 5 to 100 s, each at its own level, stillness in between."""
    rng = np.random.default_rng(seed)
    borders = np.cumsum(rng.uniform(5, 100, size=int(hours * 3600 / 20)))
    levels = np.where(np.arange(len(borders)) % 2, rng.uniform(0.05, 0.4, len(borders)), 0.002)

    def level(seconds: np.ndarray) -> np.ndarray:
        here = levels[np.minimum(np.searchsorted(borders, seconds), len(levels) - 1)]
        return np.where(seconds < until_hour * 3600, here, 0.002)

    return level


def sensor(
    file: Path,
    level: Level,
    hours: float,
    seed: int,
    *,
    rate: float = 50.0,
    ahead: float = 0.0,
    drift: float = 0.0,
) -> tuple[RawSignal, Summary]:
    """One sensor: its clock is ``ahead`` seconds at the start and gains ``drift`` seconds per day."""
    true_seconds = np.arange(int(hours * 3600 * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((len(true_seconds), 3), dtype=np.float32)
    samples = np.array([-1, 0, 0]) + noise * level(true_seconds)[:, None]
    start = START + np.timedelta64(round(ahead * 1e6), "us")
    recording = write(file, samples, start, device_id=seed, true_rate_hz=rate, clock_drift_seconds_per_day=drift)
    signal = raw_signal(recording, ORIGIN, EPOCHS)
    return signal, summarize(signal, recording, ORIGIN)
