"""The code location: everything the Dagster UI shows. An assembly layer only; each part lives in its own module."""

import dagster as dg

from assets.building.graph import recipes
from assets.building.publish import as_asset
from assets.building.resources import StegvisHome
from storage.home import Home


def build_definitions(home: Home) -> dg.Definitions:
    """Every asset and its checks, on a home."""
    return dg.Definitions(
        assets=[as_asset(recipe, recipes()) for recipe in recipes().values()],
        resources={"stegvis": StegvisHome.of(home)},
        executor=dg.in_process_executor,
    )


defs = build_definitions(Home.find())
