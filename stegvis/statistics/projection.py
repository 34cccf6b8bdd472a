"""Projections: expected standard errors, detectable ratios, and the number of waves needed.

Closed forms from a standard error and counts of events.

The variance of a log risk ratio is nearly 1/events of its two groups, so with more events of the same kind it falls in
proportion. Repeated responses of a person are less informative than those of a new person, so the projection is
optimistic.
"""

from __future__ import annotations

import math
from statistics import NormalDist


def projected_error(std_error: float, events: float, more: float) -> float:
    """The standard error of a log ratio with ``more`` events in addition to the current ``events``.

    Raises:
        ValueError: ``events`` is not positive, or ``more`` is negative.
    """
    if not (events > 0 and more >= 0):
        raise ValueError("a projection needs events now, and none can be taken away")
    return std_error * math.sqrt(events / (events + more))


def detectable_ratio(std_error: float, confidence: float, power: float) -> float:
    """The ratio below 1 that a two-sided test detects with this power; its inverse is the one above 1."""
    return math.exp(-_distance(confidence, power) * std_error)


def waves_needed(
    log_ratio: float, std_error: float, events: float, per_wave: float, confidence: float, power: float
) -> int:
    """The number of further waves of ``per_wave`` events until a ratio, if true, is detected with this power; 0 if now.

    Raises:
        ValueError: ``events`` or ``per_wave`` is not positive, or the ratio is 1, which is never detected.
    """
    if not (events > 0 and per_wave > 0):
        raise ValueError("a projection needs events now and to come")
    if log_ratio == 0:
        raise ValueError("a ratio of 1 is never found")
    times = (_distance(confidence, power) * std_error / log_ratio) ** 2
    # Rounded, because the last digit of the division could add one wave.
    return max(0, math.ceil(round((times - 1) * events / per_wave, 9)))


def _distance(confidence: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(power)
