"""The group ``time_use_models``: the 24 hours as minutes and as a composition.

Belongs here: the list of its analyses. Does not belong here: the analyses.
"""

from __future__ import annotations

from stegvis.analyses import composition, isotemporal
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (isotemporal.isotemporal_rows, composition.composition_rows)
