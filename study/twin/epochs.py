"""Days of 5-second epochs that add up to given day totals.

Belongs here: the order of bouts within a day. Does not belong here: the totals (``walking``), files (``deliveries``),
classification of signals (``study.accelerometry``).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from study.protocol import protocol
from study.twin.draws import Floats, Integers
from study.twin.parameters import EpochDays
from study.twin.walking import BRISK, CYCLING, LYING, MODERATE, RUNNING, SITTING, SLOW, STANDING

# What an epoch can be: its activity and speed as delivered, and the day total it is part of.
KINDS: tuple[tuple[str, str | None, int], ...] = (
    ("lying", None, LYING),
    ("sitting", None, SITTING),
    ("standing", None, STANDING),
    ("walking", "slow", SLOW),
    ("walking", "moderate", MODERATE),
    ("walking", "brisk", BRISK),
    ("running", None, RUNNING),
    ("cycling", None, CYCLING),
    ("nonwear", None, -1),
)
NONWEAR = len(KINDS) - 1


def order_day(totals: Floats, parameters: EpochDays, rng: np.random.Generator) -> Integers:
    """Lay one day out: a kind for each epoch (17,280), indices into ``KINDS``.

    Most of the lying comes first, the rest last; in between, bouts of everything else in random order. On some days
    the sensor is off for an hour of the sitting.

    Args:
        totals: seconds per activity (9,), whole epochs, the six exclusive ones and the three speeds filling the day.

    Raises:
        ValueError: the totals do not fill a day.
    """
    step = protocol().epochs.seconds
    counts = [round(totals[place] / step) for _, _, place in KINDS[:NONWEAR]] + [0]
    if sum(counts) * step != protocol().days.seconds_per_day:
        raise ValueError("the totals do not fill a day")
    if rng.random() < parameters.nonwear_days:
        off = min(parameters.nonwear_minutes * 60 // step, counts[1] - 1)
        counts[1], counts[NONWEAR] = counts[1] - off, off
    night = round(counts[0] * parameters.lying_share_before_morning)
    lengths: list[Integers] = []
    kinds: list[Integers] = []
    for kind in range(1, len(KINDS)):
        name = KINDS[kind][1] or KINDS[kind][0]
        mean = getattr(parameters.bout_minutes, name, parameters.nonwear_minutes) * 60 / step
        bouts = max(1, round(counts[kind] / mean)) if kind != NONWEAR else 1
        cuts = np.sort(rng.integers(0, counts[kind] + 1, size=bouts - 1))
        lengths.append(np.diff(np.concatenate([[0], cuts, [counts[kind]]])))
        kinds.append(np.full(bouts, kind))
    order = rng.permutation(sum(part.size for part in kinds))
    day = np.repeat(np.concatenate(kinds)[order], np.concatenate(lengths)[order])
    return np.concatenate([np.zeros(night, dtype=np.int64), day, np.zeros(counts[0] - night, dtype=np.int64)])


def epoch_table(person: str, dates: np.ndarray, kinds: Integers) -> pa.Table:
    """A person's epochs as delivered: person, epoch_start (milliseconds), activity and speed as text.

    Args:
        person: identifier.
        dates: the days (d,), datetime64[D], device-local.
        kinds: indices into ``KINDS`` (d * 17,280,).
    """
    step = protocol().epochs.seconds
    within = np.arange(protocol().days.seconds_per_day // step) * np.timedelta64(1000 * step, "ms")
    start = (dates.astype("datetime64[ms]")[:, None] + within).ravel()
    activities = pa.array([activity for activity, _, _ in KINDS])
    speeds = pa.array([speed for _, speed, _ in KINDS], type=pa.string())
    return pa.table(
        {
            "person": pa.repeat(pa.scalar(person), start.size),
            "epoch_start": pa.array(start),
            "activity": activities.take(pa.array(kinds)),
            "speed": speeds.take(pa.array(kinds)),
        }
    )
