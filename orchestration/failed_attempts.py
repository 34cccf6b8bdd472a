"""What the last run of a partition failed of, from Dagster's event log.

A partition that failed a critical check is blocked, which the warehouse records. Belongs here: failures of every other
kind, so that ``stegvis status`` shows them. Does not belong here: running again, which follows from the home state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from stegvis.own_code import own_place_in

# So many failed runs are looked at, the newest first.
_LATEST = 20
_PARTITION_TAG = "dagster/partition"

Attempt = tuple[float, str]


def failed_attempts(instance: dg.DagsterInstance) -> dict[tuple[str, str], Attempt]:
    """When each (asset, partition) last failed (seconds since 1970), and why."""
    found: dict[tuple[str, str], Attempt] = {}
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(failed, limit=_LATEST):
        run = record.dagster_run
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
            if entry.dagster_event:
                for asset, why in failure(entry.dagster_event):
                    found.setdefault((asset, run.tags.get(_PARTITION_TAG, "")), (entry.timestamp, why))
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
