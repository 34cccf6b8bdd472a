"""sensitivity_models: the published sensitivity analyses of a wave."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """The main models in other samples, with other covariates, of another outcome."""
    from stegvis.analyses.sensitivity_models import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="sensitivity_models",
    group="analysis",
    description="The published sensitivity analyses: restricted samples, further covariates, the severe outcome.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=(*PROTOCOL, "sensitivity"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
