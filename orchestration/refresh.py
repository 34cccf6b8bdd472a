"""Find new deliveries, materialize what is stale and only that, publish a release.

Belongs here: the loop over the graph, and what came of it. Stages that share a partition run as one Dagster run; a
stage whose rebuilt inputs turn out unchanged does not run at all. Does not belong here: deciding what is stale
(``plan.py``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from stegvis.assets.building.build import PROGRESS
from stegvis.assets.building.partitions import Kind
from stegvis.assets.building.publish import PROCESS_TAG
from stegvis.assets.building.recipe import Recipe
from stegvis.assets.building.records import WHOLE_KEY
from stegvis.orchestration.instance import open_instance, register_partitions
from stegvis.orchestration.landing_sensor import tell
from stegvis.orchestration.orphans import end_orphans
from stegvis.orchestration.plan import groups, plan, ready
from stegvis.orchestration.situation import Situation, Step, situation
from stegvis.orchestration.withdraw import apply_withdrawals, finish_erasure
from stegvis.storage.home import Home
from stegvis.storage.landing import Landing, scan
from stegvis.storage.lock import locked
from stegvis.storage.process import this_process
from stegvis.storage.signatures import advance_latest
from stegvis.study.protocol import protocol

Progress = Callable[[str], None]

TRIGGER_TAG, TRIGGER = "trigger", "stegvis refresh"
_CANCELED = {dg.DagsterEventType.RUN_CANCELED, dg.DagsterEventType.RUN_CANCELING}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Refresh:
    """What a refresh did.

    Attributes:
        materialized: (asset, partition) in the order they ran.
        failed: (asset, partition, why).
        waiting: partitions whose inputs do not exist.
        held: partitions whose present inputs broke a critical rule, now or before.
        landing: what was found in the landing zone.
        withdrawals: what came of each withdrawal drop whose counts are new, and what could not be applied.
        seconds: wall time, and of it the time spent inside the stages.
    """

    landing: Landing
    materialized: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    waiting: list[Step] = field(default_factory=list)
    held: list[Step] = field(default_factory=list)
    withdrawals: list[str] = field(default_factory=list)
    withdrawal_problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Nothing failed, is held back or was rejected, and every withdrawal was applied."""
        return not (self.failed or self.held or self.landing.rejected or self.withdrawal_problems)


def dry_run(home: Home) -> tuple[list[Step], Landing]:
    """What a refresh would do, without doing it."""
    home.create()
    with open_instance(home) as instance:
        now = situation(home, instance)
        return plan(now), now.landing


def refresh(home: Home, progress: Progress = lambda line: None) -> Refresh:
    """Bring a home up to date.

    Raises:
        stegvis.storage.lock.LockedError: another refresh of this home did not end in time.
    """
    home.create()
    with locked(home.refresh_lock, "refresh", on_wait=lambda who: progress(f"waiting for {who}")):
        started = time.monotonic()
        advance_latest(home.releases, protocol().release.signatures)
        landing = scan(home.landing, home.hash_cache)
        named = apply_withdrawals(home, landing)
        with open_instance(home) as instance:
            end_orphans(instance)
            register_partitions(landing, instance)
            tell(landing, instance)
            done = _Run(situation(home, instance, landing), instance, progress).everything()
        done.withdrawals, done.withdrawal_problems = finish_erasure(home, named), named.problems
        done.seconds = time.monotonic() - started
    return done


class _Run:
    """One refresh in progress."""

    def __init__(self, now: Situation, instance: dg.DagsterInstance, progress: Progress) -> None:
        self.now = now
        self.instance = instance
        self.progress = progress
        self.failed_here: set[tuple[str, str]] = set()
        self.done = Refresh(now.landing)
        self._job: dg.JobDefinition | None = None

    def everything(self) -> Refresh:
        """Walk the graph in the order the data flows, stages that share their partitions together."""
        for kind, key, stages in groups(self.now):
            self._bring_up_to_date(stages, kind, key)
        for recipe in self.now.recipes.values():
            for key in self.now.keys(recipe):
                step = self.now.step(recipe, key)
                if step.state == "waiting":
                    self.done.waiting.append(step)
                elif step.state == "held":
                    self.done.held.append(step)
        return self.done

    def _bring_up_to_date(self, stages: list[Recipe], kind: Kind | None, key: str) -> None:
        # Every round makes at least one stage fresh, failed or held, so there are at most as many rounds as stages.
        for _round in stages:
            chosen = ready(self.now, stages, key, self.failed_here)
            if not chosen:
                return
            self._run(chosen, key if kind else None)

    def _run(self, chosen: list[Recipe], key: str | None) -> None:
        where = f" [{key}]" if key else ""
        self.progress(f"{', '.join(r.name for r in chosen)}{where}{self._position(chosen[0], key)}")
        with _told(self.progress):
            result = self.job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(r.name) for r in chosen],
                partition_key=key,
                raise_on_error=False,
                run_config=_QUIET,
                tags={TRIGGER_TAG: TRIGGER, PROCESS_TAG: this_process()},
            )
        if _was_interrupted(result):
            raise KeyboardInterrupt
        made = {
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        }
        why = _failures(result)
        self.now.made(*(recipe.name for recipe in chosen))
        for recipe in chosen:
            place = (recipe.name, key or WHOLE_KEY)
            if recipe.name in made:
                self.done.materialized.append(place)
                continue
            self.failed_here.add(place)
            if recipe.name in why:
                self.done.failed.append((*place, why[recipe.name]))
                self.progress(f"FAILED {recipe.name}{where}: {why[recipe.name]}")

    def _position(self, recipe: Recipe, key: str | None) -> str:
        """Which of how many partitions this is, where there are several."""
        keys = self.now.keys(recipe)
        return f" ({keys.index(key) + 1} of {len(keys)})" if key and len(keys) > 1 else ""

    @property
    def job(self) -> dg.JobDefinition:
        """The job that holds every asset; built when the first run needs it."""
        if self._job is None:
            # Imported here: the definitions know the nightly job, which refreshes.
            from stegvis.orchestration.definitions import build_definitions

            self._job = build_definitions(self.now.home).resolve_implicit_global_asset_job_def()
        return self._job


@contextmanager
def _told(progress: Progress) -> Iterator[None]:
    """What long work says of itself is passed on while it runs."""
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
    """Whether the process was asked to end: Dagster tells it as a canceled run, or as a stage's failure and goes on."""
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
    return {name: why for event in result.all_events for name, why in _failure(event)}


def _failure(event: Any) -> Iterator[tuple[str, str]]:
    if event.is_step_failure:
        data = event.step_failure_data
        described = data.user_failure_data.description if data.user_failure_data else None
        cause = data.error.cause if data.error and data.error.cause else data.error
        yield event.step_key, described or _first_line(cause)


def _first_line(error: Any) -> str:
    if error is None:
        return "failed without a message"
    # The class of an unexpected error, not its text: that could hold a person's value.
    return f"unexpected {error.cls_name or 'error'}; the run's log in the Dagster UI has the details"


def by_asset(places: list[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Partitions grouped by asset, in the order they ran."""
    grouped: dict[str, list[str]] = {}
    for asset, key in places:
        grouped.setdefault(asset, []).append(key)
    return grouped
