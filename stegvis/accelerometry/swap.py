"""Whether the thigh sensor was worn on the back and the back sensor on the thigh.

Two things distinguish them, whatever the angle at which they were attached. While people sit, the thigh is horizontal
and the back upright. While people walk, the thigh swings once a stride: in all 25 people of HARTH and HAR70+ who are
used for training, its median movement between 0.6 and 1.2 Hz is stronger than the back's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.orientation import FEWEST_EPOCHS

Floats = NDArray[np.float32]

# Share of gravity along the upright direction that counts as upright or horizontal, and the fewest epochs (five
# minutes) that show a swap.
UPRIGHT, HORIZONTAL = 0.7, 0.5
FEWEST_SWAPPED = 60
# Mean SD of the axes, g, above which a sensor moves as in gait.
MOVING_G = 0.05
# Frequencies of the stride, Hz.
STRIDE_HZ = (0.6, 1.2)
# Epochs of gait needed (a minute), and the logarithm of the ratio of swings (back over thigh) that shows a swap.
FEWEST_MOVING = 2 * FEWEST_EPOCHS
SWAPPED_SWING = 0.1


def swing(windows: Floats, rate_hz: int) -> Floats:
    """Decimal logarithm of the power (g^2) at the frequencies of the stride, of one sensor: (k,).

    Args:
        windows: (k, samples, 3) in g.
        rate_hz: sampling rate.
    """
    samples = windows.shape[1]
    hertz = np.fft.rfftfreq(samples, 1 / rate_hz)
    stride = (hertz >= STRIDE_HZ[0] - 1e-6) & (hertz <= STRIDE_HZ[1] + 1e-6)
    movement = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(movement * np.hanning(samples)[None, :, None], axis=1)[:, stride]
    power = np.square(np.abs(spectrum)).sum(axis=(1, 2)) / samples**2
    return np.asarray(np.log10(power + 1e-9), dtype=np.float32)


def moving(sd: Floats) -> NDArray[np.bool_]:
    """Whether both sensors move as in gait: (k,) from the SD (k, 6) of their axes, g."""
    return np.asarray(np.minimum(sd[:, :3].mean(axis=1), sd[:, 3:].mean(axis=1)) > MOVING_G)


def swapped(gravity: Floats, swings: Floats) -> bool:
    """Whether the sensors were exchanged.

    Args:
        gravity: (k, 6) mean acceleration of each epoch, g.
        swings: (k,) ``swing`` of the thigh sensor minus that of the back sensor in epochs in which both move; NaN
            elsewhere.
    """
    gait = np.isfinite(swings)
    seated, opposite = _postures(gravity, gait)
    if opposite >= FEWEST_SWAPPED and opposite > 2 * seated:
        return True
    if gait.sum() < FEWEST_MOVING or (seated >= FEWEST_SWAPPED and seated > 2 * opposite):
        return False
    return bool(np.median(swings[gait]) < -SWAPPED_SWING)


def _postures(gravity: Floats, gait: NDArray[np.bool_]) -> tuple[int, int]:
    """Epochs in which the back is upright and the thigh horizontal, and the opposite; upright is as in gait."""
    upright = np.array([1, 0, 0, 1, 0, 0], dtype=np.float32)
    if gait.sum() >= FEWEST_MOVING:
        upright = np.median(gravity[gait], axis=0)
    along = []
    for axes in (slice(0, 3), slice(3, 6)):
        length = np.linalg.norm(gravity[:, axes], axis=1) * np.linalg.norm(upright[axes])
        along.append(np.abs(gravity[:, axes] @ upright[axes]) / np.maximum(length, 1e-3))
    back, thigh = along
    seated = (back > UPRIGHT) & (thigh < HORIZONTAL)
    opposite = (thigh > UPRIGHT) & (back < HORIZONTAL)
    return int(seated.sum()), int(opposite.sum())
