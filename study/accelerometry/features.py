"""The 161 features of one window of two-sensor acceleration.

Follows the feature set of Bach et al. 2022 (J Meas Phys Behav 5(1):24) and Logacjov et al. 2021 (Sensors 21:7853,
doi 10.3390/s21237853): gravity is what a 1 Hz low-pass filter leaves of a window, movement is the rest.

Belongs here: the numbers of a window and their names. Does not belong here: cutting windows, or deciding on them.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import cast

import numpy as np
from numpy.typing import NDArray

from study.accelerometry.signal import AXES
from study.protocol import protocol

Floats = NDArray[np.float32]

CHANNELS = (*AXES, "back_magnitude", "thigh_magnitude")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
CORRELATED = (*combinations(range(6), 2), (6, 7))
BACK_THIGH_PAIRS = ((0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5))

GRAVITY_CUTOFF_HZ = 1.0
GRAVITY_FILTER_ORDER = 4
# Spreads below this (in g, or g^2 for energy) are rounding: ratios over them are set to zero instead of exploding.
SMALLEST_SPREAD = 1e-5


def _names() -> tuple[str, ...]:
    gravity = ("mean", "variation", "sd", *(f"q{int(q * 100)}" for q in QUANTILES))
    movement = ("skewness", "kurtosis", "energy")
    spectrum = ("mean", "dominant_frequency", "dominant_magnitude", "power", "sd", "centroid")
    return (
        *(f"gravity_{name}_{channel}" for name in gravity for channel in CHANNELS),
        *(f"movement_{name}_{channel}" for name in movement for channel in CHANNELS),
        *(f"movement_correlation_{CHANNELS[a]}_{CHANNELS[b]}" for a, b in CORRELATED),
        *(f"gravity_pair_mean_{CHANNELS[a]}_{CHANNELS[b]}" for a, b in BACK_THIGH_PAIRS),
        *(f"spectrum_{name}_{channel}" for name in spectrum for channel in CHANNELS),
    )


FEATURE_NAMES = _names()


@cache
def gravity_filter() -> Floats:
    """The zero-phase low-pass filter of one window as a matrix: gravity = window @ matrix.

    ``scipy.signal.filtfilt``, edge padding included, is linear in the window; its columns are what it makes of the
    unit vectors.
    """
    from scipy.signal import butter, filtfilt

    epochs = protocol().epochs
    b, a = butter(GRAVITY_FILTER_ORDER, GRAVITY_CUTOFF_HZ, fs=epochs.sampling_rate_hz)
    matrix = filtfilt(b, a, np.eye(epochs.samples_per_epoch), axis=1)
    return np.ascontiguousarray(matrix, dtype=np.float32)


def features(windows: Floats) -> Floats:
    """The features of each window.

    Args:
        windows: (k, samples per epoch, 6) in g; a few hundred at a time are fastest (``windows.chunks``).

    Returns:
        (k, 161) float32, columns as in ``FEATURE_NAMES``; always finite.
    """
    channels = _channels(windows)
    gravity = channels @ gravity_filter()
    movement = channels - gravity
    # A perfectly still sensor leaves only rounding, and its spectrum would be noise: call it no movement at all.
    movement[np.abs(movement) < SMALLEST_SPREAD] = 0
    return np.concatenate(
        [*_gravity(gravity), *_moments(movement), _correlations(movement), _pair_means(gravity), *_spectrum(movement)],
        axis=1,
    )


def _channels(windows: Floats) -> Floats:
    """(k, 8, samples): the six axes and both magnitudes, time last, so that each channel is contiguous."""
    k, samples, _ = windows.shape
    channels = np.empty((k, len(CHANNELS), samples), dtype=np.float32)
    channels[:, :6] = windows.transpose(0, 2, 1)
    for row, axes in ((6, slice(0, 3)), (7, slice(3, 6))):
        channels[:, row] = np.sqrt(np.square(channels[:, axes]).sum(axis=1))
    return channels


def _gravity(gravity: Floats) -> list[Floats]:
    mean = gravity.mean(axis=2)
    sd = gravity.std(axis=2)
    variation = _ratio(sd, np.abs(mean))
    # One sort serves all quantiles, interpolated linearly between neighboring samples.
    ordered = np.sort(gravity, axis=2)
    quantiles = []
    for q in QUANTILES:
        position = q * (ordered.shape[2] - 1)
        below, above = int(np.floor(position)), int(np.ceil(position))
        weight = np.float32(position - below)
        quantiles.append(ordered[:, :, below] * (1 - weight) + ordered[:, :, above] * weight)
    return [mean, variation, sd, *quantiles]


def _moments(movement: Floats) -> list[Floats]:
    centered = movement - movement.mean(axis=2, keepdims=True)
    squared = np.square(centered)
    variance = squared.mean(axis=2)
    sd = np.sqrt(variance)
    skewness = _ratio((squared * centered).mean(axis=2), variance * sd, floor=SMALLEST_SPREAD**3)
    kurtosis = _ratio(np.square(squared).mean(axis=2), np.square(variance), floor=SMALLEST_SPREAD**4) - 3
    kurtosis[sd <= SMALLEST_SPREAD] = 0
    energy = np.square(movement).sum(axis=2)
    return [skewness, kurtosis, energy]


def _correlations(movement: Floats) -> Floats:
    centered = movement - movement.mean(axis=2, keepdims=True)
    covariance = centered @ centered.transpose(0, 2, 1) / centered.shape[2]
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    columns = [_ratio(covariance[:, a, b], sd[:, a] * sd[:, b], floor=SMALLEST_SPREAD**2) for a, b in CORRELATED]
    return np.stack(columns, axis=1)


def _pair_means(gravity: Floats) -> Floats:
    """Mean of each pair of one back axis and one thigh axis."""
    mean = gravity.mean(axis=2)
    return np.stack([(mean[:, a] + mean[:, b]) / 2 for a, b in BACK_THIGH_PAIRS], axis=1)


def _spectrum(movement: Floats) -> list[Floats]:
    from scipy.fft import rfft, rfftfreq  # scipy's keeps float32; numpy's would double it

    epochs = protocol().epochs
    magnitude = np.abs(rfft(movement, axis=2)).astype(np.float32, copy=False)
    frequency = rfftfreq(movement.shape[2], 1 / epochs.sampling_rate_hz).astype(np.float32)
    peak = magnitude.argmax(axis=2)
    total = magnitude.sum(axis=2)
    return [
        magnitude.mean(axis=2),
        frequency[peak],
        np.take_along_axis(magnitude, peak[:, :, None], axis=2)[:, :, 0],
        np.square(magnitude).sum(axis=2),
        magnitude.std(axis=2),
        _ratio(magnitude @ frequency, total),
    ]


def _ratio(numerator: Floats, denominator: Floats, floor: float = SMALLEST_SPREAD) -> Floats:
    """Quotient, zero where the denominator is no more than rounding."""
    usable = denominator > floor
    return cast(Floats, np.divide(numerator, denominator, out=np.zeros_like(numerator), where=usable))
