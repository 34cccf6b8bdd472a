"""dose_response: curves over the exposures of a wave."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Restricted cubic splines of both exposures."""
    from stegvis.analyses.dose_response import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="dose_response",
    group="analysis",
    description="Dose-response curves: restricted cubic splines of both exposures, with tests of their shape.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=(*PROTOCOL, "spline"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
