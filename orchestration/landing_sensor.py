"""Watching the landing zone: what has landed is registered and reported to Dagster, once.

Belongs here: noticing complete deliveries. What follows from them is decided by the home state (``automation.py``), so
a tick that is lost, or repeated, changes nothing. Does not belong here: reading deliveries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster import DagsterInstance

from stegvis.assets.home import PARTITIONED, SOURCES
from stegvis.orchestration.input_tags import VERSION_TAG, delivery_version, newest_event
from stegvis.orchestration.instance import sensor_status, unregistered, why_not_here
from stegvis.orchestration.mirror import report_missing
from stegvis.orchestration.orphans import end_orphans
from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.home import Home
from stegvis.storage.landing import KINDS, Kind, Landing, scan
from stegvis.storage.landing_mirror import UNATTENDED, mirror_if_reachable
from stegvis.storage.lock import holder
from stegvis.storage.nameless import nameless
from stegvis.storage.tables import WHOLE_KEY

_UNUSED_TAG = "stegvis/not_used"
_LOOKED_AT = 200  # observations of a source, the newest first
MOST_SHOWN = 100

Event = dg.AssetMaterialization | dg.AssetObservation


def landed(landing: Landing, instance: DagsterInstance) -> list[Event]:
    """What Dagster does not know yet of the deliveries: of each changed partition, that it landed, and its version.

    A materialization (a point in the UI's plots, and what freshness goes by) and an observation (what staleness of
    external assets goes by).
    """
    found = contents(landing)
    half = {(kind, key) for kind in {kind for kind, _ in found} for key in _half_reported(instance, kind)}
    return [
        event
        for (kind, key), version in found.items()
        if (kind, key) in half or _version(instance, kind, key) != version
        for event in _events(landing, kind, key, version)
    ]


def contents(landing: Landing) -> dict[tuple[Kind, str], str]:
    """The version of the accepted deliveries of each kind and partition ('' where a kind has none)."""
    drops: dict[tuple[Kind, str], list[tuple[str, str]]] = {}
    for drop in landing.accepted:
        key = drop.partition if drop.kind in PARTITIONED else WHOLE_KEY
        drops.setdefault((drop.kind, key or WHOLE_KEY), []).append((drop.name, drop.digest))
    return {place: delivery_version(found) for place, found in drops.items()}


def _half_reported(instance: DagsterInstance, kind: Kind) -> set[str]:
    """The waves or batches of which a process that was killed reported the observation alone."""
    if kind not in PARTITIONED:
        return set()
    newest = [
        instance.get_latest_storage_id_by_partition(SOURCES[kind].key, event)
        for event in (dg.DagsterEventType.ASSET_OBSERVATION, dg.DagsterEventType.ASSET_MATERIALIZATION)
    ]
    return {key for key, observed in newest[0].items() if observed > newest[1].get(key, 0)}


def _version(instance: DagsterInstance, kind: Kind, key: str) -> str | None:
    known = newest_event(instance, SOURCES[kind].key, key)
    return known[1] if known else None


def _events(landing: Landing, kind: Kind, key: str, version: str) -> Iterator[Event]:
    drops = [drop for drop in landing.accepted if drop.kind == kind and key in (WHOLE_KEY, drop.partition)]
    metadata: dict[str, Any] = {
        "drops": len(drops),
        "files": sum(len(drop.files) for drop in drops),
        "bytes": sum(file.bytes for drop in drops for file in drop.files),
        "newest_drop": drops[-1].name,
        "sha256_of_drops": dg.MetadataValue.json({drop.name: drop.digest for drop in drops}),
        "synthetic": any(drop.synthetic for drop in drops),
    }
    # In this order: Dagster takes the later one as the input, and looks for observations after it.
    for event in (dg.AssetObservation, dg.AssetMaterialization):
        yield event(SOURCES[kind].key, partition=key or None, metadata=metadata, tags={VERSION_TAG: version})


def not_used(landing: Landing, instance: DagsterInstance) -> list[Event]:
    """Of each kind whose unused deliveries Dagster does not know yet, an observation that lists them with the reason.

    One that waits, is rejected or raises an alarm is shown by its name; in a reason, a file may be named after a
    person, so the rule alone is shown.
    """
    found: list[Event] = []
    versions = contents(landing)
    for kind in KINDS:
        rows = [
            {"delivery": drop.name, "state": state, "rules": ", ".join(sorted({issue.rule for issue in drop.issues}))}
            for state, drops in (
                ("waiting", landing.waiting),
                ("rejected", landing.rejected),
                ("alarm", landing.alarms),
            )
            for drop in drops
            if drop.kind == kind
        ]
        now = fingerprint({str(place): repr(row) for place, row in enumerate(rows)})
        if now == _last_not_used(instance, kind, fingerprint({})):
            continue
        tags = {_UNUSED_TAG: now}
        if version := versions.get((kind, WHOLE_KEY)):
            tags[VERSION_TAG] = version
        metadata: dict[str, Any] = {
            state: sum(row["state"] == state for row in rows) for state in ("waiting", "rejected", "alarm")
        }
        metadata["deliveries"] = dg.MetadataValue.table(
            [dg.TableRecord(row) for row in rows[:MOST_SHOWN]],
            dg.TableSchema([dg.TableColumn(name) for name in ("delivery", "state", "rules")]),
        )
        metadata["next"] = "stegvis status says why; stegvis validate on the delivery names every fault"
        found.append(dg.AssetObservation(SOURCES[kind].key, metadata=metadata, tags=tags))
    return found


def _last_not_used(instance: DagsterInstance, kind: Kind, nothing: str) -> str:
    """The last reported list of unused deliveries of a kind, as a digest; ``nothing`` if none was reported."""
    for record in instance.fetch_observations(SOURCES[kind].key, limit=_LOOKED_AT).records:
        observed = record.asset_observation
        if observed and _UNUSED_TAG in (observed.tags or {}):
            return str(observed.tags[_UNUSED_TAG])
    return nothing


def report_landed(landing: Landing, instance: DagsterInstance) -> None:
    """Report to Dagster what has landed and what of it is not used, as the sensor does at its next tick."""
    for event in (*landed(landing, instance), *not_used(landing, instance)):
        instance.report_runless_asset_event(event)


def landing_sensor(home: Home) -> dg.SensorDefinition:
    """The sensor of a home's landing zone."""

    @dg.sensor(
        name="landing_zone",
        minimum_interval_seconds=15,
        default_status=sensor_status(home),
        description="Registers waves and batches of complete deliveries, and reports what has landed.",
    )
    def landing_zone(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if reason := why_not_here(home, context.instance):
            return dg.SkipReason(reason)
        home.create()
        end_orphans(context.instance)
        if not holder(home.refresh_lock):
            report_missing(home, context.instance)
        if unreachable := mirror_if_reachable(home, context.log.info, UNATTENDED):
            context.log.warning(unreachable)  # status and alerts say it too; what was mirrored before counts
        landing = scan(home.landing, home.hash_cache)
        new = unregistered(landing, context.instance)
        # Events of a partition need the partition: its deliveries are reported at the next tick.
        for kind, keys in new.items():
            context.instance.add_dynamic_partitions(kind, keys)
        events = [*landed(landing, context.instance), *not_used(landing, context.instance)]
        not_usable = (*landing.waiting, *landing.rejected, *landing.alarms)
        for drop in not_usable:
            context.log.info("%s is not used: %s", *nameless(drop))
        if not events:
            return dg.SkipReason(f"nothing new; {len(landing.accepted)} deliveries, {len(not_usable)} not usable")
        return dg.SensorResult(asset_events=events)

    return landing_zone
