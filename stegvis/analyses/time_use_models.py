"""The group ``time_use_models``: isotemporal substitution and compositional models of the 24-hour day."""

from __future__ import annotations

from stegvis.analyses import composition, isotemporal
from stegvis.analyses.wave_data import Analysis

ANALYSES: tuple[Analysis, ...] = (isotemporal.isotemporal_rows, composition.composition_rows)
