"""The clock of a CWA recording: its true sampling rate, which stamps are credible, and the times of samples.

Time is read from the stamps, never from a count of samples at the nominal rate: true rates differ from the nominal rate
by up to a few percent. A stamp counts only if that of another sector close by confirms it, and time is never
interpolated across a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_format import CAPACITIES, CwaError, decode_stamps

# A device's true rate differs from the nominal rate by at most this share; observed differences were below 2.5 %.
RATE_TOLERANCE = 0.05
# Pairs of neighboring sectors needed to estimate it: with fewer, a single wrong stamp could confirm itself.
FEWEST_PAIRS = 3
# Two stamps agree if the time between them equals that of the samples between them at the true rate, within this many
# samples (stamps of old firmware are off by a sample or two) and this share (the rate changes with temperature).
CLOCK_TOLERANCE_SAMPLES = 3.0
CLOCK_TOLERANCE = 0.005
# How many sectors on each side may confirm a stamp.
CONFIRMING_SECTORS = 2
# A stamp further than this from its neighbors' is excluded from the interpolation.
OUTLYING_SAMPLES = 2.5
# Number of knots from which time is extrapolated beyond the first and the last knot of a segment.
EXTRAPOLATION_KNOTS = 25
# Knots compared with their neighbors at a time.
SLAB = 1 << 14
# Samples between the segments of a recording where the positions of all are in one order: more than a stamp may be
# outside of its sector.
FAR_APART = 1 << 20


@dataclass(frozen=True)
class Clock:
    """Each sector's stamp: ``seconds`` since 1970 at sample ``index`` of the sector, which may be outside of it."""

    seconds: NDArray[np.float64]
    index: NDArray[np.int64]


def _fraction(sectors: NDArray[Any]) -> NDArray[np.int64]:
    """Fraction of a second of each stamp, in 1/65536 s; zero where the device recorded whole seconds."""
    raw = sectors["fraction"].astype(np.int64)
    return np.where(raw & 0x8000, (raw & 0x7FFF) << 1, 0)


def stamp_index(sectors: NDArray[Any], nominal_hz: float) -> NDArray[np.int64]:
    """The sample of the sector that each stamp belongs to.

    The device shifts it back by the length of the fraction, for software that ignores fractions.
    """
    return sectors["stamp_index"].astype(np.int64) + ((_fraction(sectors) * int(nominal_hz)) >> 16)


def sector_clock(sectors: NDArray[Any], nominal_hz: float) -> Clock:
    """The stamps of all sectors (k,), ``cwa_format.SECTOR_HEAD``."""
    stamps = decode_stamps(sectors["stamp"])
    seconds = np.where(np.isnat(stamps), 0, stamps.astype(np.int64)) + _fraction(sectors) / 65536
    return Clock(seconds, stamp_index(sectors, nominal_hz))


def _consecutive(sectors: NDArray[Any], earlier: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two sectors belong to one uninterrupted recording, by id and sequence."""
    same = sectors["recording"][earlier] == sectors["recording"][later]
    same &= sectors["sequence"][later].astype(np.int64) - sectors["sequence"][earlier] == later - earlier
    # Only the last sector of a recording may be incomplete; masked sectors in between count as full.
    same &= sectors["count"][earlier] == CAPACITIES[sectors["axes"][earlier]]
    return np.asarray(same)


def true_rate(sectors: NDArray[Any], clock: Clock, usable: NDArray[np.int64], nominal_hz: float) -> float:
    """The recording's true sampling rate by its own clock: the median between neighboring sectors.

    Raises:
        CwaError: it is not close to the nominal rate, or too few neighboring sectors are intact.
    """
    earlier, later = usable[:-1], usable[1:]
    elapsed = clock.seconds[later] - clock.seconds[earlier]
    apart = (later - earlier) * CAPACITIES[sectors["axes"][earlier]] + clock.index[later] - clock.index[earlier]
    fit = _consecutive(sectors, earlier, later) & (elapsed > 0) & (apart > 0)
    rates = apart[fit] / elapsed[fit]
    near = np.abs(rates / nominal_hz - 1) <= RATE_TOLERANCE
    if 2 * near.sum() <= len(rates):
        raise CwaError("no two sectors have clocks that agree with each other and with the sampling rate")
    if near.sum() < FEWEST_PAIRS:
        raise CwaError("too few sectors are intact to determine the sampling rate")
    return float(np.median(rates[near]))


def _agree(
    sectors: NDArray[Any], clock: Clock, earlier: NDArray[np.int64], later: NDArray[np.int64], true_hz: float
) -> NDArray[np.bool_]:
    """Whether two sectors belong to one uninterrupted recording, by id, sequence and clock."""
    capacity = CAPACITIES[sectors["axes"][earlier]]
    expected = ((later - earlier) * capacity + clock.index[later] - clock.index[earlier]) / true_hz
    elapsed = clock.seconds[later] - clock.seconds[earlier]
    tolerance = CLOCK_TOLERANCE * np.abs(expected) + CLOCK_TOLERANCE_SAMPLES / true_hz
    agree = (np.abs(elapsed - expected) <= tolerance) & (elapsed > 0)
    return np.asarray(agree & _consecutive(sectors, earlier, later))


def confirmed_sectors(
    sectors: NDArray[Any], clock: Clock, usable: NDArray[np.int64], true_hz: float
) -> NDArray[np.bool_]:
    """Which usable sectors (k,) have a stamp that agrees with that of another sector close by.

    Otherwise a wrong stamp with a correct checksum would silently place its samples at a wrong time.
    """
    confirmed = np.zeros(len(usable), dtype=bool)
    for distance in range(1, min(CONFIRMING_SECTORS, len(usable) - 1) + 1):
        agree = _agree(sectors, clock, usable[:-distance], usable[distance:], true_hz)
        confirmed[:-distance] |= agree
        confirmed[distance:] |= agree
    return confirmed


def follows_previous(sectors: NDArray[Any], clock: Clock, good: NDArray[np.int64], true_hz: float) -> NDArray[np.bool_]:
    """Whether each good sector (k,) continues the previous good one without a gap; false for the first."""
    return np.concatenate([[False], _agree(sectors, clock, good[:-1], good[1:], true_hz)])


def sector_times(
    clock: Clock,
    good: NDArray[np.int64],
    segment: NDArray[np.int64],
    counts: NDArray[np.int64],
    capacity: int,
    true_hz: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Time of the first sample of each good sector (k,), microseconds since 1970, and its seconds per sample (k,).

    Args:
        clock: the stamps of all sectors.
        good: (k,) numbers of the good sectors.
        segment: (k,) number of the segment of each.
        counts: (k,) samples of each.
        capacity: samples of a full sector.
        true_hz: true sampling rate.
    """
    # For all segments at once: a damaged file may have a hundred thousand.
    opens = np.diff(segment, prepend=segment[:1] - 1) != 0
    number = np.cumsum(opens) - 1
    first = np.flatnonzero(opens)
    # Positions in the device's own count of samples, in which masked sectors count as full. Every segment begins far
    # from the one before it, so that one order of positions holds all of them.
    missing = np.where(opens, 0, np.diff(good, prepend=good[:1] - 1) - 1)
    ends = np.cumsum(counts + missing * capacity + np.where(opens, FAR_APART, 0))
    begin = ends - counts
    origin = np.floor(clock.seconds[good[first]])[number]  # small numbers, so that microseconds are exact
    knots, seconds = begin + clock.index[good], clock.seconds[good] - origin
    keep = _not_outlying(knots, seconds, first, number, true_hz)
    kept = knots[keep], seconds[keep], number[keep]
    at = _interpolate(*kept, np.concatenate([begin, ends]), np.tile(number, 2), true_hz)
    from_begin, from_end = at[: len(good)], at[len(good) :]
    start = np.round((from_begin + origin) * 1e6).astype(np.int64)
    return start, (from_end - from_begin) / counts


def _not_outlying(
    knots: NDArray[np.int64],
    seconds: NDArray[np.float64],
    first: NDArray[np.int64],
    number: NDArray[np.int64],
    true_hz: float,
) -> NDArray[np.bool_]:
    """Which knots (k,) are within a few samples of where their neighbors place them, and after the previous knot.

    Args:
        knots, seconds: (k,) positions and times.
        first: the first knot of each segment.
        number: (k,) of each knot's segment.
        true_hz: true sampling rate.
    """
    increasing = np.diff(knots, prepend=knots[:1] - 1) > 0
    increasing[first] = True
    length = np.diff(first, append=len(knots))
    tested = ((length >= 5) & np.logical_and.reduceat(increasing, first))[number]
    # Distance from a running median of five, which follows slow changes of the rate; the two outermost knots count
    # twice at either end of a segment.
    drift = seconds - knots / true_hz
    keep, which = increasing, np.flatnonzero(tested)
    for some in np.array_split(which, len(which) // SLAB + 1):
        segment = number[some]
        position = some[:, None] + np.arange(-2, 3)
        position += 2 * (position < first[segment, None]) - 2 * (position >= (first + length)[segment, None])
        median = np.median(drift[position], axis=1)
        keep[some] = np.abs(drift[some] - median) <= OUTLYING_SAMPLES / true_hz
    keep[first[~np.logical_or.reduceat(keep, first)]] = True
    return np.asarray(keep)


def _interpolate(
    knots: NDArray[np.int64],
    seconds: NDArray[np.float64],
    number: NDArray[np.int64],
    at: NDArray[np.int64],
    at_number: NDArray[np.int64],
    true_hz: float,
) -> NDArray[np.float64]:
    """Time at sample positions: linear between a segment's knots, and beyond them at the rate of the nearest knots.

    The first stamp is often more than a sector after the first sample, so constant extrapolation would be wrong by more
    than a second.

    Args:
        knots, seconds: positions and times.
        number: the segment of each.
        at: positions.
        at_number: the segment of each.
        true_hz: true sampling rate.
    """
    time = np.interp(at, knots, seconds)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    last = np.append(first[1:], len(knots)) - 1
    reach = np.minimum(EXTRAPOLATION_KNOTS, last - first)
    for near, far, beyond in (
        (first, first + reach, at < knots[first][at_number]),
        (last, last - reach, at > knots[last][at_number]),
    ):
        between = np.where(near == far, 1, knots[far] - knots[near])
        slope = (seconds[far] - seconds[near]) / between
        # Two knots close to each other give an inaccurate rate, whose error would grow with the distance.
        slope = np.clip(slope, (1 - CLOCK_TOLERANCE) / true_hz, (1 + CLOCK_TOLERANCE) / true_hz)
        slope[near == far] = 1 / true_hz
        here = at_number[beyond]
        time[beyond] = seconds[near[here]] + (at[beyond] - knots[near[here]]) * slope[here]
    return np.asarray(time)
