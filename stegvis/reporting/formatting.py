"""Formatting of numbers, the same everywhere in the reports: counts, percentages, risk ratios, intervals, p values."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from stegvis.study.protocol import Protocol

NOTHING = "–"


def is_missing(value: Any) -> bool:
    """Whether a cell holds no number: None, NaN, NA, or an infinity."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and not math.isfinite(value)


def count(value: Any) -> str:
    """A count with commas, ``11,194``; a dash when missing."""
    return NOTHING if is_missing(value) else f"{int(value):,}"


def guarded_count(value: Any, smallest_count: int) -> str:
    """A count; between zero and the smallest count, ``fewer than 5``.

    For counts that do not pass through disclosure control, such as failing rows of a check.
    """
    if not is_missing(value) and 0 < value < smallest_count:
        return f"fewer than {smallest_count}"
    return count(value)


def decimal(value: Any, decimals: int = 1) -> str:
    """A mean, standard deviation or percentage; one decimal by default, as in the published tables."""
    return NOTHING if is_missing(value) else f"{float(value):,.{decimals}f}"


def ratio(value: Any) -> str:
    """A risk ratio or E-value with two decimals."""
    return NOTHING if is_missing(value) else f"{float(value):.2f}"


def limit(value: Any) -> str:
    """A limit of a ratio's interval: two decimals, or three where two would print 1.00 for a number that is not 1.

    Otherwise a reader could not see on which side of 1 the interval ends.
    """
    text = ratio(value)
    return f"{float(value):.3f}" if text == "1.00" and float(value) != 1 else text


def interval_name(protocol: Protocol) -> str:
    """The name of the intervals, ``95% CI``, with the level of the protocol."""
    return f"{protocol.models.confidence:.0%} CI"


def limits(low: Any, high: Any) -> str:
    """The two limits of an interval, ``0.77 to 0.98``."""
    return f"{limit(low)} to {limit(high)}"


def interval(low: Any, high: Any, protocol: Protocol) -> str:
    """A confidence interval, ``95% CI 0.77 to 0.98``."""
    return f"{interval_name(protocol)} {limits(low, high)}"


def p_value(value: Any) -> str:
    """A p value, ``p = 0.03`` or ``p < 0.001``.

    Two decimals; three below 0.01, and three where two would print 0.05 (AMA Manual of Style, 11th edition, 19.5).
    """
    if is_missing(value):
        return NOTHING
    number = float(value)
    if number < 0.001:
        return "p < 0.001"
    if number > 0.99:
        return "p > 0.99"
    decimals = 3 if number < 0.01 or f"{number:.2f}" == "0.05" else 2
    return f"p = {number:.{decimals}f}"
