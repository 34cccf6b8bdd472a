"""The home as Dagster sees it: what its UI calls stale, and what its automation asks for."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.loader import LoadingContextForTest

from stegvis.orchestration.definitions import build_definitions
from stegvis.storage.home import Home

Place = tuple[str, str]


def out_of_step_in_the_ui(home: Home, instance: dg.DagsterInstance) -> dict[Place, list[str]]:
    """What the UI marks as missing or stale, by the resolver its pages ask, and the upstream it names."""
    graph = build_definitions(home).resolve_asset_graph()
    found: dict[Place, list[str]] = {}
    with partition_loading_context(dynamic_partitions_store=instance):
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        for asset in graph.toposorted_asset_keys:
            node = graph.get(asset)
            if not node.is_materializable:
                continue
            names = instance.get_dynamic_partitions(node.partitions_def.name) if node.is_partitioned else [None]
            for key in names:
                if resolver.get_status(asset, key) != StaleStatus.FRESH:
                    causes = resolver.get_stale_causes(asset, key)
                    named = [c.dependency.asset_key.to_user_string() if c.dependency else c.reason for c in causes]
                    found[(asset.to_user_string(), key or "")] = sorted(set(named))
    return found


@dataclass
class Automation:
    """Tick after tick of the landing zone's sensor and of the automation, as the daemon evaluates them."""

    home: Home
    instance: dg.DagsterInstance
    cursor: AssetDaemonCursor | None = None

    def __post_init__(self) -> None:
        self.definitions = build_definitions(self.home)

    def landing_tick(self) -> int:
        """The sensor looks; returns how many events it has to tell."""
        sensor = self.definitions.get_sensor_def("landing_zone")
        result = sensor(dg.build_sensor_context(instance=self.instance))
        if isinstance(result, dg.SkipReason):
            return 0
        assert isinstance(result, dg.SensorResult)
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return len(result.asset_events)

    def tick(self) -> set[Place]:
        """The automation looks; returns what it asks for."""
        seen = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = seen.cursor
        asked = set()
        for result in seen.results:
            subset = result.true_subset
            if not subset.is_empty:
                keys = subset.expensively_compute_partition_keys() if subset.is_partitioned else {""}
                asked |= {(result.key.to_user_string(), key or "") for key in keys}
        return asked

    def run(self, asked: set[Place]) -> bool:
        """Do what was asked for, one run for each partition, as the daemon does."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        done = [
            job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(asset) for asset, place in asked if place == key],
                partition_key=key or None,
                raise_on_error=False,
            ).success
            for key in sorted({place for _, place in asked})
        ]
        return all(done)
