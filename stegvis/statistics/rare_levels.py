"""Rare levels of a confounder: taken together with their neighbor, so that one of them does not refuse a whole model.

A level with hardly any events has no estimate of its own, and as a confounder it needs none: joined with the level next
to it, what it adjusts for is a little coarser (Greenland, Daniel and Pearce 2016, doi 10.1093/ije/dyw040, on sparse
confounders). Levels of the exposure are never joined: their contrasts are what is reported.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np

Group = tuple[Hashable, ...]
# In the notes of estimates with joined levels.
TAKEN_TOGETHER = "with too few events taken together"


def joined_levels(having: Mapping[Hashable, np.ndarray], y: np.ndarray, minimum: int) -> dict[Group, np.ndarray]:
    """Levels in groups that have enough events and non-events each.

    The first level with too few joins the one before it (toward the reference; the reference joins the one after it),
    and again until every group has enough or all levels are one.

    Args:
        having: who has each level in use (n, bool), in the order of the levels.
        y: n values 0 or 1.
        minimum: smallest number of events and of non-events.

    Returns:
        Who is in each group (n, bool), in order; a group is a tuple of its levels.
    """
    groups: list[tuple[Group, np.ndarray]] = [((level,), people) for level, people in having.items()]
    while len(groups) > 1:
        rare = next((place for place, (_, people) in enumerate(groups) if _few(y[people]) < minimum), None)
        if rare is None:
            break
        first = max(rare - 1, 0)
        (levels, people), (others, more) = groups[first : first + 2]
        groups[first : first + 2] = [((*levels, *others), people | more)]
    return dict(groups)


def _few(y: np.ndarray) -> float:
    return float(min(y.sum(), len(y) - y.sum()))
