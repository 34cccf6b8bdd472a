"""withdrawals: people whose consent is withdrawn, gone from every table, file and later release."""

from __future__ import annotations

import pandas as pd

from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import empty, read_drops
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Everyone named in any withdrawal drop."""
    delivered = read_drops(build, "withdrawals", build.drops, file_stem=None)
    frame = empty("withdrawals", "delivery")
    if delivered.frames:
        people = pd.concat(delivered.frames, ignore_index=True).drop_duplicates("person", keep="first")
        frame = people[["person", "delivery"]].sort_values("person", ignore_index=True)
    return Rows(frame, delivered.summary(), delivered.all_problems(), erased_from=("released_people",))


RECIPE = Recipe(
    name="withdrawals",
    group="deliveries",
    description="People whose consent is withdrawn: gone from every table, file and later release.",
    partition=None,
    upstream=(),
    make=make,
    delivery="withdrawals",
    codebook=("withdrawals",),
    kinds=frozenset({"duckdb", "csv"}),
)
