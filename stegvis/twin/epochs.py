"""Weeks of 5-second epochs that add up to given day totals.

Bouts of many people and days are drawn at once; only the last step repeats each bout into its epochs. Each person has
own random streams, so that one person's epochs never depend on who else is requested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
from stegvis.study.protocol import Protocol
from stegvis.twin.draws import Floats, Integers, stream
from stegvis.twin.parameters import EpochDays
from stegvis.twin.walking import BRISK, CYCLING, LYING, MODERATE, RUNNING, SITTING, SLOW, STANDING

Codes = npt.NDArray[np.uint8]
Dates = npt.NDArray[np.datetime64]

# Kinds of epoch: activity and speed in words, and the day total the kind belongs to.
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
KIND_OF = {place: kind for kind, (_, _, place) in enumerate(KINDS)}

# A day consists of the night before the morning, everything else, and the night after the evening.
MORNING, DAYTIME, EVENING = range(3)

# Confidence of the twin's epochs, which are known.
CERTAIN = 255

# People whose epochs are in memory at once, and written as one row group: 8 weeks are 967,680 rows of 15 bytes.
PEOPLE_AT_ONCE = 8


@dataclass(frozen=True)
class WornEpochs:
    """How many epochs of each kind there are on every day of some people.

    Attributes:
        people: identifiers (p,).
        first_date: first recorded day (p,), device-local.
        counts: epochs (p, d, len(KINDS)); a day that was not recorded has none.
        first_epoch: number (p,) of the recording's first epoch within its first day, 0 at midnight.
        epoch_seconds: length of an epoch.
    """

    people: npt.NDArray[np.str_]
    first_date: Dates
    counts: Integers
    first_epoch: Integers
    epoch_seconds: int

    @property
    def epochs(self) -> Integers:
        """Epochs per person (p,)."""
        return np.asarray(self.counts.sum(axis=(1, 2)))

    def some(self, which: slice) -> WornEpochs:
        """Some of the people."""
        return WornEpochs(
            self.people[which], self.first_date[which], self.counts[which], self.first_epoch[which], self.epoch_seconds
        )


def wear(
    people: Sequence[str],
    first_date: Dates,
    seconds: Floats,
    seed: int,
    parameters: EpochDays,
    protocol: Protocol,
) -> WornEpochs:
    """Turn day totals into counts of epochs.

    Walking, its speeds, running, cycling and standing stay as they are. On a small share of days the sensor is off for
    a while: those epochs are non-wear instead of sitting. A small share of recordings begins late in the first night or
    ends early in the last one: those epochs of lying are absent. A blank cell becomes the remainder of its day. A day
    that is all lying (a detached sensor, as the published classification sees it) stays all lying.

    Args:
        people: identifiers (p,).
        first_date: first recorded day (p,).
        seconds: day totals (p, d, 9) in the order of ``walking.ACTIVITIES``, whole epochs; NaN where not recorded.
        seed: of every random stream.
        parameters: shares and lengths.
        protocol: length of an epoch and of a day.

    Raises:
        ValueError: the totals of a recorded day do not fill it, or recorded days do not come first.
    """
    epoch = protocol.epochs.seconds
    counts = _counts(seconds, protocol.days.seconds_per_day // epoch, epoch)
    days = counts.shape[1]
    uniform = np.array([stream(seed, f"epochs.wear.{person}").random(days + 4) for person in people])
    uniform = uniform.reshape(len(people), days + 4)
    _take_off(counts, uniform[:, :days], parameters, epoch)
    late = _cut_short(counts, uniform[:, days:], parameters, epoch)
    names = np.asarray(people, dtype=np.str_)
    return WornEpochs(names, np.asarray(first_date, dtype="datetime64[D]"), counts, late, epoch)


def _counts(seconds: Floats, epochs_per_day: int, epoch: int) -> Integers:
    """Epochs (p, d, len(KINDS)) of day totals (p, d, 9)."""
    recorded = np.asarray(~np.isnan(seconds).all(axis=2))
    if (recorded[:, 1:] & ~recorded[:, :-1]).any():
        raise ValueError("a recording's days must follow each other")
    exclusive = [place for _, _, place in KINDS[:NONWEAR]]
    parts = np.where(recorded[:, :, None], seconds[:, :, exclusive], 0.0) / epoch
    blank = np.isnan(parts)
    left = np.where(recorded, epochs_per_day, 0) - np.nansum(parts, axis=2)
    parts = np.where(blank, (left / np.maximum(blank.sum(axis=2), 1))[:, :, None], parts)
    counts = np.zeros((*recorded.shape, len(KINDS)), dtype=np.int64)
    counts[..., :NONWEAR] = np.rint(parts)
    not_whole = np.abs(counts[..., :NONWEAR] - parts) > 1e-6
    if not_whole.any() or (counts.sum(axis=2) != epochs_per_day * recorded).any():
        raise ValueError("the totals do not fill a day in whole epochs")
    return counts


def _take_off(counts: Integers, uniform: Floats, parameters: EpochDays, epoch: int) -> None:
    """Turn sitting into non-wear, in place, on the days (p, d) on which the sensor is off for a while."""
    sitting = KIND_OF[SITTING]
    gap_ends = np.cumsum([gap.days for gap in parameters.wear_gaps])
    minutes = np.array([*(gap.minutes for gap in parameters.wear_gaps), 0])
    off = minutes[np.searchsorted(gap_ends, uniform, side="right")] * 60 // epoch
    off = np.minimum(off, np.maximum(counts[..., sitting] - 1, 0))
    counts[..., sitting] -= off
    counts[..., NONWEAR] += off


def _cut_short(counts: Integers, uniform: Floats, parameters: EpochDays, epoch: int) -> Integers:
    """Remove lying, in place, where the recording begins late or ends early; returns the epochs (p,) it begins late.

    Args:
        uniform: scores (p, 4): whether it begins late, whether it ends early, and by how much.
    """
    lying, rows = KIND_OF[LYING], np.arange(len(counts))
    last = np.maximum((counts.sum(axis=2) > 0).sum(axis=1) - 1, 0)
    longest = parameters.partial_minutes * 60 // epoch
    absent = np.floor(uniform[:, 2:] * longest).astype(np.int64) + 1
    absent *= uniform[:, :2] < parameters.partial_recordings
    night = np.stack([_night(counts[rows, 0, lying], parameters)[0], _night(counts[rows, last, lying], parameters)[1]])
    # Part of the night always remains, so that every day keeps some lying.
    absent = np.minimum(absent, np.maximum(night.T // 2, 0))
    counts[rows, 0, lying] -= absent[:, 0]
    counts[rows, last, lying] -= absent[:, 1]
    return np.asarray(absent[:, 0])


def lay_out(worn: WornEpochs, seed: int, parameters: EpochDays) -> tuple[Codes, Integers]:
    """Order each day into bouts.

    A night is one bout. Every other kind is cut into bouts of lognormal length (walking: Orendurff et al. 2008, doi
    10.1682/JRRD.2007.11.0197); the last bout is the remainder of the total. The bouts of a kind are spread evenly over
    the day with a random offset each, so that sitting, standing and walking alternate.

    Returns:
        Kinds (r,), indices into ``KINDS``, and lengths (r,) in epochs, by person, day and time; lengths add up to
        ``worn.counts``.
    """
    kind_of_part = np.array([KIND_OF[LYING], KIND_OF[LYING], *range(len(KINDS))])
    section = np.array([MORNING, EVENING, *[DAYTIME] * len(KINDS)])
    means = [getattr(parameters.bout_minutes, speed or activity) for activity, speed, _ in KINDS[:NONWEAR]]
    # Nights and non-wear are single bouts.
    mean = np.array([0.0, 0.0, *means, 0.0]) * 60.0 / worn.epoch_seconds

    counts = worn.counts.reshape(-1, len(KINDS))
    morning, evening = _night(counts[:, KIND_OF[LYING]], parameters)
    parts = np.concatenate([morning[:, None], evening[:, None], counts], axis=1)
    parts[:, 2 + KIND_OF[LYING]] -= morning + evening
    day, part = np.nonzero(parts)
    total, typical = parts[day, part], mean[part]

    # Enough bouts for each total: three standard deviations of a count and a few more; one where a bout is all.
    expected = np.divide(total, typical, out=np.zeros(total.size), where=typical > 0)
    bouts = np.where(typical > 0, np.ceil(expected + 3.0 * np.sqrt(expected)) + 3, 1).astype(np.int64)
    drawn = np.bincount(day // worn.counts.shape[1], weights=bouts, minlength=worn.people.size).astype(np.int64)
    streams = [stream(seed, f"epochs.bouts.{name}") for name in worn.people]
    normal = np.concatenate([rng.standard_normal(n) for rng, n in zip(streams, drawn, strict=True)])
    uniform = np.concatenate([rng.random(n) for rng, n in zip(streams, drawn, strict=True)])

    spread = parameters.bout_log_sd
    length = np.maximum(np.rint(np.repeat(typical, bouts) * np.exp(spread * normal - spread**2 / 2.0)), 1.0)
    first = np.cumsum(bouts) - bouts
    ends = np.cumsum(length.astype(np.int64))
    ends -= np.repeat(ends[first] - length[first].astype(np.int64), bouts)
    ends = np.minimum(ends, np.repeat(total, bouts))
    ends[first + bouts - 1] = total
    lengths = np.diff(ends, prepend=0)
    lengths[first] = ends[first]

    real = lengths > 0
    kept = np.add.reduceat(real, first)
    index = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)
    place = (index + uniform[real]) / np.repeat(kept, kept)
    order = np.argsort(np.repeat(3 * day + section[part], kept) + place)
    return kind_of_part[np.repeat(part, kept)][order].astype(np.uint8), lengths[real][order]


def delivered_tables(
    worn: WornEpochs, seed: int, parameters: EpochDays, people_at_once: int = PEOPLE_AT_ONCE
) -> Iterator[pa.Table]:
    """Epochs as delivered, some people at a time: person, epoch_start (milliseconds), activity and speed as text."""
    activities = _words([activity for activity, _, _ in KINDS])
    speeds = _words([speed for _, speed, _ in KINDS])
    for part in _parts(worn, people_at_once):
        kinds, lengths = lay_out(part, seed, parameters)
        person, clock = _who_and_when(part, np.arange(part.epochs.sum()))
        yield pa.table(
            {
                "person": person,
                "epoch_start": clock,
                "activity": _repeat_words(activities, kinds, lengths),
                "speed": _repeat_words(speeds, kinds, lengths),
            }
        )


def lake_tables(
    worn: WornEpochs, seed: int, parameters: EpochDays, people_at_once: int = PEOPLE_AT_ONCE
) -> Iterator[pa.Table]:
    """The same epochs as the lake stores them (``stegvis/storage/bouts.py``)."""
    activities = np.array([ACTIVITIES[activity] for activity, _, _ in KINDS], dtype=np.uint8)
    speeds = np.array([SPEEDS[speed] if speed else 0 for _, speed, _ in KINDS], dtype=np.uint8)
    for part in _parts(worn, people_at_once):
        kinds, first, counts = _merged(part, *lay_out(part, seed, parameters))
        unknown, zero = pa.nulls(len(kinds), pa.bool_()), _the_same(np.zeros(len(kinds), dtype=np.uint8))
        person, clock = _who_and_when(part, first)
        yield pa.table(
            {
                "person": person,
                "start": clock,
                "seconds": (part.epoch_seconds * counts).astype(np.int32),
                "activity": activities[kinds],
                "speed": speeds[kinds],
                "wear_back": unknown,
                "wear_thigh": unknown,
                "epoch_seconds": np.full(len(kinds), part.epoch_seconds, dtype=np.int32),
                "confidence": _the_same(np.full(len(kinds), CERTAIN, dtype=np.uint8)),
                "cadence": zero,
                "centimeters_per_second": zero,
            }
        )


def _the_same(values: Codes) -> pa.Array:
    """A list of one value for each bout (n,): all of its epochs have it."""
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), pa.array(values))


def _merged(worn: WornEpochs, kinds: Codes, lengths: Integers) -> tuple[Codes, Integers, Integers]:
    """Kind, first epoch and number of epochs of bouts, those of a day that follow each other with one kind as one."""
    begins = np.cumsum(lengths) - lengths
    days = worn.counts.sum(axis=2).ravel()
    new = np.isin(begins, np.cumsum(days) - days)
    new[1:] |= kinds[1:] != kinds[:-1]
    first = begins[new]
    return kinds[new], first, np.diff(first, append=lengths.sum())


def _night(lying: Integers, parameters: EpochDays) -> tuple[Integers, Integers]:
    """Epochs of a day's lying before the morning and after the evening."""
    morning = np.floor(lying * parameters.lying_before_morning).astype(np.int64)
    return morning, np.floor(lying * parameters.lying_after_evening).astype(np.int64)


def _parts(worn: WornEpochs, people_at_once: int) -> Iterator[WornEpochs]:
    for start in range(0, worn.people.size, people_at_once):
        yield worn.some(slice(start, start + people_at_once))


def _who_and_when(worn: WornEpochs, epoch: Integers) -> tuple[pa.Array, pa.Array]:
    """Whose each of some epochs (n,) is, as a dictionary, and when it begins (device-local milliseconds).

    Args:
        worn: people whose epochs follow each other, and one person's those of another.
        epoch: their numbers, from 0, ascending.
    """
    milliseconds = 1000 * worn.epoch_seconds
    before = np.cumsum(worn.epochs) - worn.epochs
    start = worn.first_date.astype("datetime64[ms]").astype(np.int64) + milliseconds * (worn.first_epoch - before)
    whose = (np.searchsorted(before, epoch, side="right") - 1).astype(np.int32)
    person = pa.DictionaryArray.from_arrays(pa.array(whose), pa.array(worn.people, type=pa.string()))
    return person, pa.array(start[whose] + milliseconds * epoch).cast(pa.timestamp("ms"))


def _words(words: Sequence[str | None]) -> tuple[npt.NDArray[np.int8], pa.Array]:
    """The index of each kind's word in a dictionary of words, -1 for none, and the dictionary."""
    distinct = sorted({word for word in words if word is not None})
    return np.array([distinct.index(w) if w is not None else -1 for w in words], dtype=np.int8), pa.array(distinct)


def _repeat_words(words: tuple[npt.NDArray[np.int8], pa.Array], kinds: Codes, lengths: Integers) -> pa.DictionaryArray:
    places, distinct = words
    index = np.repeat(places[kinds], lengths)
    blank = index < 0 if (places < 0).any() else None
    return pa.DictionaryArray.from_arrays(pa.array(index, mask=blank), distinct)
