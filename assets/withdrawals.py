"""withdrawals: whose consent is withdrawn, by delivery and row; the people are on the home's list as keyed hashes.

No identifier is in the table. From the next time the warehouse is opened they are gone from every table and file.
"""

from __future__ import annotations

import pandas as pd

from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import empty, read_drops
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.storage.withdrawal_list import add_to_list


def make(build: Build) -> Rows:
    """Everyone named in any withdrawal drop, put on the list of withdrawals."""
    delivered = read_drops(build, "withdrawals", build.drops, file_stem=None)
    frame = empty("withdrawals", "delivery")[["delivery"]].assign(source_row=pd.Series(dtype="int64"))
    if delivered.frames:
        people = pd.concat(delivered.frames, ignore_index=True).drop_duplicates("person", keep="first")
        for drop, named in people.groupby("delivery", sort=False):
            add_to_list(build.home.root, str(drop), named["person"])
        frame = people[["delivery", "source_row"]].sort_values(["delivery", "source_row"], ignore_index=True)
    return Rows(frame, delivered.summary(), delivered.all_problems())


RECIPE = Recipe(
    name="withdrawals",
    group="deliveries",
    description="Whose consent is withdrawn, by delivery and row: gone from every table, file and later release.",
    partition=None,
    upstream=(),
    make=make,
    delivery="withdrawals",
    codebook=("withdrawals",),
    kinds=frozenset({"duckdb", "csv"}),
)
