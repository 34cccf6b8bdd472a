"""How each of the twin's sensors is attached: its angles, being attached anew within the week, and hanging loosely.

Angles are drawn from those of real people (``worn`` in ``gait.toml``). They are of gravity as the sensor reads it in
walking, and roll in sitting; the body's own angle in these postures is subtracted, so that the recording shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from stegvis.accelerometry.activity import ActivityCode
from stegvis.twin.activities import SECONDS_PER_DAY, ActivitySequence
from stegvis.twin.gait import Floats, Samples, Sensor
from stegvis.twin.gait_parameters import GaitParameters

# A sensor is attached anew while sitting or standing, at least this far from both ends of the recording.
FROM_THE_ENDS_SECONDS = 1800


@dataclass(frozen=True)
class Attached:
    """How a sensor is attached from some moment on.

    Attributes:
        seconds: true time of that moment.
        sagittal, sideways: the angles of gravity in walking, degrees; positive where z or y reads more.
        roll: about the long axis, degrees; positive where y reads more in sitting.
        upside_down: turned by half about its outward axis (x and y change sign).
        turned: turned by half about its long axis (y and z change sign).
        other_leg: on the other thigh, which moves as a mirror image (y changes sign).
    """

    seconds: float
    sagittal: float
    sideways: float
    roll: float
    upside_down: bool = False
    turned: bool = False
    other_leg: bool = False


@dataclass(frozen=True)
class Mounting:
    """How a sensor is attached throughout a recording.

    Attributes:
        attached: each way in which it is attached, in the order of time.
        off: stretches in which it is off in between, seconds of true time.
        slips: moments from which a loose sensor has slipped, and by how many degrees of sagittal angle and roll; none
            if it is not loose.
        body: the body's own sagittal angle in walking, degrees.
        ringing: how much stronger than usual it rings after heel strikes.
    """

    attached: tuple[Attached, ...]
    off: tuple[tuple[float, float], ...]
    slips: tuple[tuple[float, float, float], ...]
    body: float
    ringing: float

    def slope(self, parameters: GaitParameters) -> float:
        """Degrees by which the first sagittal angle, of the back, is more than the middle of people's."""
        degrees = parameters.worn.degrees
        return self.attached[0].sagittal - float(np.interp(0.5, degrees.levels, degrees.back_sagittal))

    @property
    def loose(self) -> bool:
        """Whether it hangs loosely."""
        return bool(self.slips)

    def worn(self, felt: Samples, seconds: Floats) -> Samples:
        """What the sensor feels (n, 3) of a body's acceleration (n, 3) at increasing true times (n,)."""
        turns = list(self._turns())
        first = np.searchsorted(seconds, [start for start, _ in turns])
        first[0] = 0
        read = np.empty_like(felt)
        for (_, turn), begin, end in zip(turns, first, [*first[1:], len(seconds)], strict=True):
            read[begin:end] = felt[begin:end] @ turn.T.astype(np.float32)
        return read

    def _turns(self) -> Iterator[tuple[float, Floats]]:
        """Moments, and the rotation (3, 3) of the sensor from then on."""
        starts = sorted({each.seconds for each in self.attached} | {start for start, _, _ in self.slips})
        for start in starts:
            here = [each for each in self.attached if each.seconds <= start][-1]
            slipped = [each for each in self.slips if each[0] <= start]
            if slipped:
                _, sagittal, roll = slipped[-1]
                here = replace(here, sagittal=here.sagittal + sagittal, roll=here.roll + roll)
            yield start, _turn(here, self.body)


def draw_mounting(
    sensor: Sensor, sequence: ActivitySequence, parameters: GaitParameters, rng: np.random.Generator
) -> Mounting:
    """Draw how a sensor is attached throughout a sequence of activities."""
    worn = parameters.worn
    seconds = float(len(sequence.activity) * sequence.step_seconds)
    attached, off = [_attach(sensor, 0.0, parameters, rng)], []
    moment, minutes = rng.random(), rng.uniform(*worn.anew.minutes_off)
    scores, again = rng.random(3), _attach(sensor, 0.0, parameters, rng)
    if rng.random() < worn.amount * worn.anew.per_week * seconds / (7 * SECONDS_PER_DAY):
        start = _awake(sequence, moment)
        if start is not None:
            off = [(start, start + 60 * minutes)]
            attached.append(
                replace(
                    again,
                    seconds=start + 60 * minutes,
                    turned=bool(scores[0] < worn.anew.turned),
                    upside_down=bool(scores[1] < worn.anew.upside_down),
                    other_leg=bool(sensor == "thigh" and scores[2] < worn.anew.other_leg),
                )
            )
    loose = sensor == "thigh" and rng.random() < worn.amount * worn.loose.share
    slips: list[tuple[float, float, float]] = []
    if loose:
        starts = np.arange(0.0, seconds, 60 * worn.loose.slip_minutes)
        by = worn.loose.slip_degrees * rng.standard_normal((len(starts), 2))
        slips = [(float(at), float(lean), float(roll)) for at, (lean, roll) in zip(starts, by, strict=True)]
    ringing = worn.loose.ringing if loose else 1.0
    return Mounting(tuple(attached), tuple(off), tuple(slips), _body(sensor, parameters), ringing)


def _attach(sensor: Sensor, seconds: float, parameters: GaitParameters, rng: np.random.Generator) -> Attached:
    worn = parameters.worn
    sagittal, sideways, roll = (
        worn.drawn(getattr(worn.degrees, f"{sensor}_{angle}"), rng) for angle in ("sagittal", "sideways", "roll")
    )
    return Attached(seconds, sagittal, sideways, roll)


def _awake(sequence: ActivitySequence, score: float) -> float | None:
    """A moment of sitting or standing, by a score from 0 to 1; ``None`` if there is none."""
    edge = FROM_THE_ENDS_SECONDS // sequence.step_seconds
    quiet = np.isin(sequence.activity, (ActivityCode.SITTING, ActivityCode.STANDING))
    which = np.flatnonzero(quiet[edge:-edge]) + edge
    return float(which[int(score * len(which))] * sequence.step_seconds) if len(which) else None


def _body(sensor: Sensor, parameters: GaitParameters) -> float:
    """The body's own sagittal angle in walking, degrees."""
    standing, walking = parameters.postures.standing, parameters.walking
    x, _, z = standing.back if sensor == "back" else standing.thigh
    z += walking.trunk_lean if sensor == "back" else -walking.thigh_tilt
    return float(np.degrees(np.arctan2(z, -x)))


def _turn(attached: Attached, body: float) -> Floats:
    """The rotation (3, 3) of body axes into the sensor's."""
    roll, sagittal, sideways = np.radians([attached.roll, attached.sagittal - body, attached.sideways])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(roll), -np.sin(roll)], [0, np.sin(roll), np.cos(roll)]],
    )
    about_y = np.array([[np.cos(sagittal), 0, np.sin(sagittal)], [0, 1, 0], [-np.sin(sagittal), 0, np.cos(sagittal)]])
    about_z = np.array([[np.cos(sideways), np.sin(sideways), 0], [-np.sin(sideways), np.cos(sideways), 0], [0, 0, 1]])
    turn = about_y @ about_z @ about_x @ (np.diag([1.0, -1.0, 1.0]) if attached.other_leg else np.eye(3))
    return half_turn(attached.upside_down, attached.turned) @ turn


def half_turn(upside_down: bool, turned: bool) -> Floats:
    """The rotation (3, 3) of a sensor that is turned by half about its outward or its long axis, or both."""
    flipped = np.diag([-1.0, -1.0, 1.0]) if upside_down else np.eye(3)
    return flipped @ np.diag([1.0, -1.0, -1.0]) if turned else flipped
