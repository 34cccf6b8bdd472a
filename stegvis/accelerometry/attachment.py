"""When a sensor was taken off and attached anew in another way, found by its gravity and movement in gait.

While people walk, gravity has nearly the same direction in the sensor throughout: in each of the 25 people of HARTH and
HAR70+ who are used for training, the medians before and after any moment are at most 19 degrees apart. A sensor that is
attached anew reads it in another direction, or, turned by half about its long axis, the opposite sense of forward and
backward. The moment is the one at which the sum of squares about the means of both sides is least, found again on
either side (binary segmentation; Scott and Knott 1974, doi 10.2307/2529204).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.orientation import FEWEST_EPOCHS, back_evidence, thigh_evidence

Floats = NDArray[np.float32]

EVIDENCE = {"back": back_evidence, "thigh": thigh_evidence}
# Fewer epochs of gait than this (a minute) show no angle.
FEWEST_GAIT_EPOCHS = 2 * FEWEST_EPOCHS
# The angle between two directions of gravity in gait from which on a sensor was attached anew.
ANEW_DEGREES = 20.0
# The evidence for forward and backward is weak in single epochs: as many (three minutes) on both sides, and so much of
# it, show a half turn. Larger evidence than the limit says no more.
FEWEST_TURNED, WEAKEST_TURNED, LARGEST_EVIDENCE = 36, 0.2, 1.0


def attached_anew(walking: Floats, place: str) -> list[int]:
    """The numbers of the windows before which the sensor was attached anew, increasing; nearly always none.

    Args:
        walking: (k, samples, 3) g, of one sensor in gait, in the order of time.
        place: where the sensor was.
    """
    gravity = walking.mean(axis=1)
    direction = gravity / np.maximum(np.linalg.norm(gravity, axis=1, keepdims=True), 1e-3)
    long_axis = np.where(direction[:, 0] <= 0, 1, -1)
    upright = walking.copy()
    upright[:, :, 0] *= long_axis[:, None]
    evidence = np.clip(EVIDENCE[place](upright), -LARGEST_EVIDENCE, LARGEST_EVIDENCE)
    return sorted(_changes(direction, evidence, 0, len(walking)))


def first_epochs(which: NDArray[np.int64], borders: Sequence[int], follows: NDArray[np.bool_]) -> list[int]:
    """The first epoch of each part of a recording.

    Between two walks it is the last one after a gap, in which the sensor was probably off, otherwise the one in the
    middle.

    Args:
        which: (n,) epochs of gait, increasing.
        borders: the first of them in each part; 0 for the first part, which begins with the recording.
        follows: (k,) whether each epoch directly follows the previous one.
    """
    first = [0]
    for border in borders[1:]:
        before, after = int(which[border - 1]), int(which[border])
        gaps = np.flatnonzero(~follows[before + 1 : after + 1])
        first.append(before + 1 + int(gaps[-1]) if len(gaps) else (before + after + 1) // 2)
    return first


def _changes(direction: Floats, evidence: Floats, begin: int, end: int) -> list[int]:
    here = slice(begin, end)
    at = _split(direction[here], FEWEST_GAIT_EPOCHS)
    if at is None or _apart(direction[here], at) <= ANEW_DEGREES:
        at = _split(evidence[here, None], FEWEST_TURNED)
        if at is None or not _opposite(evidence[here], at):
            return []
    middle = begin + at
    return [middle, *_changes(direction, evidence, begin, middle), *_changes(direction, evidence, middle, end)]


def _split(values: Floats, fewest: int) -> int | None:
    """The row of (n, d) before which the means change most, with at least ``fewest`` rows on both sides."""
    n = len(values)
    before = np.arange(fewest, n - fewest + 1)
    if len(before) == 0:
        return None
    total = np.cumsum(values, axis=0, dtype=np.float64)
    apart = total[before - 1] / before[:, None] - (total[-1] - total[before - 1]) / (n - before)[:, None]
    explained = before * (n - before) / n * np.square(apart).sum(axis=1)
    return int(before[explained.argmax()])


def _apart(direction: Floats, at: int) -> float:
    """Degrees between the median directions before and from a row on."""
    one, other = np.median(direction[:at], axis=0), np.median(direction[at:], axis=0)
    cosine = one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _opposite(evidence: Floats, at: int) -> bool:
    one, other = float(np.median(evidence[:at])), float(np.median(evidence[at:]))
    return one * other < 0 and min(abs(one), abs(other)) >= WEAKEST_TURNED
