"""The assets of a home as Dagster definitions, for the code location and for a refresh in this process."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from stegvis.assets.graph import ASSETS
from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.storage.home import Home
from stegvis.study.study import Study

# What readers see: too old after as many days as the protocol says.
PUBLISHED = ("report", "release")


def asset_definitions(home: Home, automation: dg.AutomationCondition[dg.AssetKey] | None = None) -> dg.Definitions:
    """The landing zone's sources, every asset with its checks, and the resource that all of them use.

    Args:
        home: the home they are made in.
        automation: the condition on which the daemon makes them.
    """
    # The graph is shown before a home has a study, too.
    freshness = Study.of(home.root).protocol.freshness if home.study.is_dir() else None
    sources = [
        _watched(source, freshness.days(delivery) if freshness else None) for delivery, source in SOURCES.items()
    ]
    released = freshness.release if freshness else None

    def scheduled(spec: dg.AssetSpec) -> dg.AssetSpec:
        watched = _watched(spec, released) if spec.key.to_user_string() in PUBLISHED else spec
        return watched.replace_attributes(automation_condition=automation)

    made = [asset.map_asset_specs(scheduled) for asset in ASSETS]
    return dg.Definitions(
        assets=[*sources, *made],
        resources={"home": StegvisHome(root=str(home.root), landing_zone=str(home.landing))},
        executor=dg.in_process_executor,
    )


def _watched(spec: dg.AssetSpec, days: float | None) -> dg.AssetSpec:
    """An asset that is overdue after so many days without a new materialization."""
    policy = dg.FreshnessPolicy.time_window(timedelta(days=days)) if days else None
    return spec.replace_attributes(freshness_policy=policy)
