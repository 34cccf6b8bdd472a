"""How each sensor was worn: as prescribed, tilted, upside down, rotated by 180 degrees about its long axis, or swapped.

The classifier does not depend on it (``features``); it is reported for quality control. As prescribed, x reads close to
-1 g on both sensors while walking. The sign of z is inferred from gait: on the thigh from the correlation of z with x
and the skewness of z, on the back from the lag of z behind x and the skewness of its slope. Both statistics were chosen
on HARTH and HAR70+; for the back sensor of one of their 25 participants (S009) they indicate "turned". Sitting, where
the thigh reads z close to -1 g, contributes too. Tilts are measured in ``tilt``. Rotations about the long axis by less
than 180 degrees are not detected.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.windows import Windows, gather, signal_windows

Floats = NDArray[np.float32]

# Most epochs used, spread evenly over the recording, and the fewest needed.
MOST_EPOCHS = 1500
FEWEST_EPOCHS = 6
# Below this the evidence for either sign of z is too weak.
WEAKEST_EVIDENCE = 0.1
# Steps and their harmonics: 0.4 to 8 Hz, in frequency bins of a five-second window.
GAIT_BINS = slice(2, 40)


class Worn(StrEnum):
    """How a sensor was worn. ``UPSIDE_DOWN`` has x and y negated, ``UPSIDE_DOWN_AND_TURNED`` x and z; ``TILTED`` is
    attached at an unusual angle, otherwise as prescribed.
    """

    AS_PRESCRIBED = "as_prescribed"
    TURNED = "turned"
    UPSIDE_DOWN = "upside_down"
    UPSIDE_DOWN_AND_TURNED = "upside_down_and_turned"
    TILTED = "tilted"
    UNKNOWN = "unknown"


class WornPart(NamedTuple):
    """A number of consecutive epochs in which a sensor was worn in one way."""

    epochs: int
    worn: Worn


# By sensor, the parts of a recording, in the order of time.
WornInParts = dict[str, tuple[WornPart, ...]]


@dataclass(frozen=True)
class Orientation:
    """How back and thigh were worn."""

    back: Worn
    thigh: Worn

    @classmethod
    def of_parts(cls, parts: WornInParts) -> Orientation:
        """How both were worn for most of the recording."""
        return cls(**{place: max(each, key=lambda part: part.epochs).worn for place, each in parts.items()})

    def with_tilted(self, places: Collection[str]) -> Orientation:
        """The same, except that sensors at these places are ``TILTED`` if nothing else is known of them."""
        prescribed = (Worn.AS_PRESCRIBED, Worn.UNKNOWN)
        both = {"back": self.back, "thigh": self.thigh}
        return Orientation(
            **{place: Worn.TILTED if place in places and how in prescribed else how for place, how in both.items()}
        )


def orientation_of_signal(
    acceleration: Floats, starts: NDArray[np.int64], activity: NDArray[np.uint8], size: int
) -> Orientation:
    """``orientation_of`` a signal in memory.

    Args:
        acceleration: (n, 6) in g.
        starts: (k,) first sample of each epoch.
        activity: (k,) activity codes.
        size: samples per epoch.
    """
    return orientation_of(signal_windows(acceleration, starts, size), activity, size)


def orientation_of(windows: Windows, activity: NDArray[np.uint8], size: int) -> Orientation:
    """How the two sensors were worn.

    Args:
        windows: of k epochs.
        activity: (k,) activity codes.
        size: samples per epoch.

    Returns:
        ``UNKNOWN`` for a sensor if the recording contains too little walking.
    """
    walking = _some(windows, activity == ActivityCode.WALKING, size)
    if len(walking) < FEWEST_EPOCHS:
        return Orientation(Worn.UNKNOWN, Worn.UNKNOWN)
    sitting = _some(windows, activity == ActivityCode.SITTING, size)
    long_axis = np.median(walking.mean(axis=1), axis=0)
    back_sign, thigh_sign = -np.sign(long_axis[0]), -np.sign(long_axis[3])
    back_z = float(np.median(back_evidence(walking[:, :, :3] * np.array([back_sign, 1, 1], dtype=np.float32))))
    thigh_z = float(np.median(thigh_evidence(walking[:, :, 3:] * np.array([thigh_sign, 1, 1], dtype=np.float32))))
    if len(sitting) >= FEWEST_EPOCHS:
        thigh_z -= 2 * float(np.median(sitting[:, :, 5].mean(axis=1)))
    return Orientation(_worn(back_sign, back_z), _worn(thigh_sign, thigh_z))


def back_evidence(walking: Floats) -> Floats:
    """Above zero where the back's z has its prescribed sign: (k,) from windows (k, samples, 3) with x corrected."""
    movement = _smoothed(walking)
    return 2 * _coherence(movement).imag - _skewness(np.diff(movement[:, :, 2], axis=1))


def thigh_evidence(walking: Floats) -> Floats:
    """Above zero where the thigh's z has its prescribed sign: (k,) from windows (k, samples, 3) with x corrected."""
    movement = _smoothed(walking)
    return 2 * _coherence(movement).real - _skewness(movement[:, :, 2])


def _some(windows: Windows, wanted: NDArray[np.bool_], size: int) -> Floats:
    which = np.flatnonzero(wanted)
    return gather(windows, which[:: max(1, -(-len(which) // MOST_EPOCHS))], size)


def _worn(long_sign: float, z: float) -> Worn:
    if abs(z) < WEAKEST_EVIDENCE:
        return Worn.UNKNOWN
    if long_sign > 0:
        return Worn.AS_PRESCRIBED if z > 0 else Worn.TURNED
    return Worn.UPSIDE_DOWN if z > 0 else Worn.UPSIDE_DOWN_AND_TURNED


def _smoothed(windows: Floats) -> Floats:
    """Movement about the mean, averaged over three samples."""
    movement = windows - windows.mean(axis=1, keepdims=True)
    return np.asarray((movement[:, 2:] + movement[:, 1:-1] + movement[:, :-2]) / 3)


def _coherence(movement: Floats) -> NDArray[np.complexfloating]:
    """Complex correlation of x and z over the frequencies of gait; its phase is the lag of z behind x."""
    spectrum = np.fft.rfft(movement * np.hanning(movement.shape[1])[None, :, None], axis=1)[:, GAIT_BINS]
    x, z = spectrum[:, :, 0], spectrum[:, :, 2]
    size = np.sqrt(np.square(np.abs(x)).sum(axis=1) * np.square(np.abs(z)).sum(axis=1))
    return np.asarray((x * np.conj(z)).sum(axis=1) / np.maximum(size, 1e-9))


def _skewness(values: Floats) -> Floats:
    centered = values - values.mean(axis=1, keepdims=True)
    variance = np.square(centered).mean(axis=1)
    return np.asarray((centered**3).mean(axis=1) / np.maximum(variance, 1e-9) ** 1.5)
