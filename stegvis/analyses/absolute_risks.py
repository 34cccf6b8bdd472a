"""The group ``absolute_risks``: absolute risks, the same ratios by other estimators, and overlap of the categories."""

from __future__ import annotations

from stegvis.analyses import cross_estimator, overlap, standardized_risk
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (
    standardized_risk.standardized_risk_rows,
    cross_estimator.cross_estimator_rows,
    overlap.overlap_rows,
)
