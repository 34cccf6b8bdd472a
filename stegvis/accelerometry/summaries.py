"""A raw recording in ten-second windows: mean, standard deviation, temperature.

Calibration, wear detection and the search for movement use these windows instead of every sample. Ten seconds is the
window of van Hees et al., J Appl Physiol 2014;117(7):738-744, doi 10.1152/japplphysiol.00421.2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa import CwaRecording
from stegvis.accelerometry.resampling import RawSignal

WINDOW_SECONDS = 10
# Windows summarized at a time, so that their samples stay in the processor's cache.
SLAB = 256


@dataclass(frozen=True)
class Summary:
    """Windows of about ten seconds, in time order; none spans a gap.

    Attributes:
        start: (k,) device seconds since the origin.
        seconds: length of a window.
        mean, sd: (k, 3) g, of x, y, z as measured.
        temperature: (k,) degrees Celsius.
    """

    start: NDArray[np.float64]
    seconds: float
    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    temperature: NDArray[np.float32]

    @property
    def activity(self) -> NDArray[np.float32]:
        """(k,) mean SD of the three axes, g."""
        return np.asarray(self.sd.mean(axis=1))

    @property
    def end(self) -> NDArray[np.float64]:
        return self.start + self.seconds


def summarize(signal: RawSignal, recording: CwaRecording, origin: np.datetime64) -> Summary:
    """Summarize a recording. An incomplete window at the end of a run is dropped.

    Args:
        signal: samples and times of the recording.
        recording: the same recording, for its temperature.
        origin: the origin of the signal's times.
    """
    size = round(WINDOW_SECONDS * signal.rate_hz)
    line = signal.timeline
    counts = line.run_samples // size
    starts = [first + size * np.arange(n) for first, n in zip(line.run_sample, counts, strict=True)]
    sample = np.concatenate(starts)
    seconds = size / signal.rate_hz
    # Sample numbers continue across gaps, so time is counted within each run.
    within = sample - np.repeat(line.run_sample, counts)
    length = np.repeat((line.run_end - line.run_start) / line.run_samples, counts)
    start = np.repeat(line.run_start, counts) + within * length
    mean, sd = np.empty((3, len(sample)), dtype=np.float32), np.empty((3, len(sample)), dtype=np.float32)
    for (begin, end), first in zip(pairwise([0, *np.cumsum(counts).tolist()]), line.run_sample.tolist(), strict=True):
        for at in range(begin, end, SLAB):
            to = min(at + SLAB, end)
            place = first + (at - begin) * size
            for axis in range(3):
                values = signal.counts[axis, place : place + (to - at) * size].reshape(-1, size)
                mean[axis, at:to], sd[axis, at:to] = _moments(values)
    unit = np.float32(signal.g_per_count)
    return Summary(start, seconds, mean.T * unit, sd.T * unit, _temperature(recording, origin, start + seconds / 2))


def _moments(counts: NDArray[np.int16]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and SD (k,) of windows (k, samples)."""
    values = counts.astype(np.float32)
    # Relative to the first sample, so that single precision suffices.
    base = values[:, :1].copy()
    values -= base
    mean = values.mean(axis=1)
    squares = np.einsum("ij,ij->i", values, values) / values.shape[1]
    return mean + base[:, 0], np.sqrt(np.maximum(squares - np.square(mean), 0))


def _temperature(recording: CwaRecording, origin: np.datetime64, at: NDArray[np.float64]) -> NDArray[np.float32]:
    good = recording.blocks["first_sample"].to_numpy() >= 0
    since = recording.blocks["start"].to_numpy()[good] - origin.astype("datetime64[us]")
    celsius = recording.blocks["temperature_c"].to_numpy()[good]
    return np.asarray(np.interp(at, since / np.timedelta64(1, "s"), celsius), dtype=np.float32)
