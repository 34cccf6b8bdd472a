"""The group ``sensitivity_models``: the published sensitivity analyses."""

from __future__ import annotations

from stegvis.analyses import sensitivity
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (sensitivity.sensitivity_rows,)
