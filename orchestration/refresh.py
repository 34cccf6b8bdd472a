"""Find new deliveries, materialize what is stale and only that, publish a release.

Belongs here: the loop over the graph, and its outcome. Stages that share a partition run as one Dagster run; a
stage whose rebuilt inputs turn out unchanged does not run at all. Does not belong here: deciding what is stale
(``plan.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from stegvis.assets.epoch_classification import PROGRESS
from stegvis.assets.table import PROCESS_TAG
from stegvis.orchestration.asset_definitions import asset_definitions
from stegvis.orchestration.failed_attempts import failure
from stegvis.orchestration.home_state import HomeState, PartitionStatus, home_state
from stegvis.orchestration.instance import TRIGGER_TAG, open_instance, register_partitions
from stegvis.orchestration.landing_sensor import report_landed
from stegvis.orchestration.mirror import report_missing
from stegvis.orchestration.orphans import end_orphans
from stegvis.orchestration.plan import groups, plan, ready
from stegvis.orchestration.time_left import TimeLeft, in_words
from stegvis.orchestration.withdraw import apply_withdrawals, finish_erasure
from stegvis.storage.alerts import add_alert
from stegvis.storage.faults import Unusable
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.landing_mirror import mirror_landing
from stegvis.storage.lock import locked
from stegvis.storage.process import this_process
from stegvis.storage.signatures import advance_latest
from stegvis.storage.tables import WHOLE_KEY, Kind, Table
from stegvis.study.study import Study

Progress = Callable[[str], None]

_TRIGGER = "stegvis refresh"
_CANCELED = {dg.DagsterEventType.RUN_CANCELED, dg.DagsterEventType.RUN_CANCELING}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Refresh:
    """What a refresh did.

    Attributes:
        materialized: (asset, partition) in the order they ran.
        failed: (asset, partition, why).
        missing_upstream: partitions that cannot be made because a table they need was never made.
        blocked: partitions whose current inputs failed a critical check, now or before.
        not_made: partitions that are still stale or were not built.
        unusable: sealed drops of which nothing could be used.
        landing: what was found in the landing zone.
        withdrawals: what came of each withdrawal drop whose counts are new, and what could not be applied.
        seconds: wall time, and of it the time spent inside the stages.
    """

    landing: Landing
    materialized: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    missing_upstream: list[PartitionStatus] = field(default_factory=list)
    blocked: list[PartitionStatus] = field(default_factory=list)
    not_made: list[PartitionStatus] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    withdrawals: list[str] = field(default_factory=list)
    withdrawal_problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing failed, is blocked, was refused or raises an alarm, and every withdrawal was applied."""
        refused = self.landing.rejected or self.landing.alarms or self.unusable
        return not (self.failed or self.blocked or refused or self.withdrawal_problems)

    @property
    def nothing_to_do(self) -> bool:
        """Whether everything was up to date."""
        return self.ok and not (self.materialized or self.missing_upstream or self.not_made)


def dry_run(home: Home) -> tuple[list[PartitionStatus], Landing]:
    """What a refresh would do, without doing it."""
    home.create()
    with open_instance(home) as instance:
        now = home_state(home, instance)
        return plan(now), now.landing


def refresh(home: Home, progress: Progress = lambda line: None) -> Refresh:
    """Bring a home up to date.

    Raises:
        stegvis.storage.lock.LockedError: another refresh of this home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, "refresh", on_wait=lambda who: progress(f"waiting for {who}")):
        started = time.monotonic()
        advance_latest(home.releases, Study.of(home.root).protocol.release.signatures)
        mirror_landing(home, progress)
        landing = scan(home.landing, home.hash_cache)
        for alarm in landing.alarms:
            add_alert(home.root, "error", "delivery", f"{alarm.kind}/{alarm.name}", alarm.reason)
        named = apply_withdrawals(home, landing)
        with open_instance(home) as instance:
            end_orphans(instance)
            register_partitions(landing, instance)
            report_landed(landing, instance)
            report_missing(home, instance)
            done = _Run(home_state(home, instance, landing), instance, progress).everything()
        for drop in done.unusable:
            add_alert(home.root, "error", "delivery", drop.delivery, drop.reason)
        done.withdrawals, done.withdrawal_problems = finish_erasure(home, named), named.problems
        done.seconds = time.monotonic() - started
    return done


class _Run:
    """One refresh in progress."""

    def __init__(self, now: HomeState, instance: dg.DagsterInstance, progress: Progress) -> None:
        self.now = now
        self.instance = instance
        self.progress = progress
        self.failed_here: set[tuple[str, str]] = set()
        self.done = Refresh(now.landing)
        self._job: dg.JobDefinition | None = None
        self._left: TimeLeft | None = None

    def everything(self) -> Refresh:
        """Walk the graph in the order the data flows, stages that share their partitions together."""
        for kind, key, stages in groups(self.now):
            self._bring_up_to_date(stages, kind, key)
        for table in self.now.tables.values():
            for key in self.now.keys(table):
                status = self.now.partition_status(table, key)
                if status.state == "missing upstream":
                    self.done.missing_upstream.append(status)
                elif status.state == "blocked":
                    self.done.blocked.append(status)
                elif status.state != "up to date":
                    self.done.not_made.append(status)
        self.done.unusable = self.now.records.unusable_drops(self.now.tables)
        return self.done

    def _bring_up_to_date(self, stages: list[Table], kind: Kind | None, key: str) -> None:
        # Every round brings at least one stage up to date, or it failed, so there are at most as many rounds as stages.
        for _round in stages:
            chosen = ready(self.now, stages, key, self.failed_here | self._changed_meanwhile(stages, key))
            if not chosen:
                return
            self._run(chosen, key if kind else None)

    def _changed_meanwhile(self, stages: list[Table], key: str) -> set[tuple[str, str]]:
        """What was made here and is stale again, since its code or protocol was edited: the next refresh makes it."""
        made = [table for table in stages if (table.name, key) in self.done.materialized]
        return {(table.name, key) for table in made if self.now.partition_status(table, key).state == "stale"}

    def _run(self, chosen: list[Table], key: str | None) -> None:
        where = f" [{key}]" if key else ""
        if self._left is None:
            self._left = TimeLeft(self.now, self.instance)
        left = in_words(self._left.after(self.failed_here.union(self.done.materialized)))
        self.progress(f"{', '.join(r.name for r in chosen)}{where}{self._position(chosen[0], key)}{left}")
        with _shown(self.progress):
            result = self.job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(member) for table in chosen for member in table.members],
                partition_key=key,
                raise_on_error=False,
                run_config=_QUIET,
                tags={TRIGGER_TAG: _TRIGGER, PROCESS_TAG: this_process()},
            )
        if _was_interrupted(result):
            raise KeyboardInterrupt
        made = {
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        }
        why = _failures(result)
        if not (result.success or why):
            why = {next(r.name for r in chosen if r.name not in made): "the run failed outside its stages"}
        self.now.made(*(table.name for table in chosen))
        for table in chosen:
            place = (table.name, key or WHOLE_KEY)
            if table.name in made:
                self.done.materialized.append(place)
                continue
            self.failed_here.add(place)
            if table.name in why:
                self.done.failed.append((*place, why[table.name]))
                self.progress(f"FAILED {table.name}{where}: {why[table.name]}")

    def _position(self, table: Table, key: str | None) -> str:
        """Which of how many partitions this is, where there are several."""
        keys = self.now.keys(table)
        return f" ({keys.index(key) + 1} of {len(keys)})" if key and len(keys) > 1 else ""

    @property
    def job(self) -> dg.JobDefinition:
        """The job that holds every asset; built when the first run needs it."""
        if self._job is None:
            self._job = asset_definitions(self.now.home).resolve_implicit_global_asset_job_def()
        return self._job


@contextmanager
def _shown(progress: Progress) -> Iterator[None]:
    """Pass progress messages of long work on while it runs."""
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: progress(f"  {record.getMessage()}")  # type: ignore[method-assign]
    PROGRESS.addHandler(handler)
    before, PROGRESS.propagate = PROGRESS.propagate, False
    PROGRESS.setLevel(logging.INFO)
    try:
        yield
    finally:
        PROGRESS.removeHandler(handler)
        PROGRESS.propagate = before


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether the process was asked to end: Dagster reports a canceled run, or a failed stage, and goes on."""
    names = {
        each.cls_name
        for event in result.all_events
        if event.is_step_failure and (error := event.step_failure_data.error)
        for each in (error, error.cause)
        if each
    }
    canceled = any(event.event_type in _CANCELED for event in result.all_events)
    return canceled or bool(names & {"DagsterExecutionInterruptedError", "KeyboardInterrupt"})


def _failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {name: why for event in result.all_events for name, why in failure(event)}


def by_asset(places: list[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Partitions grouped by asset, in the order they ran."""
    grouped: dict[str, list[str]] = {}
    for asset, key in places:
        grouped.setdefault(asset, []).append(key)
    return grouped
