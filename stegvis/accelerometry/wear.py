"""Detect when a sensor was not worn.

A sensor that is not worn is stationary and cools. Stillness for more than 90 minutes is the criterion of Acti4 (Skotte
et al., J Phys Act Health 2014;11(1):76-84, doi 10.1123/jpah.2011-0347); temperature distinguishes sleep from non-wear
as in Zhou et al., BMJ Open 2015;5(5):e007447, doi 10.1136/bmjopen-2014-007447; short wear between long non-wear is
treated as transport as in GGIR (van Hees et al., PLoS One 2013;8(4):e61691, doi 10.1371/journal.pone.0061691). The
thresholds are in ``protocol.wear``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.summaries import Summary
from stegvis.study.protocol import WearRules

Booleans = NDArray[np.bool_]

# SD (g) above which a sensor certainly moves with a person, and windows (ten minutes) needed to know skin temperature.
MOVING_SD_G = 0.03
FEWEST_MOVING = 60
# Skin temperature is this quantile while moving; it is lower while the sensor is put on and in transport.
SKIN_QUANTILE = 0.75
# A sensor that warms by this much from four minutes before to one minute after (in windows) was just put on, even if it
# is stationary.
WARMING_CELSIUS = 1.0
WARMING_BEFORE, WARMING_AHEAD = 24, 6
# Removing one island of wear may turn its neighbors into islands.
PASSES = 3


def worn(summary: Summary, rules: WearRules) -> Booleans:
    """Whether the sensor was worn in each window (k,)."""
    skin = skin_temperature(summary, rules)
    still = summary.activity < rules.still_sd_g
    still |= _bumps(~still, _cool(summary.temperature, skin, rules), summary, rules)
    off = np.zeros(len(still), dtype=bool)
    starts, ends = _stretches(still)
    minutes = (summary.end[ends - 1] - summary.start[starts]) / 60
    long = minutes >= rules.still_minutes_if_cooled
    for start, end, lasted in zip(starts[long], ends[long], minutes[long], strict=True):
        off[start:end] = lasted >= _minutes_to_be_off(summary.temperature[start:end], skin, rules)
    if skin is not None:
        off = _long_enough(off & ~_warming(summary.temperature), summary, rules)
    for _ in range(PASSES):
        off = _without_islands(off, summary, skin, rules)
    return ~off


def skin_temperature(summary: Summary, rules: WearRules) -> float | None:
    """Temperature of the worn sensor, degrees Celsius; ``None`` if it cannot be determined."""
    moving = summary.temperature[summary.activity > MOVING_SD_G]
    if len(moving) < FEWEST_MOVING:
        return None
    skin = float(np.quantile(moving, SKIN_QUANTILE))
    return skin if skin >= rules.coldest_skin_celsius else None


def worn_at(summary: Summary, worn_windows: Booleans, seconds: NDArray[np.float64]) -> Booleans:
    """Whether the sensor was worn at times (m,); times that no window covers take the last window before them."""
    window = np.searchsorted(summary.start, seconds, side="right") - 1
    return np.asarray(worn_windows[np.maximum(window, 0)])


def _cool(temperature: NDArray[np.float32], skin: float | None, rules: WearRules) -> Booleans:
    """Whether temperatures (k,) are too low for a worn sensor; never, if skin temperature is unknown."""
    if skin is None:
        return np.zeros(len(temperature), dtype=bool)
    return np.asarray(temperature <= skin - rules.cooling_celsius)


def _bumps(moving: Booleans, cool: Booleans, summary: Summary, rules: WearRules) -> Booleans:
    """Short movements of a cool sensor. They do not end non-wear, whereas turning in bed (warm) does end stillness."""
    starts, ends = _stretches(moving)
    short = summary.end[ends - 1] - summary.start[starts] < rules.longest_bump_seconds
    cooled = np.concatenate([[0], np.cumsum(cool)])
    chosen = short & (cooled[ends] - cooled[starts] == ends - starts)
    return np.repeat(chosen, ends - starts)[np.cumsum(moving) - 1] & moving if len(starts) else moving


def _minutes_to_be_off(temperature: NDArray[np.float32], skin: float | None, rules: WearRules) -> float:
    """How long a stretch of stillness must last to count as non-wear."""
    if skin is None:
        return rules.still_minutes
    # A sensor takes minutes to cool, so only the second half is considered.
    cooled = np.median(_cool(temperature[len(temperature) // 2 :], skin, rules)) == 1
    return rules.still_minutes_if_cooled if cooled else rules.still_minutes_if_warm


def _warming(temperature: NDArray[np.float32]) -> Booleans:
    """Whether the sensor is warming up, in each window (k,)."""
    window = np.arange(len(temperature))
    before, ahead = np.maximum(window - WARMING_BEFORE, 0), np.minimum(window + WARMING_AHEAD, len(window) - 1)
    return np.asarray(temperature[ahead] - temperature[before] >= WARMING_CELSIUS)


def _long_enough(off: Booleans, summary: Summary, rules: WearRules) -> Booleans:
    """Non-wear without fragments that are too short."""
    starts, ends = _stretches(off)
    long = summary.end[ends - 1] - summary.start[starts] >= 60 * rules.still_minutes_if_cooled
    kept = np.zeros_like(off)
    for start, end in zip(starts[long], ends[long], strict=True):
        kept[start:end] = True
    return kept


def _without_islands(off: Booleans, summary: Summary, skin: float | None, rules: WearRules) -> Booleans:
    """Non-wear including short, cool wear between longer non-wear."""
    joined = off.copy()
    starts, ends = _stretches(off)
    hours = (summary.end[ends - 1] - summary.start[starts]) / 3600
    for number in range(len(starts) - 1):
        island = slice(ends[number], starts[number + 1])
        length = (summary.start[island.stop] - summary.end[island.start - 1]) / 3600
        around = hours[number] + hours[number + 1]
        warm = skin is not None and not _cool(np.median(summary.temperature[island], keepdims=True), skin, rules)[0]
        if not warm and any(length < longest and length < share * around for longest, share in rules.islands):
            joined[island] = True
    return joined


def _stretches(mask: Booleans) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First position, and one past the last, of each run of true values."""
    change = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return change[::2], change[1::2]
