"""The code location: everything the Dagster UI shows. An assembly layer only; each part lives in its own module."""

import dagster as dg

from stegvis.orchestration.asset_definitions import asset_definitions
from stegvis.orchestration.automation import NeedsBuilding, automation_sensor
from stegvis.orchestration.landing_sensor import landing_sensor
from stegvis.orchestration.monitoring.sensor import alerts_sensor
from stegvis.orchestration.nightly import nightly
from stegvis.orchestration.sqlite import keep_connections
from stegvis.storage.home import Home


def build_definitions(home: Home) -> dg.Definitions:
    """Every asset and its checks, what watches over them, and when, on a home."""
    # A run that the daemon starts is a process of its own, which loads these definitions first.
    keep_connections()
    job, schedule = nightly(home)
    sensors = [landing_sensor(home), automation_sensor(home), alerts_sensor(home)]
    when = dg.Definitions(jobs=[job], schedules=[schedule], sensors=sensors)
    return dg.Definitions.merge(asset_definitions(home, NeedsBuilding(home)), when)


defs = build_definitions(Home.find())
