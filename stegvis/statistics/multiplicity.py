"""P-values adjusted for the number of estimates that were asked for.

Holm (1979, Scandinavian Journal of Statistics 6(2):65-70) bounds the probability of any false positive; Benjamini and
Hochberg (1995, J R Stat Soc B 57(1):289-300, doi 10.1111/j.2517-6161.1995.tb02031.x) the expected share of false ones
among the positives. Both are those of R's ``p.adjust`` with its argument ``n``: the family keeps its size
whether or not its members could be estimated, so one without a p-value counts as one of 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p_values: Sequence[float], family: int) -> NDArray[np.float64]:
    """Holm's step-down adjustment.

    Args:
        p_values: between 0 and 1; NaN where there is none.
        family: how many estimates were asked for, at least as many as there are p-values.

    Returns:
        The adjusted p-values in the same order, NaN where there was none.

    Raises:
        ValueError: a p-value is outside 0 to 1, or there are more of them than the family has members.
    """
    p, order = _sorted(p_values, family)
    steps = np.maximum.accumulate(np.arange(family, family - len(order), -1) * p[order])
    return _placed(steps, order, len(p))


def benjamini_hochberg(p_values: Sequence[float], family: int) -> NDArray[np.float64]:
    """Benjamini and Hochberg's step-up adjustment, for the false-discovery rate; arguments as for ``holm``.

    Raises:
        ValueError: as for ``holm``.
    """
    p, order = _sorted(p_values, family)
    steps = family / np.arange(1, len(order) + 1) * p[order]
    return _placed(np.minimum.accumulate(steps[::-1])[::-1], order, len(p))


def _sorted(p_values: Sequence[float], family: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The p-values, and the places of those that are there, the smallest first."""
    p = np.asarray(p_values, dtype="float64")
    there = np.flatnonzero(~np.isnan(p))
    if ((p[there] < 0) | (p[there] > 1)).any():
        raise ValueError("a p-value is not between 0 and 1")
    if len(p) > family:
        raise ValueError(f"{len(p)} p-values are more than the family of {family} that was asked for")
    return p, there[np.argsort(p[there], kind="stable")]


def _placed(adjusted: NDArray[np.float64], order: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    found = np.full(size, np.nan)
    found[order] = np.minimum(adjusted, 1.0)
    return found
