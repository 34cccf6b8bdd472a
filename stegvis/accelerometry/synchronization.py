"""The clocks of two sensors on one body: how far the thigh's is ahead of the back's, and how much it gains.

Whatever moves one sensor moves the other. First the activity of the whole recordings is compared, which finds clocks
that were set an hour apart; then, in the most active windows, the movement itself by normalized cross-correlation; a
line through the windows that agree gives offset and drift. The approach is that of Open Movement's ``timesync``
(github.com/openmovementproject/openmovement); the line is found by trying all drifts in place of random ones, so that
the same recordings always give the same line.

Belongs here: offset and drift, and whether they can be known. Does not belong here: resampling with them (``chain``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.resampling import RawSignal, epoch_positions, resample
from stegvis.accelerometry.summaries import WINDOW_SECONDS, Summary
from stegvis.study.protocol import protocol

Floats = NDArray[np.float64]
Status = Literal["synchronized", "too_little_movement", "no_agreement", "drift_uncertain"]

SECONDS_PER_DAY = 86400
# Activity is compared on a logarithmic scale: between stillness and walking lie two powers of ten.
SMALLEST_SD_G = 1e-3
# Below this the activity of the two recordings tells nothing about their clocks.
SMALLEST_COARSE_CORRELATION = 0.3
# Movement is compared by its level over so many seconds, on a logarithmic scale with this floor: the level starts, ends
# and pauses together on both sensors, while the peaks within a step come at different moments on back and thigh.
LEVEL_SECONDS = 1
SMALLEST_LEVEL_G = 0.02
# Windows correlated at a time.
SLAB = 64
# Offsets of single windows are hardly better than this, however well they happen to agree.
SMALLEST_RESIDUAL_SECONDS = 0.02


@dataclass(frozen=True)
class Synchronization:
    """What the thigh's clock shows beyond the back's.

    Attributes:
        status: ``synchronized``; or why not, and then offset and drift are zero: ``too_little_movement`` to compare;
            ``no_agreement``: both moved, but not together; ``drift_uncertain``: known in a part of the recording, not
            well enough in all of it.
        origin_seconds: back's device time for which the offset is given.
        offset_seconds: thigh's clock ahead of the back's then.
        drift_seconds_per_day: what it gains on the back's.
        windows: compared.
        agreeing: of them on the line.
        residual_seconds: SD of the agreeing windows about the line; NaN if there are none.
        error_seconds: largest standard error of the offset anywhere in the recording; NaN if there is no line.
    """

    status: Status
    origin_seconds: float = 0.0
    offset_seconds: float = 0.0
    drift_seconds_per_day: float = 0.0
    windows: int = 0
    agreeing: int = 0
    residual_seconds: float = np.nan
    error_seconds: float = np.nan

    @property
    def synchronized(self) -> bool:
        return self.status == "synchronized"

    def thigh_seconds(self, back_seconds: Floats) -> Floats:
        """What the thigh's clock shows when the back's shows ``back_seconds``."""
        days = (back_seconds - self.origin_seconds) / SECONDS_PER_DAY
        return np.asarray(back_seconds + self.offset_seconds + self.drift_seconds_per_day * days)


def synchronize(back: RawSignal, thigh: RawSignal, back_summary: Summary, thigh_summary: Summary) -> Synchronization:
    """Compare the clocks of two recordings; both in seconds since the same device-local time.

    Args:
        back, thigh: the recordings.
        back_summary, thigh_summary: their ten-second windows.
    """
    rules = protocol().synchronization
    coarse = coarse_offset(back_summary, thigh_summary)
    windows = _active_windows(back_summary, thigh_summary, coarse)
    compared, at, offset = _window_offsets(back, thigh, windows, coarse)
    if len(at) >= 2:
        found = _line(at, offset, back.timeline.start, back.timeline.end)
    else:
        found = Synchronization("no_agreement")
    enough = found.agreeing >= max(rules.fewest_windows, rules.smallest_agreeing_share * compared)
    if enough and found.error_seconds <= rules.largest_error_seconds:
        return replace(found, windows=compared)
    status: Status = "too_little_movement"
    if enough:
        status = "drift_uncertain"
    elif compared >= rules.windows_to_disagree:
        status = "no_agreement"
    return Synchronization(status, windows=compared, agreeing=found.agreeing)


def coarse_offset(back: Summary, thigh: Summary) -> float:
    """The thigh's clock ahead of the back's, to within some seconds, from the course of activity; 0 if it cannot tell.

    Looks ``coarse_search_hours`` to both sides.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    step = float(WINDOW_SECONDS)
    begin, end = min(back.start[0], thigh.start[0]), max(back.end[-1], thigh.end[-1])
    grid = np.arange(begin, end, step)
    one, other = (_course(summary, grid) for summary in (back, thigh))
    size = next_fast_len(2 * len(grid))
    products = irfft(np.conj(rfft(one, size)) * rfft(other, size), size)
    reach = min(round(protocol().synchronization.coarse_search_hours * 3600 / step), len(grid) - 1)
    lags = np.arange(-reach, reach + 1)
    correlation = products[lags] / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12)
    best = int(correlation.argmax())
    return float(lags[best] * step) if correlation[best] >= SMALLEST_COARSE_CORRELATION else 0.0


def _course(summary: Summary, grid: Floats) -> Floats:
    """Log activity on a grid of times, about its mean; 0 where nothing was recorded."""
    level: Floats = np.log10(np.maximum(summary.activity, SMALLEST_SD_G), dtype=np.float64)
    center = summary.start + summary.seconds / 2
    return np.interp(grid, center, level - level.mean(), left=0, right=0)


def _active_windows(back: Summary, thigh: Summary, coarse: float) -> Floats:
    """Back's time at the start of the windows to compare, increasing."""
    rules = protocol().synchronization
    length = rules.window_seconds
    first = int(np.ceil(max(back.start[0], thigh.start[0] - coarse) / length))
    last = int(np.floor(min(back.end[-1], thigh.end[-1] - coarse) / length))
    if last <= first:
        return np.empty(0)
    activity = np.minimum(
        _mean_activity(back, 0.0, first, last, length), _mean_activity(thigh, coarse, first, last, length)
    )
    per_stretch = round(rules.stretch_hours * 3600 / length)
    chosen: list[NDArray[np.int64]] = []
    for begin in range(0, last - first, per_stretch):
        part = activity[begin : begin + per_stretch]
        most = np.argsort(-part, kind="stable")[: rules.windows_per_stretch]
        chosen.append(begin + np.sort(most[part[most] >= rules.smallest_activity_g]))
    return length * (first + np.concatenate(chosen)).astype(np.float64)


def _mean_activity(summary: Summary, ahead: float, first: int, last: int, length: int) -> Floats:
    """Mean activity (last - first,) in windows number ``first`` to ``last`` of the back's time; 0 where none."""
    window = np.floor((summary.start + summary.seconds / 2 - ahead) / length).astype(np.int64) - first
    inside = (window >= 0) & (window < last - first)
    total = np.bincount(window[inside], weights=summary.activity[inside], minlength=last - first)
    count = np.bincount(window[inside], minlength=last - first)
    return np.asarray(total / np.maximum(count, 1))


def _window_offsets(back: RawSignal, thigh: RawSignal, windows: Floats, coarse: float) -> tuple[int, Floats, Floats]:
    """How many windows were compared; centers of those whose movements match, in the back's time; offsets there."""
    rules = protocol().synchronization
    compared, at, offset = 0, [np.empty(0)], [np.empty(0)]
    search = rules.search_seconds
    for begin in range(0, len(windows), SLAB):
        start = windows[begin : begin + SLAB]
        short, short_ok = _movement(back, start, rules.window_seconds)
        long, long_ok = _movement(thigh, start + coarse - search, rules.window_seconds + round(2 * search))
        complete = short_ok & long_ok
        compared += int(complete.sum())
        lag, correlation = _best_lag(short[complete], long[complete])
        match = correlation >= rules.smallest_correlation
        at.append(start[complete][match] + rules.window_seconds / 2)
        offset.append(coarse - search + lag[match] / protocol().epochs.sampling_rate_hz)
    return compared, np.concatenate(at), np.concatenate(offset)


def _movement(signal: RawSignal, start: Floats, seconds: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log level of movement (k, seconds * rate) at 50 Hz, and whether all of the window was recorded.

    Where the window was not recorded the values mean nothing.
    """
    epochs = protocol().epochs
    # A step at a time, so that the clock is followed as closely as anywhere.
    parts = -(-seconds // epochs.seconds)
    begin = (start[:, None] + np.arange(parts) * epochs.seconds).ravel()
    first, last, recorded = epoch_positions(signal.timeline, begin, begin + epochs.seconds)
    values = resample(signal, first, last, epochs.samples_per_epoch)
    magnitude = np.sqrt(np.einsum("ij,ij->i", values, values)).reshape(len(start), -1)
    magnitude = magnitude[:, : seconds * epochs.sampling_rate_hz]
    width = LEVEL_SECONDS * epochs.sampling_rate_hz
    level = _moving_mean(np.abs(magnitude - _moving_mean(magnitude, width)), width)
    complete = np.asarray(recorded.reshape(-1, parts).all(axis=1))
    return np.log(level + np.float32(SMALLEST_LEVEL_G)), complete


def _moving_mean(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, width, axis=1, mode="nearest"))


def _best_lag(short: NDArray[np.float32], long: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Where each short row fits best into the long one: samples from its start (k,), and the correlation there (k,)."""
    from scipy.fft import irfft, next_fast_len, rfft

    k, n = short.shape
    lags = long.shape[1] - n + 1
    template = short - short.mean(axis=1, keepdims=True)
    size = next_fast_len(long.shape[1], real=True)
    products = irfft(np.conj(rfft(template, size, axis=1)) * rfft(long, size, axis=1), size, axis=1)[:, :lags]
    total, squares = (_sliding_sums(each, n) for each in (long, np.square(long)))
    spread = np.sqrt(np.maximum(squares - np.square(total) / n, 1e-9))
    correlation = products / (spread * np.maximum(np.linalg.norm(template, axis=1), 1e-6)[:, None])
    # The best of all may lie beyond the search: a maximum at its border is none.
    best = correlation.argmax(axis=1)
    inside = (best > 0) & (best < lags - 1)
    peak = np.clip(best, 1, lags - 2)
    row = np.arange(k)
    left, top, right = (correlation[row, peak + shift] for shift in (-1, 0, 1))
    curvature = left - 2 * top + right
    shift = np.where(curvature < 0, (left - right) / (2 * np.where(curvature < 0, curvature, -1)), 0)
    return peak + shift, np.where(inside, top, 0)


def _sliding_sums(values: NDArray[np.float32], width: int) -> NDArray[Any]:
    running = np.cumsum(values, axis=1, dtype=np.float64)
    sums = running[:, width - 1 :].copy()
    sums[:, 1:] -= running[:, :-width]
    return sums


def _line(at: Floats, offset: Floats, start: float, end: float) -> Synchronization:
    """The line that most windows agree about, fitted to those: offset at ``start``, drift.

    Args:
        at, offset: (k,) of the windows, seconds.
        start, end: of the recording, for the error of the line at its ends.
    """
    rules = protocol().synchronization
    days = (at - start) / SECONDS_PER_DAY
    near = rules.agreement_seconds
    # Steps small enough that no window leaves its line between two of them.
    half = max(float(days.max() - days.min()) / 2, 1e-3)
    steps = int(np.ceil(rules.largest_drift_seconds_per_day * half / near))
    drifts = np.linspace(-rules.largest_drift_seconds_per_day, rules.largest_drift_seconds_per_day, 2 * steps + 1)
    agree = np.zeros(len(at), dtype=bool)
    for drift in drifts:
        level = offset - drift * (days - days.mean())
        ordered = np.sort(level)
        # The fullest stretch of twice the tolerance.
        held = np.searchsorted(ordered, ordered + 2 * near, side="right") - np.arange(len(ordered))
        if held.max() > agree.sum():
            low = ordered[held.argmax()]
            agree = (level >= low) & (level <= low + 2 * near)
    for _ in range(3):
        level, slope, residual, error = _fit(days[agree], offset[agree], (end - start) / SECONDS_PER_DAY)
        agree = np.abs(offset - level - slope * days) <= near
        if agree.sum() < 2:
            return Synchronization("no_agreement", agreeing=int(agree.sum()))
    return Synchronization(
        status="synchronized",
        origin_seconds=start,
        offset_seconds=level,
        drift_seconds_per_day=slope,
        agreeing=int(agree.sum()),
        residual_seconds=residual,
        error_seconds=error,
    )


def _fit(days: Floats, offset: Floats, length_days: float) -> tuple[float, float, float, float]:
    """Least squares with a prior for the drift: offset at day 0, drift, residual SD, largest standard error.

    A few windows in one morning say little about the drift of a week; then the prior, a normal distribution about no
    drift, says the rest, and the standard error tells how little is known.
    """
    center = days.mean()
    design = np.stack([np.ones(len(days)), days - center], axis=1)
    residual = SMALLEST_RESIDUAL_SECONDS
    for _ in range(2):
        prior = np.diag([0.0, (residual / protocol().synchronization.drift_sd_seconds_per_day) ** 2])
        inverse = np.linalg.inv(design.T @ design + prior)
        level, slope = inverse @ (design.T @ offset)
        spread = np.sqrt(np.mean(np.square(offset - design @ [level, slope])))
        residual = max(float(spread), SMALLEST_RESIDUAL_SECONDS)
    ends = np.array([[1, -center], [1, length_days - center]])
    error = residual * np.sqrt(np.einsum("ij,jk,ik->i", ends, inverse, ends))
    return float(level - slope * center), float(slope), residual, float(error.max())
