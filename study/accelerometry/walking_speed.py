"""Cadence and speed of walking epochs, with their uncertainty.

Cadence is read from the autocorrelation of both sensors' vector magnitude, as Moe-Nilssen and Helbostad proposed for
the trunk (J Biomech 2004;37:121-126, doi 10.1016/S0021-9290(03)00233-1): the trunk repeats itself with every step, the
thigh with every stride (two steps). Speed is estimated twice, from cadence and from the size of the thigh's movement,
by relations that are the same for everyone (``protocol.walking_speed``), and averaged by their errors between people.
Body height is ignored, so a person's class can be off by one: the uncertainty says how easily.

Belongs here: steps per minute, km/h and their classes. Does not belong here: deciding that an epoch is walking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.accelerometry.activity import SpeedCode
from study.protocol import protocol

Floats = NDArray[np.float32]

# Steps are below 3 Hz with a few harmonics; a mean over this many samples (0.1 s) removes the ringing above.
SMOOTHING_SAMPLES = 5
# The shortest period whose regularity comes this near the best one is the step; longer ones are its multiples.
NEAR_BEST = 0.8


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


@dataclass(frozen=True)
class Pace:
    """Of each walking epoch (k,): ``cadence`` steps/min (NaN where nothing repeats itself), ``speed`` and its standard
    deviation ``speed_sd``, km/h.
    """

    cadence: Floats
    speed: Floats
    speed_sd: Floats


def thigh_movement(windows: Floats) -> Floats:
    """Root mean square of the thigh's acceleration about its mean, all axes together, g: (k,)."""
    return np.asarray(np.sqrt(windows[:, :, 3:].var(axis=1).sum(axis=1)))


def speed_from_movement(movement: Floats) -> Floats:
    """Speed in km/h: the protocol's relation between the thigh's movement (g) and speed, inverted."""
    relation = protocol().walking_speed
    metres_per_second = (movement / relation.thigh_movement_at_1_m_per_s) ** (1 / relation.thigh_movement_exponent)
    return np.asarray(3.6 * metres_per_second, dtype=np.float32)


def pace(autocorrelation: Floats, movement: Floats, bout: NDArray[np.int64]) -> Pace:
    """Cadence and speed of walking epochs.

    The two estimates of speed are averaged on the log scale, weighted by the inverse of their variances between people
    (``protocol.walking_speed``); where cadence cannot be read, movement stands alone. Then the median over the bout is
    taken. The standard deviation holds the error between people and that of the median.

    Args:
        autocorrelation: (k, 2, lags) of ``gait_autocorrelation``, in time order.
        movement: (k,) of ``thigh_movement``, g.
        bout: (k,) number of the walking bout each epoch belongs to, never falling.
    """
    relation = protocol().walking_speed
    errors = np.square([relation.cadence_speed_error, relation.movement_speed_error])
    steps = cadence(pooled(autocorrelation, bout))
    readable = np.isfinite(steps)
    by_movement = np.log(speed_from_movement(np.maximum(movement, 1e-3)))
    by_cadence = np.log(speed_from_cadence(np.where(readable, steps, relation.cadence_at_1_m_per_s)))
    weight = np.where(readable, errors[1] / errors.sum(), 0.0)
    between = np.where(readable, errors.prod() / errors.sum(), errors[1])
    logs = pd.Series(weight * by_cadence + (1 - weight) * by_movement).groupby(bout)
    rolling = logs.rolling(window=2 * relation.bout_epochs + 1, center=True, min_periods=1)
    # Bouts come back in order, and so do the epochs within them.
    middle, count = rolling.median().to_numpy(), rolling.count().to_numpy()
    spread = rolling.std().fillna(0.0).to_numpy()
    # The variance of a median is pi / 2 times that of a mean.
    relative = np.sqrt(between + np.pi / 2 * np.square(spread) / count)
    speed = np.exp(middle)
    return Pace(steps, speed.astype(np.float32), (relative * speed).astype(np.float32))


def speed_class(km_per_hour: Floats) -> NDArray[np.uint8]:
    """Speed codes of walking epochs; walking without a readable rhythm (NaN) is slow."""
    cuts = protocol().epochs
    codes = np.full(len(km_per_hour), SpeedCode.SLOW, dtype=np.uint8)
    codes[km_per_hour > cuts.slow_up_to_km_per_hour] = SpeedCode.MODERATE
    codes[km_per_hour > cuts.moderate_up_to_km_per_hour] = SpeedCode.BRISK
    return codes
