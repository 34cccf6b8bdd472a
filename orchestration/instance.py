"""Dagster's own storage for a home.

Belongs here: opening the instance (in the home, or the one ``DAGSTER_HOME`` names) and registering partitions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterInstance, DefaultSensorStatus

from stegvis.orchestration.sqlite import close_connections, keep_connections
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing
from stegvis.storage.lock import locked
from stegvis.storage.tables import Kind
from stegvis.study.settings import SettingsError

_CONFIG = """\
# Dagster's settings for this home. For PostgreSQL set DAGSTER_HOME to a folder with your own dagster.yaml.
telemetry:
  enabled: false
nux:
  enabled: false
# One run at a time: each takes the home's lock for its stages, and a second one would only wait for it.
concurrency:
  runs:
    max_concurrent_runs: 1
  pools:
    granularity: run
    default_limit: 1
# What is asked for begins within two seconds.
run_queue:
  dequeue_interval_seconds: 2
freshness:
  enabled: true
# What a library prints is not kept: it could hold a person's value. The messages of a stage are in its run's log.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: {skipped: 2, started: 90, failure: 90, success: 90}
  auto_materialize:
    purge_after_days: {skipped: 2, failure: 90, success: 90}
"""

# In a Dagster instance outside the home: the home it belongs to.
_OWNER = "stegvis-home"

# The job that does what ``stegvis refresh`` does.
REFRESH_JOB = "refresh"

_RUN_SCRIPT = (
    "import sys; from importlib.metadata import entry_points; sys.argv = sys.argv[1:]; "
    "sys.exit(entry_points(group='console_scripts')[sys.argv[0]].load()())"
)

# Of a run: what started it.
TRIGGER_TAG = "trigger"

# Which deliveries bring a partition.
_BRINGS: dict[Kind, str] = {"wave": "followup", "batch": "recordings"}


def dagster_home(home: Home) -> Path:
    """The folder of ``dagster.yaml``: ``DAGSTER_HOME`` where set, else in the home."""
    return Path(os.environ.get("DAGSTER_HOME") or home.dagster)


class ForeignInstanceError(SettingsError):
    """``DAGSTER_HOME`` is the instance of another home."""


def belongs_to(home: Home, folder: Path) -> bool:
    """Whether a folder holds the Dagster instance of a home: the one in it, or one that its commands have used."""
    return folder.resolve() == home.dagster.resolve() or _owner(folder) == str(home.root)


def why_not_here(home: Home, instance: DagsterInstance) -> str | None:
    """Why an instance must not act on a home; None where it is the home's own."""
    if belongs_to(home, Path(instance.root_directory)):
        return None
    return f"this Dagster instance is not that of the home {home.root}: it starts and rebuilds nothing. Use stegvis ui"


def started_for(home: Home) -> bool:
    """Whether this process serves the instance of a home, so that its sensors and schedules start by themselves."""
    folder = os.environ.get("DAGSTER_HOME")
    return bool(folder) and belongs_to(home, Path(str(folder)))


def sensor_status(home: Home) -> DefaultSensorStatus:
    """Whether a sensor of the home starts by itself in this process."""
    return DefaultSensorStatus.RUNNING if started_for(home) else DefaultSensorStatus.STOPPED


def environment(home: Home) -> dict[str, str]:
    """The variables by which a process of Dagster's serves a home."""
    return {
        "STEGVIS_HOME": str(home.root),
        "STEGVIS_LANDING": str(home.landing),
        "DAGSTER_HOME": str(dagster_home(home)),
    }


def dagster_command(script: str, *arguments: str) -> list[str]:
    """A command of Dagster's, such as ``dagster-daemon``, in this Python, wherever its scripts are."""
    return [sys.executable, "-c", _RUN_SCRIPT, script, *arguments]


def _owner(folder: Path) -> str | None:
    try:
        return (folder / _OWNER).read_text(encoding="utf-8").strip()
    except OSError:
        return None


@contextmanager
def open_instance(home: Home) -> Iterator[DagsterInstance]:
    """Dagster's instance of a home, made at the first use.

    Raises:
        ForeignInstanceError: ``DAGSTER_HOME`` belongs to another home.
    """
    folder = dagster_home(home)
    folder.mkdir(parents=True, exist_ok=True)
    if not belongs_to(home, folder):
        if owner := _owner(folder):
            raise ForeignInstanceError(
                f"DAGSTER_HOME={folder} is the Dagster instance of the home {owner}, not of {home.root}; "
                f"unset it, or if the home was moved, remove {folder / _OWNER}"
            )
        (folder / _OWNER).write_text(f"{home.root}\n", encoding="utf-8")
    if not (folder / "dagster.yaml").exists():
        (folder / "dagster.yaml").write_text(_CONFIG, encoding="utf-8")
    keep_connections()
    try:
        with DagsterInstance.from_config(str(folder)) as instance:
            yield instance
    finally:
        close_connections()


def prepare_instance(home: Home) -> None:
    """Make Dagster's storage of a home unless it is there.

    One process at a time: Dagster's own processes, started together, would all make the tables of an empty PostgreSQL,
    and some of them would fail.

    Raises:
        ForeignInstanceError: ``DAGSTER_HOME`` belongs to another home.
        LockedError: another process has been at it for minutes.
    """
    with locked(dagster_home(home) / "start.lock", "prepare Dagster's storage"), open_instance(home):
        pass


def partition_keys(landing: Landing, instance: DagsterInstance) -> dict[Kind, list[str]]:
    """Every wave and batch that is registered or has a complete delivery."""
    return {
        kind: sorted(
            {drop.partition for drop in landing.accepted if drop.kind == brings and drop.partition}
            | set(instance.get_dynamic_partitions(kind))
        )
        for kind, brings in _BRINGS.items()
    }


def unregistered(landing: Landing, instance: DagsterInstance) -> dict[Kind, list[str]]:
    """The waves and batches of complete deliveries that Dagster does not know yet."""
    new = {
        kind: sorted(set(wanted) - set(instance.get_dynamic_partitions(kind)))
        for kind, wanted in partition_keys(landing, instance).items()
    }
    return {kind: keys for kind, keys in new.items() if keys}


def register_partitions(landing: Landing, instance: DagsterInstance) -> None:
    """Register the waves and batches of complete deliveries."""
    for kind, keys in unregistered(landing, instance).items():
        instance.add_dynamic_partitions(kind, keys)
