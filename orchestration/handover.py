"""Handing a refresh to the daemon of a home, so that its runs are on the overview of the Dagster UI.

Dagster's overview shows only runs that a code location started. A run in the process of a command has none, so while a
daemon of the home is running, the command asks it to run the job ``refresh``, and follows that run.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import Any

import dagster as dg

from stegvis.orchestration.home_state import home_state
from stegvis.orchestration.instance import REFRESH_JOB, TRIGGER_TAG, dagster_command, environment, open_instance
from stegvis.orchestration.monitoring import files
from stegvis.orchestration.plan import plan
from stegvis.orchestration.refreshed import kept
from stegvis.storage.home import Home

# The queue's daemon reports that it lives every 30 s.
_QUEUE = "QUEUED_RUN_COORDINATOR"
_ALIVE_SECONDS = 75.0
# Its sensor "alerts" looks at the home once a minute, and later where a tick takes long.
_LOOKED_SECONDS = 300.0
_LAUNCH_SECONDS = 180.0
_POLL_SECONDS = 0.5

Progress = Callable[[str], None]


class HandoverError(RuntimeError):
    """The daemon's run ended without a result; its log in the Dagster UI says why."""


def hand_over(home: Home, progress: Progress) -> dict[str, Any] | None:
    """Let the daemon of a home refresh it, and wait for the end.

    Returns:
        What the refresh did; None if no daemon of the home is running, or there is nothing to run.

    Raises:
        HandoverError: the run failed before it could say what it did.
        KeyboardInterrupt: the command was interrupted; the run is stopped.
    """
    seen = files.seconds_since(files.place(home.root, files.LOOKED))
    if seen is None or seen > _LOOKED_SECONDS:
        return None  # without opening Dagster's storage, which a refresh may find damaged or read-only
    with open_instance(home) as instance:
        if not _daemon_is_alive(instance) or not _anything_to_run(home, instance):
            return None
        run_id = str(uuid.uuid4())
        if not _launch(home, run_id):
            progress("the daemon did not take the refresh; it runs here")
            return None
        progress(f"the daemon runs it, as run {run_id[:8]} in the Dagster UI")
        return _followed(home, instance, run_id, progress)


def _anything_to_run(home: Home, instance: dg.DagsterInstance) -> bool:
    return any(each.state in ("stale", "never built") for each in plan(home_state(home, instance)))


def _daemon_is_alive(instance: dg.DagsterInstance) -> bool:
    beat = instance.get_daemon_heartbeats().get(_QUEUE)
    return beat is not None and time.time() - beat.timestamp < _ALIVE_SECONDS


def _launch(home: Home, run_id: str) -> bool:
    """Put a run of the job into the daemon's queue, from a code location as the UI's."""
    module = ["-m", "stegvis.orchestration.definitions", "-d", str(home.root)]
    tags = json.dumps({TRIGGER_TAG: "stegvis refresh"})
    command = dagster_command(
        "dagster", "job", "launch", *module, "-j", REFRESH_JOB, "--run-id", run_id, "--tags", tags
    )
    variables = os.environ | environment(home)
    try:
        ended = subprocess.run(command, env=variables, capture_output=True, timeout=_LAUNCH_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def _followed(home: Home, instance: dg.DagsterInstance, run_id: str, progress: Progress) -> dict[str, Any] | None:
    """Pass the run's messages on until it ends."""
    cursor: str | None = None
    try:
        while True:
            run = instance.get_run_by_id(run_id)
            ended = run is None or run.is_finished
            found = instance.get_records_for_run(run_id, cursor)
            cursor = found.cursor
            for record in found.records:
                entry = record.event_log_entry
                # What the refresh says as it goes; the command itself says what came of it.
                if entry.dagster_event is None and entry.level == logging.INFO:
                    progress(entry.user_message)
            if ended:
                break
            if run and run.status == dg.DagsterRunStatus.QUEUED and not _daemon_is_alive(instance):
                instance.run_coordinator.cancel_run(run_id)
                progress("the daemon has ended; the refresh runs here")
                return None
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        instance.run_coordinator.cancel_run(run_id)
        raise
    if done := kept(home, run_id):
        return done
    raise HandoverError(f"the refresh in the daemon ended without a result: see run {run_id[:8]} in the Dagster UI")
