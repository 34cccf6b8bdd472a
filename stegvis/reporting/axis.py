"""Axes of figures: round ends that figures of one kind share, and round ticks whose labels do not collide."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from stegvis.reporting.formatting import is_missing

# Ends of an axis of ratios. Few are possible, so that figures of one kind have the same axis even when each is drawn
# without knowledge of the others. An interval that goes further is cut off, with an arrow.
LOW_ENDS = (0.8, 0.6, 0.5, 0.33, 0.2, 0.1, 0.05)
HIGH_ENDS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
# Free space between a mark and the end of the axis, as a factor.
SPACE = 1.02
# Width of a digit of a tick's label and the least gap between two labels, px.
DIGIT, GAP = 7.8, 8.0
# Height of a label of a vertical axis with its gap, px.
LINE = 22.0
# Steps of a logarithmic axis as values, from which powers of ten follow, or as distances from 1.
PER_DECADE = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0))
# More ticks say nothing more.
MOST = 9
DISTANCES = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01)

Place = Callable[[float, tuple[float, float]], float]


def ratio_domain(values: Iterable[float | None]) -> tuple[float, float]:
    """The ends of a logarithmic axis that shows these ratios and 1.

    Args:
        values: estimates and limits; missing ones are ignored.

    Returns:
        The nearest ends of ``LOW_ENDS`` and ``HIGH_ENDS`` beyond all of them; the last ones where there is none.
    """
    known = [float(value) for value in values if value is not None and not is_missing(value) and value > 0]
    low, high = min([1.0, *known]), max([1.0, *known])
    return (
        next((end for end in LOW_ENDS if end * SPACE <= low), LOW_ENDS[-1]),
        next((end for end in HIGH_ENDS if end >= high * SPACE), HIGH_ENDS[-1]),
    )


def round_range(low: float, high: float) -> tuple[float, float]:
    """The nearest round ends of a linear axis around two values, so that similar figures have the same axis."""
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(each * step for each in (0.1, 0.2, 0.5, 1.0) if (high - low) / (each * step) <= 10.0 + 1e-9)
    return float(tick_label(math.floor(low / step + 1e-9) * step)), float(
        tick_label(math.ceil(high / step - 1e-9) * step)
    )


def log_share(value: float, domain: tuple[float, float]) -> float:
    """Where a value is on a logarithmic axis, from 0 at its low end to 1; values beyond the ends are at the ends."""
    low, high = domain
    return min(1.0, max(0.0, math.log(max(value, low) / low) / math.log(high / low)))


def share(value: float, domain: tuple[float, float]) -> float:
    """Where a value is on a linear axis, from 0 to 1; values beyond the ends are at the ends."""
    low, high = domain
    return min(1.0, max(0.0, (value - low) / (high - low)))


def log_ticks(low: float, high: float, pixels: float, upright: bool = False) -> list[float]:
    """As many round values as there is space for on a logarithmic axis; 1 is one of them if it is on the axis.

    Args:
        low, high: its ends, above zero.
        pixels: its length.
        upright: the axis is vertical, so that a label needs its height, not its width.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    sets = [[step * 10.0**power for power in powers for step in steps] for steps in PER_DECADE]
    # Farther apart than a decade.
    sets += [[100.0**power for power in range(-9, 10)], [1.0]]
    for step in DISTANCES:
        if (high - low) / step < 200:
            sets.append([1 + step * number for number in range(math.ceil((low - 1) / step - 1e-9), 200)])
    sets += [[low, 1.0, high], [low, 1.0], [1.0, high]]
    return _most(sets, (low, high), pixels, upright, log_share)


def linear_ticks(low: float, high: float, pixels: float) -> list[float]:
    """As many round values as there is space for on a horizontal linear axis."""
    power = math.floor(math.log10(high - low))
    steps = sorted(step * 10.0**exponent for step in (1, 2, 5) for exponent in (power - 2, power - 1, power))
    sets = [[step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)] for step in steps]
    return _most(sets, (low, high), pixels, False, share)


def tick_label(value: float) -> str:
    """A value as a person would write it: ``60``, ``2.91``, ``0.5``."""
    return f"{value:.6g}"


def _inside(values: Sequence[float], low: float, high: float) -> list[float]:
    rounded = (float(tick_label(value)) for value in values)
    return sorted({value for value in rounded if low - 1e-9 <= value <= high + 1e-9})


def _most(
    sets: Sequence[Sequence[float]], domain: tuple[float, float], pixels: float, upright: bool, place: Place
) -> list[float]:
    """The set with most values whose labels have space; of equally many, the first."""
    shown = [_inside(values, *domain) for values in sets]
    return max((each for each in shown if _fit(each, domain, pixels, upright, place)), key=len, default=[])


def _fit(values: Sequence[float], domain: tuple[float, float], pixels: float, upright: bool, place: Place) -> bool:
    """Whether there are not too many, and the labels of neighbors are apart."""
    for one, other in pairwise(values):
        needed = LINE if upright else (len(tick_label(one)) + len(tick_label(other))) * DIGIT / 2 + GAP
        if (place(other, domain) - place(one, domain)) * pixels < needed:
            return False
    return len(values) <= MOST
