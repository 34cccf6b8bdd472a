"""One day of a person to be delivered as a raw pair: from day totals to a sequence of activities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.study.protocol import Protocol
from stegvis.twin.activities import ActivitySequence, from_epochs
from stegvis.twin.draws import Flags, Floats, stream
from stegvis.twin.epochs import KINDS, lay_out, wear
from stegvis.twin.parameters import EpochDays


@dataclass(frozen=True)
class RawDay:
    """A person, the midnight at which their day begins, and what they do in it."""

    person: str
    start: np.datetime64
    sequence: ActivitySequence


def draw_raw_day(
    person: str,
    first_date: np.datetime64,
    seconds: Floats,
    full: Flags,
    seed: int,
    parameters: EpochDays,
    protocol: Protocol,
) -> RawDay:
    """The first complete day of a recording, as seconds that add up to its totals.

    Args:
        person: identifier; it names the random streams.
        first_date: of the recording.
        seconds: day totals (d, 9) in the order of ``walking.ACTIVITIES``.
        full: which days (d,) are valid and without a blank cell; at least one is.
        seed: of every random stream.
        parameters: how epochs are laid out.
        protocol: length of a day, limits of the speed classes.
    """
    day = int(np.argmax(full))
    date = first_date + np.timedelta64(day, "D")
    # A raw recording of one day covers all 24 hours.
    whole = parameters.model_copy(update={"partial_recordings": 0.0})
    # What people do begins at any second, not only with an epoch.
    by_the_second = protocol.model_copy(update={"epochs": protocol.epochs.model_copy(update={"seconds": 1})})
    worn = wear([person], np.array([date]), seconds[None, [day]], seed, whole, by_the_second)
    kinds, lengths = lay_out(worn, seed, whole)
    activity = np.array([ACTIVITIES[activity] for activity, _, _ in KINDS], dtype=np.uint8)
    speed = np.array([SPEEDS[speed] if speed else 0 for _, speed, _ in KINDS], dtype=np.uint8)
    speeds = stream(seed, f"raw.speeds.{person}")
    activity, speed = np.repeat(activity[kinds], lengths), np.repeat(speed[kinds], lengths)
    sequence = from_epochs(activity, speed, speeds, protocol.epochs, step_seconds=1)
    return RawDay(person, date.astype("datetime64[s]"), sequence)
