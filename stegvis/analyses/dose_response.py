"""The group ``dose_response``: curves over the exposures.

Belongs here: the list of its analyses. Does not belong here: the analyses.
"""

from __future__ import annotations

from stegvis.analyses import spline
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (spline.spline_rows, spline.mutual_spline_rows)
