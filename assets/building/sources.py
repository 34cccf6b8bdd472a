"""The landing zone in Dagster's graph: what the deliveries' stages are made from.

Belongs here: one external asset per kind of delivery, and the version of its content. Does not belong here: noticing a
delivery (``orchestration/landing_sensor.py``), reading it (the stage's own module).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from stegvis.assets.building.partitions import DEFINITIONS, Kind
from stegvis.assets.building.recipe import fingerprint
from stegvis.assets.building.records import WHOLE_KEY
from stegvis.storage.landing import KINDS, Landing
from stegvis.storage.landing import Kind as Delivery
from stegvis.study.protocol import Protocol

PARTITIONED: dict[Delivery, Kind] = {"followup": "wave", "recordings": "batch"}
_HOLDS: dict[Delivery, str] = {
    "baseline": "Questionnaire and examination at baseline",
    "recordings": "Accelerometer recordings: raw pairs, signals, epochs or day totals",
    "followup": "A wave's follow-up questionnaire",
    "withdrawals": "Lists of people whose consent is withdrawn",
}


def source_key(delivery: str) -> dg.AssetKey:
    """The asset of a kind of delivery."""
    return dg.AssetKey(["landing", delivery])


def sources(protocol: Protocol) -> list[dg.AssetSpec]:
    """What is delivered, as assets that Dagster does not make; a source that should come regularly can be overdue."""
    specs = []
    for delivery in KINDS:
        kind = PARTITIONED.get(delivery)
        days = protocol.freshness.days(delivery)
        specs.append(
            dg.AssetSpec(
                source_key(delivery),
                group_name="deliveries",
                description=f"{_HOLDS[delivery]}, as it lies in the landing zone (`{delivery}/`).",
                kinds={"file"},
                owners=["team:data"],
                partitions_def=DEFINITIONS[kind] if kind else None,
                freshness_policy=dg.FreshnessPolicy.time_window(timedelta(days=days)) if days else None,
            )
        )
    return specs


def contents(landing: Landing) -> dict[tuple[Delivery, str], str]:
    """The version of the accepted deliveries of each kind and partition ('' where a kind has none)."""
    drops: dict[tuple[Delivery, str], list[str]] = {}
    for drop in landing.accepted:
        key = drop.partition if drop.kind in PARTITIONED else WHOLE_KEY
        drops.setdefault((drop.kind, key or WHOLE_KEY), []).append(f"{drop.name} {drop.digest}")
    return {place: fingerprint({str(n): drop for n, drop in enumerate(found)}) for place, found in drops.items()}
