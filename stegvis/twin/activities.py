"""What a person does, second by second or epoch by epoch: the truth behind a raw recording.

Sequences of activities and walking speeds are drawn, or taken from classified epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stegvis.accelerometry.activity import ActivityCode, SpeedCode
from stegvis.study.protocol import Epochs
from stegvis.twin.gait_parameters import Day, DayActivity, GaitParameters

CODES: dict[DayActivity, ActivityCode] = {
    "sitting": ActivityCode.SITTING,
    "standing": ActivityCode.STANDING,
    "walking": ActivityCode.WALKING,
    "running": ActivityCode.RUNNING,
    "cycling": ActivityCode.CYCLING,
}
# Limits of drawn walking speeds, km/h.
SLOWEST, FASTEST = 1.6, 7.2
# Bouts at least this long, in seconds, are walked at the person's usual pace.
USUAL_PACE_SECONDS = 60
SECONDS_PER_DAY = 86400


@dataclass(frozen=True)
class ActivitySequence:
    """What a person does in steps of time; of a raw recording they are seconds.

    Attributes:
        activity: (k,) uint8, ``ActivityCode``.
        speed_km_per_hour: (k,) float32, 0 when not walking.
        step_seconds: length of a step.
    """

    activity: NDArray[np.uint8]
    speed_km_per_hour: NDArray[np.float32]
    step_seconds: int

    def __post_init__(self) -> None:
        walking = self.activity == ActivityCode.WALKING
        if self.activity.shape != self.speed_km_per_hour.shape or self.activity.ndim != 1 or not len(self.activity):
            raise ValueError("an activity sequence needs one speed for each of its steps, and at least one step")
        if (self.speed_km_per_hour[walking] <= 0).any() or (self.speed_km_per_hour[~walking] != 0).any():
            raise ValueError("steps of walking, and only they, have a speed above zero")

    def bout_starts(self) -> NDArray[np.int64]:
        """Index of the first step of each stretch of one activity at one speed."""
        changes = (np.diff(self.activity) != 0) | (np.diff(self.speed_km_per_hour) != 0)
        return np.concatenate([[0], np.flatnonzero(changes) + 1])

    def seconds(self) -> dict[str, int]:
        """Seconds of each activity."""
        return {code.name.lower(): int((self.activity == code).sum()) * self.step_seconds for code in ActivityCode}


def from_epochs(
    activity: ArrayLike, speed: ArrayLike, rng: np.random.Generator, epochs: Epochs, step_seconds: int | None = None
) -> ActivitySequence:
    """A sequence with speeds in km/h from classified epochs: one speed per bout, drawn within its speed class.

    Args:
        activity: (k,) ``ActivityCode``.
        speed: (k,) ``SpeedCode``.
        rng: random stream of the speeds.
        epochs: length of an epoch, and the limits of the speed classes.
        step_seconds: length of a step, if it is not an epoch.
    """
    activities = np.asarray(activity, dtype=np.uint8)
    classes = np.asarray(speed, dtype=np.uint8)
    slow, moderate = epochs.slow_up_to_km_per_hour, epochs.moderate_up_to_km_per_hour
    limits = {
        SpeedCode.SLOW: (0.6 * slow, slow),
        SpeedCode.MODERATE: (slow, moderate),
        SpeedCode.BRISK: (moderate, 1.2 * moderate),
    }
    km_per_hour = np.zeros(len(activities), dtype=np.float32)
    changes = (np.diff(activities, prepend=255) != 0) | (np.diff(classes, prepend=255) != 0)
    bout = np.cumsum(changes) - 1
    drawn = rng.random(bout[-1] + 1) if len(bout) else np.zeros(0)
    for code, (low, high) in limits.items():
        here = classes == code
        # Slightly inside the limits, so that rounding never moves an epoch to the next class.
        km_per_hour[here] = low + (high - low) * (0.02 + 0.96 * drawn[bout[here]])
    return ActivitySequence(activities, km_per_hour, step_seconds or epochs.seconds)


def draw_activities(
    days: int, parameters: GaitParameters, rng: np.random.Generator, step_seconds: int = 1
) -> ActivitySequence:
    """24-hour days of one person: lying at night, and between the nights bouts drawn from ``parameters.day.follows``.

    Raises:
        ValueError: fewer than one day.
    """
    if days < 1:
        raise ValueError("a recording needs at least one day")
    per_day = SECONDS_PER_DAY // step_seconds
    activity = np.full(days * per_day, ActivityCode.LYING, dtype=np.uint8)
    speed = np.zeros(len(activity), dtype=np.float32)
    day = parameters.day
    pace = day.speed_mean + day.speed_sd_between * float(rng.standard_normal())
    for number in range(days):
        rise, bed = (np.clip(rng.normal(hour, day.hour_sd), 0.5, 23.9) for hour in (day.rise_hour, day.bed_hour))
        first, last = (number * per_day + int(hour * 3600 / step_seconds) for hour in (rise, bed))
        _waking_hours(activity[first:last], speed[first:last], pace, day, rng, step_seconds)
        if rng.random() < day.nap_probability:
            length = int(rng.uniform(20, 60) * 60 / step_seconds)
            nap = slice(int(rng.uniform(0.4, 0.6) * (last - first)) + first, None)
            activity[nap][:length], speed[nap][:length] = ActivityCode.LYING, 0
    return ActivitySequence(activity, speed, step_seconds)


def _waking_hours(
    activity: NDArray[np.uint8],
    speed: NDArray[np.float32],
    pace: float,
    day: Day,
    rng: np.random.Generator,
    step_seconds: int,
) -> None:
    """Fill the steps from rising to going to bed."""
    now: DayActivity = "standing"
    at = 0
    while at < len(activity):
        # Many short bouts and a few long ones: a log-normal with the mean of the parameters.
        seconds = day.minutes[now] * 60 * np.exp(rng.standard_normal() - 0.5)
        end = at + max(1, round(seconds / step_seconds))
        activity[at:end] = CODES[now]
        if now == "walking":
            speed[at:end] = _bout_speed(seconds, pace, day, rng)
        at = end
        followers = day.follows[now]
        now = list(followers)[int(rng.choice(len(followers), p=list(followers.values())))]


def _bout_speed(seconds: float, pace: float, day: Day, rng: np.random.Generator) -> float:
    """Speed of a bout, km/h. Short bouts are slow: indoors and around corners."""
    share = np.clip(np.log(max(seconds, 10) / 10) / np.log(USUAL_PACE_SECONDS / 10), 0, 1)
    mean = day.short_bout_speed + share * (pace - day.short_bout_speed)
    return float(np.clip(3.6 * mean * np.exp(day.speed_sd_within * rng.standard_normal()), SLOWEST, FASTEST))
