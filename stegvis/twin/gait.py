"""Acceleration of the lower back and the thigh, from what a person does.

One latent motion serves both sensors: bouts of activity, the direction of gravity in each, the strides of walking,
running and pedaling as phase knots, bursts of small movements. It is a function of continuous true time, so that each
sensor can sample it with a clock of its own. Gait is a sum of harmonics of the stride whose swing and impact grow
with speed, with ringing after each heel strike.

This is the body, in the axes of ``gait.toml``; how sensors are worn, and their electronics, are in ``raw``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.activity import ActivityCode
from stegvis.twin.activities import ActivitySequence
from stegvis.twin.gait_parameters import Cyclic, GaitParameters, Posture

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Sensor = Literal["back", "thigh"]
SENSORS: tuple[Sensor, Sensor] = ("back", "thigh")

# Movements start and stop within this, seconds.
FADE_SECONDS = 0.6
# The part of a step in which a heel strike rings, by 1/e.
RINGING_SHARE = 0.08
# Scores of nobody's posture are further from zero: the middle of the largest of 24 normal ones.
MOST_EXTREME = 1.95
# Harmonics above this would alias at 50 Hz.
HIGHEST_HZ = 22.0

UPRIGHT = (ActivityCode.STANDING, ActivityCode.WALKING, ActivityCode.RUNNING)


@dataclass(frozen=True)
class Strides:
    """A stretch of a cyclic movement.

    Attributes:
        start, end: seconds.
        onsets: (s,) seconds at which each stride begins.
        strength: (s,) size of each stride, around 1.
        harmonics: (6, h) complex amplitudes, g; three axes of the back, three of the thigh.
        ringing: (2,) size of the broadband part on back and thigh, g.
        rings: whether it rings after each heel strike; otherwise it is continuous (a road's surface).
    """

    start: float
    end: float
    onsets: Floats
    strength: Floats
    harmonics: NDArray[np.complex128]
    ringing: tuple[float, float]
    rings: bool


@dataclass(frozen=True)
class Burst:
    """A small movement: a few swings of both sensors. ``size`` is (6,), g."""

    start: float
    end: float
    hertz: float
    size: Floats


@dataclass(frozen=True)
class Motion:
    """A person's motion in true time, seconds from its start.

    Attributes:
        seconds: its length.
        knots: (k,) times of the gravity knots.
        gravity: (k, 6) g, back then thigh; in between, gravity turns evenly.
        strides: cyclic movements, in time order.
        bursts: small movements, in time order.
    """

    seconds: float
    knots: Floats
    gravity: Floats
    strides: tuple[Strides, ...]
    bursts: tuple[Burst, ...]

    def acceleration(self, sensor: Sensor, seconds: Floats, rng: np.random.Generator, ringing: float = 1.0) -> Samples:
        """What a perfect sensor measures, body axes.

        Args:
            sensor: where it sits.
            seconds: (n,) increasing times; before the start and after the end the body is still.
            rng: random stream of the ringing, which differs from sample to sample.
            ringing: how much stronger than usual it is.

        Returns:
            (n, 3) float32, g.
        """
        axes = slice(0, 3) if sensor == "back" else slice(3, 6)
        felt = np.empty((3, len(seconds)), dtype=np.float32)
        for axis, column in enumerate(range(6)[axes]):
            felt[axis] = np.interp(seconds, self.knots, self.gravity[:, column])
        felt /= np.sqrt(np.square(felt).sum(axis=0))
        place = SENSORS.index(sensor)
        for strides, first, end in _within(self.strides, seconds):
            felt[:, first:end] += _cyclic(strides, seconds[first:end], axes, ringing * strides.ringing[place], rng)
        for burst, first, end in _within(self.bursts, seconds):
            t = seconds[first:end] - burst.start
            wave = np.sin(2 * np.pi * burst.hertz * t) * np.sin(np.pi * t / (burst.end - burst.start))
            felt[:, first:end] += burst.size[axes, None] * wave
        return felt.T


Timed = TypeVar("Timed", Strides, Burst)


def _within(movements: tuple[Timed, ...], seconds: Floats) -> Iterator[tuple[Timed, int, int]]:
    """Movements that fall on some of the times, with the first of these times and the one after the last."""
    first = np.searchsorted(seconds, [movement.start for movement in movements])
    end = np.searchsorted(seconds, [movement.end for movement in movements])
    for index in np.flatnonzero(first < end):
        yield movements[index], int(first[index]), int(end[index])


def draw_motion(
    sequence: ActivitySequence, parameters: GaitParameters, rng: np.random.Generator, slope: float = 0.0
) -> Motion:
    """Draw one person's motion through a sequence of activities.

    Args:
        sequence: what they do.
        parameters: how.
        rng: random stream.
        slope: degrees by which the person's back slopes more than the middle of people's in walking.


    Bouts begin within ``movements.border_jitter`` of the border of a step, so that most of each step is the activity
    that the sequence gives. In steps of non-wear the body stands still; the sensors do not record it.
    """
    person = _Person.draw(parameters, rng, slope)
    first = sequence.bout_starts()
    borders = np.append(first, len(sequence.activity)) * float(sequence.step_seconds)
    jitter = parameters.movements.border_jitter * sequence.step_seconds
    borders[1:-1] += rng.uniform(-jitter, jitter, len(borders) - 2)

    knots: list[Floats] = []
    gravity: list[Floats] = []
    strides: list[Strides] = []
    bursts: list[Burst] = []
    for epoch, start, end in zip(first, borders[:-1], borders[1:], strict=True):
        activity = ActivityCode(int(sequence.activity[epoch]))
        speed = float(sequence.speed_km_per_hour[epoch]) / 3.6
        posture = _posture(activity, parameters)
        for part_start, part_end in _turns(activity, start, end, parameters, rng):
            base = person.base(activity, posture, rng)
            at, vectors = _gravity(base, posture.sway_sd, part_start, part_end, parameters, rng)
            knots.append(at)
            gravity.append(vectors)
        bursts += _bursts(posture, start, end, parameters, rng)
        movement = person.strides(activity, speed, start, end, rng)
        if movement is not None:
            strides.append(movement)
    return Motion(
        seconds=float(borders[-1]),
        knots=np.concatenate(knots),
        gravity=np.concatenate(gravity),
        strides=tuple(strides),
        bursts=tuple(bursts),
    )


def stride_hz(speed: float, parameters: GaitParameters) -> float:
    """Strides per second of walking at ``speed`` m/s (Grieve and Gear 1966, doi 10.1080/00140136608964399)."""
    walking = parameters.walking
    return float(walking.cadence_at_1_m_per_s * speed**walking.cadence_exponent / 120)


# --- posture --------------------------------------------------------------------------------------------------------


def _posture(activity: ActivityCode, parameters: GaitParameters) -> Posture:
    postures = parameters.postures
    return {
        ActivityCode.LYING: postures.lying,
        ActivityCode.SITTING: postures.sitting,
        ActivityCode.CYCLING: postures.cycling,
    }.get(activity, postures.standing)


def _turns(
    activity: ActivityCode, start: float, end: float, parameters: GaitParameters, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Stretches of one posture: a person who lies for long turns over now and then."""
    mean = parameters.movements.lying_turn_minutes * 60
    if activity is not ActivityCode.LYING or end - start < mean:
        return [(start, end)]
    cuts = np.sort(rng.uniform(start + 30, end - 30, rng.poisson((end - start) / mean)))
    borders = np.concatenate([[start], cuts, [end]])
    return list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))


def _gravity(
    base: Floats,
    sway_sd: float,
    start: float,
    end: float,
    parameters: GaitParameters,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Knots of gravity within one stretch: its direction (6,), slowly swaying, (k,) and (k, 6)."""
    movements = parameters.movements
    edge = min(movements.transition_seconds / 2, 0.2 * (end - start))
    count = max(2, round((end - start) / movements.sway_seconds) + 1)
    at = np.linspace(start + edge, end - edge, count)
    return at, base + sway_sd * rng.standard_normal((count, 6))


def _lie(supine: Floats, parameters: GaitParameters, rng: np.random.Generator) -> Floats:
    """On the back, on a side or prone: both sensors turned about their long axes, which point the same way.

    Their other axes point in opposite directions, as one sits behind and the other in front.
    """
    movements = parameters.movements
    drawn = rng.random()
    if drawn < movements.lying_supine:
        return supine
    side = drawn < movements.lying_supine + movements.lying_side
    angle = np.radians(rng.normal(90, 15) * rng.choice([-1, 1]) if side else rng.normal(180, 12))
    turned = supine.copy()
    for y, z in ((1, 2), (4, 5)):
        turned[y] = np.cos(angle) * supine[y] - np.sin(angle) * supine[z]
        turned[z] = np.sin(angle) * supine[y] + np.cos(angle) * supine[z]
    return turned


def _bursts(
    posture: Posture, start: float, end: float, parameters: GaitParameters, rng: np.random.Generator
) -> list[Burst]:
    """Small movements within a bout, and one where it begins."""
    movements = parameters.movements
    number = rng.poisson((end - start) / 3600 * posture.fidgets_per_hour)
    at = np.sort(np.append(rng.uniform(start, end, number), start))
    length = 0.4 + rng.exponential(movements.fidget_seconds - 0.4, len(at))
    hertz = rng.uniform(*movements.fidget_hz, len(at))
    size = posture.fidget_g * rng.standard_normal((len(at), 6)) * np.exp(0.5 * rng.standard_normal((len(at), 1)))
    return [Burst(float(a), float(a + b), float(c), d) for a, b, c, d in zip(at, length, hertz, size, strict=True)]


# --- cyclic movements -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Person:
    """How one person holds themselves and moves: the parameters' postures and harmonics, varied.

    ``posture`` (6,) are scores of how they hold themselves, ``slope`` is as of ``draw_motion``; ``ringing`` (2,) of
    back and thigh, and ``unsteadiness`` of strides, are relative.
    """

    parameters: GaitParameters
    posture: Floats
    slope: float
    cadence: float
    ringing: Floats
    unsteadiness: float
    walking: NDArray[np.complex128]
    running: NDArray[np.complex128]
    cycling: NDArray[np.complex128]

    @staticmethod
    def draw(parameters: GaitParameters, rng: np.random.Generator, slope: float) -> _Person:
        worn = parameters.worn
        limp_sd = worn.amount * worn.style.odd_harmonics_sd
        # On average people's odd harmonics have the power that the parameters say.
        limp = np.exp(limp_sd * float(rng.standard_normal()) - limp_sd**2)
        walking = _varied(parameters.walking, rng)
        walking[:3, ::2] *= limp
        return _Person(
            parameters=parameters,
            posture=worn.amount * np.clip(rng.standard_normal(6), -MOST_EXTREME, MOST_EXTREME),
            slope=slope,
            cadence=1 + parameters.walking.cadence_sd * float(rng.standard_normal()),
            ringing=np.exp(worn.amount * worn.style.ringing_sd * rng.standard_normal(2)),
            unsteadiness=max(0.1, worn.drawn(worn.style.unsteadiness, rng)),
            walking=walking,
            running=_varied(parameters.running, rng),
            cycling=_varied(parameters.cycling, rng),
        )

    def base(self, activity: ActivityCode, posture: Posture, rng: np.random.Generator) -> Floats:
        """The direction of gravity (6,) in a new bout, back and thigh."""
        walking = self.parameters.walking
        base = np.array([*posture.back, *posture.thigh])
        if activity is ActivityCode.WALKING:
            base[2] += walking.trunk_lean + walking.trunk_lean_sd * rng.standard_normal()
            base[5] -= walking.thigh_tilt + walking.thigh_tilt_sd * rng.standard_normal()
            return base
        scores = np.sqrt(posture.between) * self.posture + np.sqrt(1 - posture.between) * rng.standard_normal(6)
        base += np.array([*posture.back_sd, *posture.thigh_sd]) * scores
        straighter = np.radians(self.slope) * posture.straightens
        x, z = base[0], base[2]
        base[0], base[2] = (
            x * np.cos(straighter) - z * np.sin(straighter),
            z * np.cos(straighter) + x * np.sin(straighter),
        )
        return _lie(base, self.parameters, rng) if activity is ActivityCode.LYING else base

    def strides(
        self, activity: ActivityCode, speed: float, start: float, end: float, rng: np.random.Generator
    ) -> Strides | None:
        """The cyclic movement of a bout, if it is one; ``speed`` in m/s."""
        if activity is ActivityCode.WALKING:
            return self._walk(speed, start, end, rng)
        if activity is ActivityCode.RUNNING:
            running = self.parameters.running
            speed = max(1.8, rng.normal(running.speed, running.speed_sd))
            hertz = (running.steps_at_rest + running.steps_per_speed * speed) / 120
            ringing = (running.ringing_back, running.ringing_thigh)
            return _strides(running, self.running, hertz, start, end, ringing, True, rng)
        if activity is ActivityCode.CYCLING:
            cycling = self.parameters.cycling
            hertz = max(30.0, rng.normal(cycling.revolutions_per_minute, cycling.revolutions_sd)) / 60
            road = (cycling.road_back, cycling.road_thigh)
            return _strides(cycling, self.cycling, hertz, start, end, road, False, rng)
        return None

    def _walk(self, speed: float, start: float, end: float, rng: np.random.Generator) -> Strides:
        walking = self.parameters.walking
        relative = speed / walking.reference_speed
        harmonics = self.walking.copy()
        harmonics[:, 0] *= relative**walking.swing_exponent
        back, thigh = relative**walking.impact_exponent_back, relative**walking.impact_exponent_thigh
        harmonics[:3, 1:] *= back
        harmonics[3:, 1:] *= thigh
        ringing = (
            float(walking.ringing_back * back * self.ringing[0]),
            float(walking.ringing_thigh * thigh * self.ringing[1]),
        )
        # Walking speed varies from bout to bout.
        paced = speed * max(0.5, 1 + walking.speed_drift_sd * float(rng.standard_normal()))
        hertz = stride_hz(paced, self.parameters) * self.cadence
        return _strides(walking, harmonics, hertz, start, end, ringing, True, rng, self.unsteadiness)


def _varied(movement: Cyclic, rng: np.random.Generator) -> NDArray[np.complex128]:
    harmonics = movement.harmonics()
    size = np.exp(movement.amplitude_sd * rng.standard_normal((len(harmonics), 1)))
    phase = movement.phase_sd * rng.standard_normal(harmonics.shape)
    return np.asarray(harmonics * size * np.exp(1j * phase))


def _strides(
    movement: Cyclic,
    harmonics: NDArray[np.complex128],
    hertz: float,
    start: float,
    end: float,
    ringing: tuple[float, float],
    rings: bool,
    rng: np.random.Generator,
    unsteadiness: float = 1.0,
) -> Strides:
    audible = harmonics[:, : max(1, int(HIGHEST_HZ / hertz))]
    # A few more strides than fit, because their lengths vary.
    count = int((end - start) * hertz * 1.1) + 5
    lengths = np.maximum(1 + unsteadiness * movement.stride_time_cv * rng.standard_normal(count), 0.5) / hertz
    onsets = start + np.concatenate([[0.0], np.cumsum(lengths)])
    sd = movement.stride_amplitude_sd
    # Unsteady strides are as strong on the whole as steady ones: the root mean square of exp(sd * normal) is exp(sd^2).
    strength = np.exp(unsteadiness * sd * rng.standard_normal(count + 1) - (unsteadiness**2 - 1) * sd**2)
    return Strides(start, end, onsets, strength, audible, ringing, rings)


def _cyclic(strides: Strides, seconds: Floats, axes: slice, ringing: float, rng: np.random.Generator) -> Samples:
    """Acceleration (3, n) of a cyclic movement at increasing times within it."""
    phase = np.interp(seconds, strides.onsets, np.arange(len(strides.onsets)))
    size = np.interp(seconds, strides.onsets, strides.strength)
    fade = np.minimum(seconds - strides.start, strides.end - seconds) / FADE_SECONDS
    size *= np.clip(fade, 0, 1)
    turn = np.exp(2j * np.pi * phase).astype(np.complex64)
    wave = np.zeros((3, len(seconds)), dtype=np.complex64)
    # Horner's scheme: one multiplication for each harmonic and axis.
    for harmonic in strides.harmonics[axes].T[::-1].astype(np.complex64):
        wave += harmonic[:, None]
        wave *= turn
    felt = wave.real
    noise = rng.standard_normal(felt.shape, dtype=np.float32)
    if strides.rings:
        noise *= (ringing * np.exp(-(2 * phase % 1) / RINGING_SHARE)).astype(np.float32)
    else:
        noise *= np.float32(ringing)
    return np.asarray((felt + noise) * size.astype(np.float32))
