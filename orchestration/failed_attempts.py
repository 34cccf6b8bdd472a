"""What the last run of a partition failed of, from Dagster's event log.

A partition that failed a critical check is blocked, which the warehouse records. Belongs here: failures of every other
kind, so that ``stegvis status`` shows them. Does not belong here: running again, which follows from the home state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from stegvis.orchestration.instance import REFRESH_JOB
from stegvis.own_code import own_place_in

# So many failed runs are looked at, the newest first.
LATEST = 20
_PARTITION_TAG = "dagster/partition"

NO_STEP_FAILED = "its run ended before it was made, for example because its process was killed"
JOBS = (REFRESH_JOB,)
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]

Attempt = tuple[float, str]


def failed_attempts(instance: dg.DagsterInstance) -> dict[tuple[str, str], Attempt]:
    """When each (asset, partition) last failed (seconds since 1970), and why."""
    found: dict[tuple[str, str], Attempt] = {}
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(failed, limit=LATEST):
        run = record.dagster_run
        key = run.tags.get(_PARTITION_TAG, "")
        entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        for entry in entries:
            if entry.dagster_event:
                for asset, why in failure(entry.dagster_event):
                    found.setdefault((asset, key), (entry.timestamp, why))
        if not entries:
            # Of when it started: what it made before it was killed has not failed.
            at = record.start_time or record.create_timestamp.timestamp()
            for selected in run.asset_selection or ():
                found.setdefault((selected.to_user_string(), key), (at, NO_STEP_FAILED))
    return found


def failed_jobs(instance: dg.DagsterInstance) -> list[dict[str, str]]:
    """Jobs of the home, such as the nightly refresh, whose last run ended with an error of the program.

    One that ended because a partition failed or is blocked is left out: that is a cause of its own.
    """
    found = []
    for job in JOBS:
        for record in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=_ENDED), limit=1):
            run = record.dagster_run
            if run.status != dg.DagsterRunStatus.FAILURE:
                continue
            events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            failures = [entry.dagster_event for entry in events if entry.dagster_event]
            if any(each.step_failure_data.user_failure_data for each in failures):
                continue
            why = [sentence for each in failures for _, sentence in failure(each)]
            reason = "; ".join(why) or NO_STEP_FAILED
            found.append({"job": job, "run": run.run_id, "reason": reason})
    return found


def failure(event: dg.DagsterEvent) -> Iterator[tuple[str, str]]:
    """The asset whose making an event says failed, and why; nothing for another event."""
    if event.is_step_failure:
        data = event.step_failure_data
        described = data.user_failure_data.description if data.user_failure_data else None
        cause = data.error.cause if data.error and data.error.cause else data.error
        yield event.step_key or "", described or _class_and_place(cause)


def _class_and_place(error: Any) -> str:
    """The class of an unexpected error and its place in our code; its text could hold a person's value."""
    if error is None:
        return "failed without a message"
    where = own_place_in(error.stack)
    return f"unexpected {error.cls_name or 'error'}{f' in {where}' if where else ''}"
