"""Runs whose process is gone.

A killed process leaves its run in progress for ever. Belongs here: finding and ending such runs. Does not belong
here: doing their work again, which follows from the home state.
"""

from __future__ import annotations

import time

import dagster as dg

from stegvis.assets.table import PROCESS_TAG
from stegvis.storage.process import has_ended

# Without the name of its process, a run that reports nothing for so long was killed before its first stage.
_LONGEST_START_SECONDS = 300.0
_LONGEST_FIRST_STAGE_SECONDS = 60.0
# Of runs that have left the queue.
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def end_orphans(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process has ended; returns how many."""
    ended = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        process = record.dagster_run.tags.get(PROCESS_TAG)
        started = record.dagster_run.status == dg.DagsterRunStatus.STARTED
        patience = _LONGEST_FIRST_STAGE_SECONDS if started else _LONGEST_START_SECONDS
        silent = time.time() - record.update_timestamp.timestamp()
        if has_ended(process) if process else silent > patience:
            instance.report_run_failed(
                record.dagster_run, "the process that ran it was killed; the next refresh does what it had not done"
            )
            ended += 1
    return ended
