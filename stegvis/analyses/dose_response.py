"""The group ``dose_response``: dose-response curves of the exposures."""

from __future__ import annotations

from stegvis.analyses import spline
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (spline.spline_rows, spline.mutual_spline_rows)
