"""What a reported publication was made from, in the tags in which Dagster itself records it.

Without them Dagster compares the times of events, and calls a table stale as soon as one that it was made from is
published again with the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from stegvis.assets.graph import ASSETS
from stegvis.assets.home import SOURCES
from stegvis.assets.table import TABLES
from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.records import Materialization
from stegvis.storage.tables import deliveries, is_data, is_of_study
from stegvis.study.study import Study

VERSION_TAG = "dagster/data_version"
_BEFORE_ALL_EVENTS = 1  # an input whose newest event is another one counts as changed since


def input_tags(instance: dg.DagsterInstance, made: Materialization, study: Study) -> dict[str, str]:
    """The code version of a publication, and the versions and newest events of what it was made from."""
    tags = {"dagster/code_version": _code_version(made, study)}
    for key, versions in _inputs(made):
        events = [newest_event(instance, key, partition) for partition in versions]
        unchanged = all(found and found[1] == version for found, version in zip(events, versions.values(), strict=True))
        newest = max((found[0] for found in events if found), default=_BEFORE_ALL_EVENTS)
        name = key.to_user_string()
        whole = versions.get("")
        tags[f"dagster/input_data_version/{name}"] = whole if whole is not None else fingerprint(versions)
        tags[f"dagster/input_event_pointer/{name}"] = str(newest if unchanged else _BEFORE_ALL_EVENTS)
    return tags


def _code_version(made: Materialization, study: Study) -> str:
    """That of the asset, if the rows were made by the method that there is now."""
    method = {name: value for name, value in made.made_from.items() if not is_data(name) and not is_of_study(name)}
    now = next(spec.code_version for asset in ASSETS for spec in asset.specs if spec.key == dg.AssetKey(made.table))
    return now if now and method == TABLES[made.table].method(study) else fingerprint(method)


def _inputs(made: Materialization) -> Iterator[tuple[dg.AssetKey, dict[str, str]]]:
    """Each asset a publication was made from, with the version of each of its partitions."""
    table = TABLES[made.table]
    for member in (member for upstream in table.upstream for member in upstream.members):
        # A part of the study may have the name of a table: the claims, for example.
        found = {_partition(name, member): value for name, value in made.made_from.items()
                 if (name == member and not is_of_study(name)) or name.startswith(f"{member}[")}  # fmt: skip
        yield dg.AssetKey(member), found
    if table.delivery:
        drops = ((name.split("/", 1)[1], digest) for name, digest in deliveries(made.made_from).items())
        yield SOURCES[table.delivery].key, {made.partition: delivery_version(drops)}


def delivery_version(drops: Iterable[tuple[str, str]]) -> str:
    """The data version of deliveries: of their names and digests, in the order they apply."""
    return fingerprint({str(number): f"{name} {digest}" for number, (name, digest) in enumerate(drops)})


def _partition(name: str, member: str) -> str:
    return name.removeprefix(member).strip("[]")


def newest_event(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> tuple[int, str] | None:
    """The newest event of an asset's partition: its place in the event log, and its data version."""
    source = key in {spec.key for spec in SOURCES.values()}
    record: Any = instance.get_latest_data_version_record(key, is_source=source, partition_key=partition or None)
    if record is None:
        return None
    known = record.asset_observation if source else record.asset_materialization
    tags: Mapping[str, str] = (known.tags if known else None) or {}
    return record.storage_id, tags.get(VERSION_TAG, "")
