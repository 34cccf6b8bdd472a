"""Disclosure control: which counts may leave, and which must not.

Belongs here: what a small count is; in the modules, which released numbers are which counts and how they add up
(``counts``, ``tables``), what an attacker can work out (``attack``), what is held back so that he cannot
(``protect``, ``earlier``), the tables without it (``taking_out``) or as they were told before (``kept``), and which of
both leaves (``leaving``). Does not belong here: computing the tables, files.

The rules (Hundepool et al. 2012, Statistical Disclosure Control, doi 10.1002/9781118348239). Primary: a count above
zero and below the smallest that may be told is hidden. Complementary: so are further counts, until nobody can bound a
hidden small count, from all that is told together, more closely than the protocol's protection width. Differencing: a
count that differs from an earlier release's by a small number is treated alike.
"""

from __future__ import annotations

import numpy as np


def primary_rule(smallest_count: int) -> str:
    """The primary rule in words."""
    return f"count below {smallest_count}"


def is_small(counts: np.ndarray, smallest_count: int) -> np.ndarray:
    """Where a count is above zero and below the smallest that may be told; same shape."""
    return (counts > 0) & (counts < smallest_count)
