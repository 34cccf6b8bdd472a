"""A raw recording on an exact 50 Hz grid.

Time is read from the recording's clock, never from a count of samples: sensors sample up to a few percent faster or
slower than they should. Within an epoch the clock is a straight line between its values at the epoch's two ends, and
samples are interpolated linearly.

Belongs here: where samples lie in time, and samples at other times. Does not belong here: bytes (``cwa``), which clock
is right (``synchronization``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa import CwaRecording
from stegvis.study.protocol import protocol

Floats = NDArray[np.float64]

# Epochs resampled at a time: their samples stay in the processor's cache.
SLAB = 256


class ClockError(ValueError):
    """A recording whose clock cannot order its samples."""


@dataclass(frozen=True)
class Timeline:
    """Where the samples of a recording lie in time. Seconds are device time since an origin.

    Attributes:
        knot_seconds, knot_samples: (m,) increasing times, and the sample that lies there (linear in between).
        run_start, run_end: (r,) seconds of stretches without a gap, from the first sample to one period after the last.
        run_sample, run_samples: (r,) first sample of each, and how many.
    """

    knot_seconds: Floats
    knot_samples: Floats
    run_start: Floats
    run_end: Floats
    run_sample: NDArray[np.int64]
    run_samples: NDArray[np.int64]

    @property
    def recorded_seconds(self) -> float:
        """Time without the gaps."""
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
        counts: (3, n) int16, x, y, z; ``g_per_count`` is the unit.
        g_per_count: see there.
        rate_hz: true sampling rate by the device's clock.
        timeline: see there.
    """

    counts: NDArray[np.int16]
    g_per_count: float
    rate_hz: float
    timeline: Timeline


def raw_signal(recording: CwaRecording, origin: np.datetime64) -> RawSignal:
    """The samples of a recording with their times in seconds since ``origin`` (device time).

    Raises:
        ClockError: the clock was set back during the recording, so that some times are there twice.
    """
    timeline = _timeline(recording, origin)
    rate = len(recording.samples) / timeline.recorded_seconds
    return RawSignal(recording.samples.T, recording.g_per_count, rate, timeline)


def _timeline(recording: CwaRecording, origin: np.datetime64) -> Timeline:
    good = recording.blocks["first_sample"].to_numpy() >= 0
    first = recording.blocks["first_sample"].to_numpy()[good]
    counts = recording.blocks["samples"].to_numpy()[good]
    since = recording.blocks["start"].to_numpy()[good] - origin.astype("datetime64[us]")
    start = since / np.timedelta64(1, "s")
    end = start + counts * recording.sample_seconds
    # A masked sector leaves a gap inside a segment; it is one here.
    breaks = np.flatnonzero(np.abs(start[1:] - end[:-1]) > protocol().epochs.largest_gap_seconds) + 1
    if (start[breaks] < end[breaks - 1]).any():
        raise ClockError("its clock was set back during the recording")
    run = np.concatenate([[0], breaks])
    last = np.append(breaks, len(start)) - 1
    # Each run ends in a knot of its own, so that time is not interpolated across the gap behind it.
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
    """Where epochs lie among the samples.

    Args:
        timeline: of the sensor.
        begin, end: (k,) device seconds.

    Returns:
        Positions (k,) of ``begin`` and of ``end``, in samples, and whether the whole epoch was recorded without a gap;
        elsewhere the positions mean nothing.
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
    samples: int,
    *,
    gain: Floats | None = None,
    offset: Floats | None = None,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Samples at equal steps within epochs.

    A sensor that samples much faster than the grid (100 Hz and more) is read at a multiple of the grid's rate and
    averaged, so that what is too fast for the grid does not come back as something slow.

    Args:
        signal: the sensor.
        first, last: (k,) positions of the epochs' begin and end (``epoch_positions``).
        samples: how many per epoch; the first lies at ``first``, the one after the last would lie at ``last``.
        gain, offset: (3,) of the calibration: g = offset + gain * measured g.
        out: (k * samples, 3) float32 to write to; made if not given.

    Returns:
        (k * samples, 3) float32, g.
    """
    if out is None:
        out = np.empty((len(first) * samples, 3), dtype=np.float32)
    scale = (signal.g_per_count * (np.ones(3) if gain is None else gain)).astype(np.float32)
    shift = (np.zeros(3) if offset is None else offset).astype(np.float32)
    finer = max(1, round(signal.rate_hz / protocol().epochs.sampling_rate_hz))
    # In shares of the epoch; finer steps lie symmetrically about the sample they are averaged to.
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
    """Counts (n,) of each axis at positions (n,), linearly between the two samples beside each."""
    below = position.astype(np.intp)
    share = (position - below).astype(np.float32)
    lowest, highest = int(below.min()), int(below.max())
    close = highest - lowest < 2 * len(below)
    if close:
        below -= lowest
    values = []
    for axis in counts:
        # Epochs that follow each other share their samples, which then are converted once; scattered ones do not.
        near = axis[lowest : highest + 2].astype(np.float32) if close else axis
        # Positions just outside the samples take the nearest one.
        value = near.take(below, mode="clip").astype(np.float32, copy=False)
        rise = near.take(below + 1, mode="clip").astype(np.float32, copy=False)
        rise -= value
        rise *= share
        value += rise
        values.append(value)
    return values
