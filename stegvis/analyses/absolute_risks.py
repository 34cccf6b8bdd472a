"""The group ``absolute_risks``: what the ratios mean in people, and the same ratios by other estimators.

Belongs here: the list of its analyses. Does not belong here: the analyses.
"""

from __future__ import annotations

from stegvis.analyses import cross_estimator, standardized_risk
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (
    standardized_risk.standardized_risk_rows,
    cross_estimator.cross_estimator_rows,
)
