"""What gravity in one thigh sensor shows: where it was attached, that it was on a thigh, and when a person surely lies.

While a person sits, gravity is across the thigh. Its direction there, the roll, is about 0 degrees in a sensor on the
front of the thigh and 90 on its side: -32 to 18 in 24 people of HARTH and HAR70+, -39 to 3 in 26 of selfBACK, 80 to
129 in 27 of SENS. Nobody of these 77 rolls the thigh by more than 45 degrees from their own usual roll while sitting;
who lies on the side or on the front does. Lying on the back is not found: there the thigh is as in sitting, which one
sensor cannot distinguish (Bassett et al. 2014, doi 10.1249/MSS.0000000000000326).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.swap import HORIZONTAL, MOVING_G, UPRIGHT
from stegvis.accelerometry.windows import Windows

Floats = NDArray[np.float32]
Booleans = NDArray[np.bool_]

# Only what is this near to upright movement counts as sitting, seconds: whoever sleeps on the side all week lies far
# from it.
NEAR_SECONDS = 600.0
# Seconds of it needed, half-widths of the most usual roll and of the median about it, and the roll of a sensor on the
# side, degrees.
FEWEST_SECONDS = 120.0
USUAL_WIDTH, MEDIAN_WIDTH, SIDE = 15, 30, (50.0, 130.0)
# Roll from the usual one, degrees, that no sitting reaches, and how long it must last, seconds. If more than this share
# of sitting is rolled like that, the sensor was attached in two ways on that day.
LYING_ROLL, LYING_SECONDS, LARGEST_ROLLED_SHARE = 60.0, 60.0, 1 / 3
SECONDS_PER_DAY = 86_400
# Median swing (``swap.swing``) in movement below which a sensor was not on a thigh, if people also sat as if upright;
# minutes of either that are needed. In 25 people who wore both, the swing of the thigh is -2.8 and more (with one of
# -2.9, who cycled and hardly sat), that of the back below -2.8.
BACK_SWING, LARGEST_SEATED_SHARE, FEWEST_MINUTES = -2.8, 0.65, 10.0


class Mounted(StrEnum):
    """Where on the thigh the sensor was attached."""

    FRONT = "front"
    SIDE = "side"
    UNKNOWN = "unknown"


def horizontal(gravity: Floats) -> Booleans:
    """(k,) whether the sensor's long axis is, from mean accelerations (k, 3), g."""
    return np.asarray(_along(gravity) < HORIZONTAL)


def moving_upright(gravity: Floats, sd: Floats) -> Booleans:
    """(k,) whether the sensor moves upright as in gait, from means and SDs (k, 3) of its axes, g."""
    return np.asarray((_along(gravity) > UPRIGHT) & (sd.mean(axis=1) > MOVING_G))


def seated(gravity: Floats, sd: Floats, seconds: NDArray[np.float64]) -> Booleans:
    """(k,) whether the thigh is horizontal and quiet, within ten minutes of moving upright.

    Args:
        gravity, sd: (k, 3) mean and SD of the axes in a stretch of seconds, g.
        seconds: (k,) when each begins, increasing.
    """
    upright = seconds[moving_upright(gravity, sd)]
    return _near(seconds, upright) & horizontal(gravity) & (sd.mean(axis=1) < MOVING_G)


def usual_roll(gravity: Floats, sd: Floats, seconds: NDArray[np.float64], length: float) -> float | None:
    """The roll of the sensor in sitting, degrees: 0 on the front of the thigh, near 90 or -90 on its side.

    It is the most frequent one near to walking and standing; arguments as of ``seated``.

    Args:
        gravity, sd, seconds: as in ``seated``.
        length: seconds of each stretch.

    Returns:
        The roll, ``None`` with less than two minutes of it.
    """
    found = roll(gravity[seated(gravity, sd, seconds)])
    if len(found) * length < FEWEST_SECONDS:
        return None
    counts = np.bincount(np.floor(found + 180).astype(np.int64) % 360, minlength=360)
    around = np.arange(-USUAL_WIDTH, USUAL_WIDTH + 1)
    smooth = counts[(np.arange(360)[:, None] + around) % 360].sum(axis=1)
    mode = float(smooth.argmax()) - 179.5
    apart = _apart(found, mode)
    return float(_turn(mode + np.median(apart[np.abs(apart) <= MEDIAN_WIDTH])))


def roll(gravity: Floats) -> NDArray[np.float64]:
    """(k,) degrees about the thigh's long axis, 0 where z reads -1 g: from mean accelerations (k, 3), g."""
    return np.degrees(np.arctan2(gravity[:, 1], -gravity[:, 2]).astype(np.float64))


def mounted(usual: float | None) -> Mounted:
    """Where the sensor was attached, by its usual roll."""
    if usual is None:
        return Mounted.UNKNOWN
    return Mounted.SIDE if SIDE[0] <= abs(usual) <= SIDE[1] else Mounted.FRONT


def as_on_the_front(windows: Windows, usual: float | None) -> Windows:
    """The windows (k, samples, 6) of a sensor on the side turned by a quarter, so that z reads about -1 g in sitting.

    Those of any other are not changed; ``usual`` is the roll in sitting (``usual_roll``).
    """
    if usual is None or mounted(usual) != Mounted.SIDE:
        return windows
    sign = np.float32(np.sign(usual))

    def read(which: NDArray[np.int64]) -> Iterator[Floats]:
        for some in windows(which):
            # A copy: the memory may be that of the signal itself.
            turned = some.copy()
            turned[:, :, 4], turned[:, :, 5] = sign * some[:, :, 5], -sign * some[:, :, 4]
            yield turned

    return read


def surely_lying(gravity: Floats, sd: Floats, seconds: NDArray[np.float64], length: float) -> Booleans:
    """(k,) whether the person certainly lies: the thigh is rolled as in no sitting for a minute.

    Each day has its own usual roll, because a sensor may be attached anew. A day on which people also sit as if rolled
    like that, or do not sit, shows nothing.

    Args:
        gravity, sd, seconds, length: as in ``usual_roll``; seconds since a midnight.
    """
    found = np.zeros(len(gravity), dtype=bool)
    across, sits, rolls = horizontal(gravity), seated(gravity, sd, seconds), roll(gravity)
    day = np.floor(seconds / SECONDS_PER_DAY)
    for each in np.unique(day):
        here = day == each
        usual = usual_roll(gravity[here], sd[here], seconds[here], length)
        if usual is None:
            continue
        rolled = across & (np.abs(_apart(rolls, usual)) > LYING_ROLL)
        if rolled[here & sits].mean() <= LARGEST_ROLLED_SHARE:
            found |= rolled & here
    number = np.cumsum(np.diff(found, prepend=False) | (np.diff(seconds, prepend=seconds[:1]) > 1.5 * length))
    return np.asarray(found & (np.bincount(number)[number] * length >= LYING_SECONDS))


def not_on_a_thigh(swings: Floats, gravity: Floats, sd: Floats, seconds: NDArray[np.float64], length: float) -> bool:
    """Whether the sensor swings less than any thigh, and is upright where people sit: it was on the back or elsewhere.

    Args:
        swings: (m,) ``swap.swing`` of stretches in which it moves upright.
        gravity, sd, seconds: as in ``seated``.
        length: seconds of each stretch.
    """
    upright = seconds[moving_upright(gravity, sd)]
    quiet = _near(seconds, upright) & (sd.mean(axis=1) < MOVING_G)
    if length / 60 * min(len(upright), quiet.sum()) < FEWEST_MINUTES or not len(swings):
        return False
    share = float(horizontal(gravity[quiet]).mean())
    return bool(np.median(swings) < BACK_SWING and share < LARGEST_SEATED_SHARE)


def _along(gravity: Floats) -> Floats:
    return np.asarray(np.abs(gravity[:, 0]) / np.maximum(np.linalg.norm(gravity, axis=1), 1e-3))


def _near(seconds: NDArray[np.float64], upright: NDArray[np.float64]) -> Booleans:
    if not len(upright):
        return np.zeros(len(seconds), dtype=bool)
    after = np.searchsorted(upright, seconds).clip(max=len(upright) - 1)
    nearest = np.minimum(np.abs(upright[after] - seconds), np.abs(upright[np.maximum(after - 1, 0)] - seconds))
    return np.asarray(nearest <= NEAR_SECONDS)


def _apart(degrees: NDArray[np.float64], other: float) -> NDArray[np.float64]:
    return np.asarray((degrees - other + 180) % 360 - 180)


def _turn(degrees: float) -> float:
    return (degrees + 180) % 360 - 180
