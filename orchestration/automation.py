"""When the daemon makes an asset: whenever the plan says that it can be made now.

It follows the same plan as ``stegvis refresh``, so both do the same. The plan depends on the home state alone; the
condition's cursor holds only what was requested, so that what fails is not requested without end. Belongs here: the
condition on each asset and the sensor that evaluates it. Does not belong here: the plan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster import AutomationCondition, AutomationContext, AutomationResult, DagsterInstance

from stegvis.orchestration.home_state import HomeState, home_state
from stegvis.orchestration.instance import TRIGGER_TAG, sensor_status, why_not_here
from stegvis.orchestration.orphans import UNFINISHED
from stegvis.orchestration.plan import due
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.lock import holder
from stegvis.storage.tables import WHOLE_KEY, label

# What failed is requested again after so many seconds, as long as its inputs and method are the same: it may have been
# a full disk or a killed process. After that, only a change or the nightly refresh runs it.
WAIT_SECONDS = (60.0, 300.0, 1800.0)
_PARTITION_TAG = "dagster/partition"
# How often the home is looked at while nothing is known to have happened, and how often the daemon asks.
LOOK_SECONDS = 15.0
TICK_SECONDS = 5


class NeedsBuilding(AutomationCondition[dg.AssetKey]):
    """True for the partitions of an asset that are stale or were never built, and can be made now."""

    def __init__(self, home: Home) -> None:
        self.home = home

    @property
    def name(self) -> str:
        return "needs building"

    @property
    def description(self) -> str:
        return (
            "a delivery, an upstream table, the SQL, a protocol value or the code differs from what it was made from, "
            "its upstream tables are up to date, and no refresh is running"
        )

    def get_label(self) -> str | None:
        return "stale or never built (stegvis status says why)"

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> AutomationResult[dg.AssetKey]:
        """Request what the plan says can run, unless it was requested from the same inputs a moment ago."""
        tick = _Tick.of(self.home, context)
        asset = context.key.to_user_string()
        if tick.why_not_here:
            context.log.warning(tick.why_not_here)
        requested: dict[str, list[Any]] = json.loads(context.cursor or "{}")
        keys = []
        for key, fingerprint, reasons in tick.due.get(asset, []):
            before, times, at = requested.get(key, ["", 0, 0.0])
            times = times if before == fingerprint else 0
            if times > len(WAIT_SECONDS) or (times and time.time() - at < WAIT_SECONDS[times - 1]):
                continue
            requested[key] = [fingerprint, times + 1, time.time()]
            keys.append(key)
            context.log.info("%s: %s", label(asset, key), "; ".join(reasons))
        subset = context.candidate_subset if keys else context.get_empty_subset()
        if keys != [WHOLE_KEY]:
            subset = subset.compute_intersection_with_partition_keys(set(keys))
        return AutomationResult(context, subset, cursor=json.dumps(requested))


class _Tick:
    """What can run at one tick of the sensor, worked out once for all assets."""

    _last: tuple[Any, _Tick] | None = None
    # When the home was looked at, and what could be seen without looking.
    _looked: tuple[float, Any] = (0.0, None)

    def __init__(self, home: Home, instance: DagsterInstance) -> None:
        self.due: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
        self.why_not_here = why_not_here(home, instance)
        if self.why_not_here:
            return
        if holder(home.refresh_lock):
            return  # the refresh does it
        seen = _seen(home, instance)
        if seen == _Tick._looked[1] and time.monotonic() - _Tick._looked[0] < LOOK_SECONDS:
            return
        _Tick._looked = (time.monotonic(), seen)
        # The sensor of the landing zone mirrors what is in object storage.
        now = home_state(home, instance, scan(home.landing, home.hash_cache))
        registered = {kind: set(instance.get_dynamic_partitions(kind)) for kind in now.partitions}
        for kind, key, stages in due(now, frozenset(), running(instance, now)):
            if kind and key not in registered[kind]:
                continue
            for table in stages:
                status = now.partition_status(table, key)
                for member in table.members:
                    self.due.setdefault(member, []).append((key, status.fingerprint, status.reasons))

    @classmethod
    def of(cls, home: Home, context: AutomationContext[dg.AssetKey]) -> _Tick:
        view = context.asset_graph_view
        if cls._last is None or cls._last[0] is not view:
            cls._last = (view, cls(home, view.instance))
        return cls._last[1]


def _seen(home: Home, instance: DagsterInstance) -> Any:
    """What shows, at the cost of a query, that a run has begun or ended, or that something has landed."""
    unfinished = {run.run_id for run in _unfinished(instance)}
    landed = home.hash_cache.stat().st_mtime_ns if home.hash_cache.exists() else None
    return str(home.root), unfinished, landed


def _unfinished(instance: DagsterInstance) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *UNFINISHED]))


def running(instance: DagsterInstance, now: HomeState) -> set[str]:
    """Labels of the partitions that a queued or running run makes."""
    labels: set[str] = set()
    for run in _unfinished(instance):
        for asset in run.asset_selection or ():
            table = now.tables.get(asset.to_user_string())
            if table:
                labels.add(label(table.name, run.tags.get(_PARTITION_TAG, "") if table.partition else ""))
    return labels


def automation_sensor(home: Home) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions of all assets."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=sensor_status(home),
        minimum_interval_seconds=TICK_SECONDS,
        # Dynamic partitions and backfills: Dagster finds no root partitions for them.
        emit_backfills=False,
        # The conditions are of a class of this package.
        use_user_code_server=True,
        run_tags={TRIGGER_TAG: "automation"},
    )
