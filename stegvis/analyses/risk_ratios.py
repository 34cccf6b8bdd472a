"""The group ``risk_ratios``: the published models of both exposures, and what follows from them directly."""

from __future__ import annotations

from stegvis.analyses import additive, interaction, joint, main_models, mutual, secondary_outcomes, strata
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (
    main_models.main_and_quality_rows,
    main_models.other_cuts_rows,
    main_models.trend_rows,
    mutual.mutual_rows,
    joint.joint_rows,
    additive.additive_rows,
    strata.within_intensity_rows,
    strata.within_volume_rows,
    strata.stratified_rows,
    interaction.interaction_rows,
    secondary_outcomes.secondary_outcome_rows,
)
