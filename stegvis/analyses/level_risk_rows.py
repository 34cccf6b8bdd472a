"""A row of a risk, a difference or a ratio of risks, by any estimator of the risks of an exposure's categories."""

from __future__ import annotations

import math
from dataclasses import replace

from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.level_risks import LevelRisks
from stegvis.statistics.results import ResultRow


def level_risk_row(row: ResultRow, category: int, found: LevelRisks) -> ResultRow:
    """The row of a category with its estimate: ``risk``, ``rd`` or ``rr``, by its measure."""
    if row.measure == "risk":
        # A test of a risk of 0 is meaningless.
        return replace(row.with_estimate(found.risk(category)), p_value=math.nan)
    if category == REFERENCE:
        return replace(row, estimate=0.0 if row.measure == "rd" else 1.0)
    if row.measure == "rd":
        return row.with_estimate(found.risk_difference(category, REFERENCE))
    return row.with_ratio(found.risk_ratio(category, REFERENCE))
