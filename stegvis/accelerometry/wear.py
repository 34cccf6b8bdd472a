"""When a sensor was taken off.

A sensor that lies somewhere is still, and cools. Stillness for more than 90 minutes is the rule of Acti4 (Skotte et
al., J Phys Act Health 2014;11(1):76-84, doi 10.1123/jpah.2011-0347); that temperature tells sleep from absence follows
Zhou et al., BMJ Open 2015;5(5):e007447, doi 10.1136/bmjopen-2014-007447; short wear amid absence is taken for transport
as in GGIR (van Hees et al., PLoS One 2013;8(4):e61691, doi 10.1371/journal.pone.0061691). Numbers: ``protocol.wear``.

Belongs here: wear of one sensor. Does not belong here: what both sensors' wear means for an epoch (``chain``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.summaries import Summary
from stegvis.study.protocol import protocol

Booleans = NDArray[np.bool_]

# A sensor that certainly moves with a person, g; and windows (ten minutes) of it needed to know skin temperature.
MOVING_SD_G = 0.03
FEWEST_MOVING = 60
# Temperature while moving is read at this quantile: while it is put on, and in transport, it is lower.
SKIN_QUANTILE = 0.75
# A sensor that grows warmer by this much from four minutes ago to one minute ahead (windows) was just put on, still as
# it may be.
WARMING_CELSIUS = 1.0
WARMING_BEFORE, WARMING_AHEAD = 24, 6
# Removing one island may make another one of its neighbors.
PASSES = 3


def worn(summary: Summary) -> Booleans:
    """Whether the sensor was worn in each window (k,)."""
    rules = protocol().wear
    skin = skin_temperature(summary)
    still = summary.activity < rules.still_sd_g
    still |= _bumps(~still, _cool(summary.temperature, skin), summary)
    off = np.zeros(len(still), dtype=bool)
    starts, ends = _stretches(still)
    minutes = (summary.end[ends - 1] - summary.start[starts]) / 60
    long = minutes >= rules.still_minutes_if_cooled
    for start, end, lasted in zip(starts[long], ends[long], minutes[long], strict=True):
        off[start:end] = lasted >= _minutes_to_be_off(summary.temperature[start:end], skin)
    if skin is not None:
        off = _long_enough(off & ~_warming(summary.temperature), summary)
    for _ in range(PASSES):
        off = _without_islands(off, summary, skin)
    return ~off


def skin_temperature(summary: Summary) -> float | None:
    """Temperature of the worn sensor, degrees Celsius; ``None`` if the recording cannot tell."""
    moving = summary.temperature[summary.activity > MOVING_SD_G]
    if len(moving) < FEWEST_MOVING:
        return None
    skin = float(np.quantile(moving, SKIN_QUANTILE))
    return skin if skin >= protocol().wear.coldest_skin_celsius else None


def worn_at(summary: Summary, worn_windows: Booleans, seconds: NDArray[np.float64]) -> Booleans:
    """Whether the sensor was worn at times (m,); what no window covers is as in the last window before."""
    window = np.searchsorted(summary.start, seconds, side="right") - 1
    return np.asarray(worn_windows[np.maximum(window, 0)])


def _cool(temperature: NDArray[np.float32], skin: float | None) -> Booleans:
    """Whether temperatures (k,) are too low for a worn sensor; nowhere, if the recording cannot tell."""
    if skin is None:
        return np.zeros(len(temperature), dtype=bool)
    return np.asarray(temperature <= skin - protocol().wear.cooling_celsius)


def _bumps(moving: Booleans, cool: Booleans, summary: Summary) -> Booleans:
    """Short movements of a cool sensor: a bump against the table ends no absence, a turn in bed does end stillness."""
    starts, ends = _stretches(moving)
    short = summary.end[ends - 1] - summary.start[starts] < protocol().wear.longest_bump_seconds
    cooled = np.concatenate([[0], np.cumsum(cool)])
    chosen = short & (cooled[ends] - cooled[starts] == ends - starts)
    return np.repeat(chosen, ends - starts)[np.cumsum(moving) - 1] & moving if len(starts) else moving


def _minutes_to_be_off(temperature: NDArray[np.float32], skin: float | None) -> float:
    """How long a stretch of stillness must last to be absence."""
    rules = protocol().wear
    if skin is None:
        return rules.still_minutes
    # It takes minutes to cool: the later half tells.
    cooled = np.median(_cool(temperature[len(temperature) // 2 :], skin)) == 1
    return rules.still_minutes_if_cooled if cooled else rules.still_minutes_if_warm


def _warming(temperature: NDArray[np.float32]) -> Booleans:
    """Whether the sensor is being warmed, in each window (k,)."""
    window = np.arange(len(temperature))
    before, ahead = np.maximum(window - WARMING_BEFORE, 0), np.minimum(window + WARMING_AHEAD, len(window) - 1)
    return np.asarray(temperature[ahead] - temperature[before] >= WARMING_CELSIUS)


def _long_enough(off: Booleans, summary: Summary) -> Booleans:
    """Absence without its fragments."""
    starts, ends = _stretches(off)
    long = summary.end[ends - 1] - summary.start[starts] >= 60 * protocol().wear.still_minutes_if_cooled
    kept = np.zeros_like(off)
    for start, end in zip(starts[long], ends[long], strict=True):
        kept[start:end] = True
    return kept


def _without_islands(off: Booleans, summary: Summary, skin: float | None) -> Booleans:
    """Take short wear between longer absences for absence too, unless it was warm."""
    rules = protocol().wear
    joined = off.copy()
    starts, ends = _stretches(off)
    hours = (summary.end[ends - 1] - summary.start[starts]) / 3600
    for number in range(len(starts) - 1):
        island = slice(ends[number], starts[number + 1])
        length = (summary.start[island.stop] - summary.end[island.start - 1]) / 3600
        around = hours[number] + hours[number + 1]
        warm = skin is not None and not _cool(np.median(summary.temperature[island], keepdims=True), skin)[0]
        if not warm and any(length < longest and length < share * around for longest, share in rules.islands):
            joined[island] = True
    return joined


def _stretches(mask: Booleans) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and one past the last position of each run of true."""
    change = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return change[::2], change[1::2]
