"""What another wave would add: intervals to expect, ratios to detect, waves to wait.

Belongs here: closed forms from a standard error and counts of events. Does not belong here: how many events to expect
(``stegvis.analyses.projection``).

The variance of a log risk ratio is nearly 1/events of its two groups, so with more events of the same kind it falls in
proportion. Answers of the same person again say less than those of a new one: the projection is then an optimistic one.
"""

from __future__ import annotations

import math
from statistics import NormalDist


def projected_error(std_error: float, events: float, more: float) -> float:
    """The standard error of a log ratio after ``more`` events besides the ``events`` it now rests on.

    Raises:
        ValueError: there are no events now, or fewer are to come than none.
    """
    if not (events > 0 and more >= 0):
        raise ValueError("a projection needs events now, and none can be taken away")
    return std_error * math.sqrt(events / (events + more))


def detectable_ratio(std_error: float, confidence: float, power: float) -> float:
    """The ratio below 1 that a two-sided test would find with this power; its inverse is the one above 1."""
    return math.exp(-_distance(confidence, power) * std_error)


def waves_needed(
    log_ratio: float, std_error: float, events: float, per_wave: float, confidence: float, power: float
) -> int:
    """How many further waves of ``per_wave`` events until a ratio, if true, would be found with this power; 0 if now.

    Raises:
        ValueError: there are no events now or to come, or the ratio is 1, which no number of waves finds.
    """
    if not (events > 0 and per_wave > 0):
        raise ValueError("a projection needs events now and to come")
    if log_ratio == 0:
        raise ValueError("a ratio of 1 is never found")
    times = (_distance(confidence, power) * std_error / log_ratio) ** 2
    # Rounded, or the last digit of the division could ask for one wave more.
    return max(0, math.ceil(round((times - 1) * events / per_wave, 9)))


def _distance(confidence: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(power)
