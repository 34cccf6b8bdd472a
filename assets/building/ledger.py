"""What Dagster remembers of each materialization: the memory that decides what is stale.

Belongs here: reading data versions, fingerprints and provenance from the event log, and the inputs of a stage as they
are now. Does not belong here: deciding what to run (``orchestration/plan.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterEventType, DagsterInstance
from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.recipe import Recipe

from stegvis.storage.landing import Drop, Landing

FINGERPRINT_TAG = "stegvis/fingerprint"
PROVENANCE_KEY = "provenance"
_DATA_VERSION_TAG = "dagster/data_version"

WHOLE_KEY = ""


@dataclass(frozen=True)
class Remembered:
    """The last publication of a partition of an asset ('' for the whole)."""

    data_version: str
    fingerprint: str
    provenance: dict[str, str]
    run_id: str = ""
    made_at: float = 0.0


class Ledger:
    """The event log of one instance, read at most once per asset until ``forget`` is called."""

    def __init__(self, instance: DagsterInstance) -> None:
        self.instance = instance
        self._known: dict[str, dict[str, Remembered]] = {}

    def forget(self, asset: str | None = None) -> None:
        """Read an asset (or all) anew at the next question."""
        if asset is None:
            self._known.clear()
        else:
            self._known.pop(asset, None)

    def published(self, recipe: Recipe) -> dict[str, Remembered]:
        """The last publication of each partition of an asset."""
        if recipe.name not in self._known:
            self._known[recipe.name] = self._read(recipe)
        return self._known[recipe.name]

    def _read(self, recipe: Recipe) -> dict[str, Remembered]:
        asset = dg.AssetKey(recipe.name)
        if recipe.partition is None:
            event = self.instance.get_latest_materialization_event(asset)
            found = {WHOLE_KEY: event} if event else {}
        else:
            newest = self.instance.get_latest_storage_id_by_partition(asset, DagsterEventType.ASSET_MATERIALIZATION)
            records = (
                self.instance.fetch_materializations(
                    dg.AssetRecordsFilter(asset_key=asset, storage_ids=list(newest.values())), limit=len(newest)
                ).records
                if newest
                else []
            )
            found = {record.partition_key or WHOLE_KEY: record.event_log_entry for record in records}
        return {key: made for key, event in found.items() if (made := _remembered(event))}


def _remembered(event: dg.EventLogEntry) -> Remembered | None:
    made = event.asset_materialization
    tags = (made.tags if made else None) or {}
    if made is None or FINGERPRINT_TAG not in tags:
        return None
    provenance = made.metadata.get(PROVENANCE_KEY)
    value = provenance.value if isinstance(provenance, dg.JsonMetadataValue) else {}
    return Remembered(
        tags[_DATA_VERSION_TAG],
        tags[FINGERPRINT_TAG],
        dict(value) if isinstance(value, dict) else {},
        event.run_id,
        round(event.timestamp, 3),
    )


def upstream_keys(recipe: Recipe, key: str, upstream: Recipe, ledger: Ledger) -> list[str]:
    """Which partitions of an upstream asset a partition is made from: the same one, or all that are published."""
    if upstream.partition is None:
        return [WHOLE_KEY]
    if upstream.partition == recipe.partition:
        return [key]
    return sorted(ledger.published(upstream))


def drops_of(landing: Landing, delivery: str, kind: Kind | None, key: str) -> list[Drop]:
    """The accepted deliveries an asset's partition is read from, in the order they apply."""
    return [d for d in landing.accepted if d.kind == delivery and (kind is None or d.partition == key)]


def inputs(
    recipe: Recipe, key: str, recipes: Mapping[str, Recipe], ledger: Ledger, landing: Landing
) -> tuple[dict[str, str], list[str]]:
    """The data a partition would be made from now, by name, and the upstream assets that have none yet."""
    parts: dict[str, str] = {}
    absent: list[str] = []
    for name in recipe.upstream:
        upstream = recipes[name]
        published = ledger.published(upstream)
        wanted = upstream_keys(recipe, key, upstream, ledger)
        if not wanted:
            absent.append(name)
        for upstream_key in wanted:
            label = f"{name}[{upstream_key}]" if upstream_key else name
            if upstream_key in published:
                parts[label] = published[upstream_key].data_version
            else:
                absent.append(label)
    if recipe.delivery:
        for drop in drops_of(landing, recipe.delivery, recipe.partition, key):
            parts[f"delivery {drop.kind}/{drop.name}"] = drop.digest
    return parts, absent
