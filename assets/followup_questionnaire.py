"""followup_questionnaire: canonical columns, one row per answer of a wave."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import newest_per_person, read_drops
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Each person's newest answer in the wave; a correction or late answers are a later drop of the same wave."""
    delivered = read_drops(build, "questionnaire", build.drops, file_stem="questionnaire")
    frame = newest_per_person(build, delivered, "questionnaire")
    frame.insert(0, "wave", build.key)
    return Rows(frame.astype({"wave": "string"}), delivered.summary(), delivered.all_problems())


RECIPE = Recipe(
    name="followup_questionnaire",
    group="deliveries",
    description="A wave's follow-up questionnaire as canonical columns, one row per answer.",
    partition="wave",
    upstream=("withdrawals",),
    make=make,
    delivery="followup",
    codebook=("questionnaire",),
    kinds=frozenset({"duckdb", "csv"}),
)
