"""A raw recording on an exact 50 Hz grid.

Time is read from the recording's clock, never from a count of samples: true sampling rates differ from the nominal
rate by up to a few percent. Within an epoch the clock is a straight line between its values at the two ends of the
epoch, and samples are interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa import CwaRecording
from stegvis.study.protocol import Epochs

Floats = NDArray[np.float64]

# Epochs resampled at a time, so that their samples stay in the processor's cache.
SLAB = 256


class ClockError(ValueError):
    """A recording whose clock cannot order its samples."""


@dataclass(frozen=True)
class Timeline:
    """The times of a recording's samples. Seconds are device time since an origin.

    Attributes:
        knot_seconds, knot_samples: (m,) increasing times, and the sample number at each (linear in between).
        run_start, run_end: (r,) seconds of runs without a gap, from the first sample to one period after the last.
        run_sample, run_samples: (r,) first sample of each run, and number of samples.
    """

    knot_seconds: Floats
    knot_samples: Floats
    run_start: Floats
    run_end: Floats
    run_sample: NDArray[np.int64]
    run_samples: NDArray[np.int64]

    @property
    def recorded_seconds(self) -> float:
        """Recorded time, without gaps."""
        return float((self.run_end - self.run_start).sum())

    @property
    def start(self) -> float:
        return float(self.run_start[0])

    @property
    def end(self) -> float:
        return float(self.run_end[-1])


@dataclass(frozen=True)
class RawSignal:
    """One sensor's samples and their times.

    Attributes:
        counts: (3, n) int16, x, y, z.
        g_per_count: the unit of ``counts``.
        rate_hz: true sampling rate according to the device's clock.
        timeline: the times of the samples.
    """

    counts: NDArray[np.int16]
    g_per_count: float
    rate_hz: float
    timeline: Timeline


def raw_signal(recording: CwaRecording, origin: np.datetime64, epoch_rules: Epochs) -> RawSignal:
    """The samples of a recording with their times in seconds since ``origin`` (device time).

    Raises:
        ClockError: the clock was set back during the recording, so that some times occur twice.
    """
    timeline = _timeline(recording, origin, epoch_rules.largest_gap_seconds)
    rate = float(timeline.run_samples.sum()) / timeline.recorded_seconds
    return RawSignal(recording.samples.T, recording.g_per_count, rate, timeline)


def _timeline(recording: CwaRecording, origin: np.datetime64, largest_gap_seconds: float) -> Timeline:
    good = recording.blocks["first_sample"].to_numpy() >= 0
    first = recording.blocks["first_sample"].to_numpy()[good]
    counts = recording.blocks["samples"].to_numpy()[good]
    since = recording.blocks["start"].to_numpy()[good] - origin.astype("datetime64[us]")
    start = since / np.timedelta64(1, "s")
    end = start + counts * recording.sample_seconds
    # A masked sector inside a segment is a gap here.
    breaks = np.flatnonzero(np.abs(start[1:] - end[:-1]) > largest_gap_seconds) + 1
    if (start[breaks] < end[breaks - 1]).any():
        raise ClockError("its clock was set back during the recording")
    run = np.concatenate([[0], breaks])
    last = np.append(breaks, len(start)) - 1
    # Each run ends in its own knot, so that time is not interpolated across the gap after it.
    after = last + 1
    return Timeline(
        knot_seconds=np.insert(start, after, end[last]),
        knot_samples=np.insert(first, after, (first + counts)[last]).astype(np.float64),
        run_start=start[run],
        run_end=end[last],
        run_sample=first[run],
        run_samples=(first + counts)[last] - first[run],
    )


def epoch_positions(timeline: Timeline, begin: Floats, end: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The positions of epochs among the samples.

    Args:
        timeline: the sensor's timeline.
        begin, end: (k,) device seconds.

    Returns:
        Positions (k,) of ``begin`` and of ``end``, in samples, and whether the whole epoch was recorded without a gap.
        Where it was not, the positions are meaningless.
    """
    run = np.searchsorted(timeline.run_start, begin, side="right") - 1
    recorded = (run >= 0) & (end <= timeline.run_end[np.maximum(run, 0)])
    first = np.interp(begin, timeline.knot_seconds, timeline.knot_samples)
    last = np.interp(end, timeline.knot_seconds, timeline.knot_samples)
    return first, last, np.asarray(recorded)


def resample(
    signal: RawSignal,
    first: Floats,
    last: Floats,
    epoch_rules: Epochs,
    *,
    gain: Floats | None = None,
    offset: Floats | None = None,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Samples at equal intervals within epochs.

    A sensor that samples much faster than the grid (100 Hz and more) is read at a multiple of the grid's rate and
    averaged, to avoid aliasing.

    Args:
        signal: the sensor's samples.
        first, last: (k,) positions of the beginning and end of the epochs (``epoch_positions``).
        epoch_rules: samples per epoch and their rate; the first sample is at ``first``, the one after the last would be
            at ``last``.
        gain, offset: (3,) of the calibration: g = offset + gain * measured g.
        out: (k * samples, 3) float32 to write to; allocated if not given.

    Returns:
        (k * samples, 3) float32, g.
    """
    samples = epoch_rules.samples_per_epoch
    if out is None:
        out = np.empty((len(first) * samples, 3), dtype=np.float32)
    scale = (signal.g_per_count * (np.ones(3) if gain is None else gain)).astype(np.float32)
    shift = (np.zeros(3) if offset is None else offset).astype(np.float32)
    finer = max(1, round(signal.rate_hz / epoch_rules.sampling_rate_hz))
    # As shares of the epoch; finer steps are symmetric about the sample that they are averaged to.
    share = (np.arange(samples * finer) - (finer - 1) / 2) / (samples * finer)
    step = max(1, SLAB * 250 // (samples * finer))
    for begin in range(0, len(first), step):
        here = slice(begin, min(begin + step, len(first)))
        position = first[here, None] + (last[here] - first[here])[:, None] * share
        values = _interpolated(signal.counts, position.ravel())
        into = out[here.start * samples : here.stop * samples]
        for axis in range(3):
            column = values[axis] if finer == 1 else values[axis].reshape(-1, finer).mean(axis=1)
            column *= scale[axis]
            column += shift[axis]
            into[:, axis] = column
    return out


def _interpolated(counts: NDArray[np.int16], position: Floats) -> list[NDArray[np.float32]]:
    """Counts (n,) of each axis at positions (n,), by linear interpolation."""
    below = position.astype(np.intp)
    share = (position - below).astype(np.float32)
    lowest, highest = int(below.min()), int(below.max())
    close = highest - lowest < 2 * len(below)
    if close:
        below -= lowest
    values = []
    for axis in counts:
        # Consecutive epochs lie close together, so their samples are converted at once; scattered epochs do not.
        near = axis[lowest : highest + 2].astype(np.float32) if close else axis
        # Positions just outside the samples take the nearest sample.
        value = near.take(below, mode="clip").astype(np.float32, copy=False)
        rise = near.take(below + 1, mode="clip").astype(np.float32, copy=False)
        rise -= value
        rise *= share
        value += rise
        values.append(value)
    return values
