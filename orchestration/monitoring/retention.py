"""Deleting old runs from Dagster's storage, which otherwise grows with every refresh.

Kept are runs that are not old; those that published what is in the warehouse now, because the UI shows their
materializations and checks; and the last ones that failed. Belongs here: which runs are deleted. How long the ticks of
sensors are kept is in ``dagster.yaml`` (``orchestration/instance.py``).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import dagster as dg

from stegvis.orchestration.failed_attempts import LATEST
from stegvis.orchestration.instance import dagster_home
from stegvis.orchestration.monitoring import files
from stegvis.orchestration.sqlite import close_connections
from stegvis.storage.home import Home
from stegvis.storage.records import read_records
from stegvis.storage.warehouse import Warehouse

_DAY = 86_400.0
# At once, the oldest first: deleting one takes some milliseconds.
MOST_RUNS = 1_000
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune_daily(home: Home, instance: dg.DagsterInstance, keep_days: int) -> int:
    """Delete old runs, at most once a day; returns how many.

    Args:
        home: the home.
        instance: its Dagster instance.
        keep_days: how long runs are kept; 0 keeps them for ever.
    """
    done = files.place(home.root, files.PRUNED)
    since = files.seconds_since(done)
    if not keep_days or (since is not None and since < _DAY):
        return 0
    deleted = prune(home, instance, keep_days)
    files.mark(done)
    return deleted


def prune(home: Home, instance: dg.DagsterInstance, keep_days: float) -> int:
    """Delete runs that are older than so many days and that nothing shows any more; returns how many.

    Args:
        home: the home.
        instance: its Dagster instance.
        keep_days: how long runs are kept.
    """
    before = datetime.fromtimestamp(time.time() - keep_days * _DAY, UTC)
    old = _ids(instance, dg.RunsFilter(statuses=_ENDED, created_before=before), MOST_RUNS, oldest_first=True)
    if not old:
        return 0
    shown = _published_by(home) | set(
        _ids(instance, dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), LATEST, oldest_first=False)
    )
    chosen = [run for run in old if run not in shown]
    for run in chosen:
        instance.delete_run(run)
    # SQLite has a file for each run, which Dagster empties and leaves.
    close_connections()
    for run in chosen:
        for file in (dagster_home(home) / "history" / "runs").glob(f"{run}.db*"):
            file.unlink(missing_ok=True)
    return len(chosen)


def _ids(instance: dg.DagsterInstance, chosen: dg.RunsFilter, limit: int, oldest_first: bool) -> list[str]:
    records = instance.get_run_records(chosen, limit=limit, ascending=oldest_first)
    return [record.dagster_run.run_id for record in records]


def _published_by(home: Home) -> set[str]:
    """The runs that published what is in the warehouse."""
    if not home.warehouse.exists():
        return set()
    with Warehouse(home).session("old runs") as connection:
        return {made.run_id for made in read_records(connection)}
