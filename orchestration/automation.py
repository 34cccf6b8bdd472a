"""When the daemon makes an asset: whenever the plan says that it can be made now.

The same plan as ``stegvis refresh`` follows, so both do the same. It goes by the state of the home alone; the only
memory is what was asked for, so that what fails is not asked for without end. Belongs here: the condition on each asset
and the sensor that evaluates it. Does not belong here: the plan.
"""

from __future__ import annotations

import json
import time
from typing import Any

import dagster as dg
from dagster import AutomationCondition, AutomationContext, AutomationResult, DagsterInstance
from dagster._core.definitions.events import AssetKeyPartitionKey  # the only name for it

from stegvis.orchestration.orphans import UNFINISHED
from stegvis.orchestration.plan import due
from stegvis.orchestration.refresh import TRIGGER_TAG
from stegvis.orchestration.situation import Situation, situation
from stegvis.storage.home import Home
from stegvis.storage.lock import holder
from stegvis.storage.tables import label

# What failed is asked for again after so many seconds, as long as its inputs and method are the same: it may have been
# a full disk or a killed process. After that it waits for a change, or for the nightly refresh.
WAIT_SECONDS = (60.0, 300.0, 1800.0)
_PARTITION_TAG = "dagster/partition"


class OutOfStep(AutomationCondition[dg.AssetKey]):
    """True for the partitions of an asset that differ from what they would be made from, and can be made now."""

    def __init__(self, home: Home) -> None:
        self.home = home

    @property
    def name(self) -> str:
        return "out of step"

    @property
    def description(self) -> str:
        return (
            "a delivery, an upstream table, the SQL, a protocol value or the code differs from what it was made from, "
            "everything before it is settled, and no refresh is at work"
        )

    def get_label(self) -> str | None:
        return "out of step with what it is made from (stegvis status says why)"

    def evaluate(self, context: AutomationContext[dg.AssetKey]) -> AutomationResult[dg.AssetKey]:
        """Ask for what the plan says can run, unless this very state was asked for a moment ago."""
        tick = _Tick.of(self.home, context)
        asset = context.key.to_user_string()
        asked: dict[str, list[Any]] = json.loads(context.cursor or "{}")
        keys = []
        for key, mark, reasons in tick.due.get(asset, []):
            before, times, at = asked.get(key, ["", 0, 0.0])
            times = times if before == mark else 0
            if times > len(WAIT_SECONDS) or (times and time.time() - at < WAIT_SECONDS[times - 1]):
                continue
            asked[key] = [mark, times + 1, time.time()]
            keys.append(key)
            context.log.info("%s: %s", label(asset, key), "; ".join(reasons))
        subset = (
            context.asset_graph_view.get_asset_subset_from_asset_partitions(
                context.key, {AssetKeyPartitionKey(context.key, key or None) for key in keys}
            )
            if keys
            else context.get_empty_subset()
        )
        return AutomationResult(context, subset, cursor=json.dumps(asked))


class _Tick:
    """What is due at one tick of the sensor, worked out once for all assets."""

    _last: tuple[Any, _Tick] | None = None

    def __init__(self, home: Home, instance: DagsterInstance) -> None:
        self.due: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
        if holder(home.refresh_lock):
            return  # a refresh does it all
        now = situation(home, instance)
        registered = {kind: set(instance.get_dynamic_partitions(kind)) for kind in now.partitions}
        for kind, key, stages in due(now, frozenset(), running(instance, now)):
            if kind and key not in registered[kind]:
                continue
            for recipe in stages:
                step = now.step(recipe, key)
                for member in recipe.members:
                    self.due.setdefault(member, []).append((key, step.fingerprint, step.reasons))

    @classmethod
    def of(cls, home: Home, context: AutomationContext[dg.AssetKey]) -> _Tick:
        view = context.asset_graph_view
        if cls._last is None or cls._last[0] is not view:
            cls._last = (view, cls(home, view.instance))
        return cls._last[1]


def running(instance: DagsterInstance, now: Situation) -> set[str]:
    """Labels of the partitions that some run makes now, or will."""
    labels: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *UNFINISHED])):
        for asset in run.asset_selection or ():
            recipe = now.tables.get(asset.to_user_string())
            if recipe:
                labels.add(label(recipe.name, run.tags.get(_PARTITION_TAG, "") if recipe.partition else ""))
    return labels


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions of all assets."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=15,
        # Dynamic partitions and backfills: Dagster finds no root partitions for them.
        emit_backfills=False,
        # The conditions are ours.
        use_user_code_server=True,
        run_tags={TRIGGER_TAG: "automation"},
    )
