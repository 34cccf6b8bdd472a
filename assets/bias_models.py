"""bias_models: what those lost, missing covariates and error of measurement could make of a wave's associations."""

from __future__ import annotations

from stegvis.assets.building.analyses import PROTOCOL, UPSTREAM, fitted
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Weights, tipping points, imputation, regression dilution, misclassification, negative controls."""
    from stegvis.analyses.bias_models import ANALYSES

    return fitted(build, ANALYSES)


RECIPE = Recipe(
    name="bias_models",
    group="analysis",
    description="How much those lost, missing covariates, few days and misreported pain could change the estimates.",
    partition="wave",
    upstream=UPSTREAM,
    make=make,
    protocol=(
        *PROTOCOL,
        "attrition_weights",
        "imputation",
        "regression_dilution",
        "misclassification",
        "negative_controls",
    ),
    codebook=("participants",),
    kinds=frozenset({"python", "statsmodels"}),
    owner="team:statistics",
)
