"""The group ``risk_ratios``: the published models of both exposures, and what follows from them directly.

Belongs here: the list of its analyses. Does not belong here: the analyses.
"""

from __future__ import annotations

from study.analyses import main_models
from study.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (main_models.main_rows, main_models.trend_rows)
