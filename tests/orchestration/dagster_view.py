"""The home as Dagster sees it: what its UI calls stale, and what its automation requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from stegvis.orchestration import automation
from stegvis.orchestration.definitions import build_definitions
from stegvis.storage.home import Home

Place = tuple[str, str]
START_SECONDS = 120


def stale_in_the_ui(home: Home, port: int) -> dict[Place, list[str]]:
    """What the UI marks as missing or stale, and the upstream it names, requested of a real webserver."""
    found: dict[Place, list[str]] = {}
    with webserver(home, port) as ask:
        for node in ask("{assetNodes{assetKey{path} isMaterializable isPartitioned partitionKeys}}")["assetNodes"]:
            if not node["isMaterializable"]:
                continue
            path = json.dumps(node["assetKey"]["path"])
            for key in node["partitionKeys"] if node["isPartitioned"] else [""]:
                of = f"(partition: {json.dumps(key)})" if key else ""
                fields = f"staleStatus{of} staleCauses{of}{{reason key{{path}}}}"
                shown = ask(f"{{assetNodeOrError(assetKey: {{path: {path}}}){{... on AssetNode{{{fields}}}}}}}")
                status = shown["assetNodeOrError"]
                if status["staleStatus"] != "FRESH":
                    own = node["assetKey"]["path"]
                    causes = [(each["key"]["path"], each["reason"]) for each in status["staleCauses"]]
                    named = {reason if path == own else "/".join(path) for path, reason in causes}
                    found[("/".join(own), key)] = sorted(named)
    return found


@contextmanager
def webserver(home: Home, port: int) -> Iterator[Any]:
    """Dagster's webserver on a home; yields a function that takes a GraphQL query and returns its data."""
    environment = {name: value for name, value in os.environ.items() if name != "STEGVIS_LANDING"}
    environment |= {"STEGVIS_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)}
    module = ["-m", "stegvis.orchestration.definitions", "-d", str(home.root)]
    command = [sys.executable, "-m", "dagster_webserver", *module, "-h", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:

        def ask(query: str) -> dict[str, Any]:
            content = json.dumps({"query": query}).encode()
            address = f"http://127.0.0.1:{port}/graphql"
            request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
            assert "errors" not in answer, answer["errors"]
            return dict(answer["data"])

        try:
            started = time.monotonic()
            while True:
                try:
                    ask("{version}")
                    break
                except urllib.error.URLError:
                    assert server.poll() is None, "the webserver ended"
                    assert time.monotonic() - started < START_SECONDS, "the webserver did not start"
                    time.sleep(0.3)
            yield ask
        finally:
            server.terminate()


@dataclass
class Automation:
    """Tick after tick of the landing zone's sensor and of the automation, as the daemon evaluates them."""

    home: Home
    instance: dg.DagsterInstance
    cursor: Any = None

    def __post_init__(self) -> None:
        self.definitions = build_definitions(self.home)

    def landing_tick(self) -> int:
        """The sensor looks; returns how many events it reports."""
        sensor = self.definitions.get_sensor_def("landing_zone")
        result = sensor(dg.build_sensor_context(instance=self.instance))
        if isinstance(result, dg.SkipReason):
            return 0
        assert isinstance(result, dg.SensorResult)
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return len(result.asset_events)

    def tick(self) -> set[Place]:
        """The automation looks, as if nothing had been seen before; returns what it requests."""
        automation._Tick._looked = (0.0, None)
        return self.next_tick()

    def next_tick(self) -> set[Place]:
        """The automation's next tick; returns what it requests."""
        seen = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = seen.cursor
        requested = set()
        for result in seen.results:
            subset = result.true_subset
            if not subset.is_empty:
                keys = subset.expensively_compute_partition_keys() if subset.is_partitioned else {""}
                requested |= {(result.key.to_user_string(), key or "") for key in keys}
        return requested

    def run(self, requested: set[Place]) -> bool:
        """Run what was requested, one run for each partition, as the daemon does."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        done = [
            job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(asset) for asset, place in requested if place == key],
                partition_key=key or None,
                raise_on_error=False,
            ).success
            for key in sorted({place for _, place in requested})
        ]
        return all(done)
