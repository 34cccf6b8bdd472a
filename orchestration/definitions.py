"""The code location: everything the Dagster UI shows. An assembly layer only; each part lives in its own module."""

import dagster as dg

from stegvis.assets.building.graph import recipes
from stegvis.assets.building.publish import as_asset
from stegvis.assets.building.resources import StegvisHome
from stegvis.assets.building.sources import sources
from stegvis.orchestration.automation import OutOfStep, automation_sensor
from stegvis.orchestration.landing_sensor import landing_sensor
from stegvis.orchestration.nightly import nightly
from stegvis.orchestration.sqlite import keep_connections
from stegvis.storage.home import Home
from stegvis.study.protocol import protocol


def build_definitions(home: Home) -> dg.Definitions:
    """Every asset and its checks, what watches over them, and when, on a home."""
    # A run that the daemon starts is a process of its own, which loads these definitions first.
    keep_connections()
    job, schedule = nightly(home)
    stages = [as_asset(recipe, recipes(), OutOfStep(home)) for recipe in recipes().values()]
    return dg.Definitions(
        assets=[*sources(protocol()), *stages],
        resources={"stegvis": StegvisHome.of(home)},
        executor=dg.in_process_executor,
        jobs=[job],
        schedules=[schedule],
        sensors=[landing_sensor(home), automation_sensor()],
    )


defs = build_definitions(Home.find())
