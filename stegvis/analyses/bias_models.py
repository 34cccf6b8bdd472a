"""The group ``bias_models``: how much of an association those lost, missing values and error of measurement could make.

Belongs here: the list of its analyses. Does not belong here: the analyses.
"""

from __future__ import annotations

from stegvis.analyses import (
    attrition_weighted,
    imputed,
    misclassified,
    negative_control,
    regression_diluted,
    tipping_points,
)
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (
    attrition_weighted.attrition_weighted_rows,
    tipping_points.tipping_point_rows,
    imputed.imputed_rows,
    regression_diluted.regression_dilution_rows,
    misclassified.misclassification_rows,
    negative_control.negative_control_rows,
)
