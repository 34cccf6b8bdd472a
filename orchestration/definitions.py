"""The code location: everything the Dagster UI shows. An assembly layer only; each part lives in its own module."""

from datetime import timedelta

import dagster as dg

from stegvis.assets.graph import ASSETS
from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.orchestration.automation import OutOfStep, automation_sensor
from stegvis.orchestration.landing_sensor import landing_sensor
from stegvis.orchestration.nightly import nightly
from stegvis.storage.home import Home
from stegvis.study.study import Study


def build_definitions(home: Home) -> dg.Definitions:
    """Every asset and its checks, what watches over them, and when, on a home."""
    job, schedule = nightly(home)
    freshness = Study.shipped().protocol.freshness
    sources = [watched(source, freshness.days(delivery)) for delivery, source in SOURCES.items()]
    condition = OutOfStep(home)
    made = [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=condition)) for asset in ASSETS
    ]
    return dg.Definitions(
        assets=[*sources, *made],
        resources={"home": StegvisHome.of(home)},
        executor=dg.in_process_executor,
        jobs=[job],
        schedules=[schedule],
        sensors=[landing_sensor(home), automation_sensor()],
    )


def watched(source: dg.AssetSpec, days: float | None) -> dg.AssetSpec:
    """A kind of delivery that is overdue after so many days without one."""
    policy = dg.FreshnessPolicy.time_window(timedelta(days=days)) if days else None
    return source.replace_attributes(freshness_policy=policy)


defs = build_definitions(Home.find())
