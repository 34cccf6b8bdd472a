"""One day of someone, to be delivered as a raw pair: what they do, epoch by epoch, with the day totals they have.

Belongs here: from a person's day totals to a sequence of activities. Does not belong here: the laying out of epochs
(``epochs``), sensors and files (``raw``), who is delivered so (``deliveries``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
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
    person: str, first_date: np.datetime64, seconds: Floats, full: Flags, seed: int, parameters: EpochDays
) -> RawDay:
    """The first full day of a recording as 17,280 epochs with its totals.

    Args:
        person: identifier; it is the random streams' own.
        first_date: of the recording.
        seconds: day totals (d, 9) in the order of ``walking.ACTIVITIES``.
        full: which days (d,) are valid, without a blank cell; at least one is.
        seed: of every random stream.
        parameters: how epochs are laid out.
    """
    day = int(np.argmax(full))
    date = first_date + np.timedelta64(day, "D")
    # A raw recording of one day is of the whole of it.
    whole = parameters.model_copy(update={"partial_recordings": 0.0})
    kinds, lengths = lay_out(wear([person], np.array([date]), seconds[None, [day]], seed, whole), seed, whole)
    activity = np.array([ACTIVITIES[activity] for activity, _, _ in KINDS], dtype=np.uint8)
    speed = np.array([SPEEDS[speed] if speed else 0 for _, speed, _ in KINDS], dtype=np.uint8)
    speeds = stream(seed, f"raw.speeds.{person}")
    sequence = from_epochs(np.repeat(activity[kinds], lengths), np.repeat(speed[kinds], lengths), speeds)
    return RawDay(person, date.astype("datetime64[s]"), sequence)
