"""Cadence and speed of walking epochs, with their uncertainty.

Cadence is read from the autocorrelation of both sensors' vector magnitude, as Moe-Nilssen and Helbostad proposed for
the trunk (J Biomech 2004;37:121-126, doi 10.1016/S0021-9290(03)00233-1): the trunk repeats itself with every step, the
thigh with every stride (two steps). Speed is estimated three times, from cadence, from how far the back rises and falls
with each step and from the size of the thigh's movement, by relations that are the same for everyone
(``protocol.walking_speed``, with their sources), and averaged by their errors between people. With one sensor the
average is of what there is. Body height is ignored, so a person's class can be off by one: the uncertainty says how
easily.

Belongs here: steps per minute, km/h and their classes. Does not belong here: deciding that an epoch is walking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stegvis.accelerometry.activity import SpeedCode
from stegvis.study.protocol import protocol

Floats = NDArray[np.float32]

# Steps are below 3 Hz with a few harmonics; a mean over this many samples (0.1 s) removes the ringing above.
SMOOTHING_SAMPLES = 5
# The shortest period whose regularity comes this near the best one is the step; longer ones are its multiples.
NEAR_BEST = 0.8
# Root mean square of a sensor that keeps still, g; the slowest walking moves ten times as much.
STILL = 0.005


def _longest_lag() -> int:
    """Samples in the longest stride (two of the slowest steps) that is looked for, and one more to each side."""
    return 2 * (_step_lags()[-1] + 1)


def _step_lags() -> NDArray[np.int64]:
    """Candidate step periods in samples."""
    speed, rate = protocol().walking_speed, protocol().epochs.sampling_rate_hz
    return np.arange(round(60 * rate / speed.fastest_cadence), round(60 * rate / speed.slowest_cadence) + 1)


def gait_autocorrelation(windows: Floats) -> Floats:
    """Unbiased autocorrelation of the magnitude of the back and of the thigh.

    Args:
        windows: (k, samples per epoch, 6) in g.

    Returns:
        (k, 2, lags): back and thigh, for lags 0, 1, 2, ... samples; 1 at lag 0, or all 0 without any movement.
    """
    from scipy.fft import irfft, rfft

    k, samples, _ = windows.shape
    magnitude = np.sqrt(np.square(windows).reshape(k, samples, 2, 3).sum(axis=3)).transpose(0, 2, 1)
    running = np.cumsum(magnitude - magnitude.mean(axis=2, keepdims=True), axis=2)
    smooth = (running[:, :, SMOOTHING_SAMPLES:] - running[:, :, :-SMOOTHING_SAMPLES]) / SMOOTHING_SAMPLES
    smooth -= smooth.mean(axis=2, keepdims=True)

    n, lags = smooth.shape[2], _longest_lag() + 1
    spectrum = rfft(smooth, n=n + lags, axis=2)  # padded, so that the end does not meet the beginning
    products = irfft(np.square(np.abs(spectrum)), n=n + lags, axis=2)[:, :, :lags]
    covariance = products / (n - np.arange(lags))
    variance = covariance[:, :, :1]
    still = variance < 1e-8  # below 0.1 mg
    return np.where(still, 0, covariance / np.where(still, 1, variance)).astype(np.float32)


def pooled(autocorrelation: Floats, bout: NDArray[np.int64]) -> Floats:
    """Each epoch's autocorrelation averaged with its neighbors' in the same bout.

    Args:
        autocorrelation: (k, 2, lags), in time order.
        bout: (k,) number of the walking bout each epoch belongs to.
    """
    total = autocorrelation.copy()
    count = np.ones(len(bout), dtype=np.float32)
    for distance in range(1, protocol().walking_speed.neighboring_epochs + 1):
        together = np.flatnonzero(bout[distance:] == bout[:-distance])
        total[together] += autocorrelation[together + distance]
        total[together + distance] += autocorrelation[together]
        count[together] += 1
        count[together + distance] += 1
    return total / count[:, None, None]


def cadence(autocorrelation: Floats) -> Floats:
    """Steps per minute, from the lag at which back and thigh repeat themselves.

    A step period T scores what the back repeats after T and 2T and the thigh after 2T.

    Args:
        autocorrelation: (k, 2, lags) of ``gait_autocorrelation`` or ``pooled``.

    Returns:
        (k,) steps per minute, within the protocol's range; NaN where nothing repeats itself.
    """
    lags = _step_lags()
    wide = np.arange(lags[0] - 1, lags[-1] + 2)  # one more on each side, to tell peaks from borders
    back, thigh = autocorrelation[:, 0], autocorrelation[:, 1]
    score = back[:, wide] + back[:, 2 * wide] + thigh[:, 2 * wide]
    before, here, after = score[:, :-2], score[:, 1:-1], score[:, 2:]
    peaks = np.where((here >= before) & (here >= after) & (here > 0), here, 0)
    best = peaks.max(axis=1, initial=0)
    chosen = (peaks >= NEAR_BEST * best[:, None]).argmax(axis=1)

    row = np.arange(len(score))
    left, top, right = before[row, chosen], here[row, chosen], after[row, chosen]
    curvature = left - 2 * top + right
    # Parabola through the peak and its neighbors: a sample is 3 steps/min wide at 100 steps/min.
    shift = np.where(curvature < 0, (left - right) / (2 * np.where(curvature < 0, curvature, -1)), 0)
    steps = 60 * protocol().epochs.sampling_rate_hz / (lags[chosen] + shift)
    return np.where(best > 0, steps, np.nan).astype(np.float32)


def speed_from_cadence(steps_per_minute: Floats) -> Floats:
    """Speed in km/h: the protocol's cadence-speed relation, inverted. NaN stays NaN."""
    relation = protocol().walking_speed
    metres_per_second = (steps_per_minute / relation.cadence_at_1_m_per_s) ** (1 / relation.cadence_exponent)
    return np.asarray(3.6 * metres_per_second, dtype=np.float32)


def movement(windows: Floats, *, interpolated: bool = False) -> Floats:
    """How much back and thigh move in each epoch, root mean square about the mean, g.

    Args:
        windows: (k, samples per epoch, 6) in g.
        interpolated: the samples lie on straight lines between those of a sensor of about the same rate, which takes
            some of each movement, more of quick ones; it is given back.

    Returns:
        (k, 2): the back along the vertical (the epoch's mean direction); the thigh on all axes, slower than the
        protocol's ``thigh_movement_below_hz``. NaN of a sensor that keeps still.
    """
    from scipy.fft import rfft

    back, thigh = windows[:, :, :3], windows[:, :, 3:]
    down = back.mean(axis=1)
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-6)
    vertical = np.matmul(back, down[:, :, None])

    samples, rate = windows.shape[1], protocol().epochs.sampling_rate_hz
    hertz = np.fft.rfftfreq(samples, 1 / rate)[1:]
    # A second-order Butterworth filter, forward and backward; an edge would make steps where a harmonic crosses it.
    slow = 1 / (1 + (hertz / protocol().walking_speed.thigh_movement_below_hz) ** 4)
    # Mean power that a sine keeps between two samples on either side of it.
    kept = (2 + np.cos(2 * np.pi * hertz / rate)) / 3 if interpolated else np.ones(len(hertz))
    # Parseval: each line but that of half the rate stands for two.
    weight = np.where(2 * hertz < rate - 1e-9, 2.0, 1.0) / kept / samples**2

    def size(signal: Floats, passed: NDArray[np.float64]) -> Floats:
        power = np.square(np.abs(rfft(signal, axis=1)[:, 1:])).sum(axis=2)
        return np.asarray(np.sqrt(power @ (weight * np.square(passed))))

    found = np.stack([size(vertical, np.ones(len(hertz))), size(thigh, slow)], axis=1)
    return np.where(found < STILL, np.nan, found).astype(np.float32)


def speed_from_movement(moved: Floats) -> Floats:
    """Speed in km/h, (k, 2): by the movement of the back and of the thigh, the protocol's relations inverted."""
    relation = protocol().walking_speed
    at_1_m_per_s = np.array([relation.back_movement_at_1_m_per_s, relation.thigh_movement_at_1_m_per_s])
    exponent = np.array([relation.back_movement_exponent, relation.thigh_movement_exponent])
    return np.asarray(3.6 * (moved / at_1_m_per_s) ** (1 / exponent), dtype=np.float32)


@dataclass(frozen=True)
class Pace:
    """Of each walking epoch (k,): ``cadence`` steps/min (NaN where nothing repeats itself), ``speed`` and its standard
    deviation ``speed_sd``, km/h (NaN where, besides, nothing moves).
    """

    cadence: Floats
    speed: Floats
    speed_sd: Floats


def pace(autocorrelation: Floats, moved: Floats, bout: NDArray[np.int64]) -> Pace:
    """Cadence and speed of walking epochs.

    What can be read of the three estimates of speed is averaged on the log scale, weighted by the inverse of their
    variances between people. Then the median over the bout is taken, as far as one pace is kept; of its inner epochs if
    it has any: the first and the last are partly something else. The standard deviation holds the error between people,
    that which all estimates share, and that of the median.

    Args:
        autocorrelation: (k, 2, lags) of ``gait_autocorrelation``, in time order.
        moved: (k, 2) of ``movement``, g.
        bout: (k,) number of the walking bout each epoch belongs to, never falling.
    """
    relation = protocol().walking_speed
    steps = cadence(pooled(autocorrelation, bout))
    estimates = np.log(np.column_stack([speed_from_cadence(steps), speed_from_movement(moved)]).astype(np.float64))
    errors = [relation.cadence_speed_error, relation.back_movement_speed_error, relation.thigh_movement_speed_error]
    weights = np.where(np.isfinite(estimates), 1 / np.square(errors), 0.0)
    precision = weights.sum(axis=1)
    readable = precision > 0
    precision[~readable] = np.nan
    logs = np.where(readable, (weights * np.nan_to_num(estimates)).sum(axis=1) / precision, np.nan)

    around = _around(np.where(_inner(bout), logs, np.nan), bout, relation.bout_epochs)
    # Who changes pace on the way has two: epochs count that, with those next to them, say nearly the same.
    local = _median(_around(logs, bout, relation.local_epochs))
    apart = np.abs(_around(local, bout, relation.bout_epochs) - local[:, None])
    same = np.where(apart <= relation.same_pace, around, np.nan)
    middle = np.where(np.isfinite(same).any(axis=1), _median(same), local)
    used = np.isfinite(same)
    count = np.maximum(used.sum(axis=1), 1)
    variance = np.where(used, np.square(same - middle[:, None]), 0).sum(axis=1) / np.maximum(count - 1, 1)
    # The variance of a median is pi / 2 times that of a mean.
    between = 1 / precision + relation.shared_speed_error**2
    relative = np.sqrt(between + np.pi / 2 * variance / count)
    speed = np.exp(middle)
    return Pace(steps, speed.astype(np.float32), (relative * speed).astype(np.float32))


def _around(values: NDArray[np.float64], bout: NDArray[np.int64], epochs: int) -> NDArray[np.float64]:
    """(k, 2 * epochs + 1): of each epoch its own value and those around it; NaN outside its bout."""
    width = 2 * epochs + 1
    near = sliding_window_view(np.pad(values, epochs, constant_values=np.nan), width)
    return np.where(sliding_window_view(np.pad(bout, epochs, mode="edge"), width) == bout[:, None], near, np.nan)


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of what is not NaN in each row (k, n); many times as fast as ``nanmedian``."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    row = np.arange(len(values))
    return np.asarray((ordered[row, (count - 1) // 2] + ordered[row, count // 2]) / 2)


def _inner(bout: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Epochs that are not at the end of their bout, and all epochs of bouts too short to have such."""
    change = np.diff(bout, prepend=bout[:1] - 1, append=bout[-1:] + 1) != 0
    length = np.bincount(bout - bout.min())[bout - bout.min()] if len(bout) else bout
    return np.asarray(~(change[:-1] | change[1:]) | (length < 3))


def speed_class(km_per_hour: Floats) -> NDArray[np.uint8]:
    """Speed codes of walking epochs; walking without a readable rhythm (NaN) is slow."""
    cuts = protocol().epochs
    codes = np.full(len(km_per_hour), SpeedCode.SLOW, dtype=np.uint8)
    codes[km_per_hour > cuts.slow_up_to_km_per_hour] = SpeedCode.MODERATE
    codes[km_per_hour > cuts.moderate_up_to_km_per_hour] = SpeedCode.BRISK
    return codes
