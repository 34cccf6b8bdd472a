"""The features of one window of two-sensor acceleration.

None of them changes when a sensor is rotated by 180 degrees about one of its own axes (two axes change sign): a sensor
worn upside down or back to front gives the same features, so the classifier is unaffected. ``orientation`` reports how
it was worn. The kinds of feature (gravity, band powers, autocorrelation, correlations) are those of Bach et al. 2022
(J Meas Phys Behav 5(1):24) and Logacjov et al. 2021 (Sensors 21:7853, doi 10.3390/s21237853); the autocorrelation is
that of Moe-Nilssen and Helbostad 2004 (doi 10.1016/S0021-9290(03)00233-1).

All linear parts (the spectrum from 0.4 to 10 Hz, gravity twice a second, the mean) are computed by one matrix product.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.signal import AXES

Floats = NDArray[np.float32]

SENSORS = ("back", "thigh")
# Frequency bins of one window (0.2 Hz apart), first to last: 0.4 to 10 Hz.
FIRST_BIN, LAST_BIN = 2, 50
BINS = LAST_BIN - FIRST_BIN + 1
# Bands by their first bins, and the end of the last: 0.4, 0.8, 1.2, 1.8, 2.6, 3.6, 5.2, 7.6 to 10 Hz.
BAND_EDGES = (2, 4, 6, 9, 13, 18, 26, 38, 51)
BANDS = len(BAND_EDGES) - 1
# Gravity: means over one second under a raised cosine, twice a second.
GRAVITY_SAMPLES = 9
# Movement is also measured in each tenth of a window.
TENTHS = 10
# Step periods 0.4 to 0.98 s and stride periods 0.8 to 1.6 s, in samples.
STEP_LAGS = (20, 50)
STRIDE_LAGS = (40, 81)
CORRELATED = ((0, 2), (3, 5), (0, 3), (2, 5))
# Added to powers (g^2) before the logarithm: a tenth of a milli-g.
SMALLEST_POWER = np.float32(1e-8)
SMALLEST_LENGTH = np.float32(1e-4)


def _names() -> tuple[str, ...]:
    bands = [f"band{j}" for j in range(BANDS)]
    per_axis = ("gravity_mean", "gravity_sd", "power", "jerk", *bands)
    per_sensor = (
        *bands,
        "power",
        "jerk",
        "entropy",
        "centroid",
        "dominant_frequency",
        "dominant_share",
        "step_regularity",
        "step_period",
        "stride_regularity",
        "stride_period",
        "first_second",
        "last_second",
        *(f"tenth{j}" for j in range(TENTHS)),
        "turn",
        *(f"upright{j}" for j in range(0, GRAVITY_SAMPLES, 2)),
        "sagittal",
        "inclination",
        "lateral",
    )
    return (
        *(f"{name}_{axis}" for name in per_axis for axis in AXES),
        *(f"{name}_{sensor}" for sensor in SENSORS for name in per_sensor),
        *(f"correlation_{AXES[a]}_{AXES[b]}" for a, b in CORRELATED),
        "power_ratio",
        "jerk_ratio",
    )


FEATURE_NAMES = _names()


@cache
def _basis(n: int, rate: int) -> Floats:
    """(n, 2 x bins + gravity samples + 1): cosines, sines (Hann-weighted), gravity weights, mean."""
    t = np.arange(n)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (t + 0.5) / n)
    hann /= np.sqrt(np.square(hann).sum() * n)
    angle = 2 * np.pi * np.outer(t, np.arange(FIRST_BIN, LAST_BIN + 1)) / n
    gravity = np.zeros((n, GRAVITY_SAMPLES))
    weight = 1 - np.cos(2 * np.pi * (np.arange(rate) + 0.5) / rate)
    for j in range(GRAVITY_SAMPLES):
        gravity[j * rate // 2 : j * rate // 2 + rate, j] = weight / weight.sum()
    mean = np.full((n, 1), 1 / n)
    columns = [hann[:, None] * np.cos(angle), hann[:, None] * np.sin(angle), gravity, mean]
    return np.concatenate(columns, axis=1).astype(np.float32)


@cache
def _band_sums() -> Floats:
    """(bins, bands): ones where a bin belongs to a band."""
    bins, edges = np.arange(FIRST_BIN, LAST_BIN + 1)[:, None], np.array(BAND_EDGES)
    return ((bins >= edges[:-1]) & (bins < edges[1:])).astype(np.float32)


@cache
def _lag_cosines(n: int) -> Floats:
    """(bins, lags): from a power spectrum to the autocorrelation at step and stride lags of windows of n samples."""
    bins, lags = np.arange(FIRST_BIN, LAST_BIN + 1), np.arange(STEP_LAGS[0], STRIDE_LAGS[1])
    return np.cos(2 * np.pi * np.outer(bins, lags) / n).astype(np.float32)


def features(windows: Floats, rate_hz: int) -> Floats:
    """The features of each window.

    Args:
        windows: (k, samples per epoch, 6) in g; a few hundred at a time are fastest (``windows.chunks``).
        rate_hz: sampling rate.

    Returns:
        (k, features) float32, columns as in ``FEATURE_NAMES``; always finite. Powers are decimal logarithms of g^2.
    """
    k, n, _ = windows.shape
    samples = np.ascontiguousarray(windows.transpose(0, 2, 1))
    linear = (samples.reshape(-1, n) @ _basis(n, rate_hz)).reshape(k, len(AXES), -1)
    cosine, sine = linear[:, :, :BINS], linear[:, :, BINS : 2 * BINS]
    gravity, mean = linear[:, :, 2 * BINS : -1], linear[:, :, -1]

    spectrum = np.square(cosine) + np.square(sine)
    bands = spectrum @ _band_sums()
    step = np.diff(samples, axis=2)
    jerk = np.einsum("kit,kit->ki", step, step) / n
    movement = samples - mean[:, :, None]
    squared = np.square(movement)
    power = squared.mean(axis=2)

    columns = [np.abs(mean), gravity.std(axis=2), _log(power), _log(jerk)]
    columns += [_log(bands[:, :, j]) for j in range(BANDS)]
    for axes in (slice(0, 3), slice(3, 6)):
        columns += [_log(bands[:, axes].sum(axis=1)), _log(power[:, axes].sum(axis=1)), _log(jerk[:, axes].sum(axis=1))]
        columns += _rhythm(spectrum[:, axes].sum(axis=1), n, rate_hz)
        columns += _course(squared[:, axes].sum(axis=1))
        columns += _posture(gravity[:, axes], mean[:, axes])
    scale = np.sqrt(power + SMALLEST_POWER)
    for a, b in CORRELATED:
        covariance = np.einsum("kt,kt->k", movement[:, a], movement[:, b]) / n
        columns.append(np.abs(covariance) / (scale[:, a] * scale[:, b]))
    for measure in (power, jerk):
        columns.append(_log(measure[:, 3:].sum(axis=1)) - _log(measure[:, :3].sum(axis=1)))
    return np.concatenate([each.reshape(k, -1) for each in columns], axis=1, dtype=np.float32)


def _log(power: Floats) -> Floats:
    return np.asarray(np.log10(power + SMALLEST_POWER))


def _rhythm(spectrum: Floats, n: int, rate: int) -> list[Floats]:
    """Shape of a sensor's spectrum (k, bins), all axes combined: entropy, frequencies (Hz), regularity, periods (s)."""
    hertz = np.arange(FIRST_BIN, LAST_BIN + 1, dtype=np.float32) * np.float32(rate / n)
    share = spectrum / (spectrum.sum(axis=1, keepdims=True) + SMALLEST_POWER)
    dominant = share.argmax(axis=1)
    columns = [
        -(share * np.log(share + np.float32(1e-7))).sum(axis=1),
        share @ hertz,
        hertz[dominant],
        share.max(axis=1),
    ]
    autocorrelation = share @ _lag_cosines(n)
    for first, end in (STEP_LAGS, STRIDE_LAGS):
        part = autocorrelation[:, first - STEP_LAGS[0] : end - STEP_LAGS[0]]
        columns += [part.max(axis=1), (part.argmax(axis=1) + first).astype(np.float32) / rate]
    return columns


def _course(squared: Floats) -> list[Floats]:
    """Distribution of movement (k, samples, g^2) over the window: first and last second, and the sorted tenths."""
    k, n = squared.shape
    tenths = _log(squared.reshape(k, TENTHS, n // TENTHS).mean(axis=2))
    return [tenths[:, :2].max(axis=1), tenths[:, -2:].max(axis=1), np.sort(tenths, axis=1)]


def _posture(gravity: Floats, mean: Floats) -> list[Floats]:
    """Direction of gravity (k, 3, gravity samples): its change within the window, and the sensor's inclination."""
    length = np.sqrt(np.square(gravity).sum(axis=1)) + SMALLEST_LENGTH
    turn = np.einsum("ki,ki->k", gravity[:, :, 0], gravity[:, :, -1]) / (length[:, 0] * length[:, -1])
    upright = np.sort(np.abs(gravity[:, 0]) / length, axis=1)[:, ::2]
    size = np.abs(mean)
    total = np.sqrt(np.square(mean).sum(axis=1)) + SMALLEST_LENGTH
    return [turn, upright, np.arctan2(size[:, 2], size[:, 0]), size[:, 0] / total, size[:, 1] / total]
