"""Cadence and speed of walking epochs, with their uncertainty.

Cadence is read from the autocorrelation of both sensors' vector magnitude, as Moe-Nilssen and Helbostad proposed for
the trunk (J Biomech 2004;37:121-126, doi 10.1016/S0021-9290(03)00233-1): the trunk repeats itself with every step, the
thigh with every stride (two steps). Speed is estimated three times, from cadence, from how far the back rises and falls
with each step, and from the size of the thigh's movement, by relations that are the same for everyone
(``protocol.walking_speed``, with their sources). The estimates are averaged with weights from their errors between
people; with one sensor, the available ones are averaged. Body height is ignored, so a person's class can be off by one;
the standard deviation of the speed reflects it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stegvis.accelerometry.activity import SpeedCode
from stegvis.study.protocol import Epochs, WalkingSpeed

Floats = NDArray[np.float32]

# Steps are below 3 Hz with a few harmonics; a moving mean over this many samples (0.1 s) removes higher frequencies.
SMOOTHING_SAMPLES = 5
# The step is the shortest period whose regularity reaches this share of the best one; longer ones are its multiples.
NEAR_BEST = 0.8
# Root mean square (g) below which a sensor is stationary; the slowest walking reaches ten times as much.
STILL = 0.005


def _longest_lag(rules: WalkingSpeed, rate_hz: int) -> int:
    """Samples in the longest candidate stride (two of the slowest steps), plus one on each side."""
    return int(2 * (_step_lags(rules, rate_hz)[-1] + 1))


def _step_lags(rules: WalkingSpeed, rate_hz: int) -> NDArray[np.int64]:
    """Candidate step periods in samples."""
    shortest, longest = (round(60 * rate_hz / cadence) for cadence in (rules.fastest_cadence, rules.slowest_cadence))
    return np.arange(shortest, longest + 1)


def gait_autocorrelation(windows: Floats, rules: WalkingSpeed, rate_hz: int) -> Floats:
    """Unbiased autocorrelation of the magnitude of the back and of the thigh.

    Args:
        windows: (k, samples per epoch, 6) in g.
        rules: the range of cadence.
        rate_hz: sampling rate.

    Returns:
        (k, 2, lags): back and thigh, for lags 0, 1, 2, ... samples; 1 at lag 0, or all 0 without any movement.
    """
    from scipy.fft import irfft, rfft

    k, samples, _ = windows.shape
    magnitude = np.sqrt(np.square(windows).reshape(k, samples, 2, 3).sum(axis=3)).transpose(0, 2, 1)
    running = np.cumsum(magnitude - magnitude.mean(axis=2, keepdims=True), axis=2)
    smooth = (running[:, :, SMOOTHING_SAMPLES:] - running[:, :, :-SMOOTHING_SAMPLES]) / SMOOTHING_SAMPLES
    smooth -= smooth.mean(axis=2, keepdims=True)

    n, lags = smooth.shape[2], _longest_lag(rules, rate_hz) + 1
    spectrum = rfft(smooth, n=n + lags, axis=2)  # zero-padded, to avoid circular correlation
    products = irfft(np.square(np.abs(spectrum)), n=n + lags, axis=2)[:, :, :lags]
    covariance = products / (n - np.arange(lags))
    variance = covariance[:, :, :1]
    still = variance < 1e-8  # below 0.1 mg
    return np.where(still, 0, covariance / np.where(still, 1, variance)).astype(np.float32)


def pooled(autocorrelation: Floats, bout: NDArray[np.int64], rules: WalkingSpeed) -> Floats:
    """Each epoch's autocorrelation, averaged with that of its neighbors in the same bout.

    Args:
        autocorrelation: (k, 2, lags), in time order.
        bout: (k,) number of the walking bout of each epoch.
        rules: how many neighbors on each side.
    """
    total = autocorrelation.copy()
    count = np.ones(len(bout), dtype=np.float32)
    for distance in range(1, rules.neighboring_epochs + 1):
        together = np.flatnonzero(bout[distance:] == bout[:-distance])
        total[together] += autocorrelation[together + distance]
        total[together + distance] += autocorrelation[together]
        count[together] += 1
        count[together + distance] += 1
    return total / count[:, None, None]


def cadence(autocorrelation: Floats, rules: WalkingSpeed, rate_hz: int) -> Floats:
    """Steps per minute, from the lag at which back and thigh are periodic.

    The score of a step period T is the autocorrelation of the back at T and 2T plus that of the thigh at 2T.

    Args:
        autocorrelation: (k, 2, lags) of ``gait_autocorrelation`` or ``pooled``.
        rules: the range of cadence.
        rate_hz: sampling rate.

    Returns:
        (k,) steps per minute, within the protocol's range; NaN where no rhythm is found.
    """
    lags = _step_lags(rules, rate_hz)
    wide = np.arange(lags[0] - 1, lags[-1] + 2)  # one more on each side, to distinguish peaks from borders
    back, thigh = autocorrelation[:, 0], autocorrelation[:, 1]
    score = back[:, wide] + back[:, 2 * wide] + thigh[:, 2 * wide]
    before, here, after = score[:, :-2], score[:, 1:-1], score[:, 2:]
    peaks = np.where((here >= before) & (here >= after) & (here > 0), here, 0)
    best = peaks.max(axis=1, initial=0)
    chosen = (peaks >= NEAR_BEST * best[:, None]).argmax(axis=1)

    row = np.arange(len(score))
    left, top, right = before[row, chosen], here[row, chosen], after[row, chosen]
    curvature = left - 2 * top + right
    # Parabola through the peak and its neighbors, because one sample is 3 steps/min at 100 steps/min.
    shift = np.where(curvature < 0, (left - right) / (2 * np.where(curvature < 0, curvature, -1)), 0)
    steps = 60 * rate_hz / (lags[chosen] + shift)
    return np.where(best > 0, steps, np.nan).astype(np.float32)


def speed_from_cadence(steps_per_minute: Floats, rules: WalkingSpeed) -> Floats:
    """Speed in km/h: the protocol's cadence-speed relation, inverted. NaN stays NaN."""
    metres_per_second = (steps_per_minute / rules.cadence_at_1_m_per_s) ** (1 / rules.cadence_exponent)
    return np.asarray(3.6 * metres_per_second, dtype=np.float32)


def movement(windows: Floats, rules: WalkingSpeed, rate_hz: int, *, interpolated: bool = False) -> Floats:
    """Movement of back and thigh in each epoch: root mean square about the mean, g.

    Args:
        windows: (k, samples per epoch, 6) in g.
        rules: the cut-off frequency of the thigh's movement.
        rate_hz: sampling rate.
        interpolated: the samples were interpolated linearly from a sensor of about the same rate, which attenuates
            movement, fast movement more than slow; the attenuation is corrected.

    Returns:
        (k, 2): the back along the vertical (the epoch's mean direction); the thigh on all axes, below the protocol's
        ``thigh_movement_below_hz``. NaN for a stationary sensor.
    """
    from scipy.fft import rfft

    back, thigh = windows[:, :, :3], windows[:, :, 3:]
    down = back.mean(axis=1)
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-6)
    vertical = np.matmul(back, down[:, :, None])

    samples = windows.shape[1]
    hertz = np.fft.rfftfreq(samples, 1 / rate_hz)[1:]
    # A second-order Butterworth filter, applied forward and backward. A sharp cut-off would cause steps in the speed
    # where a harmonic crosses it.
    slow = 1 / (1 + (hertz / rules.thigh_movement_below_hz) ** 4)
    # Mean share of its power that a sine retains after linear interpolation.
    kept = (2 + np.cos(2 * np.pi * hertz / rate_hz)) / 3 if interpolated else np.ones(len(hertz))
    # Parseval's theorem: each frequency but that of half the rate counts twice.
    weight = np.where(2 * hertz < rate_hz - 1e-9, 2.0, 1.0) / kept / samples**2

    def size(signal: Floats, passed: NDArray[np.float64]) -> Floats:
        power = np.square(np.abs(rfft(signal, axis=1)[:, 1:])).sum(axis=2)
        return np.asarray(np.sqrt(power @ (weight * np.square(passed))))

    found = np.stack([size(vertical, np.ones(len(hertz))), size(thigh, slow)], axis=1)
    return np.where(found < STILL, np.nan, found).astype(np.float32)


def speed_from_movement(moved: Floats, rules: WalkingSpeed) -> Floats:
    """Speed in km/h, (k, 2), from the movement of the back and of the thigh: the protocol's relations, inverted."""
    at_1_m_per_s = np.array([rules.back_movement_at_1_m_per_s, rules.thigh_movement_at_1_m_per_s])
    exponent = np.array([rules.back_movement_exponent, rules.thigh_movement_exponent])
    return np.asarray(3.6 * (moved / at_1_m_per_s) ** (1 / exponent), dtype=np.float32)


@dataclass(frozen=True)
class Pace:
    """Pace of walking epochs (k,): ``cadence`` in steps/min (NaN where no rhythm is found), ``speed`` and its standard
    deviation ``speed_sd`` in km/h (NaN where there is neither rhythm nor movement).
    """

    cadence: Floats
    speed: Floats
    speed_sd: Floats


def pace(autocorrelation: Floats, moved: Floats, bout: NDArray[np.int64], rules: WalkingSpeed, rate_hz: int) -> Pace:
    """Cadence and speed of walking epochs.

    The available estimates of speed (up to three) are averaged on the log scale, weighted by the inverse of their
    variances between people. Then the median over the part of the bout that keeps the same pace is taken, without the
    first and last epoch of the bout if possible, because these are only partly walking. The standard deviation combines
    the error between people, the error shared by all estimates, and the error of the median.

    Args:
        autocorrelation: (k, 2, lags) of ``gait_autocorrelation``, in time order.
        moved: (k, 2) of ``movement``, g.
        bout: (k,) number of the walking bout of each epoch, non-decreasing.
        rules: the relations between movement and speed, and their errors.
        rate_hz: sampling rate.
    """
    steps = cadence(pooled(autocorrelation, bout, rules), rules, rate_hz)
    speeds = np.column_stack([speed_from_cadence(steps, rules), speed_from_movement(moved, rules)])
    estimates = np.log(speeds.astype(np.float64))
    errors = [rules.cadence_speed_error, rules.back_movement_speed_error, rules.thigh_movement_speed_error]
    weights = np.where(np.isfinite(estimates), 1 / np.square(errors), 0.0)
    precision = weights.sum(axis=1)
    readable = precision > 0
    precision[~readable] = np.nan
    logs = np.where(readable, (weights * np.nan_to_num(estimates)).sum(axis=1) / precision, np.nan)

    around = _around(np.where(_inner(bout), logs, np.nan), bout, rules.bout_epochs)
    # Pace may change within a bout: only epochs whose local median is close to this epoch's are used.
    local = _median(_around(logs, bout, rules.local_epochs))
    apart = np.abs(_around(local, bout, rules.bout_epochs) - local[:, None])
    same = np.where(apart <= rules.same_pace, around, np.nan)
    middle = np.where(np.isfinite(same).any(axis=1), _median(same), local)
    used = np.isfinite(same)
    count = np.maximum(used.sum(axis=1), 1)
    variance = np.where(used, np.square(same - middle[:, None]), 0).sum(axis=1) / np.maximum(count - 1, 1)
    # The variance of a median is pi / 2 times that of a mean (normal distribution).
    between = 1 / precision + rules.shared_speed_error**2
    relative = np.sqrt(between + np.pi / 2 * variance / count)
    speed = np.exp(middle)
    return Pace(steps, speed.astype(np.float32), (relative * speed).astype(np.float32))


def _around(values: NDArray[np.float64], bout: NDArray[np.int64], epochs: int) -> NDArray[np.float64]:
    """(k, 2 * epochs + 1): the value of each epoch and those around it; NaN outside its bout."""
    width = 2 * epochs + 1
    near = sliding_window_view(np.pad(values, epochs, constant_values=np.nan), width)
    return np.where(sliding_window_view(np.pad(bout, epochs, mode="edge"), width) == bout[:, None], near, np.nan)


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the values that are not NaN in each row (k, n); many times as fast as ``nanmedian``."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    row = np.arange(len(values))
    return np.asarray((ordered[row, (count - 1) // 2] + ordered[row, count // 2]) / 2)


def _inner(bout: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Epochs that are not at either end of their bout, and all epochs of bouts shorter than three."""
    change = np.diff(bout, prepend=bout[:1] - 1, append=bout[-1:] + 1) != 0
    length = np.bincount(bout - bout.min())[bout - bout.min()] if len(bout) else bout
    return np.asarray(~(change[:-1] | change[1:]) | (length < 3))


def speed_class(km_per_hour: NDArray[np.floating], cuts: Epochs) -> NDArray[np.uint8]:
    """Speed codes of walking epochs; walking of unknown speed (NaN) is slow."""
    codes = np.full(len(km_per_hour), SpeedCode.SLOW, dtype=np.uint8)
    codes[km_per_hour > cuts.slow_up_to_km_per_hour] = SpeedCode.MODERATE
    codes[km_per_hour > cuts.moderate_up_to_km_per_hour] = SpeedCode.BRISK
    return codes
