"""risk_ratios: the published models of a wave."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Risk ratios of both exposures, in everyone and in parts, with trends, interactions and tests."""
    from stegvis.analyses.risk_ratios import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="risk_ratios",
    group="analysis",
    description="The published models: risk ratios in everyone and in parts, trends, joint table, interaction.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=(*PROTOCOL, "covariates.older_from_age", "additive_interaction"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
