"""absolute_risks: standardized risks, differences and numbers needed of a wave; its ratios by other estimators."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Standardized risks of both exposures and models, and the cross-estimators."""
    from stegvis.analyses.absolute_risks import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="absolute_risks",
    group="analysis",
    description="Standardized risks, risk differences and numbers needed; the same ratios by other estimators.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=PROTOCOL,
    codebook=("participants",),
    kinds=frozenset({"python", "statsmodels"}),
    owner="team:statistics",
)
