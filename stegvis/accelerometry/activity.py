"""The codes of activities and walking speeds, and the mapping of source labels to them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ActivityCode(IntEnum):
    """Activity of one epoch, stored as uint8."""

    NONWEAR = 0
    LYING = 1
    SITTING = 2
    STANDING = 3
    WALKING = 4
    RUNNING = 5
    CYCLING = 6


class SpeedCode(IntEnum):
    """Walking speed class of one epoch, stored as uint8."""

    NOT_WALKING = 0
    SLOW = 1
    MODERATE = 2
    BRISK = 3


ACTIVITIES: dict[str, int] = {code.name.lower(): int(code) for code in ActivityCode}
SPEEDS: dict[str, int] = {code.name.lower(): int(code) for code in SpeedCode}

# The classes of the classifier. Non-wear is not one of them: it is detected in the raw signal (``wear``).
CLASSIFIED = tuple(code for code in ActivityCode if code is not ActivityCode.NONWEAR)

# A sample that carries no usable label.
UNLABELED = 255

# Label codes of HARTH and HAR70+ (Logacjov et al. 2021, doi 10.3390/s21237853; Ustad et al. 2023, doi
# 10.3390/s23052368). Stairs count as walking, because the study counts all walking minutes; shuffling is standing.
NTNU_LABELS: dict[int, ActivityCode] = {
    1: ActivityCode.WALKING,
    2: ActivityCode.RUNNING,
    3: ActivityCode.STANDING,  # shuffling
    4: ActivityCode.WALKING,  # stairs, up
    5: ActivityCode.WALKING,  # stairs, down
    6: ActivityCode.STANDING,
    7: ActivityCode.SITTING,
    8: ActivityCode.LYING,
    13: ActivityCode.CYCLING,  # seated
    14: ActivityCode.CYCLING,  # standing
    130: ActivityCode.CYCLING,  # seated, not pedaling
    140: ActivityCode.CYCLING,  # standing, not pedaling
}

NTNU_STAIRS = (4, 5)


def from_ntnu_labels(labels: ArrayLike) -> NDArray[np.uint8]:
    """Activity codes of NTNU labels; missing and unknown labels become ``UNLABELED``.

    Args:
        labels: (n,) numbers, NaN where unlabeled.

    Raises:
        ValueError: the labels are not numbers.
    """
    try:
        numbers = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError):
        # The original error would quote the value.
        raise ValueError("the labels are not NTNU numbers") from None
    codes = np.full(numbers.shape, UNLABELED, dtype=np.uint8)
    for label, activity in NTNU_LABELS.items():
        codes[numbers == label] = activity
    return codes
