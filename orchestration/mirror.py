"""The materialization records of the warehouse, shown in Dagster's event log.

The records decide; the event log only shows them in the UI. It lacks events when a process was killed between the two,
and all of them when it was lost. Belongs here: reporting what it lacks. Does not belong here: deciding what is stale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import IntegrityError

from stegvis.assets.graph import tables
from stegvis.expectations.expectation import THEMES, Expectation
from stegvis.orchestration.check_results import check_rows
from stegvis.orchestration.input_tags import VERSION_TAG, input_tags
from stegvis.orchestration.instance import dagster_home
from stegvis.storage.home import Home
from stegvis.storage.records import Materialization, read_records
from stegvis.storage.warehouse import Warehouse
from stegvis.study.study import Study

# Of a reported event: the run that published the rows.
_RUN_TAG = "stegvis/run"
# In the folder of Dagster's storage: the records it was last found to have.
_MIRRORED = "mirrored"

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def report_missing(home: Home, instance: dg.DagsterInstance) -> int:
    """Report to Dagster every materialization that its event log lacks, with its checks; returns how many.

    Call it while no run of this home can be between its publication and its event: under the refresh lock.
    """
    records = _records(home)
    state = hashlib.sha256(
        repr([(r.table, r.partition, r.data_version, r.run_id) for r in records]).encode()
    ).hexdigest()
    file = dagster_home(home) / _MIRRORED
    if _content(file) == state and _knows_all_assets(instance, records):
        return 0
    missing = [made for made in records if not _is_known(instance, made)]
    for kind, keys in _partitions(missing).items():
        instance.add_dynamic_partitions(kind, sorted(keys))
    checks = check_rows(home) if missing else []
    study = Study.of(home.root)
    for made in missing:
        for event in _events(made, checks, input_tags(instance, made, study)):
            _report(instance, event)
    file.write_text(state, encoding="utf-8")
    return len(missing)


def _report(instance: dg.DagsterInstance, event: Event) -> None:
    """Report an event; Dagster stores only the first result of a partition's check that belongs to no run.

    A second one is left out: the first stays until the next run evaluates the check.
    """
    again = (IntegrityError,) if isinstance(event, dg.AssetCheckEvaluation) and event.partition else ()
    with suppress(*again):
        instance.report_runless_asset_event(event)


def _records(home: Home) -> list[Materialization]:
    """The records of the assets there are, upstream before downstream: Dagster compares the times of events."""
    if not home.warehouse.exists():
        return []
    with Warehouse(home).session("records") as connection:
        records = read_records(connection)
    order = [member for table in tables().values() for member in table.members]
    return sorted((made for made in records if made.table in order), key=lambda made: order.index(made.table))


def _knows_all_assets(instance: dg.DagsterInstance, records: list[Materialization]) -> bool:
    tables = {made.table for made in records}
    found = instance.get_asset_records([dg.AssetKey(table) for table in sorted(tables)])
    return sum(record.asset_entry.last_materialization is not None for record in found) == len(tables)


def _is_known(instance: dg.DagsterInstance, made: Materialization) -> bool:
    """Whether the newest event of a partition is of this publication.

    The same rows may have been published again, from newer tables: their event must be newer than those of these.
    """
    key = dg.AssetKey(made.table)
    record = instance.get_latest_data_version_record(key, is_source=False, partition_key=made.partition or None)
    known = record.asset_materialization if record else None
    if record is None or known is None:
        return False
    tags = known.tags or {}
    return tags.get(VERSION_TAG) == made.data_version and made.run_id in (record.run_id, tags.get(_RUN_TAG))


def _partitions(missing: list[Materialization]) -> dict[str, set[str]]:
    kinds = {member: table.partition for table in tables().values() for member in table.members}
    keys: dict[str, set[str]] = {}
    for made in missing:
        kind = kinds[made.table]
        if kind:
            keys.setdefault(kind, set()).add(made.partition)
    return keys


def _events(made: Materialization, checks: list[dict[str, Any]], inputs: dict[str, str]) -> Iterator[Event]:
    """A publication as Dagster would have recorded it, without its plots."""
    key, partition = dg.AssetKey(made.table), made.partition or None
    yield dg.AssetMaterialization(
        key,
        description="Reported again from the warehouse's record",
        partition=partition,
        metadata={
            "dagster/partition_row_count" if partition else "dagster/row_count": made.rows,
            "made_at": dg.MetadataValue.timestamp(made.made_at),
            "run": made.run_id,
            "provenance": dg.MetadataValue.json(json.loads(json.dumps(dict(made.made_from)))),
        },
        tags={VERSION_TAG: made.data_version, _RUN_TAG: made.run_id, **inputs},
    )
    mine = [row for row in checks if (row["asset"], row["partition"]) == (made.table, made.partition)]
    for theme in THEMES:
        of_theme = [row for row in mine if Expectation(row["rule"], row["meaning"], row["severity"]).theme == theme]
        if of_theme:
            yield dg.AssetCheckEvaluation(
                key,
                theme,
                passed=all(row["passed"] for row in of_theme),
                severity=dg.AssetCheckSeverity.WARN if theme == "plausible" else dg.AssetCheckSeverity.ERROR,
                blocking=theme != "plausible",
                partition=partition,
                metadata={
                    "expectations": len(of_theme),
                    "expectations_failed": sum(not row["passed"] for row in of_theme),
                    "failing_rows": sum(row["failing"] for row in of_theme),
                },
            )


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
