"""Sensors attached at an unusual angle: measured by gravity in gait, and turned back if clearly outside the usual.

The lower back slopes, and sensors on it differ by tens of degrees between people: in HARTH and HAR70+ the sagittal
angle in walking runs from -34 to +16 degrees on the back (median -13) and from -16 to +7 on the thigh (median -7).
Within the limits the classifier was trained to cope, and turning everyone to the median would remove the difference
between lying and sitting. Outside them the sensor is turned to the median, and the recording is flagged. A sensor that
was taken off and attached anew is measured anew (``attachment``).

Gait is found by a network that sees the thigh only (``EpochModel.gait``), so that the angle of the back cannot mislead
it. Only the sagittal angle is corrected: correcting the sideways angle of the back as well changed nothing in
cross-validation, and roll about the thigh changes no inclination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.attachment import EVIDENCE, FEWEST_GAIT_EPOCHS, attached_anew, first_epochs
from stegvis.accelerometry.orientation import MOST_EPOCHS
from stegvis.accelerometry.windows import CHUNK, Windows, gather

Floats = NDArray[np.float32]

SENSOR_AXES = {"back": slice(0, 3), "thigh": slice(3, 6)}
# Axes of rotation: forward and backward, and about the long axis of the body part.
LATERAL, LONG_AXIS = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])


class Usual(NamedTuple):
    """The median sagittal angle in gait, and how far from it a sensor may be; degrees."""

    degrees: float
    limit: float


# Medians of the 25 people of HARTH and HAR70+ who are used for training. The limits leave about 90 % of them inside.
USUAL = {"back": Usual(-12.8, 18.0), "thigh": Usual(-6.7, 14.0)}


class Attached(NamedTuple):
    """How one sensor was attached from epoch ``first`` on.

    ``degrees`` is the sagittal angle from the usual one, positive where z reads more; NaN without gait. ``turn`` (3, 3)
    is what its samples (n, 3) are multiplied with; the identity inside the limits. ``gravity`` (3,) is the direction of
    gravity in gait after that; NaN without gait.
    """

    first: int
    degrees: float
    turn: Floats
    gravity: Floats

    def beyond(self, place: str) -> bool:
        """Whether a sensor at this place is outside the limits."""
        return abs(self.degrees) > USUAL[place].limit


@dataclass(frozen=True)
class Tilt:
    """How each sensor was attached, in the order of time; nearly always in one way throughout."""

    attached: dict[str, tuple[Attached, ...]]

    @property
    def degrees(self) -> dict[str, float]:
        """By sensor, the angle that is furthest from the usual one; NaN without gait."""
        return {place: max((each.degrees for each in all_), key=abs) for place, all_ in self.attached.items()}

    @property
    def unusual(self) -> tuple[str, ...]:
        """The sensors that were outside the limits, if only for a time."""
        return tuple(place for place, all_ in self.attached.items() if any(each.beyond(place) for each in all_))

    def angle_to_gait(self, place: str, mean: Floats) -> NDArray[np.float64]:
        """Degrees (k,) from the direction of gravity in gait to that in each epoch; NaN without gait.

        Args:
            place: of the sensor.
            mean: (k, 3) mean acceleration of the epochs, turned back.
        """
        starts = [each.first for each in self.attached[place]]
        part = np.searchsorted(starts, np.arange(len(mean)), side="right") - 1
        gravity = np.stack([each.gravity for each in self.attached[place]])[part]
        cosine = (mean * gravity).sum(axis=1) / np.maximum(np.linalg.norm(mean, axis=1), 1e-6)
        return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))), dtype=np.float64)


def tilt_of(windows: Windows, gait: NDArray[np.bool_], follows: NDArray[np.bool_], size: int) -> Tilt:
    """The angle of both sensors in gait.

    Args:
        windows: of k epochs.
        gait: (k,) whether the person walks.
        follows: (k,) whether each epoch directly follows the previous one.
        size: samples per epoch.
    """
    which = np.flatnonzero(gait)
    if len(which) < FEWEST_GAIT_EPOCHS:
        unknown = np.full(3, np.nan, dtype=np.float32)
        return Tilt(dict.fromkeys(SENSOR_AXES, (Attached(0, np.nan, np.eye(3, dtype=np.float32), unknown),)))
    which = which[:: max(1, -(-len(which) // MOST_EPOCHS))]
    walking = gather(windows, which, size)
    attached = {}
    for place, axes in SENSOR_AXES.items():
        borders = [0, *attached_anew(walking[:, :, axes], place)]
        first = first_epochs(which, borders, follows)
        parts = np.split(walking[:, :, axes], borders[1:])
        attached[place] = tuple(_attached(at, part, place) for at, part in zip(first, parts, strict=True))
    return Tilt(attached)


def _attached(first: int, walking: Floats, place: str) -> Attached:
    signs = _signs(walking, place)
    direction = np.median(walking.mean(axis=1), axis=0)
    gravity = direction * signs
    degrees = float(np.degrees(np.arctan2(gravity[2], -gravity[0]))) - USUAL[place].degrees
    turn = np.eye(3, dtype=np.float32)
    if abs(degrees) > USUAL[place].limit:
        turn = signs[:, None] * rotation(LATERAL[None], np.radians([degrees]))[0] * signs
    return Attached(first, degrees, turn, (direction @ turn) / np.linalg.norm(direction))


def turned(windows: Windows, tilt: Tilt) -> Windows:
    """The windows with unusually attached sensors turned back; the same windows if there are none."""
    if not tilt.unusual:
        return windows
    first = sorted({each.first for all_ in tilt.attached.values() for each in all_})
    turns = np.zeros((len(first), 6, 6), dtype=np.float32)
    for place, axes in SENSOR_AXES.items():
        starts = [each.first for each in tilt.attached[place]]
        for row, at in zip(turns, first, strict=True):
            row[axes, axes] = tilt.attached[place][int(np.searchsorted(starts, at, side="right")) - 1].turn

    def read(which: NDArray[np.int64]) -> Iterator[Floats]:
        part = np.searchsorted(first, which, side="right") - 1
        for begin, some in zip(range(0, len(which), CHUNK), windows(which), strict=True):
            here = part[begin : begin + len(some)]
            yield some @ (turns[here[0]] if here[0] == here[-1] else turns[here])

    return read


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
