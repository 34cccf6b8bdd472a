"""risk_ratios: the published models of a wave."""

from __future__ import annotations

from assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from assets.building.build import Build
from assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Risk ratios, trends and joint tests of both exposures."""
    from study.analyses.risk_ratios import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="risk_ratios",
    group="analysis",
    description="The published models: age-adjusted and adjusted risk ratios of both exposures, trends, tests.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=PROTOCOL,
    codebook=("participants",),
    kinds=frozenset({"python", "statsmodels"}),
    owner="team:statistics",
)
