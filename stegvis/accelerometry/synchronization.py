"""Synchronize the clocks of two sensors worn by one person: offset and drift of the thigh's clock.

Both sensors record the same movements. First the activity of the whole recordings is compared, which finds clocks that
were set an hour apart. Then, in the most active windows, movement is compared by normalized cross-correlation, and a
line through the windows that agree gives offset and drift. The approach is that of Open Movement's ``timesync``
(github.com/openmovementproject/openmovement), but the line is found by trying all drifts instead of random ones, so
that the same recordings always give the same line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.resampling import RawSignal, epoch_positions, resample
from stegvis.accelerometry.summaries import WINDOW_SECONDS, Summary
from stegvis.study.protocol import Epochs, SynchronizationRules

Floats = NDArray[np.float64]
Status = Literal["synchronized", "too_little_movement", "no_agreement", "drift_uncertain"]

SECONDS_PER_DAY = 86400
# Activity is compared on a logarithmic scale: walking is about a hundred times stillness.
SMALLEST_SD_G = 1e-3
# Below this the activity of the two recordings says nothing about their clocks.
SMALLEST_COARSE_CORRELATION = 0.3
# Movement is compared by its mean level over this many seconds, on a logarithmic scale with this floor. The level rises
# and falls together on both sensors, while the peaks within a step come at different moments on back and thigh.
LEVEL_SECONDS = 1
SMALLEST_LEVEL_G = 0.02
# Windows correlated at a time.
SLAB = 64
# Offsets of single windows are hardly more accurate than this, however well they happen to agree.
SMALLEST_RESIDUAL_SECONDS = 0.02


@dataclass(frozen=True)
class Synchronization:
    """The thigh's clock relative to the back's.

    Attributes:
        status: ``synchronized``; or why not, and then offset and drift are zero: ``too_little_movement`` to compare;
            ``no_agreement``: both sensors moved, but not together; ``drift_uncertain``: the offset is known in a part
            of the recording, but not well enough in all of it.
        origin_seconds: device time of the back to which the offset refers.
        offset_seconds: how far the thigh's clock is ahead of the back's at that time.
        drift_seconds_per_day: how much it gains on the back's.
        windows: number of windows compared.
        agreeing: number of windows that agree with the line.
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
        """The time of the thigh's clock when the back's clock shows ``back_seconds``."""
        days = (back_seconds - self.origin_seconds) / SECONDS_PER_DAY
        return np.asarray(back_seconds + self.offset_seconds + self.drift_seconds_per_day * days)


def synchronize(
    back: RawSignal,
    thigh: RawSignal,
    back_summary: Summary,
    thigh_summary: Summary,
    rules: SynchronizationRules,
    epoch_rules: Epochs,
) -> Synchronization:
    """Compare the clocks of two recordings, both in seconds since the same device-local time.

    Args:
        back, thigh: the recordings.
        back_summary, thigh_summary: their ten-second windows.
        rules: which windows are compared, and when they agree.
        epoch_rules: the sampling rate at which movement is compared.
    """
    coarse = coarse_offset(back_summary, thigh_summary, rules.coarse_search_hours)
    windows = _active_windows(back_summary, thigh_summary, coarse, rules)
    compared, at, offset = _window_offsets(back, thigh, windows, coarse, rules, epoch_rules)
    if len(at) >= 2:
        found = _line(at, offset, back.timeline.start, back.timeline.end, rules)
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


def coarse_offset(back: Summary, thigh: Summary, search_hours: float) -> float:
    """How far the thigh's clock is ahead of the back's, to within a few seconds, from the course of activity.

    Searches ``search_hours`` in both directions. Returns 0 if the activity does not correlate well enough.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    step = float(WINDOW_SECONDS)
    begin, end = min(back.start[0], thigh.start[0]), max(back.end[-1], thigh.end[-1])
    grid = np.arange(begin, end, step)
    one, other = (_course(summary, grid) for summary in (back, thigh))
    size = next_fast_len(2 * len(grid))
    products = irfft(np.conj(rfft(one, size)) * rfft(other, size), size)
    reach = min(round(search_hours * 3600 / step), len(grid) - 1)
    lags = np.arange(-reach, reach + 1)
    correlation = products[lags] / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12)
    best = int(correlation.argmax())
    return float(lags[best] * step) if correlation[best] >= SMALLEST_COARSE_CORRELATION else 0.0


def _course(summary: Summary, grid: Floats) -> Floats:
    """Log activity at the times of a grid, centered at its mean; 0 where nothing was recorded."""
    level: Floats = np.log10(np.maximum(summary.activity, SMALLEST_SD_G), dtype=np.float64)
    center = summary.start + summary.seconds / 2
    return np.asarray(np.interp(grid, center, level - level.mean(), left=0, right=0))


def _active_windows(back: Summary, thigh: Summary, coarse: float, rules: SynchronizationRules) -> Floats:
    """Start of the windows to compare, in the back's time, increasing."""
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
    """Mean activity (last - first,) in windows ``first`` to ``last`` of the back's time; 0 without a recording."""
    window = np.floor((summary.start + summary.seconds / 2 - ahead) / length).astype(np.int64) - first
    inside = (window >= 0) & (window < last - first)
    total = np.bincount(window[inside], weights=summary.activity[inside], minlength=last - first)
    count = np.bincount(window[inside], minlength=last - first)
    return np.asarray(total / np.maximum(count, 1))


def _window_offsets(
    back: RawSignal,
    thigh: RawSignal,
    windows: Floats,
    coarse: float,
    rules: SynchronizationRules,
    epoch_rules: Epochs,
) -> tuple[int, Floats, Floats]:
    """Number of windows compared, and center (in the back's time) and offset of those whose movements match."""
    compared, at, offset = 0, [np.empty(0)], [np.empty(0)]
    search = rules.search_seconds
    for begin in range(0, len(windows), SLAB):
        start = windows[begin : begin + SLAB]
        short, short_ok = _movement(back, start, rules.window_seconds, epoch_rules)
        longer = rules.window_seconds + round(2 * search)
        long, long_ok = _movement(thigh, start + coarse - search, longer, epoch_rules)
        complete = short_ok & long_ok
        compared += int(complete.sum())
        lag, correlation = _best_lag(short[complete], long[complete])
        match = correlation >= rules.smallest_correlation
        at.append(start[complete][match] + rules.window_seconds / 2)
        offset.append(coarse - search + lag[match] / epoch_rules.sampling_rate_hz)
    return compared, np.concatenate(at), np.concatenate(offset)


def _movement(
    signal: RawSignal, start: Floats, seconds: int, epoch_rules: Epochs
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log level of movement (k, seconds * rate) at the epochs' rate, and whether all of the window was recorded.

    Where the window was not recorded the values are meaningless.
    """
    # One epoch at a time, so that the clock is followed as closely as everywhere else.
    length = epoch_rules.seconds
    parts = -(-seconds // length)
    begin = (start[:, None] + np.arange(parts) * length).ravel()
    first, last, recorded = epoch_positions(signal.timeline, begin, begin + length)
    values = resample(signal, first, last, epoch_rules)
    magnitude = np.sqrt(np.einsum("ij,ij->i", values, values)).reshape(len(start), -1)
    magnitude = magnitude[:, : seconds * epoch_rules.sampling_rate_hz]
    width = LEVEL_SECONDS * epoch_rules.sampling_rate_hz
    level = _moving_mean(np.abs(magnitude - _moving_mean(magnitude, width)), width)
    complete = np.asarray(recorded.reshape(-1, parts).all(axis=1))
    return np.log(level + np.float32(SMALLEST_LEVEL_G)), complete


def _moving_mean(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, width, axis=1, mode="nearest"))


def _best_lag(short: NDArray[np.float32], long: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Best position (k,) of each short row in the long one, in samples, and the correlation there (k,)."""
    from scipy.fft import irfft, next_fast_len, rfft

    k, n = short.shape
    lags = long.shape[1] - n + 1
    template = short - short.mean(axis=1, keepdims=True)
    size = next_fast_len(long.shape[1], real=True)
    products = irfft(np.conj(rfft(template, size, axis=1)) * rfft(long, size, axis=1), size, axis=1)[:, :lags]
    total, squares = (_sliding_sums(each, n) for each in (long, np.square(long)))
    spread = np.sqrt(np.maximum(squares - np.square(total) / n, 1e-9))
    correlation = products / (spread * np.maximum(np.linalg.norm(template, axis=1), 1e-6)[:, None])
    # A maximum at the border of the search is ignored: the true one may lie beyond it.
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


def _line(at: Floats, offset: Floats, start: float, end: float, rules: SynchronizationRules) -> Synchronization:
    """The line that most windows agree on, fitted to those windows: offset at ``start``, and drift.

    Args:
        at, offset: (k,) times and offsets of the windows, seconds.
        start, end: of the recording, for the error of the line at both ends.
        rules: how far windows may be from the line, the largest drift, and the prior of the drift.
    """
    days = (at - start) / SECONDS_PER_DAY
    near = rules.agreement_seconds
    # Steps of the drift are so small that no window falls between two candidate lines.
    half = max(float(days.max() - days.min()) / 2, 1e-3)
    steps = int(np.ceil(rules.largest_drift_seconds_per_day * half / near))
    drifts = np.linspace(-rules.largest_drift_seconds_per_day, rules.largest_drift_seconds_per_day, 2 * steps + 1)
    agree = np.zeros(len(at), dtype=bool)
    for drift in drifts:
        level = offset - drift * (days - days.mean())
        ordered = np.sort(level)
        # The interval of twice the tolerance that contains most windows.
        inside = np.searchsorted(ordered, ordered + 2 * near, side="right") - np.arange(len(ordered))
        if inside.max() > agree.sum():
            low = ordered[inside.argmax()]
            agree = (level >= low) & (level <= low + 2 * near)
    for _ in range(3):
        level, slope, residual, error = _fit(
            days[agree], offset[agree], (end - start) / SECONDS_PER_DAY, rules.drift_sd_seconds_per_day
        )
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


def _fit(days: Floats, offset: Floats, length_days: float, drift_sd: float) -> tuple[float, float, float, float]:
    """Least squares with a normal prior for the drift: offset at day 0, drift, residual SD, largest standard error.

    A few windows in one morning carry little information about the drift over a week. Then the prior, centered at no
    drift, dominates, and the standard error shows the uncertainty.
    """
    center = days.mean()
    design = np.stack([np.ones(len(days)), days - center], axis=1)
    residual = SMALLEST_RESIDUAL_SECONDS
    for _ in range(2):
        prior = np.diag([0.0, (residual / drift_sd) ** 2])
        inverse = np.linalg.inv(design.T @ design + prior)
        level, slope = inverse @ (design.T @ offset)
        spread = np.sqrt(np.mean(np.square(offset - design @ [level, slope])))
        residual = max(float(spread), SMALLEST_RESIDUAL_SECONDS)
    ends = np.array([[1, -center], [1, length_days - center]])
    error = residual * np.sqrt(np.einsum("ij,jk,ik->i", ends, inverse, ends))
    return float(level - slope * center), float(slope), residual, float(error.max())
