"""Synchronize the clocks of two sensors worn by one person: offset and drift of the thigh's clock.

Both sensors record the same movements. First the activity of the whole recordings is compared, which finds clocks that
were set an hour apart. Then, in the windows in which activity changes most, movement is compared by normalized
cross-correlation, and a line through the windows that agree gives offset and drift. Change and not activity matters:
in ten minutes of even walking every step looks like the next. The approach is that of Open Movement's ``timesync``
(github.com/openmovementproject/openmovement), but the line is found by trying all drifts instead of random ones, so
that the same recordings always give the same line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.movement_correlation import SMALLEST_LEVEL_G, best_lag, correlations, movement
from stegvis.accelerometry.resampling import RawSignal
from stegvis.accelerometry.summaries import WINDOW_SECONDS, Summary
from stegvis.study.protocol import Epochs, SynchronizationRules

Floats = NDArray[np.float64]
Status = Literal["synchronized", "too_little_movement", "no_agreement", "drift_uncertain"]

SECONDS_PER_DAY = 86400
# Activity is compared on a logarithmic scale: walking is about a hundred times stillness.
SMALLEST_SD_G = 1e-3
# Below this the activity of the two recordings says nothing about their clocks.
SMALLEST_COARSE_CORRELATION = 0.3
# Windows correlated at a time.
SLAB = 64
# One step may be taken for the next: a line is moved by up to this, and then windows are read this close to it.
FURTHEST_STEP_SECONDS = 0.8
NEXT_STEP_SECONDS = 0.25
# Correlations above this say no more than this.
LARGEST_CORRELATION = 0.999
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
    windows = _changing_windows(back_summary, thigh_summary, coarse, rules)
    both = _compare(back, thigh, windows, coarse, rules, epoch_rules)
    compared = len(both.center)
    lag, correlation = best_lag(both.sharp)
    match = correlation >= rules.smallest_correlation
    found = Synchronization("no_agreement")
    if match.sum() >= 2:
        offset = both.least + lag[match] / both.rate
        found = _line(both.center[match], offset, back.timeline.start, back.timeline.end, rules)
    if found.synchronized:
        found = _settled(found, both, back.timeline.end, rules)
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


def _changing_windows(back: Summary, thigh: Summary, coarse: float, rules: SynchronizationRules) -> Floats:
    """Start of the windows to compare, in the back's time, increasing."""
    length = rules.window_seconds
    first = int(np.ceil(max(back.start[0], thigh.start[0] - coarse) / length))
    last = int(np.floor(min(back.end[-1], thigh.end[-1] - coarse) / length))
    if last <= first:
        return np.empty(0)
    both = [_activity(back, 0.0, first, last, length), _activity(thigh, coarse, first, last, length)]
    activity, change = (np.minimum(*each) for each in zip(*both, strict=True))
    change[activity < rules.smallest_activity_g] = -1
    per_stretch = round(rules.stretch_hours * 3600 / length)
    chosen: list[NDArray[np.int64]] = []
    for begin in range(0, last - first, per_stretch):
        part = change[begin : begin + per_stretch]
        most = np.argsort(-part, kind="stable")[: rules.windows_per_stretch]
        chosen.append(begin + np.sort(most[part[most] >= 0]))
    return length * (first + np.concatenate(chosen)).astype(np.float64)


def _activity(summary: Summary, ahead: float, first: int, last: int, length: int) -> tuple[Floats, Floats]:
    """Mean activity, and SD of its logarithm, in windows ``first`` to ``last`` of the back's time.

    Both (last - first,); 0 without a recording.
    """
    window = np.floor((summary.start + summary.seconds / 2 - ahead) / length).astype(np.int64) - first
    inside = (window >= 0) & (window < last - first)
    activity = summary.activity[inside].astype(np.float64)
    count = np.maximum(np.bincount(window[inside], minlength=last - first), 1)
    level = np.log(activity + SMALLEST_LEVEL_G)
    mean, level_mean, square_mean = (
        np.bincount(window[inside], weights=each, minlength=last - first) / count
        for each in (activity, level, np.square(level))
    )
    return mean, np.sqrt(np.maximum(square_mean - np.square(level_mean), 0))


class _Compared(NamedTuple):
    """Correlations (k, lags) of k windows at every offset searched.

    Attributes:
        center: (k,) seconds of the back's clock.
        sharp, slow: (k, lags) as in ``movement_correlation``.
        least: the offset of the first lag, seconds.
        rate: lags per second.
    """

    center: Floats
    sharp: NDArray[np.float32]
    slow: NDArray[np.float32]
    least: float
    rate: int

    def near(self, line: Synchronization, seconds: float) -> tuple[Floats, Floats, Floats]:
        """Both correlations within some seconds of a line, (k, 2 n + 1), and the offset (k,) of their first column."""
        expected = line.thigh_seconds(self.center) - self.center
        width = round(seconds * self.rate)
        first = np.round((expected - self.least) * self.rate).astype(np.int64) - width
        first = np.clip(first, 0, self.sharp.shape[1] - 2 * width - 1)
        column = first[:, None] + np.arange(2 * width + 1)
        row = np.arange(len(first))[:, None]
        return self.sharp[row, column], self.slow[row, column], self.least + first / self.rate


def _compare(
    back: RawSignal,
    thigh: RawSignal,
    windows: Floats,
    coarse: float,
    rules: SynchronizationRules,
    epoch_rules: Epochs,
) -> _Compared:
    """Correlate the windows that both sensors recorded completely."""
    search, rate = rules.search_seconds, epoch_rules.sampling_rate_hz
    longer = rules.window_seconds + round(2 * search)
    lags = (longer - rules.window_seconds) * rate + 1
    center, parts = [np.empty(0)], [np.empty((2, 0, lags), dtype=np.float32)]
    for begin in range(0, len(windows), SLAB):
        start = windows[begin : begin + SLAB]
        short, short_ok = movement(back, start, rules.window_seconds, epoch_rules)
        long, long_ok = movement(thigh, start + coarse - search, longer, epoch_rules)
        complete = short_ok & long_ok
        center.append(start[complete] + rules.window_seconds / 2)
        parts.append(correlations(short[complete], long[complete], rate))
    sharp, slow = np.concatenate(parts, axis=1)
    return _Compared(np.concatenate(center), sharp, slow, coarse - search, rate)


def _settled(line: Synchronization, compared: _Compared, end: float, rules: SynchronizationRules) -> Synchronization:
    """The line at the step at which all windows together match best, fitted again to the windows near it.

    In even walking a window matches nearly as well one step later, so that most windows may agree on the wrong step.
    Together, and weighted by how well they match (the logarithm of the unexplained variance), they show which.
    """
    sharp, slow, _ = compared.near(line, FURTHEST_STEP_SECONDS)
    sharp_fit, slow_fit = (
        -np.log1p(-np.square(np.clip(each, 0, LARGEST_CORRELATION))).sum(axis=0) for each in (sharp, slow)
    )
    best = int(slow_fit.argmax())
    # The slow level shows the step; within it the sharp one is more exact, if it has a maximum there.
    peak = np.flatnonzero((sharp_fit[1:-1] > sharp_fit[:-2]) & (sharp_fit[1:-1] >= sharp_fit[2:])) + 1
    peak = peak[np.abs(peak - best) <= NEXT_STEP_SECONDS * compared.rate]
    if len(peak):
        best = int(peak[sharp_fit[peak].argmax()])
    moved = line.offset_seconds + (best - len(sharp_fit) // 2) / compared.rate
    line = replace(line, offset_seconds=moved)
    sharp, _, first = compared.near(line, NEXT_STEP_SECONDS)
    lag, correlation = best_lag(sharp)
    match = correlation >= rules.smallest_correlation
    if match.sum() < 2:
        return replace(line, agreeing=int(match.sum()))
    days = (compared.center[match] - line.origin_seconds) / SECONDS_PER_DAY
    offset = (first + lag / compared.rate)[match]
    length = (end - line.origin_seconds) / SECONDS_PER_DAY
    level, slope, residual, error = _fit(days, offset, length, rules.drift_sd_seconds_per_day)
    return replace(
        line,
        offset_seconds=level,
        drift_seconds_per_day=slope,
        agreeing=int(match.sum()),
        residual_seconds=residual,
        error_seconds=error,
    )


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
