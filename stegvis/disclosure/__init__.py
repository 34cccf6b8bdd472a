"""Disclosure control: which counts may be published, and which are suppressed.

The modules: which published numbers are which counts and how they add up (``counts``, ``tables``), what an attacker can
infer (``attack``), complementary suppression (``protect``), the sets of people behind published numbers
(``people_sets``, ``overlaps``, ``small_sets``, ``span``), class disclosure (``zeros``), the tables with suppressed
cells (``suppression``), and all of it together for the tables of a wave or of all waves (``control``).

Methods (Hundepool et al. 2012, Statistical Disclosure Control, doi 10.1002/9781118348239). Primary suppression: a count
above zero and below the smallest publishable count is suppressed. Complementary suppression: further counts are
suppressed until nobody can bound a suppressed small count, from everything that is published, more closely than the
protocol's protection width. Differencing: a count that differs from an earlier release's by a small number is treated
in the same way.
"""

from __future__ import annotations

import numpy as np


def primary_rule(smallest_count: int) -> str:
    """The primary rule in words."""
    return f"count below {smallest_count}"


def is_small(counts: np.ndarray, smallest_count: int) -> np.ndarray:
    """Where a count is above zero and below the smallest publishable count; same shape."""
    return (counts > 0) & (counts < smallest_count)
