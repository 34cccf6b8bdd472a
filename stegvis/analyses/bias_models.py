"""The group ``bias_models``: bias from selection, loss to follow-up, missing values and measurement error."""

from __future__ import annotations

from stegvis.analyses import (
    attrition_weighted,
    combined_bias,
    death_bounds,
    follow_up_states,
    imputed,
    misclassified,
    negative_control,
    regression_diluted,
    selection_weighted,
    tipping_points,
)
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (
    attrition_weighted.attrition_weighted_rows,
    selection_weighted.selection_weighted_rows,
    tipping_points.tipping_point_rows,
    imputed.imputed_rows,
    regression_diluted.regression_dilution_rows,
    misclassified.misclassification_rows,
    combined_bias.combined_bias_rows,
    negative_control.negative_control_rows,
    follow_up_states.follow_up_state_rows,
    death_bounds.death_bound_rows,
)
