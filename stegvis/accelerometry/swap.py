"""Whether, and when, the thigh sensor was worn on the back and the back sensor on the thigh.

Two things distinguish them, whatever the angle at which they were attached. While people sit, the thigh is horizontal
and the back upright. While people walk, the thigh swings once a stride: in all 25 people of HARTH and HAR70+ who are
used for training, its median movement between 0.6 and 1.2 Hz is stronger than the back's.

Sensors that are taken off and attached again may be exchanged in the middle of a recording. The course of the two signs
then has a change, found as the path of least cost through two states (Viterbi 1967, doi 10.1109/TIT.1967.1054010).
"""

from __future__ import annotations

from typing import NamedTuple

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
# Least share of gravity along the long axis of both sensors in gait: turning over in bed moves as much, but is not
# upright. A sensor up to 66 degrees off still has it.
UPRIGHT_IN_GAIT = 0.4
# Frequencies of the stride, Hz.
STRIDE_HZ = (0.6, 1.2)
# Epochs of gait needed (a minute), and the logarithm of the ratio of swings (back over thigh) that shows a swap.
FEWEST_MOVING = 2 * FEWEST_EPOCHS
SWAPPED_SWING = 0.1
# Evidence for the place of the sensors: of an epoch of gait, the difference of swings, at most one; of an epoch of
# posture this much, and of an uninterrupted one no more than the limit. As worn, nobody of the 25 people has more than
# one epoch of the opposite posture; people on all fours would have minutes of it, which the limit bounds.
LARGEST_SWING, POSTURE_EVIDENCE, LARGEST_POSTURE = 1.0, 0.5, 15.0
# Evidence that a change of place costs; the last part of a recording needs half of it, one in the middle all. In days
# made of the 25 people's hours, as worn, the least sum of any stretch is -12 (S030), and -5 for everyone else.
COST_OF_CHANGE = 40.0
# Whether the sensors are swapped in a stretch, by what it shows.
SWAPPED = {"right": False, "swapped": True, "contradictory": None}


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
    gait = _gait(gravity, swings)
    if gait.sum() >= FEWEST_MOVING and abs(float(np.median(swings[gait]))) > SWAPPED_SWING:
        return bool(np.median(swings[gait]) < 0)
    seated, opposite = (int(each.sum()) for each in _posture_epochs(gravity, gait))
    return opposite >= FEWEST_SWAPPED and opposite > 2 * seated


class Stretch(NamedTuple):
    """Epochs ``first`` up to the next stretch; whether the sensors are swapped in them, ``None`` if it is uncertain."""

    first: int
    swapped: bool | None


def stretches(gravity: Floats, swings: Floats) -> tuple[Stretch, ...]:
    """Stretches in which each sensor was at one place, in order; a single one for nearly every recording.

    A recording has several only if walking or, in a stretch with too little of it, sitting shows both places; arguments
    as of ``swapped``. A stretch is uncertain if its postures contradict its walking.
    """
    gait = _gait(gravity, swings)
    seated, opposite = _posture_epochs(gravity, gait)
    evidence = np.where(gait, np.clip(np.nan_to_num(swings), -LARGEST_SWING, LARGEST_SWING), 0.0)
    if gait.sum() >= FEWEST_MOVING:  # otherwise it is not known which way the sensors are upright
        evidence += _posture_evidence(seated.astype(np.int64) - opposite)
    borders = np.flatnonzero(np.diff(_path(evidence), prepend=-1)).tolist()
    found: list[Stretch] = []
    for first, end in zip(borders, [*borders[1:], len(gravity)], strict=True):
        here = slice(first, end)
        place = _place(gait[here], swings[here], int(seated[here].sum()), int(opposite[here].sum()))
        # A stretch that does not show it is part of the one before it.
        if place != "unknown" and (not found or found[-1].swapped != SWAPPED[place]):
            found.append(Stretch(first if found else 0, SWAPPED[place]))
    if len(found) < 2:
        return (Stretch(0, swapped(gravity, swings)),)
    return tuple(found)


def _gait(gravity: Floats, swings: Floats) -> NDArray[np.bool_]:
    """The epochs (k,) in which the person moves as in gait, upright."""
    along = [
        np.abs(gravity[:, axis]) > UPRIGHT_IN_GAIT * np.linalg.norm(gravity[:, axis : axis + 3], axis=1)
        for axis in (0, 3)
    ]
    return np.asarray(np.isfinite(swings) & along[0] & along[1])


def _place(gait: NDArray[np.bool_], swings: Floats, seated: int, opposite: int) -> str:
    """Where the sensors were in a stretch: a key of ``SWAPPED``, or ``unknown``."""
    if gait.sum() < FEWEST_MOVING:
        if max(seated, opposite) < FEWEST_SWAPPED or min(seated, opposite) > 0:
            return "unknown"
        return "swapped" if opposite else "right"
    exchanged = float(np.median(swings[gait])) < 0
    against, agree = (seated, opposite) if exchanged else (opposite, seated)
    if against >= FEWEST_SWAPPED and against > 2 * agree:
        return "contradictory"
    return "swapped" if exchanged else "right"


def _posture_evidence(posture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Evidence (k,) that the sensors are in their places, by postures: 1 seated, -1 the opposite, 0 neither."""
    first = np.flatnonzero(np.diff(posture, prepend=2))
    lengths = np.diff(first, append=len(posture))
    each = np.minimum(POSTURE_EVIDENCE, LARGEST_POSTURE / lengths)
    return np.asarray(posture * np.repeat(each, lengths))


def _path(evidence: NDArray[np.float64]) -> NDArray[np.int8]:
    """The state (k,) of each epoch, 1 exchanged, so that evidence less the cost of changes is largest."""
    came_from = np.empty((len(evidence), 2), dtype=np.int8)
    right = exchanged = 0.0
    for t, here in enumerate(evidence.tolist()):
        came_from[t] = right < exchanged - COST_OF_CHANGE, right - COST_OF_CHANGE <= exchanged
        right, exchanged = (
            max(right, exchanged - COST_OF_CHANGE) + here,
            max(exchanged, right - COST_OF_CHANGE) - here,
        )
    path = np.empty(len(evidence), dtype=np.int8)
    state = int(exchanged > right)
    for t in range(len(evidence) - 1, -1, -1):
        path[t] = state
        state = int(came_from[t, state])
    return path


def _posture_epochs(gravity: Floats, gait: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where (k,) the back is upright and the thigh horizontal, and the opposite.

    Upright is as in gait, the same end up: who lies with bent knees has the thigh upside down. Without gait
    it is either end.
    """
    known = gait.sum() >= FEWEST_MOVING
    along = []
    for axes in (slice(0, 3), slice(3, 6)):
        upright = _main_axis(gravity[gait, axes]) if known else np.array([1, 0, 0], dtype=np.float32)
        along.append(gravity[:, axes] @ upright / np.maximum(np.linalg.norm(gravity[:, axes], axis=1), 1e-3))
    back, thigh = along if known else np.abs(along)
    seated = (back > UPRIGHT) & (np.abs(thigh) < HORIZONTAL)
    opposite = (thigh > UPRIGHT) & (np.abs(back) < HORIZONTAL)
    return np.asarray(seated), np.asarray(opposite)


def _main_axis(gravity: Floats) -> Floats:
    """The unit vector (3,) most nearly along all of these (k, 3), with the sign that most of them have."""
    axis = np.linalg.eigh(gravity.T @ gravity)[1][:, -1]
    return np.asarray(axis if np.median(gravity @ axis) >= 0 else -axis, dtype=np.float32)
