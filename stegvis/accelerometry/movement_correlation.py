"""Compare the movements of two sensors: their level in windows, and its correlation at every offset.

Movement is compared by its level on a logarithmic scale. The level over a second or more rises and falls together on
back and thigh, while the peaks within a step come at different moments; but its maximum is flat, so a level over a
fifth of a second is added.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.resampling import RawSignal, epoch_positions, resample
from stegvis.study.protocol import Epochs

Floats = NDArray[np.float64]

# Movement is the difference of the magnitude from its mean over this many seconds.
STEADY_SECONDS = 1
# Moving means, one after the other, that make a level, in seconds: over a second, over a fifth of one, and two that
# remove the rhythm of steps.
SECOND, FIFTH, SMOOTH, SMOOTHEST = (1.0,), (0.2,), (0.72, 0.72), (1.0, 1.0)
# Added to movement before the logarithm, so that stillness is not compared.
SMALLEST_LEVEL_G = 0.02


def movement(
    signal: RawSignal, start: Floats, seconds: int, epoch_rules: Epochs
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Absolute movement (k, seconds * rate) in g at the epochs' rate, and whether all of the window was recorded.

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
    moved = np.abs(magnitude - _moving_mean(magnitude, STEADY_SECONDS * epoch_rules.sampling_rate_hz))
    return moved, np.asarray(recorded.reshape(-1, parts).all(axis=1))


def correlations(short: NDArray[np.float32], long: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Correlation (2, k, lags) of the movement in each short row with the long one at each position.

    Args:
        short, long: (k, samples) movement in g.
        rate: samples per second.

    Returns:
        First the sharp correlation (means over a second and a fifth of one), then the slow one (over a second or more).
    """
    second, fifth, smooth, smoothest = (
        _correlation(_level(short, each, rate), _level(long, each, rate)) for each in (SECOND, FIFTH, SMOOTH, SMOOTHEST)
    )
    return np.stack([(second + fifth) / 2, (second + smooth + smoothest) / 3]).astype(np.float32)


def _level(moved: NDArray[np.float32], means: tuple[float, ...], rate: int) -> NDArray[np.float32]:
    """The logarithm of moving means of movement."""
    for seconds in means:
        moved = _moving_mean(moved, round(seconds * rate))
    return np.asarray(np.log(moved + np.float32(SMALLEST_LEVEL_G)))


def _moving_mean(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, width, axis=1, mode="nearest"))


def _correlation(short: NDArray[np.float32], long: NDArray[np.float32]) -> Floats:
    """Correlation (k, lags) of each short row with the long one at each position."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = short.shape[1]
    lags = long.shape[1] - n + 1
    template = short - short.mean(axis=1, keepdims=True)
    size = next_fast_len(long.shape[1], real=True)
    products = irfft(np.conj(rfft(template, size, axis=1)) * rfft(long, size, axis=1), size, axis=1)[:, :lags]
    total, squares = (_sliding_sums(each, n) for each in (long, np.square(long)))
    spread = np.sqrt(np.maximum(squares - np.square(total) / n, 1e-9))
    return np.asarray(products / (spread * np.maximum(np.linalg.norm(template, axis=1), 1e-6)[:, None]))


def best_lag(correlation: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Position (k,) of the largest correlation of each row, in samples, and the correlation there (k,)."""
    k, lags = correlation.shape
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
