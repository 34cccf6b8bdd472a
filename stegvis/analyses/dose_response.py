"""The group ``dose_response``: dose-response curves of the exposures, and the risk with somewhat more of them."""

from __future__ import annotations

from stegvis.analyses import shifted, spline
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (spline.spline_rows, spline.mutual_spline_rows, shifted.shifted_rows)
