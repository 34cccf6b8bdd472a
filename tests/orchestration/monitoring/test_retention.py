"""Old runs are deleted from Dagster's storage; what the UI shows of each partition stays."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from stegvis.assets.graph import TABLES
from stegvis.orchestration.definitions import build_definitions
from stegvis.orchestration.instance import open_instance
from stegvis.orchestration.monitoring import files
from stegvis.orchestration.monitoring.retention import prune, prune_daily
from tests.orchestration.story import Story

pytestmark = pytest.mark.slow

FOREVER = -1.0  # days: every run is older than tomorrow


@pytest.fixture
def instance(story: Story) -> Iterator[dg.DagsterInstance]:
    with open_instance(story.home) as opened:
        yield opened


def runs(instance: dg.DagsterInstance) -> set[str]:
    return {record.dagster_run.run_id for record in instance.get_run_records()}


def newest(story: Story, instance: dg.DagsterInstance) -> dict[str, str]:
    """The run of the newest materialization of every table."""
    found = {}
    for table in TABLES:
        event = instance.get_latest_materialization_event(dg.AssetKey(table))
        assert event is not None, table
        found[table] = event.run_id
    return found


def empty_run(instance: dg.DagsterInstance, ended: bool) -> str:
    """A run that made nothing that is in the warehouse."""

    @dg.job
    def nothing() -> None:
        pass

    run = instance.create_run_for_job(nothing)
    if ended:
        instance.report_run_canceled(run)
    return run.run_id


def test_runs_that_nothing_shows_are_deleted_with_their_files(story: Story, instance: dg.DagsterInstance) -> None:
    before, shown = runs(instance), newest(story, instance)
    old, unfinished = [empty_run(instance, ended=True) for _ in range(3)], empty_run(instance, ended=False)
    log = story.home.dagster / "history" / "runs"
    assert all((log / f"{run}.db").exists() for run in old)
    assert prune(story.home, instance, keep_days=1) == 0
    assert prune(story.home, instance, FOREVER) == 3
    assert runs(instance) == before | {unfinished}
    assert not any(list(log.glob(f"{run}*")) for run in old)
    assert newest(story, instance) == shown
    assert story.made() == set()
    assert story.status()["ok"]


def test_an_earlier_run_of_a_partition_that_was_made_again_is_deleted(
    story: Story, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(story.home).resolve_implicit_global_asset_job_def()
    first, second = (
        job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("baseline_questionnaire")])
        for _time in range(2)
    )
    shown = newest(story, instance)
    assert shown["baseline_questionnaire"] == second.run_id
    assert prune(story.home, instance, FOREVER) == 1
    assert first.run_id not in runs(instance)
    assert newest(story, instance) == shown
    assert story.made() == set()


def test_the_last_failed_runs_stay(story: Story, instance: dg.DagsterInstance) -> None:
    failed = empty_run(instance, ended=False)
    run = instance.get_run_by_id(failed)
    assert run is not None
    instance.report_run_failed(run)
    assert prune(story.home, instance, FOREVER) == 0
    assert failed in runs(instance)


def test_it_is_done_once_a_day_and_not_at_all_where_everything_is_kept(
    story: Story, instance: dg.DagsterInstance
) -> None:
    empty_run(instance, ended=True)
    assert prune_daily(story.home, instance, keep_days=0) == 0
    assert not files.place(story.home.root, files.PRUNED).exists()
    assert prune_daily(story.home, instance, keep_days=180) == 0
    assert files.place(story.home.root, files.PRUNED).exists()
    assert prune_daily(story.home, instance, keep_days=int(FOREVER)) == 0
    files.place(story.home.root, files.PRUNED).unlink()
    assert prune_daily(story.home, instance, keep_days=int(FOREVER)) == 1
