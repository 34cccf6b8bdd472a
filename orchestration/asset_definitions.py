"""The assets of a home as Dagster definitions, for the code location and for a refresh in this process."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.building.graph import recipes
from stegvis.assets.building.publish import as_asset
from stegvis.assets.building.resources import StegvisHome
from stegvis.assets.building.sources import sources
from stegvis.storage.home import Home
from stegvis.study.protocol import protocol


def asset_definitions(home: Home, automation: dg.AutomationCondition[dg.AssetKey] | None = None) -> dg.Definitions:
    """The landing zone's sources, every asset with its checks, and the resource that all of them use.

    Args:
        home: the home they are made in.
        automation: the condition on which the daemon makes them.
    """
    stages = [as_asset(recipe, recipes(), automation) for recipe in recipes().values()]
    return dg.Definitions(
        assets=[*sources(protocol()), *stages],
        resources={"stegvis": StegvisHome.of(home)},
        executor=dg.in_process_executor,
    )
