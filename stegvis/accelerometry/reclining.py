"""Sitting far back, distinguished from lying by the angle of the back to its own direction in walking.

A back sensor reads sitting far back much as lying, because its angle to the body differs between people. Its direction
in walking removes that difference. In the 25 people of HARTH and HAR70+ who are used for training, the median angle
is 9 to 68 degrees sitting and 75 to 109 degrees lying; any limit from 66 to 78 degrees gives nearly the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.epoch_model import CLASSES
from stegvis.accelerometry.tilt import Tilt

# Nobody lies whose back is closer than this to its direction in walking.
LYING_FROM_DEGREES = 70.0

_LYING, _SITTING = CLASSES.index("lying"), CLASSES.index("sitting")


def sit_instead(probabilities: NDArray[np.float32], back: NDArray[np.float32], tilt: Tilt) -> None:
    """Make lying sitting where the back is not reclined far enough; without gait nothing is changed.

    Args:
        probabilities: (k, seconds per epoch, classes) of every second; changed in place.
        back: (k, 3) mean acceleration of the back, of the same windows.
        tilt: the directions of the back in gait.
    """
    too_upright = tilt.angle_to_gait("back", back) < LYING_FROM_DEGREES
    probabilities[too_upright, :, _SITTING] += probabilities[too_upright, :, _LYING]
    probabilities[too_upright, :, _LYING] = 0
