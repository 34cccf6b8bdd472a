"""Real labeled recordings written as a raw pair of a day, each sensor with its own clock and true rate.

The recordings are cut into blocks of five minutes without a gap, which follow each other in random order. Ten of the
blocks are enough for a day; an offset is never mistaken for another block, because clocks are compared within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.pair_epochs import COLUMNS
from stegvis.accelerometry.pair_problems import Place
from stegvis.accelerometry.recording import LabeledRecording, read_labeled
from stegvis.accelerometry.tilt import LATERAL, rotation
from stegvis.accelerometry.windows import THIGH_AND_BACK, window_starts
from stegvis.study.protocol import Epochs
from stegvis.twin.cwa import Device, write_cwa

START = np.datetime64("2018-05-02T08:00:00", "us")
BLOCK_SECONDS = 300
HOURS = 25.0
RATE = 50
# True samples per second, and the thigh's clock: seconds ahead at the start and gained per day.
BACK_RATE, THIGH_RATE = 50 * 1.012, 50 * 0.991
THIGH_AHEAD, THIGH_DRIFT = 6.0, 2.0


@dataclass(frozen=True)
class RealPair:
    """The two files, and the activity code (n,) of each of their 50 Hz samples in true time."""

    back: Path
    thigh: Path
    activity: NDArray[np.uint8]


def blocks(recording: LabeledRecording, epoch_rules: Epochs) -> NDArray[np.int64]:
    """The first samples of blocks of five minutes without a gap."""
    long = epoch_rules.model_copy(update={"seconds": BLOCK_SECONDS})
    return window_starts(recording.signal.timestamps, long)


def write_real_pair(
    folder: Path,
    source: Path,
    epoch_rules: Epochs,
    *,
    seed: int = 1,
    hours: float = HOURS,
    ahead: float = THIGH_AHEAD,
    swapped_from: float = 1.0,
    both_on: Place | None = None,
    thigh_hz: int = RATE,
) -> RealPair:
    """Write ``P_back.cwa`` and ``P_thigh.cwa`` from a labeled recording.

    Args:
        folder: where to write.
        source: the labeled recording.
        epoch_rules: the rate of the signal, and what counts as a gap.
        seed: of the order of the blocks.
        hours: length of the pair.
        ahead: how far the thigh's clock is ahead at the start, seconds.
        swapped_from: the share of the time after which the sensors are exchanged.
        thigh_hz: what the thigh sensor was set to.
        both_on: the part of the body that both sensors were on, 12 degrees apart.
    """
    recording = read_labeled(source, epoch_rules)
    starts = blocks(recording, epoch_rules)
    chosen = np.random.default_rng(seed).choice(starts, round(hours * 3600 / BLOCK_SECONDS))
    sample = (chosen[:, None] + np.arange(BLOCK_SECONDS * RATE)).ravel()
    signal = recording.signal.acceleration[sample]
    late = round(swapped_from * len(signal))
    signal[late:] = signal[late:][:, THIGH_AND_BACK]
    if both_on is not None:
        other = signal[:, COLUMNS[both_on]] @ rotation(LATERAL[None], np.radians([12.0]))[0]
        noise = np.random.default_rng(seed).normal(0, 0.01, other.shape).astype(np.float32)
        signal = np.hstack([signal[:, COLUMNS[both_on]], other + noise])
    files = folder / "P_back.cwa", folder / "P_thigh.cwa"
    write_cwa(files[0], at_rate(signal[:, :3], BACK_RATE), START, Device(4711, 1, BACK_RATE), 33.0)
    thigh_rate = THIGH_RATE * thigh_hz / RATE
    device = Device(4712, 1, thigh_rate, nominal_rate_hz=thigh_hz, clock_drift_seconds_per_day=THIGH_DRIFT)
    write_cwa(
        files[1], at_rate(signal[:, 3:], thigh_rate), START + np.timedelta64(round(1e6 * ahead), "us"), device, 33.0
    )
    return RealPair(*files, recording.activity[sample])


def at_rate(values: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """A 50 Hz signal (n, 3) at another rate, interpolated linearly."""
    there = np.arange(int((len(values) - 1) / RATE * rate)) * (RATE / rate)
    grid = np.arange(len(values))
    return np.stack([np.interp(there, grid, axis) for axis in values.T], axis=1).astype(np.float32)
