"""time_use_models: how the 24 hours are spent, as minutes and as a composition."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Isotemporal substitution, and reallocation of time around the compositional mean."""
    from stegvis.analyses.time_use_models import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="time_use_models",
    group="analysis",
    description="The 24 hours: risk ratios of time moved between lying, sitting, standing, walking, running, cycling.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=(*PROTOCOL, "time_use", "days.seconds_per_day", "epochs.seconds"),
    codebook=("participants",),
    kinds=frozenset({"python", "statsmodels"}),
    owner="team:statistics",
)
