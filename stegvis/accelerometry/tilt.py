"""Sensors attached at an unusual angle: measured by gravity in gait, and turned back if clearly outside the usual.

The lower back slopes, and sensors on it differ by tens of degrees between people: in HARTH and HAR70+ the sagittal
angle in walking runs from -34 to +16 degrees on the back (median -13) and from -16 to +7 on the thigh (median -7).
Within the limits the classifier was trained to cope, and turning everyone to the median would remove the difference
between lying and sitting. Outside them the sensor is turned to the median, and the recording is flagged.

Gait is found by a network that sees the thigh only (``EpochModel.gait``), so that the angle of the back cannot mislead
it. Only the sagittal angle is corrected: correcting the sideways angle of the back as well changed nothing in
cross-validation, and roll about the thigh changes no inclination.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.orientation import FEWEST_EPOCHS, MOST_EPOCHS, back_evidence, thigh_evidence
from stegvis.accelerometry.windows import Windows, gather

Floats = NDArray[np.float32]

SENSOR_AXES = {"back": slice(0, 3), "thigh": slice(3, 6)}
# Fewer epochs of gait than this (a minute) show no angle.
FEWEST_GAIT_EPOCHS = 2 * FEWEST_EPOCHS
# Axes of rotation: forward and backward, and about the long axis of the body part.
LATERAL, LONG_AXIS = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])


class Usual(NamedTuple):
    """The median sagittal angle in gait, and how far from it a sensor may be; degrees."""

    degrees: float
    limit: float


# Medians of the 25 people of HARTH and HAR70+ who are used for training. The limits leave about 90 % of them inside.
USUAL = {"back": Usual(-12.8, 18.0), "thigh": Usual(-6.7, 14.0)}
EVIDENCE = {"back": back_evidence, "thigh": thigh_evidence}


@dataclass(frozen=True)
class Tilt:
    """How each sensor was attached.

    Attributes:
        degrees: by sensor, the sagittal angle from the usual one, positive where z reads more; NaN without gait.
        turn: (6, 6) what the samples (n, 6) are multiplied with; the identity if both sensors are inside the limits.
    """

    degrees: dict[str, float]
    turn: Floats

    @property
    def unusual(self) -> tuple[str, ...]:
        """The sensors outside the limits, which ``turn`` turns back."""
        return tuple(place for place, angle in self.degrees.items() if abs(angle) > USUAL[place].limit)


def tilt_of(windows: Windows, gait: NDArray[np.bool_], size: int) -> Tilt:
    """The angle of both sensors in gait.

    Args:
        windows: of k epochs.
        gait: (k,) whether the person walks.
        size: samples per epoch.
    """
    turn = np.eye(6, dtype=np.float32)
    which = np.flatnonzero(gait)
    if len(which) < FEWEST_GAIT_EPOCHS:
        return Tilt(dict.fromkeys(SENSOR_AXES, np.nan), turn)
    walking = gather(windows, which[:: max(1, -(-len(which) // MOST_EPOCHS))], size)
    degrees = {}
    for place, axes in SENSOR_AXES.items():
        signs = _signs(walking[:, :, axes], place)
        gravity = np.median(walking[:, :, axes].mean(axis=1), axis=0) * signs
        degrees[place] = float(np.degrees(np.arctan2(gravity[2], -gravity[0]))) - USUAL[place].degrees
        if abs(degrees[place]) > USUAL[place].limit:
            back = rotation(LATERAL[None], np.radians([degrees[place]]))[0]
            turn[axes, axes] = signs[:, None] * back * signs
    return Tilt(degrees, turn)


def turned(windows: Windows, tilt: Tilt) -> Windows:
    """The windows with unusually attached sensors turned back; the same windows if there are none."""
    if not tilt.unusual:
        return windows
    return lambda which: (some @ tilt.turn for some in windows(which))


def rotation(axis: NDArray[np.floating], radians: NDArray[np.floating]) -> Floats:
    """Rotation matrices (k, 3, 3) about unit axes (k, 3) by angles (k,): Rodrigues' formula."""
    cross = np.zeros((len(axis), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[:, i, j], cross[:, j, i] = -axis[:, k], axis[:, k]
    angle = radians[:, None, None]
    rotated = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return np.asarray(rotated, dtype=np.float32)


def _signs(walking: Floats, place: str) -> Floats:
    """The half turn (3,) of signs that brings a sensor, upside down or turned, into its prescribed orientation."""
    long = 1.0 if np.median(walking[:, :, 0].mean(axis=1)) <= 0 else -1.0
    evidence = EVIDENCE[place](walking * np.array([long, 1, 1], dtype=np.float32))
    sagittal = 1.0 if np.median(evidence) >= 0 else -1.0
    return np.array([long, long * sagittal, sagittal], dtype=np.float32)
