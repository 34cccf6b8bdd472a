"""Rounding of counts to multiples of a base.

Rounding is no protection by itself: a count that crosses a boundary between two releases would still reveal that
somebody joined. Numbers are therefore published once (``published``).
"""

from __future__ import annotations

import pandas as pd

from stegvis.study.protocol_publication import Rounding


def rounded(counts: pd.Series, rounding: Rounding, base: int) -> pd.Series:
    """Counts (Int64, missing where suppressed), rounded.

    ``nearest`` gives the nearest multiple of ``base``, halves upward; ``midpoint`` the middle of the multiple that a
    count falls in, and 0 for 0 (OpenSAFELY's midpoint 6: 1 to 6 is 3, 7 to 12 is 9).
    """
    counts = counts.astype("Int64")
    if rounding == "none":
        return counts
    if rounding == "nearest":
        return (2 * counts + base) // (2 * base) * base
    return ((counts + base - 1) // base * base - base // 2).where(counts != 0, 0)
