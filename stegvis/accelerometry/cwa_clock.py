"""The clock of a CWA recording: its true sampling rate, which stamps are credible, and the times of samples.

Time is read from the stamps, never from a count of samples at the nominal rate: true rates differ from the nominal rate
by up to a few percent. A stamp counts only if that of another sector close by confirms it, and time is never
interpolated across a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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
    start = np.empty(len(good), dtype=np.int64)
    sample_seconds = np.empty(len(good))
    borders = np.concatenate([[0], np.flatnonzero(np.diff(segment)) + 1, [len(good)]])
    for first, end in pairwise(borders.tolist()):
        here = slice(first, end)
        # Positions in the device's own count of samples, in which masked sectors count as full.
        missing = np.diff(good[here], prepend=good[first] - 1) - 1
        ends = np.cumsum(counts[here] + missing * capacity)
        begin = ends - counts[here]
        origin = np.floor(clock.seconds[first])  # small numbers, so that microseconds are exact
        knots, seconds = begin + clock.index[good[here]], clock.seconds[good[here]] - origin
        keep = _not_outlying(knots, seconds, true_hz)
        knots, seconds = knots[keep], seconds[keep]
        at = _interpolate(knots, seconds, np.concatenate([begin, ends]), true_hz)
        length = end - first
        start[here] = np.round((at[:length] + origin) * 1e6).astype(np.int64)
        sample_seconds[here] = (at[length:] - at[:length]) / counts[here]
    return start, sample_seconds


def _not_outlying(knots: NDArray[np.int64], seconds: NDArray[np.float64], true_hz: float) -> NDArray[np.bool_]:
    """Which knots (k,) are within a few samples of where their neighbors place them, and after the previous knot."""
    increasing = np.diff(knots, prepend=knots[0] - 1) > 0
    if len(knots) < 5 or not increasing.all():
        return np.asarray(increasing)
    # Distance from a running median of five, which follows slow changes of the rate.
    drift = seconds - knots / true_hz
    padded = np.concatenate([drift[:2], drift, drift[-2:]])
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.asarray(np.abs(drift - median) <= OUTLYING_SAMPLES / true_hz)


def _interpolate(
    knots: NDArray[np.int64], seconds: NDArray[np.float64], at: NDArray[np.int64], true_hz: float
) -> NDArray[np.float64]:
    """Time at sample positions: linear between knots, and beyond them at the rate of the nearest knots.

    The first stamp is often more than a sector after the first sample, so constant extrapolation would be wrong by more
    than a second.
    """
    if len(knots) == 1:
        return np.asarray(seconds[0] + (at - knots[0]) / true_hz)
    time = np.interp(at, knots, seconds)
    last = min(EXTRAPOLATION_KNOTS, len(knots) - 1)
    for beyond, near, far in ((at < knots[0], 0, last), (at > knots[-1], -1, -1 - last)):
        slope = (seconds[far] - seconds[near]) / (knots[far] - knots[near])
        # Two knots close to each other give an inaccurate rate, whose error would grow with the distance.
        slope = np.clip(slope, (1 - CLOCK_TOLERANCE) / true_hz, (1 + CLOCK_TOLERANCE) / true_hz)
        time[beyond] = seconds[near] + (at[beyond] - knots[near]) * slope
    return time
