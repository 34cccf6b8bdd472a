"""Labeled recordings of one thigh sensor, for training and evaluation.

They are those of pairs without their back, at the sampling rate of the model, and those of sets of one sensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.pace_sets import PaceRecording, read_pace_people
from stegvis.accelerometry.recording import LabeledRecording
from stegvis.accelerometry.signal import Signal, largest_gap
from stegvis.accelerometry.tilt import SENSOR_AXES
from stegvis.study.protocol import Epochs

Floats = NDArray[np.float32]

# A pause of more than this many samples is a gap.
LONGEST_PAUSE = 5


def without_back(recording: LabeledRecording, every: int, epoch_rules: Epochs) -> LabeledRecording:
    """A recording with a back of zeros, as a thigh sensor of fewer samples would have measured it.

    Args:
        recording: of both sensors.
        every: of so many samples the device would have kept their mean; samples between these means are interpolated.
        epoch_rules: what counts as a gap.
    """
    times = recording.signal.timestamps
    acceleration = recording.signal.acceleration.copy()
    acceleration[:, SENSOR_AXES["back"]] = 0
    if every > 1:
        gaps = np.flatnonzero(np.diff(times) > largest_gap(epoch_rules)) + 1
        for begin, end in pairwise([0, *gaps.tolist(), len(times)]):
            acceleration[begin:end] = _sampled_slowly(acceleration[begin:end], every)
    return LabeledRecording(Signal(times, acceleration), recording.activity, recording.stairs, recording.km_per_hour)


def _sampled_slowly(values: Floats, every: int) -> Floats:
    kept = len(values) // every
    if not kept:
        return values
    means = values[: kept * every].reshape(kept, every, -1).mean(axis=1)
    at = np.arange(kept) * every + (every - 1) / 2
    column = np.arange(len(values))
    return np.stack([np.interp(column, at, each) for each in means.T], axis=1).astype(np.float32)


def thigh_people(folder: Path, epoch_rules: Epochs) -> Iterator[tuple[float, list[LabeledRecording]]]:
    """Of each person the sampling rate, and the recordings of one thigh sensor (``pace_sets``) on a grid of 50 Hz.

    The back is zero.

    Raises:
        RecordingError: a file does not have its layout.
    """
    for person in read_pace_people(folder):
        rate = 1 / float(np.median(np.diff(person[0].seconds)))
        yield rate, [_on_grid(each, epoch_rules) for each in person]


def _on_grid(recording: PaceRecording, epoch_rules: Epochs) -> LabeledRecording:
    seconds, step = recording.seconds, 1 / epoch_rules.sampling_rate_hz
    usual = float(np.median(np.diff(seconds)))
    # Faster sensors are averaged, as in ``resampling``.
    finer = max(1, round(step / usual))
    step_seconds = np.diff(seconds)
    pause = max(LONGEST_PAUSE * usual, epoch_rules.largest_gap_seconds)
    breaks = np.flatnonzero((step_seconds > pause) | (step_seconds <= 0)) + 1
    # selfBACK's scripted activities are not in the order of time.
    stretches = sorted(pairwise([0, *breaks.tolist(), len(seconds)]), key=lambda each: float(seconds[each[0]]))
    clocks, values, labels = [], [], []
    for begin, end in stretches:
        clock = np.arange(seconds[begin], seconds[end - 1], step)
        if not len(clock):
            continue
        between = (clock[:, None] + (np.arange(finer) - (finer - 1) / 2) * step / finer).ravel()
        here = np.zeros((len(clock), 6), dtype=np.float32)
        for axis in range(3):
            read = np.interp(between, seconds[begin:end], recording.thigh[begin:end, axis])
            here[:, 3 + axis] = read.reshape(-1, finer).mean(axis=1)
        clocks.append(clock)
        values.append(here)
        labels.append(recording.activity[begin:end][np.searchsorted(seconds[begin:end], clock, side="right") - 1])
    clock = np.concatenate(clocks)
    times = np.datetime64("2000-01-01", "us") + np.round(1e6 * clock).astype("timedelta64[us]")
    return LabeledRecording(
        Signal(times, np.concatenate(values)),
        np.concatenate(labels),
        np.zeros(len(clock), dtype=bool),
    )
