"""Balanced sampling by the cube method: given chances, and totals of chosen variables that come out as expected.

Deville & Tillé 2004, Efficient balanced sampling: the cube method, Biometrika 91:893-912, doi 10.1093/biomet/91.4.893;
the order of its steps is that of Chauvet & Tillé 2006, A fast algorithm for balanced sampling, Computational Statistics
21:53-62, doi 10.1007/s00180-006-0250-2.
"""

from __future__ import annotations

import numpy as np

from stegvis.twin.draws import Flags, Floats, Integers

CERTAIN = 1e-9


def balanced_sample(chance: Floats, variables: Floats, rng: np.random.Generator) -> Flags:
    """Draw a sample in which every unit keeps exactly its own chance, balanced on the variables.

    The drawn units' sum of each variable equals its expected sum, sum(chance * variable), up to the last few units,
    which are settled by giving up the variables one by one from the last. A first column of ones whose expected sum is
    whole makes the sample's size exact.

    Args:
        chance: (n,) probabilities of being drawn.
        variables: (n, q) what to balance on, the most important first.

    Raises:
        ValueError: a chance is no probability, or the rows do not fit.
    """
    if len(variables) != len(chance) or not np.all((chance >= 0.0) & (chance <= 1.0)):
        raise ValueError("each unit needs a chance from 0 to 1 and a row of variables")
    now = chance.astype(np.float64)
    scale = np.abs(variables).max(axis=0, initial=0.0)
    scaled = variables / np.where(scale > 0.0, scale, 1.0)
    left = rng.permutation(np.flatnonzero((now > CERTAIN) & (now < 1.0 - CERTAIN)))
    for kept in range(variables.shape[1], 0, -1):
        left = _fly(now, scaled[:, :kept], left, rng)
    for unit in left:
        now[unit] = float(rng.random() < now[unit])
    return np.asarray(now > 0.5)


def _fly(now: Floats, variables: Floats, left: Integers, rng: np.random.Generator) -> Integers:
    """Move the chances (in place) within the balancing plane until too few are open; returns who is still open."""
    size = variables.shape[1] + 1
    if left.size < size:
        return left
    draws = iter(rng.random(left.size).tolist())
    open_units, following = left[:size].copy(), size
    A, p = variables[open_units], now[open_units]
    while True:
        step = _direction(A)
        moves = np.flatnonzero(np.abs(step) > CERTAIN)
        by, at = step[moves], p[moves]
        # How far each chance can move along the direction, in either sense, until it is 0 or 1.
        to_one, to_zero = (1.0 - at) / by, -at / by
        forth, back = float(np.maximum(to_one, to_zero).min()), float(-np.minimum(to_one, to_zero).max())
        # A martingale: the sense is drawn with the chance that keeps every expected value unchanged.
        p += step * (forth if next(draws) * (forth + back) < back else -back)
        settled = np.flatnonzero((p < CERTAIN) | (p > 1.0 - CERTAIN))
        for place in settled.tolist():
            now[open_units[place]] = round(float(p[place]))
            if following == left.size:
                continue
            unit = left[following]
            following += 1
            open_units[place], A[place], p[place] = unit, variables[unit], now[unit]
        if following == left.size and (stuck := (p < CERTAIN) | (p > 1.0 - CERTAIN)).any():
            now[open_units[~stuck]] = p[~stuck]
            return open_units[~stuck]


def _direction(A: Floats) -> Floats:
    """A vector (q + 1,) that changes none of the q balancing totals of the rows A (q + 1, q)."""
    step = np.ones(len(A))
    try:
        step[:-1] = np.linalg.solve(A[:-1].T, -A[-1])
        largest = float(np.abs(step).max())
        # Nearly collinear rows give an inaccurate solution.
        if largest < 1e6:
            return step / largest
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.svd(A.T)[2][-1])
