"""Every stage, in the order the data flows.

Belongs here: the list of recipes. A new stage is a module in ``assets/`` and a line here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from stegvis.assets.building.recipe import Recipe

# Stages with the same partitions stand together where the flow allows: a refresh runs them as one Dagster run.
STAGES = (
    "withdrawals",
    "baseline_questionnaire",
    "recordings",
    "epoch_classification",
    "daily_exposures",
    "cohort",
    "walking_exposures",
    "followup_questionnaire",
    "outcome_questionnaire",
    "exclusions",
    "attrition",
    "eligible_people",
    "analysis_set",
    "risk_ratios",
    "absolute_risks",
    "bias_models",
    "dose_response",
    "sensitivity_models",
    "time_use_models",
    "fitted_models",
    "characteristics",
    "disclosure",
    "claims",
    "report",
    "wave_drift",
    "pooled_models",
    "release",
)


@cache
def recipes() -> dict[str, Recipe]:
    """The recipe of each stage by name, upstream before downstream."""
    found = {name: import_module(f"stegvis.assets.{name}").RECIPE for name in STAGES}
    seen: set[str] = set()
    for name, recipe in found.items():
        unknown = set(recipe.upstream) - seen
        if recipe.name != name or unknown:
            raise ValueError(f"the stage {name} is misnamed or stands before what it is made from: {sorted(unknown)}")
        seen.add(name)
    return found
