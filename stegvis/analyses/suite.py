"""Every group of analyses of a wave, by the name of the asset that fits it.

The analyses of a group are listed in its own module, so that a change in one group makes only its own asset stale.
"""

from __future__ import annotations

from collections.abc import Mapping

from stegvis.analyses import (
    absolute_risks,
    bias_models,
    dose_response,
    risk_ratios,
    sensitivity_models,
    time_use_models,
)
from stegvis.analyses.wave_data import Analysis

SUITE: Mapping[str, tuple[Analysis, ...]] = {
    "risk_ratios": risk_ratios.ANALYSES,
    "absolute_risks": absolute_risks.ANALYSES,
    "bias_models": bias_models.ANALYSES,
    "dose_response": dose_response.ANALYSES,
    "sensitivity_models": sensitivity_models.ANALYSES,
    "time_use_models": time_use_models.ANALYSES,
}
